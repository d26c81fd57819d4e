"""Calls about users, teams, channels and the server itself."""

from collections.abc import Sequence

from tasks.mattermost.errors import MattermostError
from tasks.mattermost.pages import ask_by_ids
from tasks.mattermost.reasons import Reason
from tasks.mattermost.shape import parse_list
from tasks.mattermost.transport import LIST_ANSWER_BYTES, Transport, route
from tasks.mattermost.types import (
    Channel,
    ClientConfig,
    Member,
    Membership,
    Team,
    TeamMembership,
    parse_status,
)

# Mattermost documents no limit for the ids in a request. This number stays far below its limit for
# a request's body.
MAX_USER_IDS = 1000


class DirectoryCalls:
    """Users, teams, channels and settings of one server."""

    _transport: Transport

    def ping(self) -> str:
        """Return the server's status word, "OK"; the call needs no valid token."""
        return self._transport.call("GET", "/system/ping", parse=parse_status)

    def ping_database(self) -> None:
        """Require an answer from the server's database; the call needs no token and is not cached.

        Raises:
            OutcomeUnknownError: ``server_error``, if the server does not reach its database.
        """
        query = {"get_server_status": "true"}
        self._transport.call("GET", "/system/ping", query=query, parse=parse_status)

    def get_client_config(self) -> ClientConfig:
        """Return the server's settings for clients; with a rejected token only some of them."""
        # `format` is required up to version 9 and ignored by later versions.
        return self._transport.call(
            "GET", "/config/client", query={"format": "old"}, parse=ClientConfig.parse
        )

    def get_me(self) -> Member:
        """Return the user to whom the token belongs."""
        return self._transport.call("GET", "/users/me", parse=Member.parse)

    def get_user(self, user_id: str) -> Member:
        """Return a user; a deactivated user has ``delete_at_ms``."""
        return self._transport.call("GET", route("users", user_id), parse=Member.parse)

    def get_user_by_username(self, name: str) -> Member:
        """Return a user by username, also a deactivated user.

        Raises:
            RefusedError: ``not_found``, if no user has this name.
        """
        return self._transport.call("GET", route("users", "username", name), parse=Member.parse)

    def find_username(self, email: str) -> str:
        """Return the username of the active member with this e-mail address, or "".

        A server that hides addresses answers administrators only; then the result is "" too.
        """
        try:
            member = self._transport.call("GET", route("users", "email", email), parse=Member.parse)
        except MattermostError as error:
            # Keep the address out of the error's text.
            error.path = "/users/email"
            if error.reason in {Reason.NOT_FOUND, Reason.PERMISSION_MISSING, Reason.NOT_A_MEMBER}:
                return ""
            raise
        is_there = member.email.lower() == email.lower() and not member.delete_at_ms
        return member.username if is_there and not member.is_bot else ""

    def get_users_by_ids(self, user_ids: Sequence[str]) -> list[Member]:
        """Return the users with these ids, in no order; unknown ids are left out."""
        return ask_by_ids(self._users_by_ids, user_ids, size=MAX_USER_IDS)

    def _users_by_ids(self, user_ids: Sequence[str]) -> list[Member]:
        return self._transport.call(
            "POST",
            "/users/ids",
            payload=list(user_ids),
            parse=parse_list(Member.parse),
            limit_bytes=LIST_ANSWER_BYTES,
        )

    def get_team_by_name(self, name: str) -> Team:
        """Return a team by the name in its URL."""
        return self._transport.call("GET", route("teams", "name", name), parse=Team.parse)

    def get_channel(self, channel_id: str) -> Channel:
        """Return a channel.

        Raises:
            RefusedError: ``channel_unknown``, or ``not_a_member`` for a private channel.
        """
        path = route("channels", channel_id)
        return self._transport.call("GET", path, parse=Channel.parse, channel_id=channel_id)

    def get_channel_by_name(self, *, team: str, channel: str) -> Channel:
        """Return a channel by the names in its URL; an archived channel has ``delete_at_ms``.

        Raises:
            RefusedError: ``channel_unknown``, also for a private channel without the bot.
        """
        path = route("teams", "name", team, "channels", "name", channel)
        query = {"include_deleted": "true"}
        return self._transport.call("GET", path, query=query, parse=Channel.parse)

    def get_my_membership(self, channel_id: str) -> Membership:
        """Return the bot's membership of a channel.

        Raises:
            RefusedError: ``not_a_member``, also if the channel does not exist.
        """
        path = route("channels", channel_id, "members", "me")
        return self._transport.call("GET", path, parse=Membership.parse, channel_id=channel_id)

    def get_membership(self, channel_id: str, *, user_id: str) -> Membership:
        """Return a user's membership of a channel.

        Raises:
            RefusedError: ``not_found``, or ``not_a_member`` if the bot itself is no member.
        """
        path = route("channels", channel_id, "members", user_id)
        return self._transport.call("GET", path, parse=Membership.parse, channel_id=channel_id)

    def get_team_membership(self, team_id: str, *, user_id: str) -> TeamMembership:
        """Return a user's membership of a Mattermost team.

        Raises:
            RefusedError: ``not_found``, if the user is no member.
        """
        path = route("teams", team_id, "members", user_id)
        return self._transport.call("GET", path, parse=TeamMembership.parse)

    def add_channel_member(self, channel_id: str, *, user_id: str) -> Membership:
        """Add a user of the Mattermost team to a channel; do nothing if the user is a member.

        A bot may add itself to a public channel of its team.
        """
        path = route("channels", channel_id, "members")
        return self._transport.call(
            "POST",
            path,
            payload={"user_id": user_id},
            parse=Membership.parse,
            channel_id=channel_id,
        )
