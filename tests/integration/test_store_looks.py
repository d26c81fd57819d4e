"""A worker checks the attachment store, and the metrics show the result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.store import AttachmentStore
from tasks.sweep import look_at_store_once
from tasks.watch.store_looks import SLOW_MS, STORE, begin_look
from tests.stage.scraper import Scraper
from tests.stage.stage import Stage


@pytest.mark.one_database
@pytest.mark.parametrize(("takes_files", "is_up"), [(True, 1), (False, 0)], ids=["takes", "away"])
def test_store_is_told_as_a_worker_found_it(
    stage: Stage, scraper: Scraper, takes_files: bool, is_up: int
) -> None:
    """The metrics lack the store before a worker's first check, and then have 1 or 0 for it."""
    before = scraper.read("up")
    url = stage.runtime.settings.attachments_url if takes_files else "file:///proc/no-store"
    settings = stage.runtime.settings.model_copy(update={"attachments_url": url})

    look_at_store_once(replace(stage.runtime, settings=settings))

    assert ("store",) not in before
    assert scraper.read("up")["store",] == is_up


@pytest.mark.one_database
def test_store_is_looked_at_again_after_a_look_whose_worker_was_killed(
    stage: Stage, scraper: Scraper
) -> None:
    """A check of the store whose worker was killed does not block the next check."""
    begin_look(stage.runtime.redis)
    stage.runtime.redis.hincrby(STORE, "begun_ms", -2 * SLOW_MS)
    before = scraper.read("up")["store",]

    look_at_store_once(stage.runtime)

    assert (before, scraper.read("up")["store",]) == (0, 1)


@pytest.mark.one_database
def test_store_that_removes_nothing_keeps_one_file_of_all_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a store that cannot remove files, all checks together leave one file."""
    monkeypatch.setattr(AttachmentStore, "remove", _refuse)

    outcomes = [look_at_store_once(stage.runtime) for _ in range(3)]

    assert outcomes == ["store_unavailable"] * 3
    assert [path.name for path in stage.store.iterdir()] == ["probe-worker"]


def _refuse(*_: object) -> None:
    raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
