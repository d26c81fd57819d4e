"""The metrics of the team's replies: how each was noticed, and what is not recorded or missing."""

from __future__ import annotations

from sqlalchemy import delete, update

from models import Reply, ReplyAttachment, ReplySource
from tests.stage.scraper import Scraper
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread


def test_replies_are_counted_by_how_they_were_noticed(stage: Stage, scraper: Scraper) -> None:
    """Replies are counted by source, and by what became of them."""
    thread = MirroredThread.open(stage)
    row = thread.recorded(thread.say("one"))
    stage.member().patch_post(row.post_id, message="two")
    thread.ask_again(row.id)
    stage.member().delete_post(row.post_id)
    thread.ask_again(row.id)
    thread.take_in(thread.say("no reply", root_id=""))
    by_catch_up = thread.receive(thread.say("from a private channel").id)
    thread.change(by_catch_up, source=ReplySource.CATCH_UP)
    thread.resolve(by_catch_up)

    counted = scraper.read("replies_total")

    assert {key: value for key, value in counted.items() if value} == {
        (LICENCE, "webhook", "recorded"): 1,
        (LICENCE, "webhook", "edited"): 1,
        (LICENCE, "webhook", "deleted"): 1,
        (LICENCE, "webhook", "ignored"): 1,
        (LICENCE, "catch_up", "recorded"): 1,
    }
    assert counted[LICENCE, "webhook", "given_up"] == 0


def test_replies_that_are_not_recorded_are_there_by_state(stage: Stage, scraper: Scraper) -> None:
    """Unrecorded replies are counted as waiting or given up."""
    thread = MirroredThread.open(stage)
    thread.receive("a" * 26)
    thread.give_up(thread.receive(thread.say("hello").id))

    assert scraper.read("replies_unrecorded") == {
        (LICENCE, "waiting"): 1,
        (LICENCE, "given_up"): 1,
    }
    assert scraper.read("replies_total")[LICENCE, "webhook", "given_up"] == 1


def test_missing_files_of_recorded_replies_are_counted(stage: Stage, scraper: Scraper) -> None:
    """Missing files are counted while their replies exist."""
    thread = MirroredThread.open(stage)
    row = thread.recorded(thread.say("a file", file_ids=thread.upload(b"x")))
    with stage.runtime.database.transaction() as session:
        session.execute(update(ReplyAttachment).values(path=None, reason="gone"))

    missing = scraper.read("files_missing")
    with stage.runtime.database.transaction() as session:
        session.execute(delete(Reply).where(Reply.id == row.id))

    assert (missing, scraper.read("files_missing")) == ({(LICENCE,): 1}, {(LICENCE,): 0})
