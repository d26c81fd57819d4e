"""The clocks: how far the server's and ours are apart."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import HTTPError

from models import utc_now
from settings import Settings
from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.mattermost.connections import plain_session
from tasks.mattermost.exchange import Exchange

NAME = "clock"
# A clock that is set by the network is within a second; this much means that one is not.
WARN_S = 60
# A message whose answer was lost is looked for from five minutes before it was sent.
FAIL_S = 240

_CURE = "Let both machines set their clocks by the network (chrony, systemd-timesyncd)."


def check_clock(server_url: str, *, settings: Settings) -> Check:
    """Compare the server's clock with ours."""
    server_time = ask_time(server_url, settings=settings)
    if server_time is None:
        return skipped(NAME, "the server does not say what time it has")
    return judge_difference((utc_now() - server_time).total_seconds())


def judge_difference(seconds: float) -> Check:
    """Return what it means that our clock is so far ahead of the server's."""
    apart = abs(round(seconds))
    sentence = f"the server's clock and ours are {apart} s apart"
    if apart > FAIL_S:
        return failed(NAME, f"{sentence}: a lost answer could not be looked up", _CURE)
    return warned(NAME, sentence, _CURE) if apart > WARN_S else passed(NAME, sentence)


def ask_time(server_url: str, *, settings: Settings) -> datetime | None:
    """Return the time that the server's answers carry, to the second; None: they carry none."""
    exchange = Exchange(
        connect_s=settings.connect_timeout_s,
        answer_s=settings.read_timeout_s,
        total_s=settings.connect_timeout_s + settings.read_timeout_s,
        receive_bytes=0,
    )
    session = plain_session(ca_bundle=settings.ca_bundle, proxy_url=settings.proxy_url, pool_size=1)
    with exchange.running(), session:
        try:
            answer = session.get(
                f"{server_url.rstrip('/')}/api/v4/system/ping", allow_redirects=False, stream=True
            )
            answer.close()
            return parsedate_to_datetime(answer.headers["Date"])
        except (requests.RequestException, HTTPError, OSError, KeyError, ValueError):
            return None
