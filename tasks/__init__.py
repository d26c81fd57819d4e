"""The public tasks that i-Reserve enqueues, and the Celery application that runs them.

from tasks import create_root_post, post_reply, send_notification, sync_user, update_conversation
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ireserve_mattermost import (
        create_root_post,
        post_reply,
        send_notification,
        sync_user,
        update_conversation,
    )
    from tasks.app import app

__all__ = [
    "app",
    "create_root_post",
    "post_reply",
    "send_notification",
    "sync_user",
    "update_conversation",
]


class _Package(ModuleType):
    """Imports Celery when a public name is first read: the command line's help needs no Celery."""

    def __getattr__(self, name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        import ireserve_mattermost
        import tasks.app  # noqa: F401 - configures the application of these tasks

        return getattr(ireserve_mattermost, name)

    @property
    def app(self) -> Any:
        from tasks.app import app

        return app

    @app.setter
    def app(self, module: ModuleType) -> None:
        """Ignore the module: importing ``tasks.app`` would set it in the application's place."""


sys.modules[__name__].__class__ = _Package
