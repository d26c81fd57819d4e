"""The errors that end the demo."""

from __future__ import annotations


class DemoError(Exception):
    """The demo failed; the message says what to look at."""


class ProcessEndedError(BaseException):
    """A process of the demo ended by itself; ``except Exception`` must not catch this."""


class InterruptedDemoError(BaseException):
    """A signal asks the demo to end; ``except Exception`` must not catch this."""
