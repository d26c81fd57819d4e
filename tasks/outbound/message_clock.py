"""How long one message may keep its lane and a thread."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from ireserve_mattermost.locks import FRESH_S, LOCK_S
from tasks.attachments import AttachmentError, AttachmentReason
from tasks.failures import UndecidedError
from tasks.mattermost import Reason
from tasks.outbound.undecided import LOOK_AGAIN_S

# 100 MB at 3 Mbit/s take 5 min. What is not there by then is named in the message, which goes
# without it.
FILES_S = 600.0
# What then is left to post takes seconds. A server that needs longer makes the message wait.
MESSAGE_S = 900.0
# How long after the lane was last extended a request may still go out: as long as the lock is
# surely ours, less a second for the way to Redis.
SEND_WITHIN_S = LOCK_S - FRESH_S - 1.0


class MessageClock:
    """The time of one message, which runs from now on; ``extend`` keeps the lane ours."""

    def __init__(
        self, extend: Callable[[], None], *, message_s: float = MESSAGE_S, files_s: float = FILES_S
    ) -> None:
        now = monotonic()
        self._extend = extend
        self._send_by = now
        self._ends_at = now + message_s
        self._files_end_at = now + files_s

    def extend(self) -> None:
        """Keep the lane for one more request.

        Raises:
            UndecidedError: the message has had its time; what is there of it is looked for later.
            LockLostError: the lane is another worker's.
        """
        if monotonic() > self._ends_at:
            raise UndecidedError(
                Reason.TIMEOUT,
                "Sending all of it took too long; it goes on later.",
                look_again_s=LOOK_AGAIN_S,
                sent_off=False,
                cause=None,
            )
        before = monotonic()
        self._extend()
        self._send_by = before + SEND_WITHIN_S

    def send_by(self) -> float:
        """Return the moment after which nothing may be sent: the lane may be another worker's."""
        return self._send_by

    def extend_for_files(self) -> None:
        """Keep the lane for one more step of a file.

        Raises:
            AttachmentError: the files have had their time; the message goes without the rest.
            UndecidedError, LockLostError: as ``extend``.
        """
        if monotonic() > self._files_end_at:
            raise AttachmentError(AttachmentReason.NO_TIME_LEFT)
        self.extend()
