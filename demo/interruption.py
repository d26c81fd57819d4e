"""SIGINT, SIGTERM and SIGHUP end the demo, in order, with the exit code that says so."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from types import FrameType

from demo.errors import InterruptedDemoError

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# As shells number the exit codes of what a signal has ended.
SIGNAL_EXIT_CODE = 128


@dataclass(slots=True)
class Interruption:
    """Notes the first signal and raises at it; further ones do not disturb the end."""

    number: int | None = None

    def listen(self) -> None:
        """Take the signals from now on. What was started with ``nohup`` stays deaf to SIGHUP."""
        for number in ENDINGS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            signal.signal(number, self._take)

    def exit_code(self, otherwise: int) -> int:
        """Return that of a program that a signal has ended, or the other one if none has come.

        A signal counts even where its error was lost, as in a destructor.
        """
        return otherwise if self.number is None else SIGNAL_EXIT_CODE + self.number

    def forgive(self) -> None:
        """Take the signal for the usual end."""
        self.number = None

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            raise InterruptedDemoError
