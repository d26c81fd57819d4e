"""End the demo in order at SIGINT, SIGTERM or SIGHUP, with the exit code of the signal."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from types import FrameType

from demo.errors import InterruptedDemoError

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Shells add the signal's number to this one for the exit code of a killed program.
SIGNAL_EXIT_CODE = 128


@dataclass(slots=True)
class Interruption:
    """A handler that raises at the first signal and ignores later signals."""

    number: int | None = None

    def listen(self) -> None:
        """Handle the signals from now on. A program under ``nohup`` still ignores SIGHUP."""
        for number in ENDINGS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            signal.signal(number, self._take)

    def exit_code(self, otherwise: int) -> int:
        """Return the exit code for the signal, or ``otherwise`` if no signal has come.

        A signal counts even if its exception was lost, as in a destructor.
        """
        return otherwise if self.number is None else SIGNAL_EXIT_CODE + self.number

    def forget(self) -> None:
        """Forget the signal: it was the usual way to end the demo."""
        self.number = None

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            raise InterruptedDemoError
