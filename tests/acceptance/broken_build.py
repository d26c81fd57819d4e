"""Make builds that are broken on purpose: a copy of the code with some lines changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stage.deployment import ROOT

# The code that runs in production, and the files that make the copy a checkout.
PARTS = (
    *("celeryconfig.py", "client", "env_file.py", "inbound", "models", "Procfile"),
    *("pyproject.toml", "setting_rules.py", "settings.py", "tasks"),
)


@dataclass(frozen=True, slots=True)
class Patch:
    """Lines of a file, each with its replacement."""

    path: str
    lines: Mapping[str, str]

    def applied(self, directory: Path) -> Path:
        """Copy the code into the folder, change the lines there, and return the folder."""
        directory.mkdir(parents=True)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, directory / part)
        file = directory / self.path
        code = file.read_text().splitlines()
        for line, becomes in self.lines.items():
            assert code.count(line) == 1, f"{self.path} has not once the line {line!r}"
            code[code.index(line)] = becomes
        file.write_text("\n".join(code) + "\n")
        return directory


def assert_is_what_runs(source: Path, environment: Mapping[str, str]) -> None:
    """Assert that a process with this environment imports the copy, not the installed project."""
    code = "import ireserve_mattermost.lanes; print(ireserve_mattermost.lanes.__file__)"
    # -P: leave the current folder out of the import path.
    command = [sys.executable, "-P", "-c", code]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    imported = source / "client" / "ireserve_mattermost" / "lanes.py"
    assert told.stdout.strip() == str(imported), told.stdout
