"""What a call to Mattermost raises: one tree, split by what the caller must do."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from tasks.mattermost.reasons import Reason

_FACTS = (
    "method",
    "path",
    "channel_id",
    "status",
    "error_id",
    "request_id",
    "retry_after_s",
    "detail",
)


class MattermostError(Exception):
    """A call that did not do what was asked.

    Carries ``reason``, ``method``, ``path`` (without the query: it can hold a file name),
    ``channel_id`` (None: the call named no channel), ``status`` (0: no answer), ``error_id``,
    ``request_id``, ``retry_after_s`` and ``detail`` (never a person's data).
    """

    def __init__(
        self,
        reason: Reason | str,
        *,
        method: str = "",
        path: str = "",
        channel_id: str | None = None,
        status: int = 0,
        error_id: str = "",
        request_id: str = "",
        retry_after_s: float = 0.0,
        detail: str = "",
    ) -> None:
        # Everything but the reason has a default, since result backends rebuild from args alone.
        super().__init__(str(reason))
        self.reason = Reason(reason)
        self.method = method
        self.path = path
        self.channel_id = channel_id
        self.status = status
        self.error_id = error_id
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.detail = detail

    def __str__(self) -> str:
        """Return what happened, to which object, and what to do."""
        facts = [
            self.reason.value,
            f"HTTP {self.status}" if self.status else "",
            self.error_id,
            f"request {self.request_id}" if self.request_id else "",
            self.detail,
        ]
        listed = ", ".join(fact for fact in facts if fact)
        return f"{self.method} {self.path}: {self.reason.what} ({listed}). {self.reason.cure}"

    def __reduce__(self) -> tuple[Any, ...]:
        # A prefork worker pickles its errors, and pickle alone would forget the keywords.
        known = {name: getattr(self, name) for name in _FACTS}
        return partial(type(self), **known), (self.reason.value,)


class NotSentError(MattermostError):
    """The request never reached the server: nothing was done, and it counts as unreachable."""


class OutcomeUnknownError(MattermostError):
    """The server may have done it: look before you send again."""


class RateLimitedError(MattermostError):
    """Nothing was done; the server takes requests again after ``retry_after_s``."""


class RefusedError(MattermostError):
    """A clear no: nothing was done, and the same request would be refused again."""


@dataclass(frozen=True, slots=True)
class Call:
    """Which call it is that an error speaks of."""

    method: str
    path: str
    channel_id: str | None = None

    def failed(self, kind: type[MattermostError], reason: Reason, **facts: Any) -> MattermostError:
        """Return the error to raise for this call."""
        return kind(reason, method=self.method, path=self.path, channel_id=self.channel_id, **facts)
