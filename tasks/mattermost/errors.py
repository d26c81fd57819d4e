"""The errors of calls to Mattermost: one tree, divided by what the caller must do."""

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
    """A call to Mattermost failed.

    ``path`` is without the query, which can hold a file name. ``channel_id`` is None if the call
    named no channel. ``status`` is 0 if no answer came. ``detail`` never holds personal data.
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
        # All but the reason have defaults: result backends rebuild an error from its ``args`` only.
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
        # A prefork worker pickles its errors, and pickle would lose the keyword arguments.
        known = {name: getattr(self, name) for name in _FACTS}
        return partial(type(self), **known), (self.reason.value,)


class NotSentError(MattermostError):
    """The request did not reach the server: nothing was done, and the server is unreachable."""


class OutcomeUnknownError(MattermostError):
    """The server may have done what was asked: check this before you send again."""


class RateLimitedError(MattermostError):
    """The server's rate limit is used up: nothing was done. Retry after ``retry_after_s``."""


class RefusedError(MattermostError):
    """The server refused: nothing was done, and the same request would be refused again."""


@dataclass(frozen=True, slots=True)
class Call:
    """The call that an error is about."""

    method: str
    path: str
    channel_id: str | None = None

    def failed(self, kind: type[MattermostError], reason: Reason, **facts: Any) -> MattermostError:
        """Return the error to raise for this call."""
        return kind(reason, method=self.method, path=self.path, channel_id=self.channel_id, **facts)
