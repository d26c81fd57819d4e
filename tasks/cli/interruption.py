"""Ctrl-C and signals that end a command: it stops at once, and says what it has done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

INTERRUPTED = "Interrupted"
# The exit code is this plus the signal's number, as in a shell: 130 for Ctrl-C.
BY_SIGNAL = 128
# A closed terminal and the machine's shutdown end a command as Ctrl-C does. A signal that the
# caller ignores (nohup) stays ignored.
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class SignalledError(KeyboardInterrupt):
    """A signal other than Ctrl-C asked the command to end."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum


@dataclass(frozen=True, slots=True)
class Interrupted:
    """How a command was interrupted: its exit code, and sentences about what is done."""

    exit_code: int
    sentences: tuple[str, ...]


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise like Ctrl-C, so that cleanup code runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    ours = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
    for each in ours:
        signal.signal(each, _raise)
    try:
        yield
    finally:
        for each in ours:
            signal.signal(each, before[each])


def _raise(signum: int, _: FrameType | None) -> None:
    raise SignalledError(signum)


@contextmanager
def on_interrupt(say: Callable[[], str]) -> Iterator[None]:
    """Add the sentence of ``say`` about what is done, if the command is interrupted in here."""
    try:
        yield
    except KeyboardInterrupt as error:
        error.add_note(say())
        raise


def interrupted_by(error: BaseException) -> Interrupted | None:
    """Return how the command was interrupted; None: the operator answered no."""
    # click turns Ctrl-C at a question into its own exception.
    cause = error if isinstance(error, KeyboardInterrupt) else error.__context__
    if not isinstance(cause, KeyboardInterrupt):
        return None
    signum = cause.signum if isinstance(cause, SignalledError) else signal.SIGINT
    return Interrupted(BY_SIGNAL + signum, tuple(getattr(cause, "__notes__", ())))
