"""How long one message may hold its lane."""

from __future__ import annotations

import pytest

from tasks.attachments import AttachmentError, AttachmentReason
from tasks.failures import UndecidedError
from tasks.outbound.message_clock import MessageClock


def _clock(*, message_s: float, files_s: float) -> tuple[MessageClock, list[str]]:
    extended: list[str] = []
    return MessageClock(
        lambda: extended.append("extended"), message_s=message_s, files_s=files_s
    ), extended


def test_message_within_its_time_keeps_the_lane() -> None:
    """Each request and each step of a file extends the lane's lock."""
    clock, extended = _clock(message_s=60, files_s=60)

    clock.extend()
    clock.extend_for_files()

    assert extended == ["extended", "extended"]


def test_files_that_took_too_long_cost_themselves_alone() -> None:
    """When files take too long, the message is sent without the files not yet uploaded."""
    clock, extended = _clock(message_s=60, files_s=-1)

    with pytest.raises(AttachmentError) as caught:
        clock.extend_for_files()
    clock.extend()

    assert caught.value.reason is AttachmentReason.NO_TIME_LEFT
    assert extended == ["extended"]


def test_message_that_took_too_long_waits() -> None:
    """A message that took too long is undecided, and its lane's lock is not extended."""
    clock, extended = _clock(message_s=-1, files_s=-1)

    with pytest.raises(UndecidedError) as caught:
        clock.extend()

    assert not caught.value.sent_off
    assert extended == []
