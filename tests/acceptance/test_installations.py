"""The application works when it is installed from its wheels in a new environment.

The test makes the environment, so it needs the package index and --full-load.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_packages import build_wheels
from tests.pages import ROOT
from tests.stage.deployed import running_stage
from tests.waiting import wait_until

# A module of another project, in the folder in which the worker is started.
OTHER = "raise SystemExit('of another project')\n"


def _environment(directory: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    return directory / "bin"


def _install(programs: Path, *words: str) -> None:
    command = [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *words], check=True)


@pytest.mark.full_load
def test_worker_from_the_wheel_posts(sqlite_url: str, tmp_path: Path) -> None:
    """Tables, worker and web work from the wheels, beside other modules with our modules' names."""
    build_wheels(tmp_path / "wheels")
    programs = _environment(tmp_path / "venv")
    wheels = [str(path) for path in (tmp_path / "wheels").iterdir()]
    _install(programs, "--constraint", str(ROOT / "constraints.txt"), *wheels)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("tasks", "models", "settings"):
        (elsewhere / f"{name}.py").write_text(OTHER)

    with running_stage(tmp_path, database_url=sqlite_url) as stage:
        environment = {**stage.deployment.environment, "PATH": os.defpath}
        command = programs / "ireserve-mattermost"
        for words in (["db", "upgrade"], ["db", "check"]):
            subprocess.run([command, *words], cwd=elsewhere, env=environment, check=True)
        app = "import ireserve_mattermost_app as ours; ours.create_app()"
        subprocess.run([programs / "python", "-c", app], cwd="/", env=environment, check=True)
        worker = subprocess.Popen([command, "run", "worker"], cwd=elsewhere, env=environment)
        try:
            host = stage.deployment.start_host()
            host.delay("create_root_post", "L1", "c1", visitor_name="Jan")
            wait_until(lambda: len(stage.accepted()) == 1, timeout_s=60, what="the card")
        finally:
            worker.terminate()
            worker.wait(30)
