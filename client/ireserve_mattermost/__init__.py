"""The tasks that i-Reserve imports to put its web chats and notifications into Mattermost.

from ireserve_mattermost import create_root_post, post_reply, update_conversation
from ireserve_mattermost import send_notification, sync_user
"""

from ireserve_mattermost.address import RedisAddressError
from ireserve_mattermost.lanes import TooManyError
from ireserve_mattermost.messages import InvalidMessageError
from ireserve_mattermost.public import AttachmentDict, Enqueued, FieldDict
from ireserve_mattermost.tasks import (
    create_root_post,
    post_reply,
    send_notification,
    sync_user,
    update_conversation,
)

__all__ = [
    "AttachmentDict",
    "Enqueued",
    "FieldDict",
    "InvalidMessageError",
    "RedisAddressError",
    "TooManyError",
    "create_root_post",
    "post_reply",
    "send_notification",
    "sync_user",
    "update_conversation",
]
