"""Limit how long one message may occupy its lane and a worker's thread."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from ireserve_mattermost.locks import FRESH_S, LOCK_S
from tasks.attachments import AttachmentError, AttachmentReason
from tasks.failures import UndecidedError
from tasks.mattermost import Reason
from tasks.outbound.undecided import LOOK_AGAIN_S

# The time for a message's files: 100 MB at 3 Mbit/s take 5 min. The message is posted without the
# files that are not transferred by then, and names them.
FILES_S = 600.0
# The time for the whole message: after the files the posts take seconds. If the server needs
# longer, the message waits.
MESSAGE_S = 900.0
# How long after the lock's last extension a request may be sent. For this time this worker
# certainly holds the lock; one second is left for the way to Redis.
SEND_WITHIN_S = LOCK_S - FRESH_S - 1.0


class MessageClock:
    """The time limits of one message, from the object's creation; ``extend`` extends the lock."""

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
            UndecidedError: the message's time is over; a later attempt looks for its posts.
            LockLostError: another worker holds the lane.
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
        """Return the latest time (by ``monotonic``) to send while this worker holds the lane."""
        return self._send_by

    def extend_for_files(self) -> None:
        """Keep the lane for one more step of a file's transfer.

        Raises:
            AttachmentError: the time for files is over; the message is posted without the rest.
            UndecidedError, LockLostError: as ``extend``.
        """
        if monotonic() > self._files_end_at:
            raise AttachmentError(AttachmentReason.NO_TIME_LEFT)
        self.extend()
