"""The metrics over real HTTP, parsed as Prometheus parses them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import product

import pytest
import requests
from celery import Celery
from flask import Flask
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample
from redis import Redis
from sqlalchemy import delete, update

from inbound.metrics import MetricsPage, OwnSettings
from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint
from ireserve_mattermost.connections import worker_redis
from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.unreadable import keep_unreadable
from ireserve_mattermost.wake_ups import QUEUE
from models import Database, DeliveryKind, Reply, ReplyAttachment, ReplySource
from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.store import AttachmentStore
from tasks.mattermost import NotSentError, Reason
from tasks.replies.unowned_files import write_down
from tasks.sweep import look_at_store_once
from tasks.watch.last_times import LastTimes, read_last_times
from tasks.watch.processes import PROCESSES, ProcessKind, note_process
from tasks.watch.refusals import Address, read_refused
from tasks.watch.removals import Removable, note_removed, note_run
from tasks.watch.signs import note_sweep
from tasks.watch.store_looks import SLOW_MS, STORE, begin_look
from tasks.watch.tallies import Tallies
from tests.stage.stage import LICENCE, VISITOR, Stage, drain
from tests.stage.thread import MirroredThread
from tests.waiting import wait_until
from tests.webhook_calls import running_app

TOKEN = "token-of-prometheus"
PREFIX = "ireserve_mattermost_"
METRICS_401 = (Address.METRICS, HTTPStatus.UNAUTHORIZED)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@dataclass(slots=True)
class Scraper:
    """A scraper and the web process's parts, each of which can be removed."""

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


@pytest.fixture
def scraper(stage: Stage) -> Iterator[Scraper]:
    """A web process with the stage's installation behind it."""
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
    """Without a token in the settings the metrics are closed, and a wrong token is counted."""
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
    """Another way to log in is refused like a wrong token."""
    answer = requests.get(scraper.url, auth=("prometheus", TOKEN), timeout=20)

    wait_until(lambda: read_refused(scraper.redis)[METRICS_401] == 1, what="the count")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_messages_are_counted_by_how_they_ended(stage: Stage, scraper: Scraper) -> None:
    """Messages are counted by kind and outcome, and important series begin with 0."""
    stage.start()
    stage.reply("m1", "sent")
    stage.reply("m2", "sent")
    stage.reply("m3", "skipped", origin_post_id="p" * 26)
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m4", "fails")

    names = product(DeliveryKind, (LICENCE, ""), ("failed", "sent"))
    expected: dict[tuple[str, ...], float] = {
        (kind.value, licence, state): 0.0
        for kind, licence, state in names
        if state == "failed" or kind.is_message
    }
    expected |= {
        ("reply", LICENCE, "failed"): 1,
        ("reply", LICENCE, "sent"): 2,
        ("reply", LICENCE, "skipped"): 1,
        ("root", LICENCE, "sent"): 1,
    }
    assert scraper.read("messages_total") == expected


def test_arguments_that_a_worker_does_not_know_are_counted(stage: Stage, scraper: Scraper) -> None:
    """Unknown arguments of a newer host are counted, and its messages are sent."""
    stage.start(mood="good")
    stage.reply("m1", "sent", attachments=[{"name": "a", "path": "a", "size": 3}])
    stage.reply("m2", "sent")

    assert scraper.read("unknown_arguments_total") == {
        ("reply", LICENCE): 1,
        ("root", LICENCE): 1,
    }
    assert stage.states()["reply:m1"] == ("sent", None)


def test_message_is_counted_once_however_often_it_comes(stage: Stage, scraper: Scraper) -> None:
    """A message that comes twice is counted once."""
    stage.start()
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="once", **VISITOR)
    lanes = stage.runtime.lanes
    gone = lanes.head(lane) or b""
    drain(stage.runtime, lane)
    stage.reply("m1", "once")
    stage.append("reply", conversation_id="c1", message_id="m2", text="behind it", **VISITOR)
    taken = lanes.take(LICENCE, wake_id="w")
    assert taken is not None
    lanes.advance(taken, [gone], {f"{LICENCE}:message:reply:sent": 1})

    counted = scraper.read("messages_total")

    assert counted["reply", LICENCE, "sent"] == 1


