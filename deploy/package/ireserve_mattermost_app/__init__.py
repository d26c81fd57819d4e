"""The application as its wheel has it: ``tasks``, ``models`` and ``inbound`` lie inside of this.

So the wheel puts one name among the modules of its environment, and no other project's ``tasks`` or
``settings`` meets ours. In a checkout they lie in its root, which is on the path already.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery import Celery
    from flask import Flask

_HERE = Path(__file__).resolve().parent


def _find_our_modules() -> None:
    """Let this process find our packages here, before any others of their names."""
    if (_HERE / "tasks").is_dir() and str(_HERE) not in sys.path:
        sys.path.insert(0, str(_HERE))


def main() -> None:
    """Run the command ``ireserve-mattermost``."""
    _find_our_modules()
    from tasks.cli import main as command

    command()


def create_app() -> Flask:
    """Return the web application, for a WSGI server: ``ireserve_mattermost_app:create_app``."""
    _find_our_modules()
    from inbound import create_app as create

    return create()


def _celery() -> Celery:
    _find_our_modules()
    from tasks.app import app

    return app


def __getattr__(name: str) -> Any:
    """Return the workers' application: ``celery --app ireserve_mattermost_app``."""
    if name in {"app", "celery"}:
        return _celery()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
