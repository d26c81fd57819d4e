"""What only the stand-in has: its set-up, its record, its journal, its rate limit, its page."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.mattermost import StandIn, running_server
from tests.contract.recordings import RECORDINGS
from tests.contract.server import PNG, Caller, ServerUnderTest

SPEC: dict[str, Any] = {
    "teams": [{"name": "support", "display_name": "Support"}],
    "channels": [
        {"team": "support", "name": "webchat"},
        {"team": "support", "name": "inner", "type": "P"},
    ],
    "users": [{"username": "anna", "channels": ["support/webchat", "support/inner"]}],
    "bots": [{"username": "ireserve", "channels": ["support/webchat"]}],
    "hooks": [{"channel": "support/webchat", "callback_urls": ["http://127.0.0.1:9/hook"]}],
}


@contextmanager
def process(journal: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the stand-in as its own process; yield the process and the address."""
    command = [sys.executable, "-m", "demo.mattermost", "--port", "0", "--journal", str(journal)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, json.loads(running.stdout.readline())["url"]
        finally:
            running.kill()


def test_set_up_can_be_repeated(stand_in: StandIn) -> None:
    """The same set-up again makes nothing new and returns the same ids and tokens."""
    first = stand_in.setup(SPEC)

    again = requests.post(f"{stand_in.url}/_control/setup", json=SPEC, timeout=5).json()

    assert again == first
    assert set(first["channels"]) == {"support/webchat", "support/inner"}


def test_set_up_names_what_is_missing(stand_in: StandIn) -> None:
    """A channel of an unknown team is refused, and the answer names the team."""
    spec = {"channels": [{"team": "nowhere", "name": "x"}]}

    answer = requests.post(f"{stand_in.url}/_control/setup", json=spec, timeout=5)

    assert (answer.status_code, answer.json()) == (400, {"error": "KeyError: 'nowhere'"})


def test_record_tells_what_came_in_order(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """The record has each request's user, contents and outcome, in order."""
    stand_in.clear_received()
    root = own_server.bot.posted(own_server.webchat_id, "root", props={"key": "k-1"})
    own_server.bot.post(own_server.webchat_id, "x", root_id="zzz", pending_post_id="p-1")

    url = f"{stand_in.url}/_control/received?method=POST&path=/posts"
    entries = requests.get(url, timeout=5).json()["received"]

    told = ("username", "message", "root_id", "pending_post_id", "props", "post_id", "outcome")
    name = own_server.bot.username
    assert [tuple(entry[key] for key in told) for entry in entries] == [
        (name, "root", "", "", {"key": "k-1"}, root["id"], "201"),
        (name, "x", "zzz", "p-1", {}, "", "400 api.post.create_post.root_id.app_error"),
    ]


def test_state_survives_a_kill(tmp_path: Path) -> None:
    """After a kill, a new process knows posts, files, options, members, hooks and the record."""
    journal = tmp_path / "journal.jsonl"
    with requests.Session() as session:
        with process(journal) as (running, url):
            made = session.post(f"{url}/_control/setup", json=SPEC, timeout=5).json()
            bot = Caller(session, url, made["bots"]["ireserve"]["token"])
            channel_id = made["channels"]["support/webchat"]["id"]
            file_id = bot.file_id(channel_id, "pic.png", PNG)
            post = bot.posted(channel_id, "kept", file_ids=[file_id])
            session.patch(f"{url}/_control/options", json={"MaxFileSize": 99}, timeout=5)
            os.kill(running.pid, signal.SIGKILL)
        with journal.open("a", encoding="utf-8") as file:
            file.write('["Post",{"half a li')

        with process(journal) as (_, url):
            bot = Caller(session, url, bot.token)
            again = session.post(f"{url}/_control/setup", json=SPEC, timeout=5).json()
            found = bot.get(f"/posts/{post['id']}").json()
            data = bot.get(f"/files/{file_id}").content
            record = session.get(f"{url}/_control/received?path=/posts", timeout=5).json()
            options = session.get(f"{url}/_control/options", timeout=5).json()

    assert again == made
    assert found == post
    assert data == PNG
    assert [entry["post_id"] for entry in record["received"]] == [post["id"]]
    assert options["MaxFileSize"] == 99


def test_post_whose_answer_a_kill_cut_off_is_in_the_record(tmp_path: Path) -> None:
    """The record's last post was saved before the kill and never answered."""
    journal = tmp_path / "journal.jsonl"
    with requests.Session() as session:
        with process(journal) as (running, url):
            made = session.post(f"{url}/_control/setup", json=SPEC, timeout=5).json()
            bot = Caller(session, url, made["bots"]["ireserve"]["token"])
            channel_id = made["channels"]["support/webchat"]["id"]
            bot.posted(channel_id, "answered")
            fault = {"kind": "accept_then_late", "seconds": 30}
            session.post(f"{url}/_control/faults", json=fault, timeout=5)
            with pytest.raises(requests.ReadTimeout):
                session.post(
                    f"{url}/api/v4/posts",
                    json={"channel_id": channel_id, "message": "cut off"},
                    headers={"Authorization": f"Bearer {bot.token}"},
                    timeout=1,
                )
            os.kill(running.pid, signal.SIGKILL)

        with process(journal) as (_, url):
            record = session.get(f"{url}/_control/received?path=/posts", timeout=5).json()

    told = [(entry["message"], entry["outcome"]) for entry in record["received"]]
    assert told == [("answered", "201"), ("cut off", "cut off")]


def test_process_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    """SIGTERM ends the process with code 0."""
    with process(tmp_path / "journal.jsonl") as (running, _):
        running.send_signal(signal.SIGTERM)

        code = running.wait(timeout=10)

    assert code == 0


def test_posts_from_many_threads_are_all_kept(own_server: ServerUnderTest) -> None:
    """Eight threads post into one thread; every message is there once and counted."""
    root = own_server.bot.posted(own_server.webchat_id, "root")
    messages = [f"m{n}" for n in range(400)]

    def post(message: str) -> int:
        with requests.Session() as session:
            caller = Caller(session, own_server.bot.url, own_server.bot.token)
            return caller.post(own_server.webchat_id, message, root_id=root["id"]).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(post, messages))

    thread = own_server.bot.get(f"/posts/{root['id']}/thread").json()["posts"]
    replies = sorted(each["message"] for each in thread.values() if each["root_id"])
    assert statuses == {201: 400}
    assert replies == sorted(messages)
    assert thread[root["id"]]["reply_count"] == 400


def test_rate_limit_has_the_recorded_headers(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The first answer has the recorded headers, and beyond the limit comes the recorded 429."""
    names = ["X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"]
    stand_in.set_options(RateLimitEnable=True, RateLimitPerSec=10, RateLimitMaxBurst=20)

    answers = [own_server.bot.post(own_server.webchat_id) for _ in range(40)]

    first = answers[0]
    refused = next(answer for answer in answers if answer.status_code == 429)
    cases = RECORDINGS["11.6.0"].cases
    ok, exceeded = cases["rate.ok"], cases["rate.exceeded"]
    assert [first.headers[name] for name in names] == [ok["headers"][name] for name in names]
    assert refused.text == exceeded["response"]
    assert {name: refused.headers.get(name) for name in exceeded["headers"]} == exceeded["headers"]
    assert not {"X-Request-Id", "X-Version-Id"} & set(refused.headers)


def test_large_upload_is_streamed_and_ranges_work(own_server: ServerUnderTest) -> None:
    """A file without a declared length is accepted, and a part of it can be fetched."""
    chunks = (bytes([n]) * 65536 for n in range(32))
    path = f"/files?channel_id={own_server.webchat_id}&filename=big.bin"
    made = own_server.bot.call("POST", path, data=chunks).json()["file_infos"][0]

    part = own_server.bot.call(
        "GET", f"/files/{made['id']}", headers={"Range": "bytes=65530-65541"}
    )

    assert made["size"] == 32 * 65536
    assert (part.status_code, part.content) == (206, b"\0" * 6 + b"\1" * 6)


@pytest.mark.parametrize("path", ["/", "/support/channels/webchat"])
def test_page_loads_nothing_from_elsewhere(path: str, stand_in: StandIn) -> None:
    """Each page has a policy that allows only this server, and names no other host."""
    stand_in.setup(SPEC)

    answer = requests.get(stand_in.url + path, timeout=5)

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http" not in answer.text


def test_page_shows_a_thread_as_the_web_client_would(stand_in: StandIn) -> None:
    """Markdown, mentions, the BOT tag, pictures and attachments are rendered; HTML is escaped."""
    made = stand_in.setup(SPEC)
    channel_id = made["channels"]["support/webchat"]["id"]
    with requests.Session() as session:
        bot = Caller(session, stand_in.url, made["bots"]["ireserve"]["token"])
        picture = bot.file_id(channel_id, "pic.png", PNG)
        card = {"attachments": [{"color": "good", "title": "Booked", "text": "~~old~~ new"}]}
        post = bot.posted(
            channel_id, "**hi** @anna <script>x</script>", file_ids=[picture], props=card
        )

        url = f"{stand_in.url}/support/channels/webchat/updates"
        first = session.get(url, timeout=5).json()
        again = session.get(url, params={"revision": first["revision"]}, timeout=5)

    html = first["threads"][post["id"]]
    wanted = [
        "<strong>hi</strong>",
        '<span class="mention">@anna</span>',
        "&lt;script&gt;",
        '<span class="tag">BOT</span>',
        f'<img src="/support/channels/webchat/files/{picture}"',
        "border-left-color: #2f9e6e",
        "<s>old</s> new",
    ]
    assert [piece for piece in wanted if piece not in html] == []
    assert (again.status_code, first["order"]) == (204, [post["id"]])


def test_page_posts_and_deletes_as_the_api_does(stand_in: StandIn) -> None:
    """The page posts as the chosen user and deletes posts; requests of other sites are refused."""
    made = stand_in.setup(SPEC)
    page = f"{stand_in.url}/support/channels/webchat"
    anna = made["users"]["anna"]
    form = {"user_id": anna["id"], "message": "typed", "root_id": ""}
    own, foreign = {"Origin": stand_in.url}, {"Origin": "http://elsewhere.example"}
    with requests.Session() as session:
        refused = session.post(f"{page}/posts", data=form, headers=foreign, timeout=5)
        sent = session.post(
            f"{page}/posts", data=form, headers=own, files={"files": ("a.txt", b"a")}, timeout=5
        )
        reader = Caller(session, stand_in.url, anna["token"])
        path = f"/channels/{made['channels']['support/webchat']['id']}/posts"
        posts = list(reader.get(path).json()["posts"].values())
        session.post(f"{page}/posts/{posts[0]['id']}/delete", headers=own, timeout=5)
        left = reader.get(path).json()["order"]

    assert (refused.status_code, sent.status_code) == (403, 201)
    assert [(p["message"], p["user_id"], len(p["file_ids"])) for p in posts] == [
        ("typed", anna["id"], 1)
    ]
    assert left == []


def test_two_servers_do_not_share_anything() -> None:
    """A second stand-in in the same process begins empty."""
    with running_server() as one, running_server() as two:
        one.setup(SPEC)

        teams = [len(server.backend.state.teams) for server in (one, two)]

    assert teams == [1, 0]
