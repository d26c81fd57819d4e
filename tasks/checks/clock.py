"""The check of the clocks: how far Mattermost's clock and ours are apart."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.mattermost.answer_headers import AnswerHeaders

NAME = "clock"
# A clock that the network sets is right within a second, so this means that one clock is not set.
WARN_S = 60
# After a lost answer, a worker looks for the message from five minutes before it was sent.
FAIL_S = 240

_CURE = "Let both machines set their clocks by the network (chrony, systemd-timesyncd)."


def check_clock(headers: AnswerHeaders) -> Check:
    """Compare the time in the server's last answer with our time when the answer came."""
    try:
        server_s = parsedate_to_datetime(headers.date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return skipped(NAME, "the server does not say what time it has")
    return judge_difference(headers.at_ms / 1_000 - server_s)


def judge_difference(seconds: float) -> Check:
    """Return the check's result if our clock is this many seconds ahead of the server's."""
    apart = abs(round(seconds))
    sentence = f"the server's clock and ours are {apart} s apart"
    if apart > FAIL_S:
        return failed(NAME, f"{sentence}: a lost answer could not be looked up", _CURE)
    return warned(NAME, sentence, _CURE) if apart > WARN_S else passed(NAME, sentence)
