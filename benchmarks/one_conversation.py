"""Measure one conversation with many waiting messages, against a plain loop that posts."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import requests

from benchmarks.outbound import SERVICE_MS, misplaced_among
from benchmarks.producer import ROOT
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.rig import LICENCES, OUR_QUEUE, Rig, rigs, settle

TARGET = Target.at_least(0.9)
MESSAGES = 300
CONVERSATION = 0


def run(*, rounds: int) -> Report:
    """Return the comparison on each database; a lane's messages are sent one after another."""
    comparisons, notes = [], []
    for kind, rig in rigs(conversations=1):
        comparison, misplaced = _compare(rig, kind, rounds=rounds)
        comparisons.append(comparison)
        notes.append(f"{kind}: out of order: {misplaced}")
    return Report("one_conversation", tuple(comparisons), tuple(notes))


def _compare(rig: Rig, kind: str, *, rounds: int) -> tuple[Comparison, int]:
    rig.stand_in.set_fault("service_time", min_ms=SERVICE_MS[0], max_ms=SERVICE_MS[1], seed=1)
    rates: dict[str, list[float]] = {"ours": [], "loop": []}
    misplaced = 0
    for number, order in enumerate(alternating(rounds)):
        for side in list(rates)[::order]:
            if side == "ours":
                rate, out_of_order = _drain(rig, number)
                misplaced += out_of_order
            else:
                rate = _loop(rig)
            rates[side].append(rate)
            settle()
    ours, loop = tuple(rates["ours"]), tuple(rates["loop"])
    return Comparison(kind, "messages/s", TARGET, ours, loop), misplaced


def _drain(rig: Rig, round_number: int) -> tuple[float, int]:
    rig.pause(OUR_QUEUE)
    rig.producer.delay_all(
        [rig.our_call(CONVERSATION, f"{round_number}-{number}") for number in range(MESSAGES)]
    )
    rig.stand_in.clear_received()
    began = time.perf_counter()
    rig.resume(OUR_QUEUE)
    posts = rig.wait_for(MESSAGES)
    return MESSAGES / (time.perf_counter() - began), misplaced_among(posts)


def _loop(rig: Rig) -> float:
    """Return the rate of the plain loop, which runs in its own process, as our worker does."""
    licence = LICENCES[0]
    where = {
        "url": rig.stand_in.url,
        "token": rig.tokens[licence],
        "channel_id": rig.channels[licence],
        "root_id": rig.roots[f"c{CONVERSATION}"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one_conversation"],
        cwd=ROOT, input=json.dumps(where), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def _main() -> None:
    where = json.load(sys.stdin)
    session = requests.Session()
    began = time.perf_counter()
    for number in range(MESSAGES):
        answer = session.post(
            f"{where['url']}/api/v4/posts",
            json={
                "channel_id": where["channel_id"],
                "root_id": where["root_id"],
                "message": f"Is the house by the lake free in August? We are {number}.",
            },
            headers={"Authorization": f"Bearer {where['token']}"},
            timeout=20,
        )
        answer.raise_for_status()
    print(MESSAGES / (time.perf_counter() - began))


if __name__ == "__main__":
    _main()
