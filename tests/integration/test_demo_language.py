"""The demo's two pages have the team's language and time zone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from demo.ireserve.app import create_app
from demo.ireserve.configuration import Channel, Configuration
from demo.ireserve.mirror import Mirror
from demo.ireserve.store import Store
from ireserve_mattermost.connections import worker_redis
from tests.stage.stage import CHANNEL, TEAM, Stage

pytestmark = pytest.mark.one_database


def test_page_of_i_reserve_is_dutch(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of i-Reserve and its script are in Dutch, with the team's zone."""
    configuration = Configuration(
        store=tmp_path / "ireserve.db",
        attachments=tmp_path,
        channels={"demo": Channel("~webchat", "https://chat.example.com/support")},
        stand_in_url=None,
        commands=tmp_path / "ireserve-mattermost",
        language="nl",
        time_zone="Europe/Amsterdam",
    )
    for name, value in configuration.to_environment().items():
        monkeypatch.setenv(name, value)
    Store(configuration.store).create()

    with worker_redis(stage.runtime.settings.redis_url) as redis:
        client = create_app(Mirror(stage.runtime.database, redis)).test_client()
        page = client.get("/").get_data(as_text=True)

    assert '<html lang="nl">' in page
    assert "Begin een gesprek om het te proberen." in page
    assert 'data-time-zone="Europe/Amsterdam"' in page
    assert "Niet verstuurd. Probeer het nog eens." in page


def test_page_of_the_stand_in_is_dutch(stage: Stage) -> None:
    """The stand-in's pages follow the server's own language setting."""
    stage.stand_in.set_options(DefaultClientLocale="nl", PageTimeZone="Europe/Amsterdam")
    stage.start()
    stage.reply("m1", "Hoi")
    address = f"{stage.stand_in.url}/{TEAM}/channels/{CHANNEL}"

    channel = requests.get(address, timeout=10).text
    threads = requests.get(f"{address}/updates", timeout=10).json()["threads"]

    (thread,) = threads.values()
    assert '<html lang="nl">' in channel
    assert "De berichten worden geladen…" in channel
    assert "Reageren · al 1" in thread
    assert re.findall(r"UTC</time>", thread) == []
