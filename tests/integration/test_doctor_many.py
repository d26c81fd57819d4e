"""The doctor examines many licences in parallel, sums them up, and cleans up if interrupted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import inspect

from models import Licence
from tests.operators import Operator
from tests.pages import ROOT
from tests.stage.stage import LICENCE, Stage
from tests.waiting import wait_until
from tests.wire import Request, WireServer, http

MANY = 24
UNKNOWN = http(404, b'{"id": "api.context.404.app_error", "message": "", "status_code": 404}')


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since the tests are about requests to servers."""
    return sqlite_url


class ParallelOnlyServer:
    """A server that answers only when this number of requests wait at the same time."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties)

    def __call__(self, _: Request, __: socket.socket) -> bytes:
        """Wait for the other requests, then answer."""
        self._barrier.wait(20)
        return UNKNOWN


def register_more(stage: Stage, count: int, url: str) -> list[str]:
    """Store licences like the stage's on another server; return their ids."""
    with stage.runtime.database.transaction() as session:
        known = session.get_one(Licence, LICENCE)
        names = [each.key for each in inspect(Licence).column_attrs]
        columns = {name: getattr(known, name) for name in names}
        ids = [f"more-{number:02}" for number in range(count)]
        session.add_all([Licence(**{**columns, "id": each, "server_url": url}) for each in ids])
    return ids


def test_licences_are_asked_side_by_side(stage: Stage, operator: Operator) -> None:
    """Licences are examined in parallel, and shown in order."""
    with WireServer(ParallelOnlyServer(MANY)) as server:
        ids = register_more(stage, MANY, f"http://127.0.0.1:{server.port}")

        answer = operator.json("doctor", exit_code=1)

    told = [each for each in answer["checks"] if each["name"] == "server"]
    assert [each["licence"] for each in told] == [LICENCE, *ids]
    assert answer["totals"]["licences"] == {"ok": 0, "fail": MANY + 1, "warn": 0}


def test_many_licences_are_told_in_short(stage: Stage, operator: Operator) -> None:
    """A common finding of many licences is one line, and good results are only counted."""
    register_more(stage, MANY, "http://127.0.0.1:1")

    lines = operator.run("doctor").stdout.splitlines()
    whole = operator.run("doctor", "--no-summary").stdout.splitlines()

    (line,) = [line for line in lines if "no connection to the server" in line]
    assert line.startswith("fail  more-00, more-01, more-02 and 21 more")
    assert not any(line.startswith(("ok", "skip")) for line in lines)
    assert lines[-1].endswith(f"Of {MANY + 1} licences: ok 0, fail {MANY + 1}, warn 0.")
    assert len([line for line in whole if "no connection to the server" in line]) == MANY


def test_broken_stored_address_hides_no_other_licence(stage: Stage, operator: Operator) -> None:
    """A broken address of one licence does not stop the checks of others."""
    register_more(stage, 1, "no address at all")

    answer = operator.json("doctor", exit_code=1)

    states = {
        each["licence"]: each["state"] for each in answer["checks"] if each["name"] == "server"
    }
    assert states == {LICENCE: "ok", "more-00": "fail"}


@pytest.fixture
def doctor(stage: Stage, operator: Operator) -> Iterator[subprocess.Popen[str]]:
    """A doctor's process during its round trip, which no webhook answers."""
    del operator
    with subprocess.Popen(
        [sys.executable, "-m", "tasks.cli", "doctor", LICENCE, "--round-trip"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        wait_until(lambda: process.poll() is not None or stage.channel_posts(), what="its post")
        yield process
        process.kill()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_test_post_is_removed_when_the_doctor_is_broken_off(
    stage: Stage, doctor: subprocess.Popen[str], signum: int
) -> None:
    """A signal that ends the doctor leaves no test post."""
    began = time.monotonic()

    doctor.send_signal(signum)
    _, stderr = doctor.communicate(timeout=20)

    assert stage.channel_posts() == []
    assert doctor.returncode == 128 + signum
    assert "Interrupted: licences looked at: 0 of 1; no test post is left." in stderr
    assert time.monotonic() - began < 10
