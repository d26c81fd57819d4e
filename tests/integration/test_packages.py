"""Both distributions are complete, and each installs one module."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from shutil import ignore_patterns
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

from tests.pages import ROOT

# Files that the wheel needs beside Python modules.
DATA = {"Procfile", "models/migrations/script.py.mako", "tasks/replies/emoji.tsv"}


def build_wheels(directory: Path) -> None:
    """Build both wheels into the folder with the installed builders."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(directory)]
    with TemporaryDirectory() as folder:
        # setuptools builds in the folder of the source, where two builds would disturb each other.
        client = shutil.copytree(
            ROOT / "client", Path(folder) / "client", ignore=ignore_patterns("build", "*.egg-info")
        )
        subprocess.run([*command, *options, str(ROOT), str(client)], check=True)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both wheels by distribution."""
    directory = tmp_path_factory.mktemp("wheels")
    build_wheels(directory)
    return {path.name.partition("-")[0]: path for path in directory.iterdir()}


def _names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def _python_files(folder: str, below: Path = ROOT) -> set[str]:
    return {str(path.relative_to(below)) for path in (below / folder).rglob("*.py")}


def test_wheel_of_the_application_has_one_module_and_all_that_runs(
    wheels: dict[str, Path],
) -> None:
    """The application's wheel has all files in one package, so no other package hides them."""
    ours = {"env_file.py", "setting_rules.py", "settings.py", "__init__.py", *DATA}
    for folder in ("inbound", "models", "tasks"):
        ours |= _python_files(folder)

    found = _names(wheels["ireserve_mattermost"])

    assert found == {f"ireserve_mattermost_app/{name}" for name in ours}


def test_wheel_of_the_client_has_one_module(wheels: dict[str, Path]) -> None:
    """The client's wheel has all files and the marker for types."""
    ours = _python_files("ireserve_mattermost", ROOT / "client")

    found = _names(wheels["ireserve_mattermost_client"])

    assert found == ours | {"ireserve_mattermost/py.typed"}


def test_modules_of_the_wheel_come_before_others_of_their_names(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    """Other modules named `tasks` on the path hide no module of the wheel."""
    with ZipFile(wheels["ireserve_mattermost"]) as archive:
        archive.extractall(tmp_path / "installed")
    for name in ("tasks.py", "models.py", "settings.py"):
        (tmp_path / name).write_text("raise SystemExit('of another project')\n")
    program = (
        "import ireserve_mattermost_app as ours, sys; ours.app.finalize(); ours.app.conf.imports; "
        "print(sys.modules['tasks'].__file__, sys.modules['settings'].__file__)"
    )
    environment = {
        "PYTHONPATH": f"{tmp_path}:{tmp_path / 'installed'}",
        "DATABASE_URL": "sqlite:////tmp/none.db",
        "ATTACHMENTS_URL": "file:///tmp/none",
    }

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )

    package = tmp_path / "installed" / "ireserve_mattermost_app"
    assert done.stdout == f"{package}/tasks/__init__.py {package}/settings.py\n", done.stderr


@pytest.mark.parametrize("name", ["DATABASE_URL", "ATTACHMENTS_URL"])
def test_nothing_is_written_among_installed_packages(
    wheels: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """Outside a checkout there are no default paths, and a missing setting is named."""
    with ZipFile(wheels["ireserve_mattermost"]) as archive:
        archive.extractall(tmp_path)
    program = "import ireserve_mattermost_app as ours; ours.main()"
    given = {"DATABASE_URL": "sqlite:////tmp/none.db", "ATTACHMENTS_URL": "file:///tmp/none"}

    done = subprocess.run(
        [sys.executable, "-c", program, "db", "check"],
        env={"PYTHONPATH": str(tmp_path), **given, name: ""},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert f"{name} must be set: outside of a checkout it has no default" in done.stderr
    assert list(tmp_path.rglob("var")) == []


def test_source_distribution_is_the_repository(tmp_path: Path) -> None:
    """The source distribution has all tracked files."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("NO CHECKOUT: git lists no files here, so there is nothing to compare with")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip

    (path,) = tmp_path.iterdir()
    with tarfile.open(path) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}

    assert set(listed.stdout.splitlines()) - found == set()
    assert {name for name in found if name.startswith((".venv", "var/", "dist/"))} == set()
