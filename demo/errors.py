"""What ends the demo."""

from __future__ import annotations


class DemoError(Exception):
    """The demo could not do its job; the message says what to look at."""


class ProcessEndedError(BaseException):
    """One of its processes ended by itself; no handler of ordinary errors may take it."""


class InterruptedDemoError(BaseException):
    """A signal asks the demo to end; no handler of ordinary errors may take it."""
