"""Licences that are slow, dead or bursting hardly delay healthy licences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stage.burdens import (
    BURSTS,
    FIRST_P95_MS,
    LATER_P95_MS,
    SLOW,
    SLOW_BURDENS,
    Burden,
    Effect,
    allowed_median_ms,
)

pytestmark = [pytest.mark.full_load, pytest.mark.measures_time]

# Celery messages in the queue for the healthy licences, the sweep and the probes.
QUEUED_BESIDE = 20


def _assert_kept(effect: Effect) -> None:
    assert effect.first_second.p95_ms <= FIRST_P95_MS, effect
    assert effect.later.median_ms <= allowed_median_ms(effect), effect
    assert effect.later.p95_ms <= LATER_P95_MS, effect


@pytest.mark.parametrize("burden", SLOW_BURDENS, ids=str)
def test_a_hundred_slow_licences_hardly_delay_the_others(
    burden: Burden,
    tmp_path: Path,
    database_url: str,
    record_property: Callable[[str, object], None],
) -> None:
    """100 slow licences with 20 conversations each hardly delay ten healthy ones."""
    effect = burden.measure(tmp_path, database_url=database_url)

    record_property("effect", effect.row())
    _assert_kept(effect)
    assert effect.most_queued <= 2 * len(SLOW) + QUEUED_BESIDE


@pytest.mark.parametrize("burden", BURSTS, ids=str)
def test_burst_of_a_licence_is_its_own(
    burden: Burden,
    tmp_path: Path,
    database_url: str,
    record_property: Callable[[str, object], None],
) -> None:
    """A licence's burst of 8,000 conversations hardly delays others, whatever its server does."""
    effect = burden.measure(tmp_path, database_url=database_url)

    record_property("effect", effect.row())
    _assert_kept(effect)
    assert effect.most_queued <= QUEUED_BESIDE
