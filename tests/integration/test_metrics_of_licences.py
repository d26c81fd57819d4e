"""The metrics of each licence: zeros at first, its circuit, and nothing after its removal."""

from __future__ import annotations

import pytest

from tasks.mattermost import NotSentError, Reason
from tasks.watch.last_times import LastTimes, read_last_times
from tasks.watch.tallies import Tallies
from tests.stage.scraper import PREFIX, Scraper
from tests.stage.stage import LICENCE, Stage


@pytest.mark.parametrize(
    ("trouble", "state"), [("none", 0), ("pause", 1), ("failures", 2)], ids=str
)
def test_circuit_is_closed_paused_or_open(
    stage: Stage, scraper: Scraper, trouble: str, state: int
) -> None:
    """The metric of the circuit is 0 if it is closed, 1 if it is paused and 2 if it is open."""
    if trouble == "pause":
        stage.runtime.circuits.pause(LICENCE, seconds=60)
    for _ in range(3 if trouble == "failures" else 0):
        stage.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))

    assert scraper.read("circuit_state") == {(LICENCE,): state}


def test_licence_that_is_gone_is_forgotten(stage: Stage, scraper: Scraper) -> None:
    """Forgetting a licence removes its figures, so a new licence of that name begins with 0."""
    stage.start()
    tallies = Tallies(scraper.redis)
    known = read_last_times(scraper.redis, [LICENCE])

    tallies.forget(LICENCE)

    assert list(known.sent_at) == [LICENCE]
    assert tallies.read() == {}
    assert read_last_times(scraper.redis, [LICENCE]) == LastTimes({}, {})


@pytest.mark.one_database
def test_new_licence_is_there_with_zeros(stage: Stage, scraper: Scraper) -> None:
    """All series of a licence exist with 0 before its first event, so that alerts find them."""
    stage.runtime.redis.flushall()

    names = {sample.name.removeprefix(PREFIX) for sample in scraper.of_licence(LICENCE)}
    values = {sample.value for sample in scraper.of_licence(LICENCE)}

    assert names == {
        "messages_total", "messages_waiting", "oldest_waiting_seconds", "circuit_state",
        "replies_total", "replies_unrecorded", "files_missing",
    }  # fmt: skip
    assert values == {0}
