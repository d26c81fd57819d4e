"""Measure one post through our client, against other libraries and a bare requests session."""

from __future__ import annotations

import time

from benchmarks.clients import (
    Post,
    apprise,
    bare_session,
    mattermostautodriver,
    mattermostdriver,
    our_client,
)
from benchmarks.post_server import running_post_server
from benchmarks.report import Comparison, Report, Target, alternating

YARDSTICKS = {
    "requests.Session": (bare_session, Target.at_most(1.05)),
    "mattermostdriver": (mattermostdriver, Target.at_most(1.0)),
    "mattermostautodriver": (mattermostautodriver, Target.at_most(1.0)),
    "apprise": (apprise, Target.at_most(1.0)),
}
# About half a second for each half, which is long compared with the machine's pauses.
POSTS = 500
WARM_UP_POSTS = 50


def run(*, rounds: int) -> Report:
    """Compare our client with each of the others, on one server."""
    with running_post_server() as server:
        ours = our_client(server.url)
        comparisons = [
            _compare(name, ours, make(server.url), target, rounds=rounds)
            for name, (make, target) in YARDSTICKS.items()
        ]
    return Report("client", tuple(comparisons))


def _compare(name: str, ours: Post, other: Post, target: Target, *, rounds: int) -> Comparison:
    ways = {"ours": ours, "other": other}
    took: dict[str, list[float]] = {way: [] for way in ways}
    for post in ways.values():
        _ms_per_post(post, WARM_UP_POSTS)
    for order in alternating(rounds):
        for way in list(ways)[::order]:
            took[way].append(_ms_per_post(ways[way], POSTS))
    return Comparison(name, "ms/post", target, tuple(took["ours"]), tuple(took["other"]))


def _ms_per_post(post: Post, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        post()
    return (time.perf_counter() - began) / count * 1_000
