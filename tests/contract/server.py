"""A team with channels, users and a bot on the server under test, made by Mattermost's API."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from demo.mattermost import StandIn

# Far more than a local server needs. It keeps a call that hangs from stopping the tests.
TIMEOUT_S = 30.0

_PASSWORD = "Password-1-for-tests"

# A valid picture of one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c48900"
    "00000d4944415478da633811a0f11f0005640240bb0c8e2a0000000049454e44ae42"
    "6082"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A user who calls the API."""

    session: requests.Session
    url: str
    token: str
    user_id: str = ""
    username: str = ""

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        """Send a request below /api/v4 with this caller's token, or with no token if it is ""."""
        headers = dict(how.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return self.session.request(
            method, f"{self.url}/api/v4{path}", headers=headers, timeout=TIMEOUT_S, **how
        )

    def get(self, path: str, **query: Any) -> requests.Response:
        """Send a GET request."""
        return self.call("GET", path, params=query)

    def send(self, path: str, body: Any) -> requests.Response:
        """Send a JSON body with POST."""
        return self.call("POST", path, json=body)

    def delete(self, path: str) -> requests.Response:
        """Send a DELETE request."""
        return self.call("DELETE", path)

    def upload(self, channel_id: str, name: str, data: bytes) -> requests.Response:
        """Upload one file as the raw body."""
        return self.call(
            "POST",
            "/files",
            params={"channel_id": channel_id, "filename": name},
            data=data,
            headers={"Content-Type": "application/octet-stream"},
        )

    def upload_form(self, channel_id: str, name: str, data: bytes) -> requests.Response:
        """Upload one file as a multipart form."""
        return self.call(
            "POST", "/files", data={"channel_id": channel_id}, files={"files": (name, data)}
        )

    def file_id(self, channel_id: str, name: str = "note.txt", data: bytes = b"hello") -> str:
        """Upload one file and return its id."""
        return str(_good(self.upload(channel_id, name, data))["file_infos"][0]["id"])

    def post(self, channel_id: str, message: str = "x", **fields: Any) -> requests.Response:
        """Post a message."""
        return self.send("/posts", {"channel_id": channel_id, "message": message, **fields})

    def posted(self, channel_id: str, message: str = "x", **fields: Any) -> dict[str, Any]:
        """Post a message and return the post."""
        return _good(self.post(channel_id, message, **fields))

    def patch(self, post_id: str, **fields: Any) -> requests.Response:
        """Patch a post."""
        return self.put(f"/posts/{post_id}/patch", fields)

    def put(self, path: str, body: Any = None) -> requests.Response:
        """Send a JSON body with PUT."""
        return self.call("PUT", path, json=body)

    def hook(self, team_id: str, channel_id: str, url: str, **fields: Any) -> dict[str, Any]:
        """Create an outgoing webhook."""
        body = {
            "team_id": team_id,
            "channel_id": channel_id,
            "display_name": "i-Reserve replies",
            "callback_urls": [url],
            "content_type": "application/json",
        }
        return _good(self.send("/hooks/outgoing", body | fields))


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """The server with all that the cases need; the bot is not in the public channel `elsewhere`."""

    version: str
    admin: Caller
    bot: Caller
    anna: Caller
    anonymous: Caller
    stranger: Caller
    team_id: str
    team_name: str
    webchat_id: str
    webchat_name: str
    second_id: str
    private_id: str
    elsewhere_id: str
    archived_id: str

    def new_channel(self, *, with_anna: bool = True) -> str:
        """Make a public channel with the bot and, unless told otherwise, Anna; return its id."""
        members = (self.bot, self.anna) if with_anna else (self.bot,)
        return _channel(self.admin, self.team_id, "more", members=members)

    def new_bot(self) -> tuple[Caller, str]:
        """Make a bot in the channels `webchat` and `second`; return it and its token's id."""
        return _bot(self.admin, self.team_id, channel_ids=(self.webchat_id, self.second_id))

    @contextmanager
    def settings(self, **sections: dict[str, Any]) -> Iterator[None]:
        """Change the server's settings for the block, and restore the defaults after it."""
        _good(self.admin.put("/config/patch", sections))
        try:
            yield
        finally:
            _good(self.admin.put("/config/patch", DEFAULTS))


DEFAULTS: dict[str, dict[str, Any]] = {
    "PrivacySettings": {"ShowEmailAddress": True},
    "ServiceSettings": {"PostEditTimeLimit": -1},
    "FileSettings": {"EnableFileAttachments": True, "MaxFileSize": 104857600},
}


def make_server(session: requests.Session, *, url: str, admin_token: str) -> ServerUnderTest:
    """Make a team with unique names, so that one server can have many."""
    admin = _me(Caller(session, url, admin_token))
    team_name = _name("support")
    team_id = _good(
        admin.send("/teams", {"name": team_name, "display_name": "Support", "type": "O"})
    )["id"]
    bot, _ = _bot(admin, team_id, channel_ids=())
    anna = _person(admin, team_id)
    webchat_id = _channel(admin, team_id, "webchat", members=(bot, anna))
    archived_id = _channel(admin, team_id, "archived", members=(bot,))
    _good(admin.delete(f"/channels/{archived_id}"))
    return ServerUnderTest(
        version=_version(admin),
        admin=admin,
        bot=bot,
        anna=anna,
        anonymous=Caller(session, url, ""),
        stranger=Caller(session, url, "a" * 26),
        team_id=team_id,
        team_name=team_name,
        webchat_id=webchat_id,
        webchat_name=_good(admin.get(f"/channels/{webchat_id}"))["name"],
        second_id=_channel(admin, team_id, "second", members=(bot,)),
        private_id=_channel(admin, team_id, "private", members=(bot, anna), type="P"),
        elsewhere_id=_channel(admin, team_id, "elsewhere", members=()),
        archived_id=archived_id,
    )


def accepted(stand_in: StandIn) -> list[str]:
    """Return the messages of the posts that were made, in the order of the requests."""
    entries = stand_in.received(method="POST", path="/posts")
    return [entry.message for entry in entries if entry.post_id and not entry.duplicate]


def _good(response: requests.Response) -> dict[str, Any]:
    assert response.ok, f"{response.status_code} {response.text[:300]}"
    body: dict[str, Any] = json.loads(response.text)
    return body


def _name(stem: str) -> str:
    return stem + secrets.token_hex(4)


def _version(caller: Caller) -> str:
    """Return the version, which each answer has in front of the build."""
    return caller.get("/system/ping").headers["X-Version-Id"].partition("..")[0]


def _me(caller: Caller) -> Caller:
    me = _good(caller.get("/users/me"))
    return Caller(caller.session, caller.url, caller.token, me["id"], me["username"])


def _bot(admin: Caller, team_id: str, *, channel_ids: tuple[str, ...]) -> tuple[Caller, str]:
    body = {"username": _name("ireserve"), "display_name": "i-Reserve", "description": "mirror"}
    bot = _good(admin.send("/bots", body))
    token = _good(admin.send(f"/users/{bot['user_id']}/tokens", {"description": "test"}))
    _join(admin, team_id, bot["user_id"], channel_ids)
    return _me(Caller(admin.session, admin.url, token["token"])), token["id"]


def _person(admin: Caller, team_id: str) -> Caller:
    name = _name("anna")
    body = {
        "username": name,
        "email": f"{name}@example.com",
        "password": _PASSWORD,
        "first_name": "Anna",
        "last_name": "de Vries",
    }
    user = _good(admin.send("/users", body))
    anonymous = Caller(admin.session, admin.url, "")
    signed_in = anonymous.send("/users/login", {"login_id": name, "password": _PASSWORD})
    # A real server also sets a cookie, which would take precedence over each later token.
    admin.session.cookies.clear()
    _join(admin, team_id, user["id"], ())
    return _me(Caller(admin.session, admin.url, signed_in.headers["Token"]))


def _channel(
    admin: Caller, team_id: str, stem: str, *, members: tuple[Caller, ...], type: str = "O"
) -> str:
    body = {"team_id": team_id, "name": _name(stem), "display_name": stem.title(), "type": type}
    channel_id: str = _good(admin.send("/channels", body))["id"]
    for member in members:
        _good(admin.send(f"/channels/{channel_id}/members", {"user_id": member.user_id}))
    return channel_id


def _join(admin: Caller, team_id: str, user_id: str, channel_ids: tuple[str, ...]) -> None:
    _good(admin.send(f"/teams/{team_id}/members", {"team_id": team_id, "user_id": user_id}))
    for channel_id in channel_ids:
        _good(admin.send(f"/channels/{channel_id}/members", {"user_id": user_id}))
