"""Loads structlog without rich, which it would load to draw tracebacks that nothing here draws.

Imported before anything else is: rich, with what it needs, is 2 to 3 MB of every process.
"""

from __future__ import annotations

import sys
from typing import Any, cast


def _load() -> None:
    loaded = cast("dict[str, Any]", sys.modules)
    if "rich" in loaded:
        # The command line has loaded it: it draws its tables with it.
        return
    # The way in which a module is said not to be there; structlog asks whether it is.
    loaded["rich"] = None
    try:
        import structlog  # noqa: F401
    finally:
        del loaded["rich"]


_load()
