"""Long work on the tables runs in steps, each with as many rows as its time allows."""

from __future__ import annotations

import time

from sqlalchemy.orm import Session

from models import Database
from models.steps import AIM_S, MAX_ROWS, Steps


def _work(steps: Steps, *, row_s: float, times: int = 12) -> None:
    def write(_session: Session) -> None:
        time.sleep(steps.rows * row_s)

    for _ in range(times):
        steps.write(write)


def test_steps_of_slow_rows_get_smaller() -> None:
    """With rows of 5 ms, a step soon takes no longer than its limit."""
    steps = Steps(Database("sqlite://"))

    _work(steps, row_s=0.005)

    assert steps.rows * 0.005 <= AIM_S


def test_steps_of_quick_rows_get_larger_up_to_a_limit() -> None:
    """With quick rows, the steps get larger up to a limit."""
    steps = Steps(Database("sqlite://"))

    _work(steps, row_s=0.0)

    assert steps.rows == MAX_ROWS


def test_portions_end_when_the_work_is_over() -> None:
    """The portions end when the worker stops; until then they contain each id in order."""
    is_stopping = False
    steps = Steps(Database("sqlite://"), is_stopping=lambda: is_stopping)
    taken: list[int] = []

    for portion in steps.portions(range(100)):
        taken += portion
        is_stopping = len(taken) >= 40

    assert taken == list(range(40))
