"""How long a reply waits between two attempts to record it, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tasks.licences.circuit import Reach, reach_of
from tasks.mattermost import MattermostError, OutcomeUnknownError

SHORTEST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
# A pause is a quarter of the time that the reply has waited. So the first pauses are short, and a
# server that is back is soon asked again.
GROWTH = 0.25
# A missing post may be missing only on a replica that lags behind, and a file that breaks off may
# arrive whole the next time.
MAX_ATTEMPTS = 3
# If a worker died between a root post and its link, the conversation's next message stores the
# link. A thread that is still unknown after this time belongs to no conversation.
UNLINKED_S = 600.0
# What an operator can correct (a token, a membership) is corrected within a day, or not at all.
REFUSED_PAUSE_S = 300.0
GIVE_UP_AFTER_S = 86_400.0
# The next attempt of a reply that was given up: never. Operators' queries compare with this time.
GIVEN_UP = datetime(9999, 1, 1, tzinfo=UTC)
# The reason of a reply that waits for the end of its licence's pause: nothing is wrong.
PAUSED = "paused"


class Trouble(StrEnum):
    """What keeps a reply from being recorded; each kind has its own pauses and limit."""

    AWAY = "away"
    NOT_THERE = "not_there"
    UNLINKED = "unlinked"
    FILES = "files"
    BROKEN = "broken"
    REFUSED = "refused"

    @property
    def is_counted(self) -> bool:
        """Whether the reply is given up after ``MAX_ATTEMPTS`` attempts that end with this."""
        return self in {Trouble.NOT_THERE, Trouble.FILES}

    @property
    def keeps_the_order(self) -> bool:
        """Whether later replies still wait for a paused one: not if this may last for a day."""
        return self not in {Trouble.BROKEN, Trouble.REFUSED}

    @property
    def means_no_reply(self) -> bool:
        """Whether giving up on this means that the post was never a reply."""
        return self in {Trouble.NOT_THERE, Trouble.UNLINKED}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an attempt to record a reply ended without success.

    ``reason`` is a word of ``tasks.replies.cures``; ``detail`` is a sentence for the operator with
    ids and status, never a name or a text.
    """

    trouble: Trouble
    reason: str
    detail: str


class PostponedError(Exception):
    """The reply cannot be recorded now, because of ``obstacle``."""

    def __init__(self, trouble: Trouble, reason: str, detail: str) -> None:
        super().__init__(f"{trouble.value}: {reason}: {detail}")
        self.obstacle = Obstacle(trouble, reason, detail)


def pause_s(trouble: Trouble, *, age_s: float, attempts: int) -> float | None:
    """Return how many seconds the reply waits; None: this was the last attempt.

    ``age_s`` is the time since the reply was received. ``attempts`` counts the attempts that ended
    with a trouble that ``is_counted``.
    """
    growing = min(max(age_s * GROWTH, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
    if trouble.is_counted:
        return SHORTEST_PAUSE_S if attempts < MAX_ATTEMPTS else None
    if trouble is Trouble.AWAY:
        return growing
    if trouble is Trouble.UNLINKED:
        return growing if age_s < UNLINKED_S else None
    if age_s >= GIVE_UP_AFTER_S:
        return None
    return REFUSED_PAUSE_S if trouble is Trouble.REFUSED else growing


def obstacle_of(error: MattermostError) -> Obstacle:
    """Return what this error of a call to Mattermost means for the reply."""
    return Obstacle(trouble_of(error), error.reason.value, str(error))


def trouble_of(error: MattermostError) -> Trouble:
    """Return the kind of trouble that this error of a call to Mattermost is."""
    if reach_of(error) is not Reach.REACHED:
        return Trouble.AWAY
    return Trouble.BROKEN if isinstance(error, OutcomeUnknownError) else Trouble.REFUSED
