"""Error reports are off without a DSN, and their failure stops no process."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pydantic import SecretStr

from settings import Settings
from tasks.failures import DeliveryFailedError
from tasks.watch.error_reports import scrub, start_error_reports

DSN = "http://0123456789abcdef0123456789abcdef@127.0.0.1:1/1"


@pytest.mark.parametrize("dsn", [None, ""], ids=["unset", "empty"])
def test_without_a_dsn_nothing_happens(dsn: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a DSN there is no report and no log line."""
    assert start_error_reports(Settings.model_validate({"sentry_dsn": dsn}), process="web") is False
    assert tuple(capsys.readouterr()) == ("", "")


def test_missing_sdk_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the SDK the process goes on, and one log line names what is missing."""
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    started = start_error_reports(Settings(sentry_dsn=SecretStr(DSN)), process="worker")

    assert started is False
    assert "sentry-sdk is not installed" in "".join(capsys.readouterr())


@pytest.mark.parametrize("dsn", ["geheim", "https://geheim@host:geheim/1", "https://geheim@[h/1"])
def test_unusable_dsn_is_logged_without_its_value(
    dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong DSN does not stop the process, and the log line does not show it."""
    started = start_error_reports(Settings(sentry_dsn=SecretStr(dsn)), process="worker")

    logged = "".join(capsys.readouterr())
    assert started is False
    assert "SENTRY_DSN is no address of Sentry" in logged
    assert "geheim" not in logged


def test_event_keeps_nothing_that_is_not_listed() -> None:
    """A report keeps only listed keys and our own errors' texts, without e-mail addresses."""
    error = DeliveryFailedError("reply:m1 in L1:c:c1: timeout: of jan@example.com", "timeout")
    frames = [{"function": "f", "lineno": 1, "vars": {"name": "Jan"}}]
    event: Any = {
        "event_id": "e",
        "transaction": "mattermost.post_reply",
        "tags": {"process": "worker"},
        "exception": {
            "values": [
                {"type": "KeyError", "module": None, "value": "'Jan'", "stacktrace": None},
                {
                    "type": "DeliveryFailedError",
                    "module": "tasks.failures",
                    "value": str(error),
                    "stacktrace": {"frames": frames},
                },
            ]
        },
        "request": {"url": "https://example.com/?name=Jan"},
        "user": {"email": "jan@example.com"},
        "extra": {"args": ["Jan"]},
        "breadcrumbs": {"values": [{"message": "Jan"}]},
        "contexts": {"any": {"name": "Jan"}},
        "something_new": "Jan",
    }

    assert scrub(event, {"exc_info": (type(error), error, None)}) == {
        "event_id": "e",
        "transaction": "mattermost.post_reply",
        "tags": {"process": "worker", "reason": "timeout"},
        "fingerprint": ["{{ default }}", "timeout"],
        "exception": {
            "values": [
                {"type": "KeyError", "module": None, "value": "(withheld)", "stacktrace": None},
                {
                    "type": "DeliveryFailedError",
                    "module": "tasks.failures",
                    "value": "reply:m1 in L1:c:c1: timeout: of (e-mail)",
                    "stacktrace": {"frames": [{"function": "f", "lineno": 1}]},
                },
            ]
        },
    }
