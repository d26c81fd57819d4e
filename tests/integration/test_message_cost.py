"""The number of database statements that one message takes."""

from __future__ import annotations

from ireserve_mattermost.lanes import Lane
from tests.stage.database_cost import counted
from tests.stage.stage import VISITOR, Stage, drain

LANE = Lane.of_conversation("L1", "c1")


def test_message_that_tells_nothing_new_takes_few_statements(stage: Stage) -> None:
    """A message that does not change the card takes one transaction, after it was sent.

    Before, it is found and begun, on PostgreSQL in one statement.
    """
    stage.start()
    stage.append("reply", conversation_id="c1", message_id="m1", text="Hi", **VISITOR)
    drain(stage.runtime, LANE)
    stage.append("reply", conversation_id="c1", message_id="m2", text="Anyone?", **VISITOR)

    with counted(stage.runtime.database) as cost:
        report = drain(stage.runtime, LANE)

    assert str(report) == "1 sent"
    asked = [each.split()[0] for each in cost.statements if not each.startswith("BEGIN")]
    begun = ["WITH"] if stage.runtime.database.is_postgresql else ["SELECT", "INSERT"]
    assert asked == [*begun, "UPDATE"]
    assert cost.transactions == [["UPDATE"]]


def test_message_that_changes_the_conversation_is_begun_with_the_change(stage: Stage) -> None:
    """A change of the conversation is stored in the transaction that begins the message."""
    stage.start()
    stage.append("reply", conversation_id="c1", message_id="m1", text="Hi", **VISITOR)
    drain(stage.runtime, LANE)
    agent = {"sender_name": "Anna", "sender_role": "agent"}
    stage.append("reply", conversation_id="c1", message_id="m2", text="Hello", **agent)

    with counted(stage.runtime.database) as cost:
        report = drain(stage.runtime, LANE)

    assert str(report) == "1 sent"
    assert cost.transactions[0] == ["INSERT", "UPDATE"]
