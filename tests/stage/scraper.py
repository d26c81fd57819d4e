"""The metrics over real HTTP, parsed as Prometheus parses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests
from celery import Celery
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample
from redis import Redis

from inbound.metrics import MetricsPage, OwnSettings
from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint
from ireserve_mattermost.connections import worker_redis
from models import Database
from tests.stage.stage import Stage
from tests.webhook_calls import running_app

TOKEN = "token-of-prometheus"
PREFIX = "ireserve_mattermost_"


@dataclass(slots=True)
class Scraper:
    """A scraper, and the parts of the web process, each of which a test may replace."""

    url: str
    database: Database
    redis: Redis
    token: str | None = TOKEN
    settings: OwnSettings = field(default_factory=OwnSettings)

    def ask(self, token: str | None = TOKEN, **headers: str) -> requests.Response:
        """Request the metrics."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return requests.get(self.url, headers=headers, timeout=20)

    def of_licence(self, licence_id: str) -> list[Sample]:
        """Return the samples of one licence."""
        samples = [each for family in parse_text(self.ask().text) for each in family.samples]
        return [each for each in samples if each.labels.get("licence") == licence_id]

    def read(self, name: str) -> dict[tuple[str, ...], float]:
        """Return the samples of this name by their labels' values, ordered by label."""
        text = self.ask().text
        samples = [sample for family in parse_text(text) for sample in family.samples]
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in samples
            if sample.name == PREFIX + name
        }


@contextmanager
def running_scraper(stage: Stage) -> Iterator[Scraper]:
    """Yield the scraper of a web process that serves the stage's installation."""
    redis = worker_redis(stage.runtime.settings.redis_url)
    scraper = Scraper("", stage.runtime.database, redis)
    app = Flask(__name__)
    broker = Celery(broker=stage.runtime.settings.redis_url)
    wake_ups = WakeUps(broker, redis=lambda: scraper.redis)
    page = MetricsPage(
        database=lambda: scraper.database,
        redis=lambda: scraper.redis,
        token=lambda: scraper.token,
        wake_ups=wake_ups,
        settings=lambda: scraper.settings,
    )
    app.register_blueprint(
        make_blueprint(
            database=lambda: scraper.database,
            redis=lambda: scraper.redis,
            wake_ups=wake_ups,
            metrics=page,
        )
    )
    with running_app(app) as url, redis:
        scraper.url = url.replace("/replies", "/metrics")
        yield scraper
