"""The compared ways to post: our client, and the clients that a user would otherwise choose."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests

from benchmarks.post_server import BOT_TOKEN, CHANNEL_ID
from tasks.mattermost import MattermostClient

# A post of usual length in a thread.
ROOT_ID = "r" * 26
MESSAGE = "**Jan de Vries**\nIs the house still free in the first two weeks of August? " * 2
MARK = {"ireserve": {"conversation_id": "conversation-1042", "message_id": "m-1"}}
TIMEOUT_S = 20

# Makes one post and returns what the client returns, such as the decoded answer.
Post = Callable[[], object]


def our_client(url: str) -> Post:
    """Return a function that posts through our client."""
    client = MattermostClient(url, BOT_TOKEN)
    return lambda: client.create_post(
        channel_id=CHANNEL_ID, root_id=ROOT_ID, message=MESSAGE, props=MARK
    )


def bare_session(url: str) -> Post:
    """Return a function that posts through a ``requests.Session``, with our headers and body."""
    session = requests.Session()
    # Like our client, do not read the environment at each request; that would take a third longer.
    session.trust_env = False
    session.headers.update(
        {
            "Authorization": f"Bearer {BOT_TOKEN}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "ireserve-mattermost",
        }
    )
    payload = {**_payload(), "file_ids": [], "pending_post_id": ""}

    def post() -> object:
        answer = session.post(
            f"{url}/api/v4/posts?set_online=false",
            json=payload,
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        return answer.json()

    return post


def mattermostdriver(url: str) -> Post:
    """Return a function that posts through mattermostdriver."""
    from mattermostdriver import Driver

    driver = Driver(_driver_options(url))
    driver.client.token = BOT_TOKEN
    return lambda: driver.posts.create_post(options=_payload())


def mattermostautodriver(url: str) -> Post:
    """Return a function that posts through mattermostautodriver."""
    from mattermostautodriver import TypedDriver

    driver = TypedDriver(_driver_options(url))
    driver.client.token = BOT_TOKEN
    return lambda: driver.posts.create_post(**_payload())


def apprise(url: str) -> Post:
    """Return a function that posts through apprise as a bot, without its pause between posts."""
    from apprise import Apprise

    logging.getLogger("apprise").setLevel(logging.ERROR)
    address = urlsplit(url)
    sender = Apprise()
    sender.add(f"mmost://{address.netloc}/{BOT_TOKEN}/?mode=bot&to={CHANNEL_ID}")
    (plugin,) = sender
    plugin.request_rate_per_sec = 0

    def post() -> object:
        if not sender.notify(body=MESSAGE):
            raise requests.RequestException("apprise did not post")
        return True

    return post


def _payload() -> dict[str, Any]:
    return {"channel_id": CHANNEL_ID, "root_id": ROOT_ID, "message": MESSAGE, "props": MARK}


def _driver_options(url: str) -> dict[str, Any]:
    address = urlsplit(url)
    return {
        "url": address.hostname,
        "scheme": address.scheme,
        "port": address.port,
        "token": BOT_TOKEN,
        "request_timeout": TIMEOUT_S,
    }
