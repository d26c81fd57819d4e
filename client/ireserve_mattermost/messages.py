"""What i-Reserve may enqueue: the schema of each message."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Iterator, Literal, Mapping, Union, get_args

from ireserve_mattermost import values
from ireserve_mattermost.values import Check, WrongValueError, is_blank

# A name is shown on one line; longer ones come from a form without a limit or from a prankster.
NAME_LENGTH = 1_000
# Browsers and proxies give up on longer addresses.
URL_LENGTH = 8_000
# Some thirty full posts: more than a person types, and little enough to hold in memory many times.
TEXT_LENGTH = 500_000
# A notification is one post; Mattermost allows its text 16,383 characters.
NOTIFICATION_TEXT_LENGTH = 16_000
NOTIFICATION_TITLE_LENGTH = 1_000
NOTIFICATION_FIELDS = 50
# Ten posts' worth; each is uploaded by itself and holds up the conversation meanwhile.
ATTACHMENTS = 100
# They stand in one line of the card; a form with more belongs behind the link to i-Reserve.
CARD_FIELDS = 10
# A question or a subject is cut far below; this is what a careless caller may send.
SUBJECT_LENGTH = 10_000
CONTENT_TYPE_LENGTH = 255
# The longest address that mail servers take.
EMAIL_LENGTH = 254
# A whole number that every JSON reader keeps exactly; milliseconds since 1970 fit.
LAST_REVISION = 2**53 - 1


Role = Literal["visitor", "agent", "bot", "system"]
Visibility = Literal["public", "internal"]
State = Literal["open", "taken", "snoozed", "closed"]


class InvalidMessageError(Exception):
    """The arguments of a task are wrong; the message names each field and its rule."""


def checked(check: Check, **default: Any) -> Any:
    """Return a dataclass field whose value is checked; with a ``default`` it may be left out.

    Its value is a name or a text: the message's ``repr`` does not show it.
    """
    return field(metadata={"check": check}, repr=check is values.identifier, **default)


@dataclass(frozen=True)
class Attachment:
    """A file of a message: its name, and where it is to be had (exactly one of url and path)."""

    name: str = checked(values.text(NAME_LENGTH))
    url: str | None = checked(values.address(URL_LENGTH), default=None)
    path: str | None = checked(values.address(URL_LENGTH), default=None)
    content_type: str | None = checked(values.text(CONTENT_TYPE_LENGTH), default=None)

    def __post_init__(self) -> None:
        if (self.url is None) == (self.path is None):
            raise ValueError("give exactly one of url and path")


def _attachments(value: Any) -> tuple[Attachment, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise WrongValueError("must be a list of files")
    items = list(value)
    if len(items) > ATTACHMENTS:
        raise WrongValueError(f"must have at most {ATTACHMENTS} entries")
    return tuple(_attachment(f".{index}", item) for index, item in enumerate(items))


def _attachment(where: str, item: Any) -> Attachment:
    if not isinstance(item, Mapping):
        raise WrongValueError("must have a name and a url or a path", where)
    found, problems = _values(Attachment, item)
    if problems:
        raise WrongValueError(problems[0].rule, f"{where}.{problems[0].where}")
    try:
        return Attachment(**found)
    except ValueError as error:
        raise WrongValueError(str(error), where) from None


@dataclass(frozen=True)
class RootPost:
    """A conversation has started."""

    licence_id: str = checked(values.identifier)
    conversation_id: str = checked(values.identifier)
    visitor_name: str = checked(values.text(NAME_LENGTH))
    page_url: str | None = checked(values.address(URL_LENGTH), default=None)
    started_at: datetime | None = checked(values.moment, default=None)
    question: str | None = checked(values.text(SUBJECT_LENGTH), default=None)
    page_title: str | None = checked(values.text(NAME_LENGTH), default=None)
    conversation_url: str | None = checked(
        values.address(URL_LENGTH, schemes=("http", "https")), default=None
    )
    fields: tuple[tuple[str, str], ...] | None = checked(values.pairs(CARD_FIELDS), default=None)


@dataclass(frozen=True)
class ChatMessage:
    """A message of the conversation: by its visitor, an agent, a chat bot or i-Reserve itself.

    An internal one is a note for the team, which no visitor reads.
    """

    licence_id: str = checked(values.identifier)
    conversation_id: str = checked(values.identifier)
    message_id: str = checked(values.identifier)
    sender_role: Role = checked(values.choice(*get_args(Role)))
    sender_name: str | None = checked(values.text(NAME_LENGTH), default=None)
    text: str = checked(values.text(TEXT_LENGTH), default="")
    attachments: tuple[Attachment, ...] = checked(_attachments, default=())
    sent_at: datetime | None = checked(values.moment, default=None)
    origin_post_id: str | None = checked(values.identifier, default=None)
    visibility: Visibility = checked(values.choice("public", "internal"), default="public")

    @property
    def is_internal(self) -> bool:
        """Whether it is a note for the team."""
        return self.visibility == "internal"

    def __post_init__(self) -> None:
        if self.sender_name is None and self.sender_role != "system":
            raise ValueError("sender_name: is missing")
        if self.is_internal and self.sender_role == "visitor":
            raise ValueError("visibility: a visitor's message is public")
        # What came from Mattermost is not posted there again, whatever it holds.
        if self.origin_post_id is None and is_blank(self.text) and not self.attachments:
            raise ValueError("give a text, attachments or both")


@dataclass(frozen=True)
class ConversationChange:
    """What i-Reserve says of a conversation; None: nothing of that.

    Without a revision it says nothing: the root is drawn as it is to be.
    """

    licence_id: str = checked(values.identifier)
    conversation_id: str = checked(values.identifier)
    revision: int | None = checked(values.number(LAST_REVISION), default=None)
    state: State | None = checked(values.choice("open", "taken", "snoozed", "closed"), default=None)
    assignee_user_id: str | None = checked(values.identifier, default=None)
    assignee_name: str | None = checked(values.text(NAME_LENGTH), default=None)
    subject: str | None = checked(values.text(SUBJECT_LENGTH), default=None)
    fields: tuple[tuple[str, str], ...] | None = checked(values.pairs(CARD_FIELDS), default=None)
    conversation_url: str | None = checked(
        values.address(URL_LENGTH, schemes=("http", "https")), default=None
    )

    def __post_init__(self) -> None:
        told = dataclasses.asdict(self)
        changes = set(told) - {"licence_id", "conversation_id", "revision"}
        if self.revision is None and any(told[name] is not None for name in changes):
            raise ValueError("revision: is missing")


@dataclass(frozen=True)
class Notification:
    """An event that is told in a channel by itself, outside any conversation."""

    licence_id: str = checked(values.identifier)
    notification_type: str = checked(values.identifier)
    text: str = checked(values.text(NOTIFICATION_TEXT_LENGTH), default="")
    title: str | None = checked(values.text(NOTIFICATION_TITLE_LENGTH), default=None)
    fields: tuple[tuple[str, str], ...] = checked(values.pairs(NOTIFICATION_FIELDS), default=())
    color: str | None = checked(values.color, default=None)
    url: str | None = checked(values.address(URL_LENGTH, schemes=("http", "https")), default=None)
    notification_id: str | None = checked(values.identifier, default=None)

    def __post_init__(self) -> None:
        shown = (self.text, self.title or "", *(part for pair in self.fields for part in pair))
        if all(map(is_blank, shown)):
            raise ValueError("give a text, a title or fields")


@dataclass(frozen=True)
class UserChange:
    """A user of i-Reserve is new or has changed."""

    licence_id: str = checked(values.identifier)
    user_id: str = checked(values.identifier)
    email: str = checked(values.email(EMAIL_LENGTH))
    name: str = checked(values.text(NAME_LENGTH))
    active: bool = checked(values.flag, default=True)


Message = Union[RootPost, ChatMessage, ConversationChange, Notification]
# The ledger's word for what a message becomes, and the message's schema.
KINDS: Mapping[str, type[Any]] = {
    "root": RootPost,
    "reply": ChatMessage,
    "conversation": ConversationChange,
    "notification": Notification,
    "user": UserChange,
}


def parse_message(kind: str, payload: Mapping[str, Any]) -> Any:
    """Return the checked message, an object of the class that ``KINDS`` names for its kind.

    Fields that are not in the schema are left out (``unknown_fields`` names them).

    Raises:
        InvalidMessageError: names each wrong field and the rule, and never shows a value.
    """
    schema = KINDS[kind]
    found, problems = _values(schema, payload)
    text = "; ".join(f"{problem.where}: {problem.rule}" for problem in problems)
    if not problems:
        try:
            return schema(**found)
        except ValueError as error:
            text = str(error)
    raise InvalidMessageError(f"{text} (correct it and enqueue it again)")


def check_sender(kind: str, payload: Mapping[str, Any]) -> None:
    """Refuse a message without its sender's name; i-Reserve itself may speak without one.

    Raises:
        TypeError: the name was not given.
    """
    needs_name = kind == "reply" and payload.get("sender_role") != "system"
    if needs_name and "sender_name" not in payload:
        raise TypeError("missing a required argument: 'sender_name'")


def unknown_fields(kind: str, payload: Mapping[str, Any]) -> list[str]:
    """Return the names of arguments that the schema of this version does not have."""
    found = {*_unknown(KINDS[kind], payload)}
    attachments = payload.get("attachments") if kind == "reply" else None
    for item in attachments if isinstance(attachments, (list, tuple)) else ():
        if isinstance(item, Mapping):
            found |= {f"attachments.{name}" for name in _unknown(Attachment, item)}
    return sorted(found)


def _unknown(schema: type[Any], payload: Mapping[str, Any]) -> Iterator[str]:
    known = {item.name for item in dataclasses.fields(schema)}
    return (str(name) for name in payload if name not in known)


def _values(
    schema: type[Any], payload: Mapping[str, Any]
) -> tuple[dict[str, Any], list[WrongValueError]]:
    """Return the checked values of the fields that were given, and what is wrong with others."""
    found: dict[str, Any] = {}
    problems: list[WrongValueError] = []
    for item in dataclasses.fields(schema):
        given = payload.get(item.name)
        try:
            if _is_given(item, given):
                found[item.name] = item.metadata["check"](given)
            elif item.default is dataclasses.MISSING:
                raise WrongValueError("is missing")
        except WrongValueError as error:
            problems.append(WrongValueError(error.rule, f"{item.name}{error.where}"))
    return found, problems


def _is_given(item: dataclasses.Field[Any], value: Any) -> bool:
    """Return whether an argument holds something.

    A blank text is nothing where None would do: platforms fill in what they have. A blank id is a
    mistake, and a blank name is that of a sender without one.
    """
    keeps_blank = item.metadata["check"] is values.identifier or item.name == "sender_name"
    if item.default is None and not keeps_blank:
        return value is not None and not (isinstance(value, str) and is_blank(value))
    return value is not None


def writable(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments in a form of which JSON loses nothing.

    JSON makes text of every key, so that a title which is None would read as "null".
    """
    fields = payload.get("fields")
    if isinstance(fields, Mapping) and not all(isinstance(title, str) for title in fields):
        return {**payload, "fields": list(fields.items())}
    return dict(payload)
