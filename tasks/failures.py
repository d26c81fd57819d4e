"""How sending one message can end, other than well."""

from __future__ import annotations

from enum import StrEnum


class SendFailedError(Exception):
    """The message will not be sent: it is kept as failed, with the reason and its payload.

    ``detail`` is one sentence for the operator: ids, status and cure, never a name or a text.
    """

    def __init__(self, reason: StrEnum, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class UndecidedError(Exception):
    """The message was sent off, but whether it arrived must be asked again later.

    ``sent_off`` is False when this worker sent nothing and only could not look for what a dead
    one had sent. ``cause`` is the error that left it open.
    """

    def __init__(
        self, reason: StrEnum, detail: str, *, look_again_s: float, sent_off: bool, cause: Exception
    ) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.cause = cause
        self.look_again_s = look_again_s
        self.sent_off = sent_off


class DeliveryFailedError(Exception):
    """A message has failed: the text names it by its key and says why (red in Flower)."""

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
