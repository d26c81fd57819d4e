"""How a signal ends a command, and what the command then prints."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import click
import pytest

from tasks.cli.interruption import Interrupted, interrupted_by, on_interrupt, signals_interrupt


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Restore this process's signal handlers after the test."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_what_runs_with_the_exit_code_of_a_shell(signum: int) -> None:
    """A signal ends a command with a shell's exit code; each part says what it has done."""
    before = signal.getsignal(signum)

    with (
        pytest.raises(KeyboardInterrupt) as caught,
        on_interrupt(lambda: "Licences looked at: 1."),
        on_interrupt(lambda: "The post is deleted."),
        signals_interrupt(),
    ):
        os.kill(os.getpid(), signum)

    told = ("The post is deleted.", "Licences looked at: 1.")
    assert interrupted_by(caught.value) == Interrupted(128 + signum, told)
    assert signal.getsignal(signum) is before


def test_signal_that_the_caller_has_switched_off_stays_off() -> None:
    """A command under ``nohup`` goes on when its terminal is closed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with signals_interrupt():
        os.kill(os.getpid(), signal.SIGHUP)
        handler = signal.getsignal(signal.SIGHUP)

    assert handler is signal.SIG_IGN


def test_no_at_a_question_is_no_interruption() -> None:
    """The answer no is not taken for Ctrl-C, although click raises the same exception for both."""
    assert interrupted_by(click.Abort()) is None
    assert interrupted_by(_at_a_question()) == Interrupted(130, ())


def _at_a_question() -> click.Abort:
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise click.Abort from None
    except click.Abort as error:
        return error