def test_delay_is_a_histogram_of_what_was_sent(stage: Stage, scraper: Scraper) -> None:
    """The delays of sent messages are a histogram, without failed messages."""
    stage.start()
    stage.reply("m1", "sent")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", "fails")

    buckets = list(scraper.read("delay_seconds_bucket").values())
    count = scraper.read("delay_seconds_count")
    total_s = scraper.read("delay_seconds_sum")

    assert buckets == sorted(buckets)
    assert (buckets[-1], count) == (2, {(LICENCE,): 2})
    assert 0 < total_s[LICENCE,] < 60


def test_backlog_is_what_waits_now_and_since_when(stage: Stage, scraper: Scraper) -> None:
    """The backlog has the number of waiting messages and the age of the oldest."""
    empty = scraper.read("messages_waiting"), scraper.read("oldest_waiting_seconds")
    stage.append("reply", conversation_id="c1", message_id="m1")
    stage.append("reply", conversation_id="c1", message_id="m2")
    stage.append("notification", notification_type="booking", text="waits")

    assert empty == ({("",): 0, (LICENCE,): 0}, {("",): 0, (LICENCE,): 0})
    assert scraper.read("messages_waiting") == {("",): 0, (LICENCE,): 3}
    assert 0 < scraper.read("oldest_waiting_seconds")[LICENCE,] < 60


def test_licences_that_are_not_registered_are_one(stage: Stage, scraper: Scraper) -> None:
    """All unregistered licences share one time series."""
    for number in range(3):
        lane = stage.append(
            "root", licence_id=f"typo-{number}", conversation_id="c1", visitor_name="Jan"
        )
        if number:
            drain(stage.runtime, lane)

    assert scraper.read("messages_total")["root", "", "failed"] == 2
    assert scraper.read("messages_waiting") == {("",): 1, (LICENCE,): 0}


@pytest.mark.parametrize(
    ("trouble", "state"), [("none", 0), ("pause", 1), ("failures", 2)], ids=str
)
def test_circuit_is_closed_paused_or_open(
    stage: Stage, scraper: Scraper, trouble: str, state: int
) -> None:
    """The circuit is 0, 1 or 2, so that an alert can check for 2."""
    if trouble == "pause":
        stage.runtime.circuits.pause(LICENCE, seconds=60)
    for _ in range(3 if trouble == "failures" else 0):
        stage.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))

    assert scraper.read("circuit_state") == {(LICENCE,): state}


def test_replies_are_counted_by_how_they_were_noticed(stage: Stage, scraper: Scraper) -> None:
    """Replies are counted by source and outcome."""
    thread = MirroredThread.open(stage)
    row = thread.recorded(thread.say("one"))
    stage.member().patch_post(row.post_id, message="two")
    thread.ask_again(row.id)
    stage.member().delete_post(row.post_id)
    thread.ask_again(row.id)
    thread.take_in(thread.say("no reply", root_id=""))
    by_catch_up = thread.receive(thread.say("from a private channel").id)
    thread.change(by_catch_up, source=ReplySource.CATCH_UP)
    thread.resolve(by_catch_up)

    counted = scraper.read("replies_total")

    assert {key: value for key, value in counted.items() if value} == {
        (LICENCE, "webhook", "recorded"): 1,
        (LICENCE, "webhook", "edited"): 1,
        (LICENCE, "webhook", "deleted"): 1,
        (LICENCE, "webhook", "ignored"): 1,
        (LICENCE, "catch_up", "recorded"): 1,
    }
    assert counted[LICENCE, "webhook", "given_up"] == 0


def test_replies_that_are_not_recorded_are_there_by_state(stage: Stage, scraper: Scraper) -> None:
    """Unrecorded replies are counted as waiting or given up."""
    thread = MirroredThread.open(stage)
    thread.receive("a" * 26)
    thread.give_up(thread.receive(thread.say("hello").id))

    assert scraper.read("replies_unrecorded") == {
        (LICENCE, "waiting"): 1,
        (LICENCE, "given_up"): 1,
    }
    assert scraper.read("replies_total")[LICENCE, "webhook", "given_up"] == 1


