"""The clocks: how far the server's and ours are apart."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.mattermost.answer_headers import AnswerHeaders

NAME = "clock"
# A clock that is set by the network is within a second; this much means that one is not.
WARN_S = 60
# A message whose answer was lost is looked for from five minutes before it was sent.
FAIL_S = 240

_CURE = "Let both machines set their clocks by the network (chrony, systemd-timesyncd)."


def check_clock(headers: AnswerHeaders) -> Check:
    """Compare the clock that a server's last answer showed with ours at that moment."""
    try:
        server_s = parsedate_to_datetime(headers.date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return skipped(NAME, "the server does not say what time it has")
    return judge_difference(headers.at_ms / 1_000 - server_s)


def judge_difference(seconds: float) -> Check:
    """Return what it means that our clock is so far ahead of the server's."""
    apart = abs(round(seconds))
    sentence = f"the server's clock and ours are {apart} s apart"
    if apart > FAIL_S:
        return failed(NAME, f"{sentence}: a lost answer could not be looked up", _CURE)
    return warned(NAME, sentence, _CURE) if apart > WARN_S else passed(NAME, sentence)
