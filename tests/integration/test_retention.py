"""Retention removes old replies and settled deliveries, and nothing that is still open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from models import Conversation, Delivery, Reply, steps, utc_now
from models.steps import Steps
from tasks.outbound.retention import MAY_BE_REMOVED, remove_deliveries
from tasks.privacy.retention import remove_files, remove_rows
from tasks.watch.removals import Removable
from tests.stage.old_data import make_old, row_count, stored_files
from tests.stage.thread import MirroredThread


def test_nothing_is_removed_unless_it_is_said_for_how_long_it_is_kept(
    thread: MirroredThread,
) -> None:
    """Without a setting nothing is removed."""
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"x")))
    make_old(thread)

    done = remove_rows(thread.stage.runtime)

    assert done == {}
    assert [row_count(thread, table) for table in (Conversation, Reply, Delivery)] == [1, 1, 1]


def test_old_replies_go_with_their_files_and_the_conversation_stays(
    thread: MirroredThread,
) -> None:
    """Old replies are removed with their files, except replies that are still to be told."""
    old, untold = (
        thread.recorded(thread.say(text, file_ids=thread.upload(b"x")))
        for text in ("old", "untold")
    )
    make_old(thread)
    young = thread.recorded(thread.say("young", file_ids=thread.upload(b"y")))
    thread.change(untold.id, pending_event="recorded")
    thread.configure(retention_replies_days=365)

    done = remove_rows(thread.stage.runtime)
    files = remove_files(thread.stage.runtime)

    left = [thread.reply(row.id) is not None for row in (old, untold, young)]
    assert (done, files, left) == ({Removable.REPLIES: 1}, 1, [False, True, True])
    assert (row_count(thread, Conversation), len(stored_files(thread))) == (1, 2)


def test_settled_deliveries_go_and_open_or_failed_ones_stay(thread: MirroredThread) -> None:
    """Settled deliveries are removed; open ones, and failed ones with a payload, stay."""
    stage = thread.stage
    stage.reply("sent", "text")
    for message_id in ("failed", "discarded"):
        stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
        stage.reply(message_id, "text")
    with thread.database.transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.key == "reply:discarded").values(payload=None)
        )
        session.execute(update(Delivery).where(Delivery.key == "root:1").values(state="sending"))
    make_old(thread)
    stage.reply("young", "text")
    thread.configure(retention_deliveries_days=365)

    done = remove_rows(stage.runtime)

    assert done == {Removable.DELIVERIES: 2}
    assert sorted(stage.states()) == ["reply:failed", "reply:young", "root:1"]


def test_walk_ends_at_the_first_page_without_an_old_row(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk through the ledger ends at a page on which no row began long ago."""
    monkeypatch.setattr(steps, "PAGE", 1)
    for message_id in ("old", "young", "unseen"):
        thread.stage.reply(message_id, "text")
    make_old(thread)
    with thread.database.transaction() as session:
        # This row ended long ago. Retention judges its page by the time when it began.
        young = update(Delivery).where(Delivery.key == "reply:young")
        session.execute(young.values(started_at=utc_now()))

    removed = list(
        remove_deliveries(
            Steps(thread.database), before=utc_now() - timedelta(days=1), which=MAY_BE_REMOVED
        )
    )

    assert removed == [1, 1]
    assert sorted(thread.stage.states()) == ["reply:unseen", "reply:young"]