def test_sweep_says_when_it_ran_last(stage: Stage, scraper: Scraper) -> None:
    """The time of the last sweep is 0 before the first, and then Redis' time."""
    before = scraper.read("sweep_last_run_timestamp_seconds")
    note_sweep(stage.runtime.redis)

    after = scraper.read("sweep_last_run_timestamp_seconds")

    assert before == {(): 0}
    assert abs(after[()] - time.time()) < 60


def test_retention_says_what_it_removed_and_when_it_ran(stage: Stage, scraper: Scraper) -> None:
    """Retention's counters begin with 0, and a gauge has what is still to be removed."""
    before = scraper.read("removed_total"), scraper.read("retention_last_run_timestamp_seconds")
    note_removed(stage.runtime.redis, Removable.REPLIES, 3)
    note_run(stage.runtime.redis)
    with stage.runtime.database.autocommit() as connection:
        write_down(connection, licence_id=LICENCE, post_id="p1", paths=["L1/c1/f1"])

    after = scraper.read("removed_total")
    ran_at = scraper.read("retention_last_run_timestamp_seconds")[()]

    nothing = {(kind.value,): 0.0 for kind in Removable}
    assert before == (nothing, {(): 0})
    assert after == {**nothing, ("replies",): 3.0}
    assert abs(ran_at - time.time()) < 60
    assert scraper.read("files_to_remove") == {(): 1}


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
    assert ("root", LICENCE, "sent") in scraper.read("messages_total") or part == "broker"
    assert (LICENCE, "waiting") in scraper.read("replies_unrecorded") or part == "database"


def test_openmetrics_is_spoken_too(stage: Stage, scraper: Scraper) -> None:
    """The strict OpenMetrics parser accepts every line."""
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
    """A scrape can leave out the buckets of the delay."""
    stage.start()
    scraper.url += f"?name[]={PREFIX}up"

    text = scraper.ask().text

    assert [family.name for family in parse_text(text)] == [f"{PREFIX}up"]


def test_licence_that_is_gone_is_forgotten(stage: Stage, scraper: Scraper) -> None:
    """A new licence of a removed one's name begins with new figures."""
    stage.start()
    tallies = Tallies(scraper.redis)
    known = read_last_times(scraper.redis, [LICENCE])

    tallies.forget(LICENCE)

    assert list(known.sent_at) == [LICENCE]
    assert tallies.read() == {}
    assert read_last_times(scraper.redis, [LICENCE]) == LastTimes({}, {})


@pytest.mark.one_database
def test_new_licence_is_there_with_zeros(stage: Stage, scraper: Scraper) -> None:
    """Every series of an alert exists before the licence's first event."""
    stage.runtime.redis.flushall()

    names = {sample.name.removeprefix(PREFIX) for sample in scraper.of_licence(LICENCE)}
    values = {sample.value for sample in scraper.of_licence(LICENCE)}

    assert names == {
        "messages_total", "messages_waiting", "oldest_waiting_seconds", "circuit_state",
        "replies_total", "replies_unrecorded", "files_missing",
    }  # fmt: skip
    assert values == {0}


def test_missing_files_of_recorded_replies_are_counted(stage: Stage, scraper: Scraper) -> None:
    """The files that recorded replies lack now are counted."""
    thread = MirroredThread.open(stage)
    row = thread.recorded(thread.say("a file", file_ids=thread.upload(b"x")))
    with stage.runtime.database.transaction() as session:
        session.execute(update(ReplyAttachment).values(path=None, reason="gone"))

    missing = scraper.read("files_missing")
    with stage.runtime.database.transaction() as session:
        session.execute(delete(Reply).where(Reply.id == row.id))

    assert (missing, scraper.read("files_missing")) == ({(LICENCE,): 1}, {(LICENCE,): 0})


@pytest.mark.one_database
def test_processes_are_counted_as_long_as_they_show(stage: Stage, scraper: Scraper) -> None:
    """Processes are counted by signs of the last 30 s, beginning with 0."""
    redis = scraper.redis
    before = scraper.read("processes")
    note_process(redis, ProcessKind.WORKER, "w1")
    note_process(redis, ProcessKind.WORKER, "w2")
    note_process(redis, ProcessKind.BEAT, "b")
    all_there = scraper.read("processes")
    redis.zincrby(PROCESSES, -31_000, "worker:w2")

    assert before == {("beat",): 0, ("worker",): 0}
    assert all_there == {("beat",): 1, ("worker",): 2}
    assert scraper.read("processes") == {("beat",): 1, ("worker",): 1}


