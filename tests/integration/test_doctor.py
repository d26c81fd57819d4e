"""The doctor on a healthy installation, and without its broker, its database or its keys."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from demo.mattermost import NEWEST, StandIn
from demo.ports import free_port
from models.keyring import new_key
from settings import get_settings
from tests.operators import Operator
from tests.stage.examining import THE_CHANNEL
from tests.stage.stage import LICENCE, Stage

pytestmark = pytest.mark.usefixtures("hook_token")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since nearly all faults here are in Mattermost."""
    return sqlite_url


def test_healthy_licence_has_nothing_to_complain_of(stage: Stage, operator: Operator) -> None:
    """All checks of a healthy licence are ok, except those that need running processes."""
    findings = operator.findings(LICENCE, exit_code=1)

    # Only PostgreSQL has the checks of the database.
    left_out = {"clock", "database limits", "database connections"}
    states = {name: state for name, (state, _, _) in findings.items() if name not in left_out}
    assert states == {
        "database": "ok",
        "encryption keys": "ok",
        "unregistered": "ok",
        "broker": "ok",
        # No process runs in this test.
        "workers": "fail",
        "beat": "fail",
        "attachment store": "ok",
        # The tests' Redis has no memory limit.
        "broker memory": "warn",
        "broker clock": "ok",
        "installation": "skip",
        "reply task": "skip",
        "outcome task": "skip",
        "settings": "ok",
        "error reports": "skip",
        "entries": "ok",
        "server": "ok",
        "bot": "ok",
        "team": "ok",
        THE_CHANNEL: "ok",
        "edits": "ok",
        "e-mails": "ok",
        "uploads": "ok",
        "webhooks": "ok",
        # No member is mentioned, and the server collapses threads by default.
        "threads": "warn",
        "names": "ok",
        "limits": "ok",
        "webhook token": "ok",
        "webhook": "skip",
    }
    assert findings["server"][1] == f"Mattermost {NEWEST} answers"


@pytest.mark.parametrize(
    ("version", "setting", "sentence"),
    [
        ("11.6.0", "", "collapsed reply threads (always_on): only who follows a thread is told"),
        ("11.6.0", "default_off", "collapsed reply threads (default_off): members are told"),
        ("6.7.2", "", "collapsed reply threads (disabled): members are told"),
    ],
)
def test_version_and_threads_of_the_server_are_told(
    version: str, setting: str, sentence: str, stage: Stage, operator: Operator
) -> None:
    """The doctor shows the server's version and who is notified; status shows it later."""
    stage.stand_in.set_options(Version=version, CollapsedThreads=setting)

    findings = operator.findings(LICENCE, exit_code=1)

    [told] = operator.json("status")["licences"]
    expected = setting or ("disabled" if version == "6.7.2" else "always_on")
    assert findings["server"][1] == f"Mattermost {version} answers"
    assert findings["threads"][1].startswith(sentence)
    assert (told["server_version"], told["collapsed_threads"]) == (version, expected)


def test_limits_that_changed_are_stored(stage: Stage, operator: Operator) -> None:
    """A limit that changed on the server is shown once, and is then stored."""
    stage.stand_in.set_options(MaxFileSize=4_096)

    changed = operator.findings(LICENCE, exit_code=1)["limits"]
    again = operator.findings(LICENCE, exit_code=1)["limits"]

    assert changed == (
        "ok",
        "posts of 16383 characters, files of 4096 bytes; stored were 16383 and 104857600: "
        "brought up to date",
        "",
    )
    assert again == ("ok", "posts of 16383 characters, files of 4096 bytes", "")


def test_broker_that_is_away_is_named(
    stage: Stage, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that is away is a finding, and the checks that need the broker are skipped."""
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    get_settings.cache_clear()

    found = operator.findings(LICENCE, exit_code=1)

    assert found["broker"][0] == "fail"
    assert "REDIS_URL" in found["broker"][2]
    assert {found[name][0] for name in ("beat", "workers", "reply task", "outcome task")} == {
        "skip"
    }


def test_database_that_is_away_is_named(
    stage: Stage, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away is a finding, which does not show the password."""
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:secret@127.0.0.1:{free_port()}/none")
    get_settings.cache_clear()

    found = operator.findings(exit_code=1)

    assert found["database"][0] == "fail"
    assert "DATABASE_URL" in found["database"][2]
    assert found["encryption keys"][0] == "skip"
    assert "secret" not in str(found)


def test_schema_that_is_behind_is_named(stage: Stage, operator: Operator) -> None:
    """For an old schema the cure is the upgrade command."""
    with stage.runtime.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    found = operator.findings(LICENCE, exit_code=1)

    assert found["database"][0] == "fail"
    assert "revision 0001" in found["database"][1]
    assert "db upgrade" in found["database"][2]


@pytest.mark.parametrize("keys", ["", "no key at all", new_key()], ids=["none", "broken", "wrong"])
def test_wrong_keys_are_named(
    stage: Stage, operator: Operator, monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    """Wrong keys are a finding that names the setting."""
    monkeypatch.setenv("ENCRYPTION_KEYS", keys)
    get_settings.cache_clear()

    found = operator.findings(LICENCE, exit_code=1)

    assert found["encryption keys"][0] == "fail"
    assert found["bot"][0] == "fail"
    assert "ENCRYPTION_KEYS" in found["encryption keys"][1] + found["encryption keys"][2]


def test_unknown_licence_is_told_from_a_healthy_one(operator: Operator) -> None:
    """An unknown licence is an error."""
    answer = operator.json("doctor", "L9", exit_code=1)

    assert "no licence 'L9' is registered" in answer["error"]


def test_table_has_one_line_for_each_check(
    stage: Stage, operator: Operator, stand_in: StandIn
) -> None:
    """The table has one line for each check of the JSON; a failed check's line has the cure."""
    stand_in.set_options(EnableFileAttachments=False)

    lines = operator.run("doctor", LICENCE).stdout.splitlines()

    (line,) = [line for line in lines if "uploads" in line]
    assert line.split()[:3] == ["fail", LICENCE, "uploads"]
    assert "Allow File Sharing" in line
    # The heading, a blank line, and the total.
    assert len(lines) == 3 + len(operator.findings(LICENCE, exit_code=1))
