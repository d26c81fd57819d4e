"""Describe the machine of the measurements, without which figures mean nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("celery", "kombu", "redis", "requests", "sqlalchemy", "psycopg")


def machine() -> dict[str, Any]:
    """Return the processor, the memory, the load, and the versions of the software."""
    return {
        "processor": _line_of(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory": _line_of(Path("/proc/meminfo"), "MemTotal"),
        "load_before": [round(value, 2) for value in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _line_of(path: Path, label: str) -> str:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(label)), "")