@pytest.mark.one_database
def test_full_redis_is_told(stage: Stage, scraper: Scraper) -> None:
    """A full Redis is not up, and its memory and limit are shown."""
    redis = scraper.redis
    before = scraper.read("up")["broker",], scraper.read("redis_memory_limit_bytes")[()]
    redis.config_set("maxmemory", 1_000)
    try:
        full = scraper.read("up"), scraper.read("redis_memory_used_bytes")[()]
        limit = scraper.read("redis_memory_limit_bytes")[()]
    finally:
        redis.config_set("maxmemory", 0)

    assert before == (1, 0)
    assert full[0] == {("broker",): 0, ("database",): 1}
    assert full[1] > limit == 1_000


@pytest.mark.one_database
@pytest.mark.parametrize(("takes_files", "is_up"), [(True, 1), (False, 0)], ids=["takes", "away"])
def test_store_is_told_as_a_worker_found_it(
    stage: Stage, scraper: Scraper, takes_files: bool, is_up: int
) -> None:
    """The store is absent before the first check by a worker, and then 1 or 0."""
    before = scraper.read("up")
    url = stage.runtime.settings.attachments_url if takes_files else "file:///proc/no-store"
    settings = stage.runtime.settings.model_copy(update={"attachments_url": url})

    look_at_store_once(replace(stage.runtime, settings=settings))

    assert ("store",) not in before
    assert scraper.read("up")["store",] == is_up


@pytest.mark.one_database
def test_store_is_looked_at_again_after_a_look_whose_worker_was_killed(
    stage: Stage, scraper: Scraper
) -> None:
    """A check of the store whose worker was killed does not block the next check."""
    begin_look(stage.runtime.redis)
    stage.runtime.redis.hincrby(STORE, "begun_ms", -2 * SLOW_MS)
    before = scraper.read("up")["store",]

    look_at_store_once(stage.runtime)

    assert (before, scraper.read("up")["store",]) == (0, 1)


@pytest.mark.one_database
def test_store_that_removes_nothing_keeps_one_file_of_all_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a store that cannot remove files, all checks together leave one file."""
    monkeypatch.setattr(AttachmentStore, "remove", _refuse)

    outcomes = [look_at_store_once(stage.runtime) for _ in range(3)]

    assert outcomes == ["store_unavailable"] * 3
    assert [path.name for path in stage.store.iterdir()] == ["probe-worker"]


def _refuse(*_: object) -> None:
    raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)


@pytest.mark.one_database
def test_what_was_set_aside_and_is_queued_is_counted(stage: Stage, scraper: Scraper) -> None:
    """Entries that were set aside and queued Celery messages are counted."""
    keep_unreadable(stage.runtime.redis, b"nonsense")
    scraper.redis.lpush(QUEUE, "a", "b")

    assert scraper.read("entries_set_aside") == {(): 1}
    assert scraper.read("queue_messages") == {(): 2}


def test_lane_that_cannot_be_read_still_counts(stage: Stage, scraper: Scraper) -> None:
    """An unreadable entry counts as waiting, without a time."""
    lane = Lane.of_conversation(LICENCE, "c1")
    stage.append("reply", conversation_id="c1", message_id="m1")
    scraper.redis.lpush(f"ireserve-mattermost:lane:{lane}", "nonsense")

    assert scraper.read("messages_waiting")[LICENCE,] == 2
    assert scraper.read("oldest_waiting_seconds")[LICENCE,] == 0


def test_messages_that_i_reserve_has_not_taken_are_counted(scraper: Scraper) -> None:
    """Messages in i-Reserve's own queue are counted, if it has a task."""
    scraper.redis.lpush("i-reserve", "a", "b")
    without = scraper.read("reply_queue_messages")

    scraper.settings = OwnSettings(reply_queue="i-reserve", without_effect=1)

    assert (without, scraper.read("reply_queue_messages")) == ({(): 0}, {(): 2})
    assert scraper.read("settings_without_effect") == {(): 1}
    assert scraper.read("redis_clock_apart_seconds")[()] < 2
