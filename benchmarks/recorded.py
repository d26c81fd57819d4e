"""Measure recording replies, against the bare requests for them and two inserts each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import requests
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert, select

from benchmarks.missed import LICENCE, Channel, forget, installation, missed_channel
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.servers import in_this_process
from models import Reply
from tasks.replies.catch_up import collect
from tasks.replies.resolve import resolve
from tasks.runtime import Runtime

# Half of the ratios of an earlier version (7.6; 7.0), which needed 33 statements for a reply.
TARGETS = {"SQLite": Target.at_most(3.8), "PostgreSQL": Target.at_most(3.5)}
REPLIES = 300
TIMEOUT_S = 20

_BARE = MetaData()
_TABLES = [
    Table(name, _BARE, Column("id", Integer, primary_key=True), Column("content", Text))
    for name in ("bare_replies", "bare_events")
]


def run(*, rounds: int) -> Report:
    """Return the comparison on each database; one thread of this process does both."""
    comparisons = []
    with (
        tempfile.TemporaryDirectory() as name,
        in_this_process(Path(name)) as (redis_url, addresses),
        missed_channel(replies=REPLIES) as channel,
    ):
        for kind, url in addresses.items():
            runtime = installation(channel, database_url=url, redis_url=redis_url)
            _BARE.create_all(runtime.database.engine)
            comparisons.append(_compare(kind, channel, runtime, rounds=rounds))
            runtime.database.dispose()
    return Report("recorded", tuple(comparisons))


def _compare(kind: str, channel: Channel, runtime: Runtime, *, rounds: int) -> Comparison:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {channel.bot_token}"
        session.trust_env = False
        bare = partial(_ask_and_insert, session, f"{channel.url}/api/v4/posts", runtime)
        ways: dict[str, Callable[[Sequence[Reply]], None]] = {
            "ours": partial(_record, runtime),
            "bare": bare,
        }
        took: dict[str, list[float]] = {way: [] for way in ways}
        for order in alternating(rounds):
            for way in list(ways)[::order]:
                took[way].append(_ms_for_each(ways[way], _received(runtime)))
    return Comparison(kind, "ms/reply", TARGETS[kind], tuple(took["ours"]), tuple(took["bare"]))


def _received(runtime: Runtime) -> Sequence[Reply]:
    """Return the replies in the inbox, as after their webhooks."""
    forget(runtime)
    collect(runtime, LICENCE, on_page=lambda: None)
    with runtime.database.transaction() as session:
        return session.scalars(select(Reply).order_by(Reply.id)).all()


def _ms_for_each(way: Callable[[Sequence[Reply]], None], replies: Sequence[Reply]) -> float:
    began = time.perf_counter()
    way(replies)
    return (time.perf_counter() - began) / len(replies) * 1_000


def _record(runtime: Runtime, replies: Sequence[Reply]) -> None:
    report = resolve(runtime, [reply.id for reply in replies])
    assert report == {"recorded": len(replies)}, report


def _ask_and_insert(
    session: requests.Session, posts_url: str, runtime: Runtime, replies: Sequence[Reply]
) -> None:
    """Request each post, and insert it and an event, each in its own transaction."""
    for reply in replies:
        answer = session.get(f"{posts_url}/{reply.post_id}", timeout=TIMEOUT_S)
        answer.raise_for_status()
        content = str(answer.json()["message"])
        with runtime.database.autocommit() as connection:
            _insert(connection, content)


def _insert(connection: Connection, content: str) -> None:
    for table in _TABLES:
        connection.execute(insert(table).values(content=content))
