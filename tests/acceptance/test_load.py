"""Two workers under load, and one of them killed: everything once, in order, under one root."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from tests.acceptance.conftest import Site
from tests.deployment import Host
from tests.waiting import wait_until

# Each conversation's messages come in bursts, for a round robin shows no disorder. The full load
# (`--full-load`) is ten thousand messages and takes some minutes.
USUAL_LOAD = (50, 20)
FULL_LOAD = (200, 50)
LONGEST_BURST = 5
LICENCES = ("L1", "L2", "L3")


def _licence_of(conversation: int) -> str:
    return LICENCES[conversation % len(LICENCES)]


def _add_licences(site: Site) -> None:
    for licence_id in LICENCES[1:]:
        site.add_licence(licence_id)


def _enqueue_in_bursts(host: Host, *, conversations: int, messages: int, seed: int) -> None:
    dice = random.Random(seed)
    left = {conversation: iter(range(messages)) for conversation in range(conversations)}
    while left:
        conversation = dice.choice(list(left))
        for _ in range(dice.randint(1, LONGEST_BURST)):
            number = next(left[conversation], None)
            if number is None:
                del left[conversation]
                break
            answer = host.delay(
                "post_reply",
                _licence_of(conversation),
                conversation,
                message_id=f"{conversation}-{number}",
                sender_name="Jan",
                sender_role="visitor",
                text=f"message {number}",
            )
            assert answer["ok"], answer


def _assert_once_in_order_under_one_root(site: Site, *, conversations: int, messages: int) -> None:
    sent: defaultdict[str, list[str]] = defaultdict(list)
    roots: defaultdict[str, set[str]] = defaultdict(set)
    for entry in site.accepted():
        assert entry.props is not None
        mark = entry.props["ireserve"]
        if entry.root_id:
            sent[mark["conversation_id"]].append(mark["message_id"])
            roots[mark["conversation_id"]].add(entry.root_id)
    expected = {
        str(conversation): [f"{conversation}-{number}" for number in range(messages)]
        for conversation in range(conversations)
    }
    assert sent == expected
    assert {len(ids) for ids in roots.values()} == {1}


def test_messages_in_bursts_arrive_once_and_in_order(
    site: Site, request: pytest.FixtureRequest
) -> None:
    """Two workers of 8 threads and messages in bursts: none is lost, doubled or out of order."""
    is_full = request.config.getoption("--full-load")
    conversations, messages = FULL_LOAD if is_full else USUAL_LOAD
    _add_licences(site)
    site.stand_in.set_fault("service_time", min_ms=1, max_ms=20, seed=1)
    site.deployment.start_worker()
    site.deployment.start_worker()
    site.deployment.start("beat")
    host = site.deployment.start_host()

    _enqueue_in_bursts(host, conversations=conversations, messages=messages, seed=1)
    wait_until(
        lambda: len(site.accepted()) >= conversations * (messages + 1),
        timeout_s=300,
        what="all messages",
    )

    _assert_once_in_order_under_one_root(site, conversations=conversations, messages=messages)


def test_killed_worker_costs_no_message(site: Site) -> None:
    """One of two workers is killed in the middle; within a minute all is there, once, in order."""
    _add_licences(site)
    site.stand_in.set_fault("service_time", min_ms=5, max_ms=20, seed=1)
    victim = site.deployment.start_worker()
    site.deployment.start_worker()
    site.deployment.start("beat")
    host = site.deployment.start_host()

    _enqueue_in_bursts(host, conversations=20, messages=20, seed=2)
    wait_until(lambda: len(site.accepted()) > 50, what="the first messages")
    victim.kill()
    wait_until(lambda: len(site.accepted()) >= 20 * 21, timeout_s=60, what="all messages")

    _assert_once_in_order_under_one_root(site, conversations=20, messages=20)
