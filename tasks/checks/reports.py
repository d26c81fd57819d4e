"""The check of error reports: whether SENTRY_DSN is valid, and whether Sentry takes reports."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from tasks.checks.check import Check, passed, skipped, warned
from tasks.watch.error_reports import NO_ADDRESS, NOT_INSTALLED, why_off

NAME = "error reports"
# For an empty envelope, Sentry checks the key and stores nothing.
EMPTY_ENVELOPE = b"{}\n"
WITHIN_S = (3.0, 5.0)
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
_CURE = "Take the DSN from the project's settings in Sentry (Client Keys) for SENTRY_DSN."
_CURES = {
    NOT_INSTALLED: "Install the extra `sentry`: pip install 'ireserve-mattermost[sentry]'.",
    NO_ADDRESS: _CURE,
}


def check_reports(dsn: str | None) -> Check:
    """Check whether errors can be reported, without sending data and without showing the DSN."""
    if dsn is None:
        return skipped(NAME, "SENTRY_DSN is not set")
    reason = why_off(dsn)
    if reason is not None:
        return warned(NAME, f"{reason}: no error is reported", _CURES[reason])
    from sentry_sdk.utils import Dsn

    address = Dsn(dsn)
    return _ask(str(address.to_auth().get_api_url()), address.to_auth("doctor").to_header())


def _ask(url: str, auth: str) -> Check:
    host = urlsplit(url).hostname
    headers = {"X-Sentry-Auth": auth, "Content-Type": "application/x-sentry-envelope"}
    try:
        answer = requests.post(
            url, data=EMPTY_ENVELOPE, headers=headers, timeout=WITHIN_S, allow_redirects=False
        )
    except requests.RequestException as error:
        return warned(
            NAME,
            f"Sentry at {host} cannot be reached ({type(error).__name__}): no error is reported",
            "Check SENTRY_DSN, and that this machine may reach that host.",
        )
    if answer.status_code in _REFUSED:
        return warned(NAME, f"Sentry at {host} refuses the key (HTTP {answer.status_code})", _CURE)
    if not answer.ok or answer.is_redirect:
        what = f"Sentry at {host} does not take reports (HTTP {answer.status_code})"
        return warned(NAME, what, "Look at that server, or try again later.")
    return passed(NAME, f"Sentry at {host} takes reports")
