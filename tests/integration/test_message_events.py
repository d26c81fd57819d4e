"""Each message that ends or waits logs one event with a fixed name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from models import NotificationChannel
from tests.stage.stage import LICENCE, VISITOR, Stage


def _send(stage: Stage) -> None:
    stage.reply("m1", "hello")


def _send_twice(stage: Stage) -> None:
    stage.reply("m1", "hello")
    stage.reply("m1", "hello")


def _skip(stage: Stage) -> None:
    stage.reply("m1", "hello", origin_post_id="p" * 26)


def _switch_off(stage: Stage) -> None:
    with stage.runtime.database.transaction() as session:
        session.add(
            NotificationChannel(
                licence_id=LICENCE,
                notification_type="booking",
                channel_id=stage.channel_id,
                channel_name="webchat",
                enabled=False,
            )
        )
    stage.notify()


def _refuse(stage: Stage) -> None:
    stage.stand_in.set_fault("plugin_rejection", scope="posts")
    stage.reply("m1", "hello")


def _break_off(stage: Stage) -> None:
    stage.stand_in.set_fault("error_500", scope="posts")
    stage.reply("m1", "hello")


def _misspell(stage: Stage) -> None:
    stage.drain(stage.append("reply", conversation_id="c1", message_id="m1", **VISITOR, text=5))


def _pause(stage: Stage) -> None:
    stage.stand_in.set_fault("rate_limited", scope="posts", retry_after_s=60)
    stage.reply("m1", "hello")


def _sync(stage: Stage) -> None:
    stage.drain(stage.append("user", user_id="u1", email="anna@example.com", name="Anna"))


def _sync_wrong(stage: Stage) -> None:
    stage.drain(stage.append("user", user_id="u1", email="nobody", name="Anna"))


@pytest.mark.parametrize(
    ("case", "events"),
    [
        pytest.param(_send, ["message_sent"], id="sent"),
        pytest.param(_send_twice, ["message_sent", "message_known_already"], id="duplicate"),
        pytest.param(_skip, ["message_skipped"], id="skipped"),
        pytest.param(_switch_off, ["message_skipped"], id="switched off"),
        pytest.param(_refuse, ["message_failed"], id="refused"),
        pytest.param(_break_off, ["message_failed"], id="a plain 500"),
        pytest.param(_misspell, ["message_failed"], id="wrong argument"),
        pytest.param(_pause, ["message_waiting"], id="rate limited"),
        pytest.param(_sync, ["message_sent"], id="user stored"),
        pytest.param(_sync_wrong, ["message_failed"], id="user refused"),
    ],
)
def test_outcome_of_a_message_is_one_event(
    stage: Stage, case: Callable[[Stage], None], events: list[str]
) -> None:
    """Each outcome of a message logs exactly one event."""
    with capture_logs() as logs:
        case(stage)

    assert [each["event"] for each in logs if each["event"].startswith("message_")] == events
