"""Routes: users, bots, tokens and sign-in."""

import hashlib
from dataclasses import replace

from flask import Blueprint, Response, request

from demo.mattermost import errors
from demo.mattermost.accounts import make_bot, make_token, make_user
from demo.mattermost.deleting import purge_user
from demo.mattermost.entities import User
from demo.mattermost.errors import ApiError, Refusal
from demo.mattermost.exchange import (
    answer,
    backend,
    current_user,
    json_body,
    json_object,
    require_admin,
    require_id,
    status_ok,
)
from demo.mattermost.ids import now_ms
from demo.mattermost.permissions import is_admin
from demo.mattermost.shapes import Shape, bot_shape, token_shape, user_shape

blueprint = Blueprint("users", __name__)

_USERNAME_UNKNOWN = Refusal(
    404,
    "app.user.get_by_username.app_error",
    "Unable to find an existing account matching your username for this team.",
)


@blueprint.get("/users/me")
def get_me() -> Response:
    """Return the caller."""
    return answer(_shape(current_user()))


@blueprint.get("/users/<user_id>")
def get_user(user_id: str) -> Response:
    """Return a user by id."""
    current_user()
    return answer(_shape(_user(user_id)))


@blueprint.post("/users/ids")
def get_users_by_ids() -> Response:
    """Return users by ids; unknown ids are left out."""
    current_user()
    ids = json_body("user_ids")
    if not isinstance(ids, list) or not ids:
        raise ApiError(errors.INVALID_BODY_PARAM, name="user_ids")
    users = backend().state.users
    return answer(
        [
            _shape(users[user_id])
            for user_id in ids
            if user_id in users and not users[user_id].purged
        ]
    )


@blueprint.get("/users/username/<name>")
def get_user_by_name(name: str) -> Response:
    """Return a user by user name."""
    current_user()
    user_id = backend().state.user_ids_by_name.get(name)
    user = backend().state.users.get(user_id or "")
    if user is None or user.purged:
        raise ApiError(_USERNAME_UNKNOWN)
    return answer(_shape(user))


@blueprint.get("/users/email/<email>")
def get_user_by_email(email: str) -> Response:
    """Return a user by e-mail address, unless addresses are hidden."""
    if not backend().options.ShowEmailAddress and not is_admin(current_user()):
        raise ApiError(errors.EMAIL_HIDDEN)
    current_user()
    return answer(_shape(_known(backend().state.user_ids_by_email.get(email.lower()))))


@blueprint.post("/users")
def create_user() -> Response:
    """Make a user."""
    require_admin()
    body = json_object("user")
    names = ("username", "email", "password", "first_name", "last_name")
    fields = {name: str(body.get(name, "")) for name in names}
    with backend().state.lock:
        return answer(_shape(make_user(backend().state, **fields)), 201)


@blueprint.delete("/users/<user_id>")
def delete_user(user_id: str) -> Response:
    """Deactivate a user; with `permanent` delete the user and all the user's posts."""
    require_admin()
    user, state = _user(user_id), backend().state
    is_permanent = request.args.get("permanent") == "true"
    if is_permanent and not backend().options.EnableAPIUserDeletion:
        raise ApiError(errors.USER_DELETION_DISABLED)
    with state.lock:
        if is_permanent:
            purge_user(state, backend().store, user)
        state.put(replace(user, delete_at=now_ms(), purged=is_permanent))
    return status_ok()


@blueprint.post("/users/login")
def login() -> Response:
    """Sign in with a password; the answer's Token header holds the session's token."""
    body = json_object("login")
    state = backend().state
    user_id = state.user_ids_by_name.get(str(body.get("login_id")))
    digest = hashlib.sha256(str(body.get("password")).encode()).hexdigest()
    user = state.users[user_id] if user_id else None
    if user is None or user.password_sha256 != digest or user.delete_at:
        raise ApiError(errors.LOGIN_FAILED)
    with state.lock:
        token = make_token(state, user, description="session")
    response = answer(user_shape(backend().options.version, user, own=True, email_visible=True))
    response.headers["Token"] = token.token
    return response


@blueprint.post("/bots")
def create_bot() -> Response:
    """Make a bot."""
    admin = require_admin()
    body = json_object("bot")
    with backend().state.lock:
        bot = make_bot(
            backend().state,
            username=str(body.get("username", "")),
            display_name=str(body.get("display_name", "")),
            description=str(body.get("description", "")),
            owner_id=admin.id,
        )
    return answer(bot_shape(bot), 201)


@blueprint.post("/bots/<user_id>/<any(enable, disable):change>")
def switch_bot(user_id: str, change: str) -> Response:
    """Disable or enable a bot; a disabled bot's tokens are refused until it is enabled."""
    require_admin()
    with backend().state.lock:
        at = now_ms()
        bot = replace(_user(user_id), update_at=at, delete_at=at if change == "disable" else 0)
        backend().state.put(bot)
    return answer(bot_shape(bot))


@blueprint.post("/users/<user_id>/tokens")
def create_token(user_id: str) -> Response:
    """Make an access token."""
    require_admin()
    description = str(json_object("user_access_token").get("description", ""))
    if not description:
        raise ApiError(errors.INVALID_BODY_PARAM, name="description")
    with backend().state.lock:
        return answer(token_shape(make_token(backend().state, _user(user_id), description)))


@blueprint.post("/users/tokens/<any(enable, disable, revoke):change>")
def switch_token(change: str) -> Response:
    """Enable, disable or revoke a token by its id (`token_id`)."""
    require_admin()
    token_id = json_object("token_id").get("token_id")
    state = backend().state
    with state.lock:
        for token in [t for t in state.tokens.values() if t.id == token_id]:
            state.put(replace(token, is_active=change == "enable"))
    return status_ok()


def _user(user_id: str) -> User:
    return _known(require_id(user_id, "user_id"))


def _known(user_id: str | None) -> User:
    user = backend().state.users.get(user_id or "")
    if user is None or user.purged:
        raise ApiError(errors.USER_UNKNOWN)
    return user


def _shape(user: User) -> Shape:
    asking = current_user()
    options = backend().options
    visible = options.ShowEmailAddress or is_admin(asking)
    return user_shape(options.version, user, own=user.id == asking.id, email_visible=visible)
