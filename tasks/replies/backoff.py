"""How long a reply waits before it is asked for again, and when that is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tasks.licences.circuit import Reach, reach_of
from tasks.mattermost import MattermostError, OutcomeUnknownError

SHORTEST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
# A pause is a quarter of the time that the reply has been waiting for: short at first, and a
# server that comes back is asked again before it has been back for long.
GROWTH = 0.25
# A post that is not there may only be missing on a replica that lags behind, and a file that
# breaks off may come whole the next time.
MAX_ATTEMPTS = 3
# A root post whose worker died before it could link it is settled as soon as another message of
# the conversation is sent; a thread that is still unknown after that time is not one of our own.
UNLINKED_S = 600.0
# What an operator can mend (a token, a membership) is mended within a working day or not at all.
REFUSED_PAUSE_S = 300.0
GIVE_UP_AFTER_S = 86_400.0
# When the sweep wakes a reply that was given up: never. An operator's look-up names it.
GIVEN_UP = datetime(9999, 1, 1, tzinfo=UTC)
# The reason of a reply that waits for the end of its licence's pause: nothing is wrong.
PAUSED = "paused"


class Trouble(StrEnum):
    """What keeps a reply from being recorded, by how long it is waited for."""

    AWAY = "away"
    NOT_THERE = "not_there"
    UNLINKED = "unlinked"
    FILES = "files"
    BROKEN = "broken"
    REFUSED = "refused"

    @property
    def is_counted(self) -> bool:
        """Whether it may happen ``MAX_ATTEMPTS`` times only."""
        return self in {Trouble.NOT_THERE, Trouble.FILES}

    @property
    def keeps_the_order(self) -> bool:
        """Whether later replies wait for one that was paused; those may take a day."""
        return self not in {Trouble.BROKEN, Trouble.REFUSED}

    @property
    def means_no_reply(self) -> bool:
        """Whether giving up on this means that the post was never a reply."""
        return self in {Trouble.NOT_THERE, Trouble.UNLINKED}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What an attempt to record a reply has met.

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
    """Return for how long the reply is left alone; None: this was the last attempt.

    ``age_s`` is the time since it was received, ``attempts`` counts what is counted of it.
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
    """Return what a call that has raised this means for the reply."""
    return Obstacle(trouble_of(error), error.reason.value, str(error))


def trouble_of(error: MattermostError) -> Trouble:
    """Return which trouble it is that a call has raised."""
    if reach_of(error) is not Reach.REACHED:
        return Trouble.AWAY
    return Trouble.BROKEN if isinstance(error, OutcomeUnknownError) else Trouble.REFUSED
