"""The posts of a thread: messages with their headers, and the lines about files."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

from ireserve_mattermost.values import is_blank
from tasks.rendering.agent import AgentText
from tasks.rendering.characters import shorten
from tasks.rendering.file_names import safe_file_name
from tasks.rendering.locale import WORDINGS, Locale
from tasks.rendering.plain import PlainText, plain_line
from tasks.rendering.splitting import split

Role = Literal["visitor", "agent", "bot", "system"]

# The smallest column that Mattermost ever had for a post's text. A header and a note fit into it,
# with room left for text.
MIN_MESSAGE_LENGTH = 4000
# A longer name would push the conversation off the screen.
MAX_NAME_LENGTH = 80
# The length of a late message's addition to the header: "sent", its time with the zone's offset,
# and the separator.
MAX_SENT_LENGTH = 60

ICONS: dict[Role, str] = {"visitor": "🙋", "agent": "🎧", "bot": "🤖", "system": "ℹ️"}
# The place where the sender wrote: a member in Mattermost may have the same name as an agent.
PLACES: dict[Role, str] = {"visitor": "", "agent": " (i-Reserve)", "bot": " (bot)", "system": ""}
# A note has this icon in place of its sender's icon, and also says in words that it is a note.
NOTE_ICON = "🔒"
# A paragraph break, so that the agent's Markdown (an underline, a table) does not take in the
# header.
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
    """Return the texts of the posts that show one message, in order: several if it is long.

    A text is cut at the same places with or without the sender, late or not, and in any locale.
    So a second worker can continue what a first has begun.

    Args:
        sender_name: the sender's name, which stands in the header.
        sender_role: the sender's role.
        text: the message, which may be empty.
        locale: the locale of the team.
        sent_at: when a late message was sent, for the header; None: the message is not late.
        notes: lines of Markdown that end the last post.
        max_length: how many code points a post may have.
        with_sender: False if the post's author shows the sender. Then a header stands only for
            what else it says.
        is_internal: whether the message is a note for the team.

    Returns:
        At least one text.

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
    # There cannot be more posts than characters and notes.
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
    """Return the text of a further post, which holds the files ``first`` to ``last``."""
    text = locale.wording.file_of if first == last else locale.wording.files_of
    which = text.format(first=first, last=last, total=total)
    note = locale.wording.note if is_internal else ""
    if not with_sender:
        return _aside(_joined(_note_sign(note), which))
    return _joined(_header(sender_name, sender_role, locale, note=note), which)


def file_note(*, name: str, reason: str, locale: Locale) -> str:
    """Return the line that says which file could not be attached, and why.

    ``reason`` is a text of the locale's wording, which is not escaped.
    """
    shown = plain_line(safe_file_name(name), limit=MAX_NAME_LENGTH)
    return f"⚠ {locale.wording.file_missing.format(name=shown, reason=reason)}"


def _bodies(text: str, role: Role, budget: int) -> list[str]:
    """Return the text as Markdown, in as many pieces as needed; none if there is no text."""
    # Only an agent's text is trusted as Markdown. A visitor may make a bot repeat what they type,
    # and texts of i-Reserve hold the visitor's name.
    markup = AgentText.of(text) if role == "agent" else PlainText.of(text, budget=budget)
    slices = split(markup, budget=budget)
    # A slice of whitespace only would be an empty post.
    return [body for slice_ in slices if (body := markup.write(*slice_))]


def _with_notes(bodies: list[str], notes: Sequence[str], budget: int) -> list[str]:
    """Return the bodies with the notes after the last body, in further bodies if needed."""
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
    """Return the header of each post."""
    counters = [_counter(number, total) if total > 1 else "" for number in range(1, total + 1)]
    heads = [header + counter for counter in counters]
    return [_aside(head.strip()) for head in heads] if is_aside else heads


def _aside(text: str) -> str:
    """Return a header without a name in italics, to set it off from the sender's text."""
    return f"_{text}_" if text else ""


# Most messages of a conversation have one of two names, and each needs three headers here.
@lru_cache(maxsize=1_000)
def _room_of_header(name: str, role: Role, *, is_internal: bool) -> int:
    """Return the largest length of header and gap in any language, with the longest time."""
    notes = [each.note if is_internal else "" for each in WORDINGS.values()]
    headers = [
        _header(name, role, Locale(wording), note=note)
        for wording, note in zip(WORDINGS.values(), notes, strict=True)
    ]
    # A header without the sender shows the note's icon and word in italics.
    asides = [_aside(_note_sign(note)) for note in notes]
    return max(map(len, headers + asides)) + MAX_SENT_LENGTH + len(_PARAGRAPH)


def _header(name: str, role: Role, locale: Locale, *, note: str) -> str:
    """Return the header: the sender, and whether the message is a note.

    i-Reserve itself may have no name.
    """
    is_unnamed = role == "system" and is_blank(name)
    who = "" if is_unnamed else f"**{name_text(name, role=role, locale=locale)}**{PLACES[role]}"
    return f"{NOTE_ICON if note else ICONS[role]} {_joined(who, note)}".rstrip()


def _note_sign(note: str) -> str:
    """Return the header of a note whose sender is the post's author."""
    return f"{NOTE_ICON} {note}" if note else ""


def _gap(header: str, role: Role) -> str:
    """Return what separates the header from the text."""
    if role == "agent":
        return _PARAGRAPH
    return " " if header == ICONS["system"] else "\n"


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _counter(number: int | str, total: int | str) -> str:
    return f" ({number}/{total})"


def name_text(name: str, *, role: Role, locale: Locale) -> str:
    """Return a name as Markdown in a line, or the wording for a blank name."""
    return nameless(role, locale) if is_blank(name) else plain_line(name, limit=MAX_NAME_LENGTH)


def nameless(role: Role, locale: Locale) -> str:
    """Return the wording for a sender without a name."""
    wording = locale.wording
    unnamed: dict[Role, str] = {
        "visitor": wording.unnamed_visitor,
        "agent": wording.unnamed_agent,
        "bot": wording.unnamed_bot,
        "system": "i-Reserve",
    }
    return unnamed[role]
