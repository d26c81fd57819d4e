"""Failed messages on the command line: they are listed with a cure, discarded and purged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import utc_now
from tests.operators import Operator
from tests.stage.failed_messages import change, fail, id_of
from tests.stage.stage import LICENCE, Stage


def test_failed_message_is_listed_with_its_cure_and_without_its_text(
    stage: Stage, operator: Operator
) -> None:
    """Each failed message has one line with ids, reason and cure, without its text."""
    stage.start()
    fail(stage, "m1")

    (entry,) = operator.json("failed")["failed"]
    table = operator.run("failed", LICENCE).stdout

    assert (entry["id"], entry["licence"], entry["kind"]) == (
        id_of(stage, "reply:m1"),
        "L1",
        "reply",
    )
    assert (entry["conversation"], entry["reason"]) == ("c1", "rejected_by_plugin")
    assert entry["cure"].startswith("Ask the server's administrator which plugin")
    assert entry["cure"] in table
    assert "text of m1" not in table


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        pytest.param([LICENCE], ["reply:m1", "reply:m2", "reply:m3"], id="of a licence"),
        pytest.param([], ["reply:m1", "reply:m2", "reply:m3", "reply:m4"], id="all"),
        pytest.param(["--limit", "2"], ["reply:m3", "reply:m4"], id="the newest ones"),
        pytest.param(["--since", "1h"], ["reply:m2", "reply:m3"], id="since"),
        pytest.param(["--reason", "unreachable"], ["reply:m3"], id="reason"),
        pytest.param(["L2"], ["reply:m4"], id="of a licence that is not registered"),
    ],
)
def test_failed_messages_are_chosen_by(
    stage: Stage, operator: Operator, words: list[str], keys: list[str]
) -> None:
    """Licence, time and reason filter the list, and the newest are shown if there are too many."""
    stage.start()
    fail(stage, "m1", "m2", "m3", "m4")
    change(stage, "reply:m4", licence_id="L2", finished_at=utc_now() - timedelta(hours=3))
    change(stage, "reply:m1", finished_at=utc_now() - timedelta(hours=2))
    change(stage, "reply:m3", reason="unreachable")

    found = operator.json("failed", *words)["failed"]

    assert [entry["key"] for entry in found] == keys


def test_discarded_message_is_listed_no_more_but_kept(stage: Stage, operator: Operator) -> None:
    """A discarded message keeps its row and reason, which --all shows."""
    stage.start()
    fail(stage, "m1")
    row = id_of(stage, "reply:m1")

    answer = operator.json("discard", LICENCE, str(row), "--yes")
    again = operator.json("discard", LICENCE, str(row), "--yes", exit_code=1)

    (kept,) = operator.json("failed", "--all")["failed"]
    assert (answer, again) == ({"discarded": [row], "left": []}, {"discarded": [], "left": [row]})
    assert operator.json("failed") == {"failed": []}
    assert (kept["reason"], kept["can_be_resent"]) == ("rejected_by_plugin", False)


def test_old_settled_messages_are_purged_and_younger_ones_stay(
    stage: Stage, operator: Operator
) -> None:
    """Old sent and failed messages are purged, but never a message that is being sent."""
    stage.start()
    fail(stage, "m1", "m2")
    stage.reply("m3", "sent")
    long_ago = utc_now() - timedelta(days=40)
    change(stage, "reply:m1", started_at=long_ago, finished_at=long_ago)
    change(stage, "reply:m3", started_at=long_ago, finished_at=long_ago)
    change(stage, "root:1", started_at=long_ago, finished_at=long_ago, state="sending")

    answer = operator.json("purge", "--older-than", "30", "--yes")

    assert answer == {"removed": 2}
    assert [row.key for row in stage.ledger()] == ["root:1", "reply:m2"]


@pytest.mark.parametrize("words", [["failed"], ["resend"], ["discard", "1"]], ids=" ".join)
def test_mistyped_licence_does_not_look_like_one_without_failures(
    operator: Operator, words: list[str]
) -> None:
    """An unknown licence is an error, and the command asks no question first."""
    command, *ids = words

    error = operator.json(command, "L9", *ids, exit_code=1)["error"]

    assert error == "no licence 'L9' is registered: see ireserve-mattermost licence list"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["resend"], id="no licence"),
        pytest.param(["resend", LICENCE, "1", "--since", "1h"], id="filter with ids"),
        pytest.param(["failed", "--since", "yesterday"], id="no moment"),
        pytest.param(["failed", "--reason", "bad_luck"], id="no reason"),
        pytest.param(["purge"], id="no age"),
        pytest.param(["purge", "--older-than", "0", "--yes"], id="everything"),
        pytest.param(["discard", LICENCE, "1", "--json"], id="json cannot ask"),
    ],
)
def test_wrong_use_ends_with_two(operator: Operator, words: list[str]) -> None:
    """Wrong use ends with exit code 2."""
    assert operator.run(*words).exit_code == 2
