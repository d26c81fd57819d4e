"""The doctor checks a licence's webhooks on its server, and what answers at the callback URL."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.stage.examining import HOOK_TOKEN, PLACE, examine
from tests.stage.stage import Stage
from tests.wire import WireServer, always, http

pytestmark = pytest.mark.usefixtures("hook_token")

CALLBACK = "http://127.0.0.1:1/mattermost/replies"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since the faults are in Mattermost."""
    return sqlite_url


@pytest.fixture
def admin_token(stage: Stage) -> str:
    """An administrator's token."""
    token: str = stage.stand_in.setup({})["admin"]["token"]
    return token


HOOKS: list[tuple[str, list[dict[str, Any]], str, str]] = [
    ("as it should be", [{"token": HOOK_TOKEN}], "ok", "its token known"),
    ("none", [], "fail", "no outgoing webhook"),
    ("another address", [{"token": HOOK_TOKEN, "callback_urls": ["http://127.0.0.1:2/"]}],
     "fail", "does not call"),
    ("unknown token", [{}], "fail", "is not stored"),
    ("as a form", [{"token": HOOK_TOKEN, "content_type": "application/x-www-form-urlencoded"}],
     "warn", "sends forms"),
    ("trigger words", [{"token": HOOK_TOKEN, "trigger_words": ["help"]}],
     "fail", "trigger words"),
    ("two of them", [{"token": HOOK_TOKEN}, {"content_type": "application/x-www-form-urlencoded"}],
     "warn", "2 webhooks tell of each reply"),
    ("several addresses", [{"token": HOOK_TOKEN, "callback_urls": [CALLBACK, "http://127.0.0.1:2"]}],
     "warn", "several callback URLs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("hooks", "state", "sentence"), [pytest.param(*case[1:], id=case[0]) for case in HOOKS]
)
def test_webhook_is_looked_at_with_an_administrators_token(
    stage: Stage,
    admin_token: str,
    hooks: list[dict[str, Any]],
    state: str,
    sentence: str,
) -> None:
    """With an administrator's token, address, token, type and words of the webhook are checked."""
    default = {"channel": PLACE, "callback_urls": [CALLBACK]}
    stage.stand_in.setup({"hooks": [{**default, **hook} for hook in hooks]})

    found = examine(stage, admin_token=admin_token, callback_url=CALLBACK)

    assert found["webhook"][0] == state
    assert sentence in found["webhook"][1]
    assert admin_token not in str(found)


def test_webhook_whose_token_was_blanked_needs_a_new_one(stage: Stage, admin_token: str) -> None:
    """A webhook without a token, as after an edit by API, needs a new token."""
    hook = {"channel": PLACE, "callback_urls": [CALLBACK], "token": HOOK_TOKEN}
    stage.stand_in.setup({"hooks": [hook]})
    address = f"{stage.stand_in.url}/api/v4/hooks/outgoing"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {admin_token}"
        (made,) = session.get(address, timeout=10).json()
        kept = {name: value for name, value in made.items() if name != "token"}
        session.put(f"{address}/{made['id']}", json=kept, timeout=10).raise_for_status()

    found = examine(stage, admin_token=admin_token, callback_url=CALLBACK)

    state, sentence, cure = found["webhook"]
    assert (state, "has no token" in sentence) == ("fail", True)
    assert "Regenerate Token" in cure


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        pytest.param(http(405, b'{"error": "only POST"}'), "ok", "answers there", id="ours"),
        pytest.param(http(200, b"<html>"), "fail", "something else answers", id="another page"),
        pytest.param(
            http(301, headers={"Location": "https://x/"}), "fail", "redirects", id="moved"
        ),
        pytest.param(http(502, b"<html>"), "fail", "the web process behind it", id="no web behind"),
        pytest.param(None, "fail", "no server answers there", id="cut off"),
    ],
)
def test_callback_url_is_asked_whether_it_is_ours(
    stage: Stage, answer: bytes | None, state: str, sentence: str
) -> None:
    """Only an answer of our web process passes the check of the callback URL."""
    with WireServer(always(answer)) as server:
        url = f"http://127.0.0.1:{server.port}/mattermost/replies"

        found = examine(stage, callback_url=url)

    assert found["callback URL"][0] == state
    assert sentence in found["callback URL"][1]
