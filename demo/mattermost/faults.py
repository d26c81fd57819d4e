"""The faults of the stand-in: which fault applies to which request, and how often."""

import itertools
import random
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """The kinds of faults; the README describes them."""

    DOWN = "down"
    SLOW = "slow"
    SERVICE_TIME = "service_time"
    ERROR_500 = "error_500"
    HTML_502 = "html_502"
    HTML_503 = "html_503"
    HTML_200 = "html_200"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    ACCEPT_THEN_DROP = "accept_then_drop"
    ACCEPT_THEN_LATE = "accept_then_late"
    SLOW_SAVE = "slow_save"
    LOSE_FILE = "lose_file"
    ROOT_REJECTED = "root_rejected"
    PLUGIN_REJECTION = "plugin_rejection"
    FIRST_REPLY_COLLISION = "first_reply_collision"
    UNDER_DELETED_ROOT = "under_deleted_root"
    BEING_MADE = "being_made"
    HALF_LIST_OF_FILES = "half_list_of_files"
    DATABASE_AWAY = "database_away"


class FaultScope(StrEnum):
    """The requests that a fault can apply to."""

    ALL = "all"
    POSTS = "posts"
    FILES = "files"
    EDITS = "edits"


DELAYS = frozenset({FaultKind.SLOW, FaultKind.SERVICE_TIME})
INSTEAD_OF_AN_ANSWER = frozenset(
    {
        FaultKind.DOWN,
        FaultKind.ERROR_500,
        FaultKind.HTML_502,
        FaultKind.HTML_503,
        FaultKind.HTML_200,
        FaultKind.RATE_LIMITED,
        FaultKind.UNAUTHORIZED,
        FaultKind.DATABASE_AWAY,
    }
)
AFTER_ACCEPTING = frozenset({FaultKind.ACCEPT_THEN_DROP, FaultKind.ACCEPT_THEN_LATE})


@dataclass(slots=True)
class Fault:
    """One fault: `times` is the number of requests that it still affects; None: until cleared.

    `user` (id or name) and `team` (id or name) limit the fault to requests of that user, or of
    users in that team.
    """

    kind: FaultKind
    scope: FaultScope = FaultScope.ALL
    times: int | None = None
    user: str = ""
    team: str = ""
    seconds: float = 0.0
    min_ms: float = 0.0
    max_ms: float = 0.0
    seed: int = 0
    retry_after_s: int = 1
    reason: str = "no"
    caches: str = "warm"
    id: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the names and seed the fault's own random numbers.

        Raises:
            ValueError: the kind or scope does not exist.
        """
        self.kind = FaultKind(self.kind)
        self.scope = FaultScope(self.scope)
        self._random = random.Random(self.seed)

    def meets(self, subject: "Subject") -> bool:
        """Return whether this fault applies to that request."""
        return (
            (self.scope == FaultScope.ALL or self.scope == subject.scope)
            and (not self.user or self.user in subject.users)
            and (not self.team or self.team in subject.teams)
        )

    def delay_s(self) -> float:
        """Return the delay of one request in seconds."""
        if self.kind == FaultKind.SERVICE_TIME:
            return self._random.uniform(self.min_ms, self.max_ms) / 1000
        return self.seconds

    def shape(self) -> dict[str, Any]:
        """Return the fault as the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fault matches in a request: the scope, and the ids and names of user and teams."""

    scope: FaultScope
    users: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()


class Faults:
    """The faults that are set, oldest first; safe to use from many threads."""

    def __init__(self) -> None:
        """Begin with no faults."""
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._active: list[Fault] = []

    def __bool__(self) -> bool:
        """Return whether any fault is set, so that other requests skip the checks."""
        return bool(self._active)

    def set(self, fault: Fault) -> Fault:
        """Add a fault and give it its id."""
        with self._lock:
            fault.id = next(self._ids)
            self._active = [*self._active, fault]
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all faults."""
        with self._lock:
            self._active = [f for f in self._active if fault_id is not None and f.id != fault_id]

    def active(self) -> list[Fault]:
        """Return the faults that are set."""
        return list(self._active)

    def take(self, kinds: frozenset[FaultKind], subject: Subject) -> Fault | None:
        """Return the first fault of these kinds for the request, and count the use."""
        with self._lock:
            for fault in self._active:
                if fault.kind in kinds and fault.meets(subject):
                    self._count(fault)
                    return fault
        return None

    def take_delay_s(self, subject: Subject) -> float:
        """Return the sum of all delays for the request in seconds, and count their use."""
        with self._lock:
            delays = [f for f in self._active if f.kind in DELAYS and f.meets(subject)]
            for fault in delays:
                self._count(fault)
            return sum(fault.delay_s() for fault in delays)

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._active = [other for other in self._active if other is not fault]
