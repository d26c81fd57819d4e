"""``leftovers`` lists files that earlier versions left in the store, and can remove them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from models import utc_now
from tests.operators import Operator
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import CONVERSATION, MirroredThread

LEFT = f"{LICENCE}/{CONVERSATION}/{'a' * 26}"
HALF = f"{LICENCE}/gone/{'b' * 26}.{'0' * 32}.part"


def _put(store: Path, path: str, *, days: int = 2) -> None:
    place = store / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"x")
    then = (utc_now() - timedelta(days=days)).timestamp()
    os.utime(place, (then, then))


def _stored(store: Path) -> list[str]:
    return sorted(str(each.relative_to(store)) for each in store.rglob("*") if each.is_file())


def _fill(stage: Stage) -> list[str]:
    """Put files of all kinds into the store; return the files that are no leftovers."""
    thread = MirroredThread.open(stage)
    (file_id,) = thread.upload(b"x")
    thread.recorded(thread.say("look", file_ids=[file_id]))
    kept = [
        f"{LICENCE}/{CONVERSATION}/{file_id}",
        f"{LICENCE}/{CONVERSATION}/invoice.pdf",
        f"{LICENCE}/{'c' * 26}",
        f"{LICENCE}/c1/deeper/{'d' * 26}",
        f"other/c1/{'e' * 26}",
        "logo.png",
    ]
    for path in kept:
        _put(stage.store, path)
    young = f"{LICENCE}/{CONVERSATION}/{'f' * 26}"
    _put(stage.store, young, days=0)
    _put(stage.store, LEFT)
    _put(stage.store, HALF)
    return sorted([*kept, young])


def test_files_of_no_reply_are_listed_first_and_then_removed(
    stage: Stage, operator: Operator
) -> None:
    """Only old files in our form that belong to no reply are listed and removed."""
    kept = _fill(stage)

    listed = operator.json("leftovers", "--dry-run")
    unchanged = _stored(stage.store)
    removed = operator.json("leftovers", LICENCE, "--yes")["removed"]

    assert [each["path"] for each in listed["files"]] == sorted([LEFT, HALF])
    assert (listed["removed"], unchanged) == (None, sorted([*kept, LEFT, HALF]))
    assert (removed, _stored(stage.store)) == (2, kept)
    assert operator.run("leftovers").output == "No file was left behind.\n"


def test_operator_sees_the_list_and_may_say_no(stage: Stage, operator: Operator) -> None:
    """When the operator answers no, every file stays."""
    _fill(stage)
    before = _stored(stage.store)

    result = operator.run("leftovers", stdin="n\n")

    assert (result.exit_code, LEFT in result.output, HALF in result.output) == (1, True, True)
    assert _stored(stage.store) == before


def test_store_that_is_away_is_no_empty_store(stage: Stage, operator: Operator) -> None:
    """If the store is away, the error names the setting."""
    stage.store.rmdir()

    answer = operator.json("leftovers", "--dry-run", exit_code=1)

    assert "check ATTACHMENTS_URL" in answer["error"]
