"""Looks at a licence that are due at about the same time are combined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.licences.planned_looks import MARGIN_S, MAX_LOOKS, SLOT_S, PlannedLooks

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LATEST = timedelta(seconds=SLOT_S + MARGIN_S)
offsets = st.floats(min_value=-5, max_value=5)


@given(seconds=offsets)
def test_look_comes_once_it_is_due_and_soon(seconds: float) -> None:
    """A look comes at most one slot after its due time, and never before."""
    due_at = NOW + timedelta(seconds=seconds)

    at = PlannedLooks().plan("L1", due_at=due_at, now=NOW)

    assert at is not None
    assert max(due_at, NOW) <= at <= max(due_at, NOW) + LATEST


@given(seconds=st.lists(offsets, min_size=1))
def test_each_moment_that_is_due_has_a_look_soon_after_it(seconds: list[float]) -> None:
    """Each due time has a look soon after it, even if looks are combined."""
    planned = PlannedLooks()
    dues = [NOW + timedelta(seconds=each) for each in seconds]

    looks = [at for due in dues if (at := planned.plan("L1", due_at=due, now=NOW))]

    for due in dues:
        assert any(max(due, NOW) <= at <= max(due, NOW) + LATEST for at in looks)


def test_burst_has_few_looks() -> None:
    """A thousand due times within a second cause at most one look for each slot."""
    planned = PlannedLooks()
    dues = [NOW + timedelta(milliseconds=number) for number in range(1_000)]

    looks = [at for due in dues if (at := planned.plan("L1", due_at=due, now=NOW))]

    assert len(looks) <= 1 / SLOT_S + 1


def test_licences_share_no_look() -> None:
    """Each licence has its own looks."""
    planned = PlannedLooks()

    looks = [planned.plan(licence_id, due_at=NOW, now=NOW) for licence_id in ("L1", "L2", "L1")]

    assert [at is not None for at in looks] == [True, True, False]


def test_old_looks_are_forgotten() -> None:
    """The oldest looks are forgotten, so that memory does not grow."""
    planned = PlannedLooks()

    for number in range(MAX_LOOKS + 1):
        planned.plan(f"L{number}", due_at=NOW, now=NOW)

    assert planned.plan("L0", due_at=NOW, now=NOW) is not None
    assert planned.plan(f"L{MAX_LOOKS}", due_at=NOW, now=NOW) is None
