"""A worker refuses to start with a pool that cannot work."""

from __future__ import annotations

import pytest
from celery.signals import worker_init

import tasks.process


@pytest.mark.parametrize("pool", tasks.process.REFUSED_POOLS)
def test_pool_that_hangs_is_refused_in_a_sentence(pool: str) -> None:
    """The worker ends before it makes the pool, and one sentence says which pool to use."""
    # The real pools need packages that these tests do not install.
    pool_cls = type("TaskPool", (), {"__module__": f"celery.concurrency.{pool}"})
    worker = type("Worker", (), {"pool_cls": pool_cls, "concurrency": 8})

    with pytest.raises(SystemExit, match=f"--pool {pool} does not work here: use --pool threads"):
        worker_init.send(sender=worker)
