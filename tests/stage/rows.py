"""What the stage's database holds: the licence's row, and the number of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import func, select, update

from models import Base, Licence
from tasks.licences.access import Licences
from tests.stage.stage import LICENCE, Stage


def stored(stage: Stage, licence_id: str = LICENCE) -> Licence:
    """Return the licence's row."""
    with stage.runtime.database.transaction() as session:
        return session.get_one(Licence, licence_id)


def change_licence(stage: Stage, **values: Any) -> None:
    """Change columns of the licence, and forget the old ones, which a worker keeps for seconds."""
    with stage.runtime.database.transaction() as session:
        if values:
            session.execute(update(Licence).where(Licence.id == LICENCE).values(**values))
    licences = Licences(stage.runtime.database, stage.runtime.licences._keyring)
    stage.runtime = replace(stage.runtime, licences=licences)


def counts(stage: Stage) -> dict[str, int]:
    """Return the number of rows in each table."""
    with stage.runtime.database.transaction() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
