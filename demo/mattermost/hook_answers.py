"""Make a post of the text with which a webhook's receiver answers."""

from contextlib import suppress
from typing import Any

from demo.mattermost.attachments import with_full_attachments
from demo.mattermost.backend import Backend
from demo.mattermost.drafts import Draft
from demo.mattermost.errors import ApiError
from demo.mattermost.posting import save_post
from demo.mattermost.webhooks import Trigger


def post_answer(backend: Backend, trigger: Trigger, answer: dict[str, Any]) -> None:
    """Post the text as the hook's creator; the new post triggers no webhooks.

    A comment on a reply is lost, since only root posts can have replies.
    """
    is_comment = answer.get("response_type") == "comment"
    if is_comment and trigger.post.root_id:
        return
    draft = Draft(
        channel_id=trigger.post.channel_id,
        message=answer["text"],
        root_id=trigger.post.id if is_comment else "",
        props=_props(backend, trigger, answer),
    )
    # An answer that is no valid post is lost, too: no request is left to return an error to.
    with suppress(ApiError):
        save_post(backend, backend.state.users[trigger.hook.creator_id], draft)


def _props(backend: Backend, trigger: Trigger, answer: dict[str, Any]) -> dict[str, Any]:
    props = dict(answer["props"]) if isinstance(answer.get("props"), dict) else {}
    if isinstance(answer.get("attachments"), list):
        props["attachments"] = answer["attachments"]
    props |= {"from_webhook": "true", "webhook_display_name": trigger.hook.display_name}
    username = answer.get("username") or trigger.hook.username
    if username and backend.options.EnablePostUsernameOverride:
        props["override_username"] = username
    icon_url = answer.get("icon_url") or trigger.hook.icon_url
    if icon_url and backend.options.EnablePostIconOverride:
        props["override_icon_url"] = icon_url
    return with_full_attachments(props)
