"""The author of a reply: the user of i-Reserve with the same e-mail address, else only a name."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection, Row, bindparam, select

from models import User
from tasks.mattermost import MattermostClient, Member, Reason, RefusedError
from tasks.rendering.characters import one_line
from tasks.replies.plain_text import visible

# How long a changed name or address goes unnoticed. In a chat one person writes several replies.
CACHE_S = 30.0
# Enough for the people who write within that time; the one longest unused is dropped first.
MAX_MEMBERS = 1_000
# Mattermost allows 64 characters for each of the two names.
MAX_NAME_LENGTH = 200

# Built once, since each reply needs it. Two rows suffice to see that the address is not unique.
_WITH_EMAIL = (
    select(User.user_id, User.name)
    .where(
        User.licence_id == bindparam("licence"),
        User.email == bindparam("email"),
        User.active.is_(True),
    )
    .limit(2)
)


@dataclass(frozen=True, slots=True)
class Author:
    """A reply's author; ``user_id`` is i-Reserve's, None when no user of the licence matched.

    ``name`` is None when the account does not exist any more.
    """

    mattermost_id: str
    user_id: str | None
    name: str | None = field(repr=False)


class Members:
    """The accounts of people on all servers, kept for ``CACHE_S``."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[float, Member | None]] = OrderedDict()
        self._mutex = Lock()

    def find(self, client: MattermostClient, *, licence_id: str, user_id: str) -> Member | None:
        """Return the account, also a deactivated one; None when there is none.

        Raises:
            MattermostError: the server could not say.
        """
        key = (licence_id, user_id)
        with self._mutex:
            known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < CACHE_S:
            return known[1]
        member = _ask(client, user_id)
        with self._mutex:
            self._known[key] = (time.monotonic(), member)
            self._known.move_to_end(key)
            if len(self._known) > MAX_MEMBERS:
                self._known.popitem(last=False)
        return member


def _ask(client: MattermostClient, user_id: str) -> Member | None:
    try:
        return client.get_user(user_id)
    except RefusedError as error:
        if error.reason is Reason.NOT_FOUND:
            return None
        raise


def author_of(
    connection: Connection, member: Member | None, *, licence_id: str, mattermost_id: str
) -> Author:
    """Return the author: the only active user of the licence with exactly the member's address.

    If two users have the address, neither is taken: the visitor could see the wrong name.
    """
    if member is None:
        return Author(mattermost_id, None, None)
    users = _users_with(connection, member.email, licence_id=licence_id)
    if len(users) == 1:
        return Author(mattermost_id, users[0].user_id, users[0].name)
    return Author(mattermost_id, None, display_name(member))


def display_name(member: Member) -> str:
    """Return the name that Mattermost shows: the full one, else the nickname, else the handle."""
    full = f"{member.first_name} {member.last_name}"
    names = map(_shown, (full, member.nickname, member.username))
    return next(filter(None, names), "")


def _shown(name: str) -> str:
    return visible(one_line(name, limit=MAX_NAME_LENGTH))


def _users_with(connection: Connection, email: str, *, licence_id: str) -> Sequence[Row[str, str]]:
    # A server that hides addresses returns an empty one.
    if not email:
        return []
    return connection.execute(_WITH_EMAIL, {"licence": licence_id, "email": email.lower()}).all()
