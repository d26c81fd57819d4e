"""Each recorded request, made again, gets the same status, error id and shape of the answer."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from requests import Response

from tests.contract.actions import ACTIONS
from tests.contract.recordings import CASE_NAMES, RECORDINGS, Recording
from tests.contract.server import ServerUnderTest

# These cases have their own tests, since they record an effect and not one answer.
OBSERVED = {
    "config.client",
    "file_ids.order",
    "hook.form",
    "hook.of_bot_from_webhook_prop",
    "patch.props_only",
    "posts.ids.deleted_root",
    "rate.exceeded",
    "rate.ok",
    "since.boundary",
    "since.deleted",
    "since.edited",
    "since.history_copy",
    "since.limit",
    *(name for name in CASE_NAMES if name.startswith("hook_answer.")),
}

NOT_REPLAYED = {
    "post.get.private_not_member": "It was recorded with a session that had expired, so its 401 "
    "says nothing of membership; the rule itself is tested with the lists.",
}

# The recording has only the first few posts of these lists.
LISTS = {"channel.posts.since", "channel.posts.since.after_delete", "thread.get"}

_PREVIEW = "mini_preview"
_ID = re.compile(r"[a-z0-9]{26}")


def shape(value: Any) -> Any:
    """Return the keys and the types of a JSON value, and of a list only its first element.

    The small preview of a picture counts as one type, since it is null if none could be made.
    """
    if isinstance(value, dict):
        return {
            "<id>" if _ID.fullmatch(key) else key: "preview" if key == _PREVIEW else shape(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def seen(response: Response) -> dict[str, Any]:
    """Return what is compared of an answer."""
    body = _json(response.text)
    return {
        "status": response.status_code,
        "type": response.headers["Content-Type"],
        "error": body.get("id") if response.status_code >= 400 else None,
        "versioned": "X-Version-Id" in response.headers,
        "shape": shape(body),
    }


def recorded(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is compared of a recorded answer."""
    body = case["response"]
    return {
        "status": case["status"],
        "type": case["headers"]["Content-Type"],
        "error": body.get("id") if case["status"] >= 400 else None,
        "versioned": "X-Version-Id" in case["headers"],
        "shape": shape(body),
    }


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# The cases whose whole answer was recorded.
_ANY = RECORDINGS["11.6.0"].cases
WHOLE = [name for name in ACTIONS if "headers" in _ANY[name] and name not in LISTS]


@pytest.mark.parametrize("name", WHOLE)
def test_answer_is_the_recorded_one(
    name: str, server: ServerUnderTest, recording: Recording
) -> None:
    """Status, content type, error id and every key with its type are as recorded."""
    expected = recorded(recording.cases[name])

    actual = seen(ACTIONS[name](server))

    assert actual == expected


@pytest.mark.parametrize("name", sorted(LISTS))
def test_list_has_the_recorded_frame(
    name: str, server: ServerUnderTest, recording: Recording
) -> None:
    """A list of posts has the recorded keys, and so do its posts."""
    case = recording.cases[name]["response"]

    response = ACTIONS[name](server)

    body = response.json()
    assert response.status_code == recording.cases[name]["status"]
    assert {key: type(value) for key, value in body.items()} == {
        key: type(value) for key, value in case.items()
    }
    # Posts that the server makes itself, such as a webhook's answer, have no remote_id.
    optional = {"file_ids", "has_reactions", "remote_id"}
    expected = {frozenset(post.keys() - optional) for post in case["posts"].values()}
    assert {frozenset(post.keys() - optional) for post in body["posts"].values()} == expected


@pytest.mark.parametrize("name", ["hook.put.keep_token", "hook.put.without_token"])
def test_overwritten_hook_is_accepted(
    name: str, server: ServerUnderTest, recording: Recording
) -> None:
    """PUT of a hook succeeds with or without its token, and the action checks the stored token."""
    response = ACTIONS[name](server)

    assert response.status_code == recording.cases[name]["status"]


def test_id_in_a_new_post_is_refused(server: ServerUnderTest, recording: Recording) -> None:
    """A new post with an id is refused as recorded."""
    case = recording.cases["post.with_id"]

    response = ACTIONS["post.with_id"](server)

    assert (response.status_code, response.json()["id"]) == (case["status"], case["id"])


def test_wrong_base_path_answers_a_page(server: ServerUnderTest, recording: Recording) -> None:
    """Each address outside the API's prefix answers 200 with HTML."""
    case = recording.cases["wrong_base_path"]

    response = ACTIONS["wrong_base_path"](server)

    actual = (response.status_code, response.headers["Content-Type"])
    assert actual == (case["status"], case["type"])
    assert "<html" in response.text


def test_wrong_method_is_an_unknown_path(server: ServerUnderTest, recording: Recording) -> None:
    """A wrong method gets the 404 of an unknown address."""
    case = recording.cases["wrong_method"]

    response = ACTIONS["wrong_method"](server)

    actual = (response.status_code, response.headers["Content-Type"], response.json()["id"])
    assert actual == (case["status"], case["type"], "api.context.404.app_error")


def test_every_recorded_case_is_accounted_for() -> None:
    """Each case is made again, observed by its own test, or listed with the reason why not."""
    assert {tuple(sorted(each.cases)) for each in RECORDINGS.values()} == {tuple(CASE_NAMES)}
    accounted = [*ACTIONS, *OBSERVED, *NOT_REPLAYED]

    assert sorted(accounted) == CASE_NAMES
