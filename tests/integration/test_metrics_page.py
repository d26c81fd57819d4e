"""The page of the metrics: who may read it, its formats, and what it shows if a part is down."""

from __future__ import annotations

from http import HTTPStatus

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from ireserve_mattermost.connections import worker_redis
from models import Database
from tasks.watch.refusals import Address, read_refused
from tests.stage.scraper import PREFIX, TOKEN, Scraper
from tests.stage.stage import LICENCE, Stage
from tests.waiting import wait_until

METRICS_401 = (Address.METRICS, HTTPStatus.UNAUTHORIZED)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.mark.parametrize(
    ("wanted", "given", "status"),
    [
        pytest.param(TOKEN, TOKEN, 200, id="right"),
        pytest.param(TOKEN, None, 401, id="missing"),
        pytest.param(TOKEN, "token-of-prometheuz", 401, id="wrong"),
        pytest.param(TOKEN, "é", 401, id="no-ascii"),
        pytest.param(None, TOKEN, 404, id="switched-off"),
    ],
)
def test_metrics_are_closed_without_the_token(
    scraper: Scraper, wanted: str | None, given: str | None, status: int
) -> None:
    """The page needs the token, counts wrong ones, and is a 404 if the settings have no token."""
    scraper.token = wanted

    answer = scraper.ask(given and given.encode().decode("latin-1"))

    refused = int(status == HTTPStatus.UNAUTHORIZED)
    wait_until(lambda: read_refused(scraper.redis)[METRICS_401] == refused, what="the count")
    assert answer.status_code == status
    assert ("licence" in answer.text) == (status == 200)


@pytest.mark.one_database
def test_refused_webhooks_are_counted_from_the_first_one(stage: Stage, scraper: Scraper) -> None:
    """Refused webhooks are counted by status, and every series begins with 0."""
    before = scraper.read("refused_total")
    webhook = scraper.url.replace("/metrics", "/replies")

    for content_type in ("application/json", "text/plain"):
        headers = {"Content-Type": content_type}
        requests.post(webhook, data='{"token": "unknown"}', headers=headers, timeout=20)

    assert set(before.values()) == {0}
    changed = before | {("webhook", "401"): 1.0, ("webhook", "415"): 1.0}
    wait_until(lambda: scraper.read("refused_total") == changed, what="the counts")


def test_basic_login_is_no_token(scraper: Scraper) -> None:
    """A login with name and password is refused like a wrong token."""
    answer = requests.get(scraper.url, auth=("prometheus", TOKEN), timeout=20)

    wait_until(lambda: read_refused(scraper.redis)[METRICS_401] == 1, what="the count")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("part", ["database", "broker"])
def test_part_that_is_down_costs_its_own_figures_alone(
    stage: Stage, scraper: Scraper, part: str
) -> None:
    """If a part is down, the answer is 200 without that part's figures."""
    stage.start()
    if part == "database":
        scraper.database = Database("postgresql+psycopg://127.0.0.1:1/none")
    else:
        scraper.redis = worker_redis("redis://127.0.0.1:1/0")

    answer = scraper.ask()

    assert answer.status_code == 200
    assert scraper.read("up") == {("broker",): part != "broker", ("database",): part != "database"}
    assert (("root", LICENCE, "sent") in scraper.read("messages_total")) is (part != "broker")
    assert ((LICENCE, "waiting") in scraper.read("replies_unrecorded")) is (part != "database")


def test_openmetrics_is_spoken_too(stage: Stage, scraper: Scraper) -> None:
    """A strict parser accepts the page in OpenMetrics, and finds every metric there."""
    stage.start()

    answer = scraper.ask(Accept=OPENMETRICS)

    # The parser has no type annotations.
    names = {family.name for family in parse_openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert names == {
        PREFIX + name
        for name in (
            "up", "messages", "delay_seconds", "messages_waiting", "oldest_waiting_seconds",
            "circuit_state", "replies", "replies_unrecorded", "sweep_last_run_timestamp_seconds",
            "unknown_arguments", "removed", "retention_last_run_timestamp_seconds",
            "files_to_remove", "messages_waiting_limit", "files_missing", "refused", "build_info",
            "queue_messages", "reply_queue_messages", "settings_without_effect",
            "redis_clock_apart_seconds", "processes", "entries_set_aside", "redis_keeps_messages",
            "redis_memory_used_bytes", "redis_memory_limit_bytes",
        )
    }  # fmt: skip


def test_scrape_can_ask_for_some_metrics_only(stage: Stage, scraper: Scraper) -> None:
    """A scrape that names metrics gets only those."""
    stage.start()
    scraper.url += f"?name[]={PREFIX}up"

    text = scraper.ask().text

    assert [family.name for family in parse_text(text)] == [f"{PREFIX}up"]
