"""Run retention in a process that kills itself after retention's first committed step."""

from __future__ import annotations

import os
import signal

from sqlalchemy import Engine, event

from tasks.privacy.retention import remove_rows
from tasks.runtime import current_runtime

_STEPS = 1


class _KillAfterDeletion:
    """Kills the process after ``_STEPS`` transactions that deleted replies."""

    def __init__(self, engine: Engine) -> None:
        self._deletes = False
        self._steps = 0
        event.listen(engine, "before_cursor_execute", self._note_deletion)
        event.listen(engine, "begin", self._kill_if_due)

    def _note_deletion(
        self, _connection: object, _cursor: object, statement: str, *_: object
    ) -> None:
        self._deletes = self._deletes or statement.startswith("DELETE FROM replies")

    def _kill_if_due(self, _connection: object) -> None:
        # The transaction that deleted replies is committed when the next one begins.
        self._steps += self._deletes
        if self._steps >= _STEPS:
            os.kill(os.getpid(), signal.SIGKILL)
        self._deletes = False


_KillAfterDeletion(current_runtime().database.engine)
remove_rows(current_runtime())
