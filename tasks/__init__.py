"""What i-Reserve enqueues, and the Celery application that works it off.

from tasks import create_root_post, post_reply, send_notification, sync_user, update_conversation
"""

from ireserve_mattermost import (
    create_root_post,
    post_reply,
    send_notification,
    sync_user,
    update_conversation,
)
from tasks.app import app

__all__ = [
    "app",
    "create_root_post",
    "post_reply",
    "send_notification",
    "sync_user",
    "update_conversation",
]
