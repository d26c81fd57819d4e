"""The doctor finds each fault, shown by breaking each checked thing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import delete, text, update

from demo.mattermost import NEWEST, StandIn
from demo.ports import free_port
from ireserve_mattermost.connections import worker_redis
from models import Licence, NotificationChannel, WebhookToken, utc_now
from models.keyring import new_key
from settings import get_settings
from tasks.checks.check import Check
from tasks.checks.clock import check_clock
from tasks.checks.licence import Tools, check_licence, load_licences
from tasks.mattermost import MattermostError
from tasks.replies.webhook_tokens import add_token
from tasks.runtime import connect
from tests.operators import Operator, environment_of
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage
from tests.wire import WireServer, always, http

PLACE = f"{TEAM}/{CHANNEL}"
CALLBACK = "http://127.0.0.1:1/mattermost/replies"
HOOK_TOKEN = "h" * 26
THE_CHANNEL = f"channel ~{CHANNEL}"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since nearly all faults here are in Mattermost."""
    return sqlite_url


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """The operator of the stage's installation."""
    environment_of(stage.runtime.settings, monkeypatch)
    return Operator(stage.runtime.settings)


@pytest.fixture(autouse=True)
def stored_token(stage: Stage) -> None:
    """The stored token of the licence's webhook."""
    with stage.runtime.database.transaction() as session:
        add_token(session, LICENCE, token=HOOK_TOKEN)


@pytest.fixture
def admin_token(stage: Stage) -> str:
    """An administrator's token."""
    token: str = stage.stand_in.setup({})["admin"]["token"]
    return token


def change_licence(stage: Stage, **values: Any) -> None:
    """Change columns of the licence."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).where(Licence.id == LICENCE).values(**values))


def as_admin(stage: Stage, method: str, path: str, **body: Any) -> None:
    """Call Mattermost's API as its administrator."""
    token = stage.stand_in.setup({})["admin"]["token"]
    requests.request(
        method,
        f"{stage.stand_in.url}/api/v4{path}",
        headers={"Authorization": f"Bearer {token}"},
        json=body,
        timeout=10,
    ).raise_for_status()


def leave(stage: Stage) -> None:
    """Remove the bot from its channel."""
    bot_id = stage.bot().get_me().id
    as_admin(stage, "DELETE", f"/channels/{stage.channel_id}/members/{bot_id}")


def archive(stage: Stage) -> None:
    """Archive the channel."""
    as_admin(stage, "DELETE", f"/channels/{stage.channel_id}")


def use_other_bots_token(stage: Stage) -> None:
    """Store the token of another bot that is also in the channel."""
    made = stage.stand_in.setup({"bots": [{"username": "other", "channels": [PLACE]}]})
    store_token(stage, made["bots"]["other"]["token"])


def store_token(stage: Stage, token: str) -> None:
    """Store this token as the bot's."""
    keyring = stage.runtime.licences._keyring
    change_licence(stage, bot_token_encrypted=keyring.encrypt(token))


def use_a_bot_outside_the_team(stage: Stage) -> None:
    """Store the token of a bot outside the team."""
    made = stage.stand_in.setup({"bots": [{"username": "stranger"}]})
    store_token(stage, made["bots"]["stranger"]["token"])


def forget_webhook_tokens(stage: Stage) -> None:
    """Remove the tokens of the licence's webhooks."""
    with stage.runtime.database.transaction() as session:
        session.execute(delete(WebhookToken))


def examine(stage: Stage, **more: Any) -> dict[str, tuple[str, str, str]]:
    """Return the findings of the licence's own checks that need no workers."""
    runtime = stage.runtime
    with runtime.database.transaction() as session:
        (stored,) = load_licences(session, LICENCE)
    tools = Tools(
        settings=runtime.settings,
        keyring=lambda: runtime.licences._keyring,
        connect=lambda url, token: connect(runtime.settings, url, token),
        redis=worker_redis(runtime.settings.redis_url),
        **more,
    )
    checks = check_licence(stored, tools).checks
    return {check.name: (check.state.value, check.sentence, check.cure) for check in checks}


def test_healthy_licence_has_nothing_to_complain_of(stage: Stage, operator: Operator) -> None:
    """All checks of a healthy licence are well."""
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


