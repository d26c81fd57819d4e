"""Make users, bots and tokens. The caller must hold the state's lock."""

import hashlib

from demo.mattermost.entities import Token, User
from demo.mattermost.errors import USERNAME_TAKEN, ApiError
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.state import State


def make_user(
    state: State,
    *,
    username: str,
    email: str,
    password: str = "",
    first_name: str = "",
    last_name: str = "",
    roles: str = "system_user",
) -> User:
    """Make a user; the e-mail address is stored in lower case.

    Raises:
        ApiError: the name is taken.
    """
    user = User(
        id=new_id(),
        create_at=now_ms(),
        update_at=now_ms(),
        username=username.lower(),
        email=email.lower(),
        first_name=first_name,
        last_name=last_name,
        roles=roles,
        # Without a password a user cannot sign in: no digest is empty.
        password_sha256=hashlib.sha256(password.encode()).hexdigest() if password else "",
    )
    return _save(state, user)


def make_bot(
    state: State, *, username: str, display_name: str = "", description: str = "", owner_id: str
) -> User:
    """Make a bot; its e-mail address is its name at localhost.

    Raises:
        ApiError: the name is taken.
    """
    bot = User(
        id=new_id(),
        create_at=now_ms(),
        update_at=now_ms(),
        username=username.lower(),
        email=f"{username.lower()}@localhost",
        first_name=display_name,
        is_bot=True,
        bot_description=description,
        owner_id=owner_id,
    )
    return _save(state, bot)


def make_token(state: State, user: User, description: str) -> Token:
    """Make an access token for a user."""
    token = Token(new_id(), new_id(), user.id, description)
    state.put(token)
    return token


def _save(state: State, user: User) -> User:
    if not user.username or user.username in state.user_ids_by_name:
        raise ApiError(USERNAME_TAKEN)
    state.put(user)
    return user
