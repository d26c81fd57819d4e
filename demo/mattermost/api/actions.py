"""Routes: the click on a button of a message attachment."""

from flask import Blueprint, Response

from demo.mattermost import errors
from demo.mattermost.attachments import find_action
from demo.mattermost.button_calls import click
from demo.mattermost.entities import Post
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import answer, backend, current_user, require_id
from demo.mattermost.ids import new_id
from demo.mattermost.permissions import may_see_post

blueprint = Blueprint("actions", __name__)


@blueprint.post("/posts/<post_id>/actions/<action_id>")
def press(post_id: str, action_id: str) -> Response:
    """Call the button's address, and change the post as the answer says.

    For an unknown post the answer is 403, as for a post that the user may not see.
    """
    user = current_user()
    # The real server's route takes ids of letters and digits only.
    if not (action_id.isalnum() and action_id.isascii()):
        raise ApiError(errors.NO_SUCH_PATH)
    post = _post(require_id(post_id, "post_id"))
    action = find_action(post.props, action_id)
    if action is None or "integration" not in action:
        raise ApiError(errors.ACTION_UNKNOWN)
    click(backend(), user, post, action)
    return answer({"status": "OK", "trigger_id": new_id()})


def _post(post_id: str) -> Post:
    state = backend().state
    post = state.posts.get(post_id)
    if post is None or not may_see_post(state, current_user(), post):
        raise ApiError(errors.PERMISSIONS)
    if post.delete_at:
        raise ApiError(errors.POST_UNKNOWN)
    return post
