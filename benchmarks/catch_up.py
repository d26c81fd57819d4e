"""Measure catch-up of missed replies, against the same requests with nothing stored."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import select

from benchmarks.missed import (
    LICENCE,
    REPLIES,
    Channel,
    forget,
    installation,
    missed_channel,
)
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.servers import in_this_process
from models import Reply
from tasks.mattermost import MattermostClient
from tasks.replies.catch_up import collect
from tasks.replies.channel_changes import PAGE_SIZE, changes_since
from tasks.replies.resolve import resolve
from tasks.runtime import Runtime

TARGET = Target.at_most(1.5)
# Enough replies to measure the time of resolving one, which takes a few requests.
RESOLVED = 200


def run(*, rounds: int) -> Report:
    """Return the comparison on each database, with one channel for both."""
    comparisons, notes = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        in_this_process(Path(name)) as (redis_url, addresses),
        missed_channel() as channel,
    ):
        for kind, url in addresses.items():
            runtime = installation(channel, database_url=url, redis_url=redis_url)
            comparison, paging = _compare(kind, channel, runtime, rounds=rounds)
            comparisons.append(comparison)
            notes += [paging, _resolving(kind, runtime)]
            runtime.database.dispose()
    return Report("catch_up", tuple(comparisons), tuple(notes))


def _compare(
    kind: str, channel: Channel, runtime: Runtime, *, rounds: int
) -> tuple[Comparison, str]:
    """Compare catch-up with the same requests; add a note on catch-up against pages alone."""
    client = MattermostClient(channel.url, channel.bot_token)
    ways: dict[str, Callable[[], int]] = {
        "ours": partial(collect, runtime, LICENCE, on_page=_nothing),
        "asked": partial(_ask, client, channel),
        "paged": partial(_page_through, client, channel.id),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    found: dict[str, int] = {}
    for order in alternating(rounds):
        for way in list(ways)[::order]:
            forget(runtime)
            began = time.perf_counter()
            found[way] = ways[way]()
            took[way].append(time.perf_counter() - began)
    assert found["ours"] == REPLIES
    ratios = [ours / paged for ours, paged in zip(took["ours"], took["paged"], strict=True)]
    note = (
        f"{kind}: against pages alone, without asking for edits and deletions, the ratio is "
        f"{median(ratios):.2f}; those pages miss {REPLIES - found['paged']} replies"
    )
    return Comparison(kind, "s", TARGET, tuple(took["ours"]), tuple(took["asked"])), note


def _nothing() -> None:
    """Stand in for extending the lock, which costs nothing while the lock is fresh."""


def _ask(client: MattermostClient, channel: Channel) -> int:
    """Make all requests of catch-up without storing anything; return the number of posts."""
    before = channel.roots[0].create_at_ms - 1
    changes = changes_since(
        client, channel.id, since_ms=before, known_post_ids=list, on_page=_nothing
    )
    return len(changes.posts)


def _page_through(client: MattermostClient, channel_id: str) -> int:
    """Read the channel backwards by pages; return the number of replies found.

    This is the simplest way. It loses posts of the same millisecond as the last post of a page.
    """
    page = client.get_posts_page(channel_id, per_page=PAGE_SIZE)
    found = {post.id for post in page if post.root_id}
    while len(page) == PAGE_SIZE:
        page = client.get_posts_before(channel_id, post_id=page[-1].id, per_page=PAGE_SIZE)
        found |= {post.id for post in page if post.root_id}
    return len(found)


def _resolving(kind: str, runtime: Runtime) -> str:
    """Return a note on the time that resolving each reply takes."""
    forget(runtime)
    collect(runtime, LICENCE, on_page=_nothing)
    with runtime.database.transaction() as session:
        reply_ids = list(session.scalars(select(Reply.id).order_by(Reply.id).limit(RESOLVED)))
    began = time.perf_counter()
    report = resolve(runtime, reply_ids)
    seconds = time.perf_counter() - began
    # The report also counts other replies that have become due meanwhile.
    each_ms = seconds / report.total() * 1_000
    return f"{kind}: resolving, in one thread: {each_ms:.1f} ms a reply ({report})"
