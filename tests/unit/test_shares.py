"""How a worker shares its threads among quick and slow licences."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from threading import Barrier, Lock

import pytest

from tasks.licences import shares as shares_module
from tasks.licences.shares import THREADS_PER_MESSAGE, Shares

# A test fails if a call that may run has not run after this time.
TIMEOUT_S = 30


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test sets."""
    moment = [1_000.0]
    monkeypatch.setattr("tasks.licences.shares.time.monotonic", lambda: moment[0])
    return moment


def _make_quick(shares: Shares, *licences: str) -> None:
    for licence_id in licences:
        with shares.message(licence_id):
            pass


def _entered(shares: Shares, licence_id: str) -> int:
    count = 0
    while shares.enter(licence_id):
        count += 1
    return count


def test_licence_has_half_of_what_runs_at_once() -> None:
    """A licence gets at most half as many threads as messages may run at the same time."""
    shares = Shares(8)
    _make_quick(shares, "quick")

    assert _entered(shares, "quick") == 4
    assert _entered(shares, "unknown") == 4


def test_single_threaded_worker_still_works() -> None:
    """On a worker with one thread a licence gets that thread."""
    assert _entered(Shares(1), "L1") == 1


def test_share_shrinks_as_more_licences_are_busy() -> None:
    """A hundred new licences get one thread each, and no more."""
    shares = Shares(8)

    names = [f"unknown-{number}" for number in range(100)]
    first = sum(shares.enter(name) for name in names)
    more = sum(shares.enter(name) for name in names)

    assert (first, more) == (100, 0)


def test_quick_licences_share_half_of_the_threads() -> None:
    """Quick licences leave half of the threads, so that a new licence finds a thread."""
    shares = Shares(8)
    names = [f"quick-{number}" for number in range(100)]
    _make_quick(shares, *names)

    for _ in range(4):
        for name in names:
            shares.enter(name)

    assert shares.enter("unknown")


def test_licence_that_is_not_known_yet_gets_to_show_what_it_is(now: list[float]) -> None:
    """A new licence gets a first thread even if a hundred others hang."""
    shares = Shares(8)

    with ExitStack() as hanging:
        for number in range(100):
            assert shares.enter(f"slow-{number}")
            hanging.enter_context(shares.message(f"slow-{number}"))
            now[0] += 2.0
        new = _entered(shares, "new")
        with shares.message("new"):
            pass

        assert (new, _entered(shares, "new")) == (1, 3)


def test_slow_licences_share_one_part_and_the_rest_is_for_the_quick(now: list[float]) -> None:
    """While other licences hold all threads that they may have, a quick licence gets its share."""
    shares = Shares(8)
    _make_quick(shares, "quick")
    slow = [f"slow-{number}" for number in range(8 * THREADS_PER_MESSAGE)]
    for licence_id in slow:
        with shares.message(licence_id):
            now[0] += shares_module.SLOW_S + 0.1

    served = sum(shares.enter(licence_id) for licence_id in slow)

    assert served == len(slow) * 3 // 4
    assert _entered(shares, "quick") == 4


def test_call_under_way_for_a_second_makes_its_licence_slow_at_once(now: list[float]) -> None:
    """A licence is slow as soon as a call has run for a second, before the call ends."""
    shares = Shares(8)
    licences = [f"L{number}" for number in range(8 * THREADS_PER_MESSAGE)]
    _make_quick(shares, *licences)

    with ExitStack() as hanging:
        for licence_id in licences[:64]:
            assert shares.enter(licence_id)
            hanging.enter_context(shares.message(licence_id))
            now[0] += 0.1
        now[0] += 1.0
        slow = shares.enter("L0")
        quick = shares.enter("L100")

    assert (slow, quick) == (False, True)


def test_calls_that_wait_do_not_count_as_running(now: list[float]) -> None:
    """Calls that hang soon stop counting: beside eight of them, a ninth message may run."""
    shares = Shares(8)
    _make_quick(shares, *(f"L{number}" for number in range(9)))

    # The calls end before the pool waits for its thread, so that a failure is no hanging test.
    with ThreadPoolExecutor(1) as pool, ExitStack() as hanging:
        for number in range(8):
            hanging.enter_context(shares.message(f"L{number}"))
        now[0] += shares_module.RUNNING_S + 0.01
        ninth = pool.submit(_make_quick, shares, "L8")
        done, _ = wait([ninth], TIMEOUT_S)

    assert done == {ninth}


def test_no_more_run_at_once_than_may(now: list[float]) -> None:
    """Of twenty threads with calls of quick licences, exactly four run at the same time."""
    shares = Shares(4)
    licences = [f"L{number}" for number in range(100)]
    _make_quick(shares, *licences)
    counted, four, inside, most = Lock(), Barrier(4, timeout=TIMEOUT_S), 0, 0

    def call(licence_id: str) -> None:
        nonlocal inside, most
        with shares.message(licence_id):
            with counted:
                inside += 1
                most = max(most, inside)
            # Each call lasts until three others run beside it.
            four.wait()
            with counted:
                inside -= 1

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(call, licences))

    assert most == 4


def test_parked_licence_gets_the_thread_that_is_given_back() -> None:
    """A parked licence gets the next free thread once, with its own wake-up."""
    shares = Shares(1)
    part = THREADS_PER_MESSAGE * 3 // 4
    entered = [shares.enter_or_park(f"L{number}", f"w{number}") for number in range(part + 2)]
    again = shares.enter_or_park(f"L{part}", "again")

    assert entered == [True] * part + [None, None]
    assert again is False
    assert shares.leave("L0") == (f"L{part}", f"w{part}")
    assert shares.leave("L1") == (f"L{part + 1}", f"w{part + 1}")
    assert shares.leave("L2") is None


def test_wake_up_of_a_licence_with_its_share_is_not_parked() -> None:
    """A wake-up is not parked if its licence has its share: the licence's threads take its work."""
    shares = Shares(2)
    assert shares.enter_or_park("L1", "w1")

    assert shares.enter_or_park("L1", "w2") is False
