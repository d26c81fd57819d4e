"""An unusable setting ends each process at its start, in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from demo.ports import free_port
from models.keyring import new_key
from settings import SettingsError, get_settings, mistyped_names
from tests.stage.deployment import Deploy, Deployment

SECRET = "geheim"


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("DATABASE_URL", SECRET, "postgresql://"),
        ("DATABASE_URL", f"mysql://u:{SECRET}@h/db", "no other database"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@h1:1,h2:2/db", "one host"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@h/db?pgbouncer=true", "pgbouncer"),
        ("REDIS_URL", f"localhost:{SECRET}", "redis://"),
        ("REDIS_URL", f"sentinel://u:{SECRET}@h", "sentinel"),
        ("REDIS_URL", f"redis://u:{SECRET}@h1,h2", "cluster"),
        ("ATTACHMENTS_URL", f"s3://{SECRET}/x", "ireserve-mattermost[s3]"),
        ("ATTACHMENTS_URL", f"{SECRET}://x", "file://"),
        ("PROXY_URL", SECRET, "http://"),
        ("CA_BUNDLE", f"/{SECRET}", "no file"),
        ("REPLY_QUEUE", "mattermost", "our own workers"),
        ("LOG_LEVEL", SECRET, "'DEBUG', 'INFO'"),
        ("LOG_FORMAT", SECRET, "'console' or 'json'"),
        ("HOLD_S", SECRET, "integer"),
        ("HOLD_S", "-1", "greater than or equal to 0"),
        ("READ_TIMEOUT_S", "21", "less than or equal to 20"),
        ("READ_TIMEOUT_S", "nan", "20"),
        ("CATCH_UP_INTERVAL_S", "1e9", "integer"),
        ("RETENTION_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_wrong_value_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    """The sentence names the setting and the allowed values, without the wrong value."""
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()

    with pytest.raises(SettingsError) as caught:
        get_settings()

    assert named in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_empty_variable_is_a_setting_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as not set."""
    monkeypatch.delenv("IRESERVE_MATTERMOST_REDIS_URL", raising=False)
    names = [name.upper() for name in type(get_settings()).model_fields]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    unset = get_settings()
    for name in names:
        monkeypatch.setenv(name, "")
    get_settings.cache_clear()

    assert get_settings() == unset


def test_case_and_blanks_around_a_word_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case and blanks of a setting's word do not matter, as in ``info`` and ``JSON``."""
    monkeypatch.setenv("LOG_LEVEL", "info ")
    monkeypatch.setenv("LOG_FORMAT", "JSON")
    get_settings.cache_clear()

    assert (get_settings().log_level, get_settings().log_format) == ("INFO", "json")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HOLD_SECONDS", "HOLD_S"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("ENCRYPTION_KEY", "ENCRYPTION_KEYS"),
        ("PATH", None),
        ("HOME", None),
    ],
)
def test_name_like_a_setting_is_found(name: str, meant: str | None) -> None:
    """A variable that resembles a setting is reported, unless that setting is set."""
    assert mistyped_names({name: "x"}).get(name) == meant
    assert mistyped_names({name: "x", meant or "": "y"}) == {}


@pytest.fixture
def deployment(deploy: Deploy, tmp_path: Path) -> Deployment:
    """A deployment whose environment a test makes wrong."""
    return deploy(
        tmp_path,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        database_url=f"sqlite:///{tmp_path / 'test.db'}",
    )


@pytest.mark.parametrize("name", ["worker", "beat", "web", "flower"])
def test_process_ends_in_one_sentence(deployment: Deployment, name: str) -> None:
    """Each process ends with a sentence, without a traceback, and with an error code."""
    deployment.environment["DATABASE_URL"] = f"mysql://u:{SECRET}@h/db"
    process = deployment.start(name)

    process.process.wait(30)

    log = process.log_text()
    assert process.process.returncode != 0
    assert log.count("wrong settings: DATABASE_URL") >= 1
    assert "Traceback" not in log
    assert SECRET not in log


@pytest.mark.parametrize("keys", ["", SECRET], ids=["none", "no key"])
def test_worker_without_its_keys_ends_in_one_sentence(deployment: Deployment, keys: str) -> None:
    """A worker without usable keys ends in one sentence, since it could read no token."""
    deployment.environment["ENCRYPTION_KEYS"] = keys
    worker = deployment.start("worker")

    worker.process.wait(30)

    assert worker.process.returncode == 1
    assert "ENCRYPTION_KEYS" in worker.log_text()
    assert len(worker.log_text().splitlines()) == 1


def test_worker_says_which_name_may_be_mistyped_and_goes_on(
    deploy: Deploy, tmp_path: Path, redis_url: str, sqlite_url: str
) -> None:
    """A worker logs a setting whose name may be mistyped, with the right name, and is ready."""
    deployment = deploy(tmp_path, redis_url=redis_url, database_url=sqlite_url)
    deployment.environment["HOLD_SECONDS"] = "5"

    worker = deployment.start_worker()

    assert "setting_unknown" in worker.log_text()
    assert "did_you_mean=HOLD_S" in worker.log_text()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:geheim@127.0.0.1:1/db", "Connection refused"),
        ("sqlite:////proc/nothing/test.db", "/proc/nothing"),
    ],
    ids=["away", "not to be written"],
)
def test_command_says_why_the_database_cannot_be_used(
    deployment: Deployment, url: str, named: str
) -> None:
    """A command shows the database's own reason, and no password."""
    deployment.environment["DATABASE_URL"] = url

    done = deployment.command("db", "upgrade")

    assert done.returncode == 1
    assert named in done.stderr
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_driver_is_named(tmp_path: Path) -> None:
    """An installation without psycopg says so when its settings name PostgreSQL."""
    (tmp_path / "psycopg.py").write_text("raise ImportError")
    program = "import settings; settings.settings_or_exit()"
    environment = {
        "PYTHONPATH": str(tmp_path),
        "DATABASE_URL": "postgresql://h/db",
        "ENCRYPTION_KEYS": new_key(),
    }

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "psycopg is not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
