"""What ends the demo."""

from __future__ import annotations


class DemoError(Exception):
    """The demo could not do its job; the message says what to look at."""
