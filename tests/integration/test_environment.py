"""``bin/venv`` in a small project, whose packages are built without a network."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.waiting import wait_until

# Builds an empty package. The file "broken" makes the build fail, and "slow" makes it wait.
BACKEND = """
import os, time, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    if os.path.exists("{root}/broken"):
        raise SystemExit("ERROR: no network")
    while os.path.exists("{root}/slow"):
        open("{root}/building", "w").close()
        time.sleep(0.05)
    name = "{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        info = "{name}-1.0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\n{name} = platform:node\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "1.0"
"""
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an environment made by ``bin/venv``."""
    directory = tmp_path_factory.mktemp("environment") / "a project"
    shutil.copytree(ROOT / "bin", directory / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "demo").mkdir()
    for name in ("__init__.py", "languages.py", "options.py"):
        shutil.copy(ROOT / "demo" / name, directory / "demo")
    for place, name in ((directory, "ours"), (directory / "client", "theirs")):
        place.mkdir(exist_ok=True)
        (place / "pyproject.toml").write_text(PROJECT.format(name=name))
        (place / "backend.py").write_text(BACKEND.format(name=name, root=directory))
    (directory / "constraints.txt").touch()
    assert _run(directory, "bin/venv", "demo").returncode == 0
    return directory


def _run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    with _started(directory, *command) as process:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    return subprocess.CompletedProcess(command, process.returncode, output)


def _started(directory: Path, *command: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    return subprocess.Popen(
        [directory / command[0], *command[1:]],
        cwd=directory,
        env={**kept, "PATH": f"{Path(sys.base_prefix, 'bin')}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _change(directory: Path) -> None:
    """Make the environment older than the project's requirements."""
    with (directory / "constraints.txt").open("a") as constraints:
        constraints.write("# another line\n")


def _state(directory: Path) -> tuple[str, str, list[str]]:
    """Return the environment's stamp, its script's first line, and the files beside it."""
    script = (directory / ".venv" / "bin" / "ours").read_text()
    beside = sorted(path.name for path in directory.glob(".venv*") if path.is_dir())
    return (directory / ".venv" / "installed.json").read_text(), script, beside


def test_environment_names_its_own_place_and_is_made_once(project: Path, tmp_path: Path) -> None:
    """The environment's scripts work at their path, and a second run makes no new environment."""
    (tmp_path / "link").symlink_to(project)

    again = _run(tmp_path / "link", "bin/venv", "demo")

    assert (again.returncode, again.stdout) == (0, "")
    assert f'"{project}/.venv/bin/python"' in _state(project)[1]
    assert _run(project, ".venv/bin/ours").stdout.strip() == platform.node()


def test_failed_set_up_leaves_the_environment_that_works(project: Path) -> None:
    """A failed set-up keeps the working environment, and two lines say why."""
    before = _state(project)
    _change(project)
    (project / "broken").touch()

    done = _run(project, "bin/venv", "test")
    (project / "broken").unlink()

    assert done.returncode == 1
    assert "ERROR: no network" in done.stdout
    assert "bin/venv: .venv is as it was" in done.stdout
    assert _state(project) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_interrupted_set_up_leaves_the_environment_that_works(
    project: Path, number: signal.Signals
) -> None:
    """An interrupted set-up keeps the working environment and does not block the next set-up."""
    before = _state(project)[:2]
    _change(project)
    (project / "slow").touch()

    with _started(project, "bin/venv", "demo") as process:
        wait_until((project / "building").exists, what="an installation that has begun")
        process.send_signal(number)
        (project / "slow").unlink()
        exit_code = process.wait(TIMEOUT_S)
    meanwhile = _state(project)[:2]
    (project / "building").unlink()

    assert exit_code == (-number if number is signal.SIGKILL else 128 + number)
    assert meanwhile == before
    assert _run(project, "bin/venv", "demo").returncode == 0
    assert _state(project)[0] != before[0]
    assert _state(project)[2] == [".venv"]


def test_two_at_once_make_one_environment(project: Path) -> None:
    """Of two runs at the same time, the second waits for the first and then does nothing."""
    _change(project)
    (project / "slow").touch()
    with _started(project, "bin/venv", "demo") as first:
        wait_until((project / "building").exists, what="an installation that has begun")
        with _started(project, "bin/venv", "demo") as second:
            assert second.stdout is not None
            waits = second.stdout.readline()
            (project / "slow").unlink()
            said, _ = second.communicate(timeout=TIMEOUT_S)
        first.communicate(timeout=TIMEOUT_S)
    (project / "building").unlink()

    assert (waits, said) == ("Waiting for another set-up of .venv ...\n", "")
    assert (first.returncode, second.returncode) == (0, 0)


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        pytest.param(("bin/demo", "--help"), 0, id="demo, help"),
        pytest.param(("bin/demo", "--chekc"), 2, id="demo, a wrong option"),
        pytest.param(("bin/demo", "again"), 2, id="demo, an argument"),
        pytest.param(("bin/test", "--help"), 0, id="test, help"),
        pytest.param(("bin/bench", "-h"), 0, id="bench, help"),
        pytest.param(("bin/lint", "--help"), 0, id="lint, help"),
        pytest.param(("bin/lint", "tasks"), 2, id="lint, an argument"),
        pytest.param(("bin/venv", "tset"), 2, id="venv, a wrong extra"),
    ],
)
def test_help_and_wrong_arguments_install_nothing(
    project: Path, command: tuple[str, ...], exit_code: int
) -> None:
    """Help and wrong arguments are answered without installing."""
    before = _state(project)
    _change(project)

    done = _run(project, *command)

    assert done.returncode == exit_code
    assert done.stdout
    assert _state(project) == before


def test_every_extra_can_be_asked_for() -> None:
    """``bin/venv`` accepts each extra of the project."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = ", ".join(sorted(content["project"]["optional-dependencies"]))

    assert f"of {extras}" in " ".join(_run(ROOT, "bin/venv", "--help").stdout.split())
