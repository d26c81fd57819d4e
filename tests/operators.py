"""Run the command line as an operator does, on the tests' own servers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from settings import Settings, get_settings
from tasks.cli import main


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator who types the commands of one installation."""

    settings: Settings

    def run(self, *words: str, stdin: str = "") -> Result:
        """Run a command; raise any error of the command other than its exit."""
        result = CliRunner().invoke(main, list(words), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *words: str, exit_code: int = 0, stdin: str = "") -> Any:
        """Run a command with --json, check its exit code, and return its parsed output."""
        result = self.run(*words, "--json", stdin=stdin)
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def error(self, *words: str, stdin: str = "") -> str:
        """Run a command that must end with one line on standard error; return this line."""
        result = self.run(*words, stdin=stdin)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        (line,) = result.stderr.splitlines()
        assert line.startswith("Error: ")
        return line

    def findings(self, *words: str, exit_code: int) -> dict[str, tuple[str, str, str]]:
        """Run the doctor; return state, sentence and cure of each check by name."""
        answer = self.json("doctor", *words, exit_code=exit_code)
        return {
            check["name"]: (check["state"], check["sentence"], check["cure"])
            for check in answer["checks"]
        }


def environment_of(settings: Settings, patch: pytest.MonkeyPatch) -> None:
    """Put the settings into this process's environment."""
    patch.setenv("DATABASE_URL", settings.database_url)
    patch.setenv("REDIS_URL", settings.redis_url)
    keys = ",".join(key.get_secret_value() for key in settings.encryption_keys)
    patch.setenv("ENCRYPTION_KEYS", keys)
    patch.setenv("ATTACHMENTS_URL", settings.attachments_url)
    patch.setenv("CONNECT_TIMEOUT_S", str(settings.connect_timeout_s))
    patch.setenv("READ_TIMEOUT_S", str(settings.read_timeout_s))
    get_settings.cache_clear()
