"""A message waits if its server fails while a worker looks for the thread or the post."""

from __future__ import annotations

import pytest

from ireserve_mattermost.lanes import Lane
from tests.stage.stage import Stage

pytestmark = pytest.mark.usefixtures("fresh_circuits")


def test_messages_wait_while_mattermosts_own_database_is_away(stage: Stage) -> None:
    """While the server's database is away, messages wait, though it refuses their root posts."""
    for number in range(5):
        stage.start(f"c{number}")
    stage.stand_in.set_fault("database_away")

    reports = [
        str(stage.reply(f"m{number}", "hello", conversation_id=f"c{number}")) for number in range(5)
    ]

    assert reports == ["1 waiting"] * 5
    assert stage.runtime.circuits.state("L1").is_open
    # The server was asked only until its circuit opened.
    assert len(stage.stand_in.received(method="POST", path="/posts/ids")) == 3

    stage.stand_in.clear_faults()
    stage.runtime.circuits.close("L1")
    for number in range(5):
        stage.drain(Lane.of_conversation("L1", f"c{number}"))

    states = {key: state for key, (state, _) in stage.states().items() if key.startswith("reply")}
    assert states == {f"reply:m{number}": "sent" for number in range(5)}
    assert len(stage.channel_posts()) == 10


def test_new_conversation_waits_and_its_root_fails_after_one_try(stage: Stage) -> None:
    """While the server's database is away, a new conversation waits; its root is sent only once."""
    stage.stand_in.set_fault("database_away")

    first = stage.start()
    stage.stand_in.clear_faults()
    stage.drain(Lane.of_conversation("L1", "c1"))

    assert str(first) == "1 waiting"
    # The root was sent and is not in Mattermost. By our rule, it is not sent again.
    assert stage.states()["root:1"] == ("failed", "server_error")


def test_root_that_is_gone_while_the_server_fails_is_made_anew_later(stage: Stage) -> None:
    """A deleted root is replaced when the server answers again."""
    stage.start()
    [root] = stage.channel_posts()
    stage.bot().delete_post(root.id)
    stage.stand_in.set_fault("database_away")

    waiting = stage.reply("m1", "hello")
    stage.stand_in.clear_faults()
    report = stage.drain(Lane.of_conversation("L1", "c1"))

    assert (str(waiting), str(report)) == ("1 waiting", "1 sent")
    new_root, reply = stage.channel_posts()
    assert new_root.id != root.id
    assert reply.root_id == new_root.id
