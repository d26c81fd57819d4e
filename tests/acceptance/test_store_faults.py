"""The promises hold while the database or Redis hangs, is full, or has a wrong clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.acceptance import faults, store_faults
from tests.acceptance.conftest import RunFaultTest
from tests.acceptance.fault_tests import FaultTest
from tests.acceptance.load import Size
from tests.pgbouncer import pgbouncer_executable, running_pgbouncer
from tests.postgres_server import PostgresServer

full_load = pytest.mark.full_load
Record = Callable[[str, object], None]

REDIS_FAULTS = [
    FaultTest("Redis full", store_faults.fill_redis),
    pytest.param(FaultTest("Redis a replica", store_faults.make_redis_a_replica), marks=full_load),
    pytest.param(FaultTest("Redis without replicas", store_faults.want_replicas), marks=full_load),
    pytest.param(FaultTest("Redis stopped", store_faults.stop_redis), marks=full_load),
]


@pytest.mark.parametrize("fault_test", REDIS_FAULTS, ids=str)
def test_redis_that_takes_nothing_costs_nothing_but_time(
    fault_test: FaultTest, run_fault_test: RunFaultTest
) -> None:
    """Workers go on within 10 s after Redis works again, and lose, double or swap nothing."""
    figures = run_fault_test(fault_test)

    assert figures.failed == 0


@full_load
@pytest.mark.parametrize("seconds", [-store_faults.HOUR_S, store_faults.HOUR_S])
def test_redis_with_another_clock(
    seconds: int, run_fault_test: RunFaultTest, tmp_path: Path
) -> None:
    """Messages go on within 10 s after Redis' clock jumps by an hour, and after it is set right."""
    library = store_faults.faketime_library()
    if library is None:
        pytest.skip("NO FAKETIME: install it (`apt-get install faketime`) to run this test")
    clock = tmp_path / "clock"

    figures = run_fault_test(
        FaultTest(
            f"Redis' clock put by {seconds:+} s",
            partial(store_faults.put_clock, clock=clock, seconds=seconds),
            redis_environment=store_faults.movable_clock(clock, library),
        )
    )

    assert figures.failed == 0


@full_load
@pytest.mark.parametrize("fault", [store_faults.stop_postgresql, store_faults.fill_postgresql])
def test_postgresql_that_does_not_work_costs_nothing_but_time(
    fault: Callable[..., None],
    own_postgres: PostgresServer,
    tmp_path: Path,
    size: Size,
    record_property: Record,
) -> None:
    """Workers go on within 10 s after PostgreSQL works again, and nothing is lost."""
    own_postgres.stop()
    own_postgres.settings = {"max_connections": "60", "superuser_reserved_connections": "0"}
    own_postgres.start()
    name = fault.__name__.replace("_", " ")

    figures = FaultTest(name, partial(fault, server=own_postgres), "postgresql").run(
        tmp_path, database_url=own_postgres.url(), size=size
    )

    record_property("fault_test", figures.row())
    assert figures.failed == 0


@full_load
@pytest.mark.parametrize("stands_still", [False, True], ids=["working", "stopped"])
def test_pgbouncer_in_transaction_mode(
    stands_still: bool,
    own_postgres: PostgresServer,
    tmp_path: Path,
    size: Size,
    record_property: Record,
) -> None:
    """Two workers work with three shared connections of PgBouncer, even if PostgreSQL hangs."""
    if pgbouncer_executable() is None:
        pytest.skip("NO PGBOUNCER: install it (`apt-get install pgbouncer`) to run this test")
    stop = partial(store_faults.stop_postgresql, server=own_postgres)
    name = "behind PgBouncer, stopped" if stands_still else "behind PgBouncer"
    with TemporaryDirectory(prefix="ireserve-pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        with running_pgbouncer(Path(folder), own_postgres) as url:
            figures = FaultTest(name, stop if stands_still else faults.nothing, "postgresql").run(
                tmp_path, database_url=url, size=size
            )

    record_property("fault_test", figures.row())
    assert figures.failed == 0
