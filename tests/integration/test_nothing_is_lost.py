"""All enqueued content is visible in Mattermost, named as missing there, or failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ireserve_mattermost.values import is_blank
from tasks.mattermost import Post
from tasks.rendering import safe_file_name
from tasks.rendering.characters import clean
from tests.stage.stage import Stage
from tests.unit.rendered_notifications import shown
from tests.unit.test_rendering_oracle import AGENT, NASTY, read, without_blanks

pytestmark = pytest.mark.one_database
# Each example is another message on the same stage.
on_one_stage = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ROLES = st.sampled_from(["visitor", "agent"])
# A small choice, so that several files of a message have the same name.
FILE_NAMES = st.sampled_from(["image.jpg", "scan", "a_b.png", "*.txt", "@all.pdf"]) | NASTY
TYPES = st.sampled_from([None, "image/png", "text/plain", "application/octet-stream"])


@dataclass(frozen=True)
class File:
    """A file of a message; if its content is None, the file is missing in the store."""

    name: str
    content: bytes | None
    content_type: str | None


FILES = st.lists(
    st.builds(File, FILE_NAMES, st.sampled_from([b"x", b"x", b"", None]), TYPES), max_size=12
)


@on_one_stage
@given(NASTY, ROLES, NASTY, FILES, st.booleans())
@example("Jan", "visitor", "two", [File("image.jpg", b"x", None)] * 2, True)
def test_all_of_a_message_is_found_again(
    stage: Stage, name: str, role: str, text: str, files: list[File], loses: bool
) -> None:
    """Text, sender and files are in the thread, or a file is named there as missing."""
    begin(stage)
    arguments = {"text": text, "sender_role": role, "sender_name": name}
    with losing_a_file(stage, loses):
        stage.reply(next_id(stage), attachments=stored(stage, files), **arguments)

    if is_blank(text) and not files:
        assert outcome(stage) == ("failed", "invalid_arguments")
        return
    assert outcome(stage) == ("sent", None)
    posts = posted(stage)
    visible = without_blanks("".join(read(post.message, parser=AGENT).text for post in posts))
    # In an address, "@all" is escaped, so that it mentions no member.
    assert as_written(text, role) in visible.replace("%40", "@")
    assert is_blank(name) or without_blanks(clean(name)[:40]) in visible
    assert unnamed(files, posts, visible) == []


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
CELLS = NASTY | st.none() | st.booleans() | NUMBERS
TITLED = st.fixed_dictionaries({"title": CELLS, "value": CELLS}, optional={"short": st.booleans()})
NO_PAIRS = st.sampled_from(["ab", {"name": "a", "value": "b"}, 5, ("a", ["b"]), ("a", {"b": 1})])
FIELDS = st.one_of(
    st.none(),
    st.dictionaries(NASTY | st.integers() | st.none(), CELLS, max_size=5),
    st.lists(st.tuples(CELLS, CELLS), max_size=5),
    st.lists(TITLED, max_size=5),
    st.lists(st.tuples(CELLS, CELLS) | NO_PAIRS, max_size=2),
)
# Only the last address is refused: it has no scheme.
URLS = st.sampled_from(
    [None, "", "https://x.nl/a_).", "HTTP://[::1]/(a b", "https:///", "/bookings/1"]
)
# At the edges of a title, these are marks of Markdown, which a client does not show.
EDGES = st.sampled_from(["", "1. ", "- ", "# ", "> ", "*", "_", "`"])
TITLES = st.tuples(EDGES, NASTY, EDGES).map("".join)
COLORS = st.sampled_from([None, "good", "warning", "danger", "#00ff00", "red"])


@on_one_stage
@given(NASTY, st.none() | TITLES, FIELDS, URLS, COLORS)
@example("text", None, None, "https://x.nl/a_).", None)
@example("text", "3. floor: *key* returned", {"_guest_*": "*Jan*"}, None, None)
@example("", None, [{"title": "Guest", "value": True}], "https:///", "good")
def test_all_of_a_notification_is_found_again(
    stage: Stage, text: str, title: str | None, fields: Any, url: str | None, color: str | None
) -> None:
    """Every text, field and address is shown, or the message fails with a reason."""
    begin(stage)
    arguments = {"text": text, "title": title, "fields": fields, "url": url, "color": color}
    stage.notify(notification_id=next_id(stage), **arguments)

    cells = list(cells_of(fields))
    if wrong := wrong_fields(text, title, cells, url, color):
        assert outcome(stage) == ("failed", "invalid_arguments")
        assert any(word in (stage.ledger()[-1].detail or "") for word in wrong)
        return
    assert outcome(stage) == ("sent", None)
    (post,) = posted(stage)
    (attachment,) = post.props["attachments"]
    visible = shown(attachment)
    parts = [text, title or "", *map(as_shown, cells)]
    assert [part for part in parts if without_blanks(part) not in visible] == []
    places = (*read(attachment["text"]).hrefs, unquote(attachment["title_link"]))
    assert not url or without_blanks(url) in visible or url in places
    assert attachment["color"] == (color or "")


SIZES = st.integers(1, 16_000)
LARGE_FIELDS = st.lists(st.tuples(st.sampled_from('aé🗑"<*'), SIZES), min_size=15, max_size=50)


@settings(on_one_stage, max_examples=20)
@given(LARGE_FIELDS)
@example([("a", 16_000)] * 50)
def test_what_is_cut_of_a_large_notification_is_counted(
    stage: Stage, large: list[tuple[str, int]]
) -> None:
    """Each field of a large notification is whole, cut with a note, or counted."""
    begin(stage)
    fields = [(str(number), letter * size) for number, (letter, size) in enumerate(large)]
    stage.notify(notification_id=next_id(stage), fields=fields)

    (post,) = posted(stage)
    values = [read(each["value"]).text for each in post.props["attachments"][0]["fields"]]
    told = re.fullmatch(r"… \((\d+) more fields?\)", values[-1])
    left = int(told[1]) if told else 0
    values = values[:-1] if told else values
    assert len(values) + left == len(fields)
    for value, (_, whole) in zip(values, fields, strict=False):
        kept, _, note = value.partition("\n… (")
        cut = int(note.removesuffix(" more characters)")) if note else 0
        assert kept + whole[0] * cut == whole


def begin(stage: Stage) -> None:
    """Clear what earlier examples posted; the first example starts the conversation."""
    if not stage.ledger():
        stage.start()
    stage.stand_in.clear_received()


def next_id(stage: Stage) -> str:
    """Return the id of the next message."""
    return f"m{stage.next_task + 1}"


def outcome(stage: Stage) -> tuple[str, str | None]:
    """Return state and reason of the last message."""
    row = stage.ledger()[-1]
    return row.state.value, row.reason


def posted(stage: Stage) -> list[Post]:
    """Return this example's posts as a member sees them."""
    return [stage.member().get_post(each.post_id) for each in stage.posts_sent()]