BROKEN: list[tuple[str, Callable[[Stage], object], str, str, str, str]] = [
    ("server away", lambda o: change_licence(o, server_url=f"http://127.0.0.1:{free_port()}"),
     "server", "fail", "no connection to the server (unreachable", "Check that the server runs"),
    ("wrong base path", lambda o: change_licence(o, server_url=f"{o.stand_in.url}/chat"),
     "server", "fail", "not one of Mattermost's API (not_mattermost", "its subpath"),
    ("a page instead of JSON", lambda o: o.stand_in.set_fault("html_200"),
     "server", "fail", "not_mattermost", "Check the server's address and its subpath"),
    ("token revoked", lambda o: store_token(o, "x" * 26),
     "bot", "fail", "token was rejected (token_rejected, HTTP 401", "store a new token"),
    ("a person's token", lambda o: store_token(o, o.user_token),
     "bot", "fail", "@anna, which is a person's account", "Make a bot account"),
    ("another bot's token", use_other_bots_token,
     "bot", "fail", "@other, which is another bot", "licence edit LICENCE --token-file"),
    ("bot outside the team", use_a_bot_outside_the_team,
     "team", "fail", f"not in team {TEAM}", "Add the bot @stranger to the team"),
    ("team renamed", lambda o: change_licence(o, team_name="elsewhere"),
     "team", "fail", "there is no team elsewhere (not_found)", "from its URL"),
    ("bot outside the channel", leave,
     THE_CHANNEL, "fail", "not in the channel (not_a_member)", f"invite the bot @{BOT}"),
    ("channel archived", archive,
     THE_CHANNEL, "fail", "archived", "Unarchive it"),
    ("channel unknown", lambda o: change_licence(o, default_channel_id="c" * 26),
     THE_CHANNEL, "fail", "no such channel", "Check the name"),
    ("channel private",
     lambda o: o.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL, "type": "P"}]}),
     THE_CHANNEL, "warn", "private: replies come by catch-up", "public channel"),
    ("e-mails hidden", lambda o: o.stand_in.set_options(ShowEmailAddress=False),
     "e-mails", "warn", "hides e-mail addresses", "Show Email Address"),
    ("uploads off", lambda o: o.stand_in.set_options(EnableFileAttachments=False),
     "uploads", "fail", "switched off", "Allow File Sharing"),
    ("webhooks off", lambda o: o.stand_in.set_options(EnableOutgoingWebhooks=False),
     "webhooks", "fail", "switched off", "Enable Outgoing Webhooks"),
    ("no webhook token", forget_webhook_tokens,
     "webhook token", "fail", "no token is stored", "licence webhook LICENCE"),
    ("licence disabled", lambda o: change_licence(o, enabled=False),
     "licence", "warn", "disabled", "licence enable LICENCE"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("break_it", "name", "state", "sentence", "cure"),
    [pytest.param(*case[1:], id=case[0]) for case in BROKEN],
)
def test_what_is_broken_is_named_with_its_cure(
    stage: Stage,
    break_it: Callable[[Stage], object],
    name: str,
    state: str,
    sentence: str,
    cure: str,
) -> None:
    """The right check names the fault and its cure, and shows no token."""
    break_it(stage)

    found = examine(stage)

    assert found[name][0] == state, found
    assert sentence in found[name][1]
    assert cure in found[name][2]
    secrets = (stage.bot_token, stage.user_token, HOOK_TOKEN)
    assert [secret for secret in secrets if secret in str(found)] == []


def test_checks_that_need_an_answer_are_said_to_be_left_out(stage: Stage) -> None:
    """If the server is away, the checks that need it are shown as skipped."""
    stage.stand_in.set_fault("down")

    found = examine(stage)

    assert found["bot and channels"][0] == "skip"
    assert "bot" not in found


def test_limits_that_changed_are_stored(stage: Stage, operator: Operator) -> None:
    """A changed limit is a finding once, and is then stored."""
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


def test_channels_of_notifications_and_of_live_conversations_are_looked_at(stage: Stage) -> None:
    """Each channel in use is checked once, also those of notifications."""
    made = stage.stand_in.setup(
        {
            "channels": [
                {"team": TEAM, "name": "bookings", "type": "P"},
                {"team": TEAM, "name": "alone"},
                {"team": TEAM, "name": "old"},
            ],
            "bots": [{"username": BOT, "channels": [f"{TEAM}/bookings"]}],
        }
    )["channels"]
    stage.start()
    with stage.runtime.database.transaction() as session:
        for name in ("bookings", "alone", "old"):
            session.add(
                NotificationChannel(
                    licence_id=LICENCE,
                    notification_type=name,
                    channel_id=made[f"{TEAM}/{name}"]["id"],
                    channel_name=name,
                    enabled=name != "old",
                )
            )
    change_licence(stage, default_channel_id=made[f"{TEAM}/bookings"]["id"])

    found = examine(stage)

    states = {name: each[0] for name, each in found.items() if name.startswith("channel ")}
    assert states == {
        # This is now the default channel, with its stored name.
        THE_CHANNEL: "warn",
        # The channel of the live conversation's thread.
        f"channel {stage.channel_id}": "ok",
        "channel ~alone": "fail",
    }


