"""The posts of a thread: the root post, replies, and the lines that are added to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from ireserve_mattermost.values import is_blank
from tasks.rendering.agent import AgentText
from tasks.rendering.characters import shorten
from tasks.rendering.file_names import safe_file_name
from tasks.rendering.locale import WORDINGS, Locale
from tasks.rendering.plain import PlainText, plain_line
from tasks.rendering.splitting import split

Role = Literal["visitor", "agent", "bot", "system"]

# What the smallest message column that Mattermost ever had can hold is the least that a
# header and a note need, with room left for text.
MIN_MESSAGE_LENGTH = 4000
# Longer names, ids and addresses would push the conversation off the screen.
MAX_NAME_LENGTH = 80
# What a header says of a late message: "sent", its time with the zone's offset, and the gap.
MAX_SENT_LENGTH = 60

ICONS: dict[Role, str] = {"visitor": "🙋", "agent": "🎧", "bot": "🤖", "system": "ℹ️"}
# Where an agent wrote: a colleague in Mattermost may have the same name.
PLACES: dict[Role, str] = {"visitor": "", "agent": " (i-Reserve)", "bot": " (bot)", "system": ""}
# What the team alone may read has this sign in the place of its sender's, and says so in words.
NOTE_ICON = "🔒"
# It keeps the agent's Markdown (an underline, a table) off the header.
_PARAGRAPH = "\n\n"


def render_reply(
    *,
    sender_name: str,
    sender_role: Role,
    text: str,
    locale: Locale,
    sent_at: datetime | None = None,
    notes: Sequence[str] = (),
    max_length: int = 16383,
    with_sender: bool = True,
    is_internal: bool = False,
) -> list[str]:
    """Return the messages that make up one reply, in order: one, or more if it is long.

    Each has the sender in its header and at most ``max_length`` code points. ``sent_at`` stands in
    the header; give it for a message that comes late. ``notes`` are lines of ready-made Markdown,
    which end the last message. Text may be empty; the list never is. Without the sender, whom the
    post's author names then, there is a header only if it says something else. With and without,
    late or not, and for any locale a text is cut at the same places: another worker may go on with
    what one has begun.

    Raises:
        ValueError: ``max_length`` is less than any Mattermost server accepts.
    """
    if max_length < MIN_MESSAGE_LENGTH:
        raise ValueError(f"max_length must be at least {MIN_MESSAGE_LENGTH}, not {max_length}")
    room = _room_of_header(sender_name, sender_role, is_internal=is_internal)
    late = locale.wording.sent.format(moment=locale.moment(sent_at)) if sent_at else ""
    note = locale.wording.note if is_internal else ""
    header = _joined(_header(sender_name, sender_role, locale, note=note), late)
    aside = _joined(_note_sign(note), late)
    gap = _gap(header, sender_role)
    # There cannot be more messages than characters and notes.
    digits = len(str(len(text) + len(notes) + 1))
    budget = max_length - room - len(_counter("9" * digits, "9" * digits))
    bodies = _with_notes(_bodies(text, sender_role, budget), notes, budget)
    heads = _heads(header if with_sender else aside, len(bodies), is_aside=not with_sender)
    return [
        head + (gap if head and body else "") + body
        for head, body in zip(heads, bodies, strict=True)
    ]


def render_files_header(
    *,
    sender_name: str,
    sender_role: Role,
    first: int,
    last: int,
    total: int,
    locale: Locale,
    with_sender: bool = True,
    is_internal: bool = False,
) -> str:
    """Return the text of a further reply that carries the files ``first`` to ``last``."""
    text = locale.wording.file_of if first == last else locale.wording.files_of
    which = text.format(first=first, last=last, total=total)
    note = locale.wording.note if is_internal else ""
    if not with_sender:
        return _aside(_joined(_note_sign(note), which))
    return _joined(_header(sender_name, sender_role, locale, note=note), which)


def file_note(*, name: str, reason: str, locale: Locale) -> str:
    """Return the line that names a file which could not be attached, and why.

    ``reason`` is a text of the locale's wording, not of the visitor.
    """
    shown = plain_line(safe_file_name(name), limit=MAX_NAME_LENGTH)
    return f"⚠ {locale.wording.file_missing.format(name=shown, reason=reason)}"


def _bodies(text: str, role: Role, budget: int) -> list[str]:
    """Return the text as Markdown, in as many pieces as needed; none if there is no text."""
    # A bot may be made to repeat what its visitor types, and i-Reserve names the visitor.
    markup = AgentText.of(text) if role == "agent" else PlainText.of(text, budget=budget)
    slices = split(markup, budget=budget)
    # A slice of nothing but whitespace would be an empty message.
    return [body for slice_ in slices if (body := markup.write(*slice_))]


def _with_notes(bodies: list[str], notes: Sequence[str], budget: int) -> list[str]:
    """Return the bodies with the notes after the last one, in more bodies if need be."""
    bodies = bodies or [""]
    gap = "\n\n" if bodies[-1] else ""
    for note in notes:
        line = shorten(note, limit=budget)
        if len(bodies[-1]) + len(gap) + len(line) <= budget:
            bodies[-1] += gap + line
        else:
            bodies.append(line)
        gap = "\n"
    return bodies


def _heads(header: str, total: int, *, is_aside: bool) -> list[str]:
    """Return what stands above each of the messages."""
    counters = [_counter(number, total) if total > 1 else "" for number in range(1, total + 1)]
    heads = [header + counter for counter in counters]
    return [_aside(head.strip()) for head in heads] if is_aside else heads


def _aside(text: str) -> str:
    """Return our own words where no name stands before them: set off from what the sender wrote."""
    return f"_{text}_" if text else ""


def _room_of_header(name: str, role: Role, *, is_internal: bool) -> int:
    """Return how long header and gap can be in any language, with the longest time in it."""
    notes = [each.note if is_internal else "" for each in WORDINGS.values()]
    headers = [
        _header(name, role, Locale(wording), note=note)
        for wording, note in zip(WORDINGS.values(), notes, strict=True)
    ]
    # Without the sender the note's sign stands there, set off from the text.
    asides = [_aside(_note_sign(note)) for note in notes]
    return max(map(len, headers + asides)) + MAX_SENT_LENGTH + len(_PARAGRAPH)


def _header(name: str, role: Role, locale: Locale, *, note: str) -> str:
    """Return who speaks, and whether to the team alone; i-Reserve itself may have no name."""
    is_unnamed = role == "system" and is_blank(name)
    who = "" if is_unnamed else f"**{name_text(name, role=role, locale=locale)}**{PLACES[role]}"
    return f"{NOTE_ICON if note else ICONS[role]} {_joined(who, note)}".rstrip()


def _note_sign(note: str) -> str:
    """Return what tells a note where the post's author names the sender."""
    return f"{NOTE_ICON} {note}" if note else ""


def _gap(header: str, role: Role) -> str:
    """Return what stands between header and text."""
    if role == "agent":
        return _PARAGRAPH
    return " " if header == ICONS["system"] else "\n"


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _counter(number: int | str, total: int | str) -> str:
    return f" ({number}/{total})"


def name_text(name: str, *, role: Role, locale: Locale) -> str:
    """Return a name as text in a line, or what stands for a blank one."""
    return nameless(role, locale) if is_blank(name) else plain_line(name, limit=MAX_NAME_LENGTH)


def nameless(role: Role, locale: Locale) -> str:
    """Return what stands for the name of a sender without one."""
    wording = locale.wording
    unnamed: dict[Role, str] = {
        "visitor": wording.unnamed_visitor,
        "agent": wording.unnamed_agent,
        "bot": wording.unnamed_bot,
        "system": "i-Reserve",
    }
    return unnamed[role]