@contextmanager
def losing_a_file(stage: Stage, loses: bool) -> Iterator[None]:
    """Let the server drop the first file of the next post without an error."""
    fault = stage.stand_in.set_fault("lose_file", scope="posts", times=1) if loses else None
    yield
    if fault:
        stage.stand_in.clear_faults(fault.id)


def stored(stage: Stage, files: list[File]) -> list[dict[str, Any]]:
    """Put the files into the store and return them as the message's attachments."""
    for number, file in enumerate(files):
        path = stage.store / str(number)
        path.unlink(missing_ok=True)
        if file.content is not None:
            path.write_bytes(file.content)
    return [
        {"name": file.name, "path": str(number), "content_type": file.content_type}
        for number, file in enumerate(files)
    ]


def as_written(text: str, role: str) -> str:
    """Return the text to be read: a visitor's as typed, an agent's as Markdown."""
    if role == "visitor":
        return without_blanks(text)
    return without_blanks(read(clean(text), parser=AGENT).text).replace("%40", "@")


def unnamed(files: list[File], posts: list[Post], visible: str) -> list[str]:
    """Return the names of files that are neither attached nor named as missing."""
    there = [without_blanks(file.name) for post in posts for file in post.files]
    there += re.findall(r"⚠(.*?)couldnotbeattached:", visible)
    missing = []
    for name in sorted((label(file) for file in files), key=len, reverse=True):
        found = next((each for each in there if each.startswith(name)), None)
        if found is None:
            missing.append(name)
        else:
            there.remove(found)
    return missing


def label(file: File) -> str:
    """Return the part of a file's name that is always shown."""
    return without_blanks(safe_file_name(file.name)).rstrip(".")[:40]


def cells_of(fields: Any) -> Iterator[Any]:
    """Yield the titles and values of the fields, which may have any form."""
    pairs = list(fields.items()) if isinstance(fields, dict) else fields or []
    for pair in pairs:
        if isinstance(pair, dict):
            yield from (pair.get("title", pair), pair["value"])
        elif isinstance(pair, tuple):
            yield from pair
        else:
            yield [pair]


def as_shown(cell: Any) -> str:
    """Return a cell as text: empty for None, and words for true and false."""
    words = {None: "", True: "yes", False: "no"}
    return words[cell] if cell is None or isinstance(cell, bool) else str(cell)


def wrong_fields(
    text: str, title: str | None, cells: list[Any], url: str | None, color: str | None
) -> list[str]:
    """Return words of which the refusal must contain one; empty if the arguments are right."""
    wrong = ["fields."] if any(isinstance(cell, list | dict) for cell in cells) else []
    wrong += ["url"] if url and not url.lower().startswith("http") else []
    wrong += ["color"] if color == "red" else []
    blank = all(is_blank(as_shown(part)) for part in (text, title, *cells)) if not wrong else False
    return ["give a text"] if blank else wrong