HOOKS: list[tuple[str, list[dict[str, Any]], str, str]] = [
    ("as it should be", [{"token": HOOK_TOKEN}], "ok", "its token known"),
    ("none", [], "fail", "no outgoing webhook"),
    ("another address", [{"token": HOOK_TOKEN, "callback_urls": ["http://127.0.0.1:2/"]}],
     "fail", "does not call"),
    ("unknown token", [{}], "fail", "is not stored"),
    ("as a form", [{"token": HOOK_TOKEN, "content_type": "application/x-www-form-urlencoded"}],
     "warn", "sends forms"),
    ("trigger words", [{"token": HOOK_TOKEN, "trigger_words": ["help"]}],
     "fail", "trigger words"),
    ("two of them", [{"token": HOOK_TOKEN}, {"content_type": "application/x-www-form-urlencoded"}],
     "warn", "2 webhooks tell of each reply"),
    ("several addresses", [{"token": HOOK_TOKEN, "callback_urls": [CALLBACK, "http://127.0.0.1:2"]}],
     "warn", "several callback URLs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("hooks", "state", "sentence"), [pytest.param(*case[1:], id=case[0]) for case in HOOKS]
)
def test_webhook_is_looked_at_with_an_administrators_token(
    stage: Stage,
    admin_token: str,
    hooks: list[dict[str, Any]],
    state: str,
    sentence: str,
) -> None:
    """With an administrator's token, address, token, type and words of the webhook are checked."""
    default = {"channel": PLACE, "callback_urls": [CALLBACK]}
    stage.stand_in.setup({"hooks": [{**default, **hook} for hook in hooks]})

    found = examine(stage, admin_token=admin_token, callback_url=CALLBACK)

    assert found["webhook"][0] == state
    assert sentence in found["webhook"][1]
    assert admin_token not in str(found)


def test_webhook_whose_token_was_blanked_needs_a_new_one(stage: Stage, admin_token: str) -> None:
    """A webhook without a token, as after an edit by API, needs a new token."""
    hook = {"channel": PLACE, "callback_urls": [CALLBACK], "token": HOOK_TOKEN}
    stage.stand_in.setup({"hooks": [hook]})
    address = f"{stage.stand_in.url}/api/v4/hooks/outgoing"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {admin_token}"
        (made,) = session.get(address, timeout=10).json()
        kept = {name: value for name, value in made.items() if name != "token"}
        session.put(f"{address}/{made['id']}", json=kept, timeout=10).raise_for_status()

    found = examine(stage, admin_token=admin_token, callback_url=CALLBACK)

    state, sentence, cure = found["webhook"]
    assert (state, "has no token" in sentence) == ("fail", True)
    assert "Regenerate Token" in cure


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        pytest.param(http(405, b'{"error": "only POST"}'), "ok", "answers there", id="ours"),
        pytest.param(http(200, b"<html>"), "fail", "something else answers", id="another page"),
        pytest.param(
            http(301, headers={"Location": "https://x/"}), "fail", "redirects", id="moved"
        ),
        pytest.param(http(502, b"<html>"), "fail", "the web process behind it", id="no web behind"),
        pytest.param(None, "fail", "no server answers there", id="cut off"),
    ],
)
def test_callback_url_is_asked_whether_it_is_ours(
    stage: Stage, answer: bytes | None, state: str, sentence: str
) -> None:
    """Only our own web process passes the check of the callback address."""
    with WireServer(always(answer)) as server:
        url = f"http://127.0.0.1:{server.port}/mattermost/replies"

        found = examine(stage, callback_url=url)

    assert found["callback URL"][0] == state
    assert sentence in found["callback URL"][1]


@pytest.mark.parametrize(
    ("ahead_s", "state"),
    [
        (0, "ok"),
        (50, "ok"),
        (-50, "ok"),
        (120, "warn"),
        (-120, "warn"),
        (300, "fail"),
        (-300, "fail"),
    ],
)
def test_clocks_that_are_apart_are_noticed(stage: Stage, ahead_s: int, state: str) -> None:
    """A clock a minute apart is a warning; more than look-ups allow is a failure."""
    moment = utc_now() + timedelta(seconds=ahead_s)
    date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

    with WireServer(always(http(200, b"{}", headers={"Date": date}))) as server:
        check = clock_of(stage, server)

    assert check.state == state
    assert bool(check.cure) == (state != "ok")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(200, b"{}"), id="without a date"),
        pytest.param(http(200, b"{}", headers={"Date": "today"}), id="with none that is one"),
    ],
)
def test_clock_that_is_not_told_is_not_judged(stage: Stage, answer: bytes) -> None:
    """Without the server's time, the clock is not checked."""
    with WireServer(always(answer)) as server:
        assert clock_of(stage, server).state == "skip"


def clock_of(stage: Stage, server: WireServer) -> Check:
    """Return the finding about a server's clock after one request."""
    with connect(stage.runtime.settings, f"http://127.0.0.1:{server.port}", "t" * 26) as client:
        with suppress(MattermostError):
            client.get_client_config()
        return check_clock(client.answer_headers)


def test_broker_that_is_away_is_named(
    stage: Stage, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the broker is away, it is named, and checks that need it are skipped."""
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
    """If the database is away, it is named."""
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
    """Wrong keys are a finding, and no key is shown."""
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
    """The table has one line with its cure for each check of the JSON."""
    stand_in.set_options(EnableFileAttachments=False)

    lines = operator.run("doctor", LICENCE).stdout.splitlines()

    (line,) = [line for line in lines if "uploads" in line]
    assert line.split()[:3] == ["fail", LICENCE, "uploads"]
    assert "Allow File Sharing" in line
    # The heading, a blank line, and the total.
    assert len(lines) == 3 + len(operator.findings(LICENCE, exit_code=1))
