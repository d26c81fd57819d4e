"""``leftovers``: remove files in the attachment store that belong to no reply."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select

from models import Licence
from tasks.cli.command import confirm
from tasks.cli.erase import places_of
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.registration import require_licence
from tasks.cli.operator import log_change
from tasks.cli.output import show
from tasks.cli.tables import Rows, table
from tasks.privacy.left_files import LeftFile, find_left_files, remove_left_files

_HEADINGS = ("licence", "path", "bytes", "modified")


def leftovers(licence_id: str | None, dry_run: bool, yes: bool) -> None:
    """Remove files of replies that were left behind."""
    parts = Installation()
    places = places_of(parts)
    found = find_left_files(parts.database, places.store, _licences(parts, licence_id))
    data = {"files": [asdict(each) for each in found]}
    if dry_run or not found:
        show({**data, "removed": None}, _rows(found) if found else "No file was left behind.")
        return
    if not yes:
        show({}, _rows(found))
    confirm(f"Remove these files ({len(found)}) for good?", yes=yes)
    with on_interrupt(lambda: "What is left of these files is removed by beat within a minute."):
        done = remove_left_files(places.removal_context, found)
    log_change("leftovers", licences=sorted({each.licence for each in found}), removed=done.files)
    show(
        {**data, "removed": done.files},
        f"Files removed: {done.files}.",
        *([f"Not removed yet: {done.failed}; beat tries again."] if done.failed else []),
    )


def _licences(parts: Installation, licence_id: str | None) -> list[str]:
    with parts.database.snapshot() as session:
        if licence_id is not None:
            return [require_licence(session, licence_id).id]
        return list(session.scalars(select(Licence.id).order_by(Licence.id)))


def _rows(found: list[LeftFile]) -> Rows:
    return table(
        _HEADINGS, [(each.licence, each.path, each.size_bytes, each.modified_at) for each in found]
    )
