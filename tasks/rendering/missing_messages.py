"""The line in a thread that says which messages are missing, and why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.rendering.locale import Locale
from tasks.rendering.wording import Wording

_SYSTEM = "i-Reserve"


class MissingReason(StrEnum):
    """Why messages are missing, in the terms that the team needs."""

    NOT_REACHED = "not_reached"
    TROUBLE = "trouble"
    REFUSED = "refused"
    SWITCHED_OFF = "switched_off"
    NOT_SHOWABLE = "not_showable"
    OWN_ERROR = "own_error"


@dataclass(frozen=True, slots=True)
class MissingMessages:
    """Missing messages with the same kind of sender and the same reason.

    ``sender`` is a role or "note"; any other word stands for an unknown sender. ``is_doubtful``: a
    message, or a part of it, may be in the thread after all.
    """

    sender: str
    reason: MissingReason
    is_doubtful: bool
    count: int
    first_at: datetime
    last_at: datetime


def missing_line(groups: Sequence[MissingMessages], locale: Locale) -> str:
    """Return the line that says which messages are missing; ``groups`` must not be empty."""
    wording, count = locale.wording, sum(group.count for group in groups)
    is_doubtful = any(group.is_doubtful for group in groups)
    sentence = _counted(wording, count, is_doubtful=is_doubtful)
    senders = _tally(groups, lambda group: _sender(wording, group.sender))
    reasons = _tally(groups, lambda group: _reason(wording, group.reason))
    where = wording.missing_where if count == 1 else wording.missing_where_more
    return f"⚠️ {sentence} ({senders}; {_times(groups, locale)}): {reasons}. {where}"


def _counted(wording: Wording, count: int, *, is_doubtful: bool) -> str:
    if count == 1:
        return wording.maybe_missing_one if is_doubtful else wording.missing_one
    text = wording.maybe_missing_more if is_doubtful else wording.missing_more
    return text.format(count=count)


def _tally(groups: Iterable[MissingMessages], name: Callable[[MissingMessages], str]) -> str:
    """Return the names with their numbers of messages; a single name stands without a number."""
    counts: dict[str, int] = {}
    for group in groups:
        counts[name(group)] = counts.get(name(group), 0) + group.count
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} × {text}" for text, count in counts.items())


def _sender(wording: Wording, sender: str) -> str:
    known = {
        "visitor": wording.of_visitor,
        "agent": wording.of_agent,
        "bot": wording.of_bot,
        "system": _SYSTEM,
        "note": wording.note,
    }
    return known.get(sender, wording.of_unknown)


def _reason(wording: Wording, why: MissingReason) -> str:
    texts = {
        MissingReason.NOT_REACHED: wording.not_reached,
        MissingReason.TROUBLE: wording.had_trouble,
        MissingReason.REFUSED: wording.refused,
        MissingReason.SWITCHED_OFF: wording.switched_off,
        MissingReason.NOT_SHOWABLE: wording.not_showable,
        MissingReason.OWN_ERROR: wording.own_error,
    }
    return texts[why]


def _times(groups: Iterable[MissingMessages], locale: Locale) -> str:
    first = locale.moment(min(group.first_at for group in groups))
    last = locale.moment(max(group.last_at for group in groups))
    return first if first == last else f"{first} – {last}"
