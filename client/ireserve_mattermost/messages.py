"""The schema of each message that i-Reserve may enqueue."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Iterator, Literal, Mapping, Union, get_args

from ireserve_mattermost import values
from ireserve_mattermost.values import Check, WrongValueError, is_blank

# A name is shown on one line. No person has a longer name.
NAME_LENGTH = 1_000
# Browsers and proxies give up on longer addresses.
URL_LENGTH = 8_000
# About thirty full posts: more than a person types, and a worker can hold several in memory.
TEXT_LENGTH = 500_000
# A notification is one post; Mattermost allows its text 16,383 characters.
NOTIFICATION_TEXT_LENGTH = 16_000
NOTIFICATION_TITLE_LENGTH = 1_000
NOTIFICATION_FIELDS = 50
# The files of ten posts. Each file is uploaded by itself, and delays the conversation meanwhile.
ATTACHMENTS = 100
# The card shows all fields on one line. The team reads a longer form in i-Reserve.
CARD_FIELDS = 10
# The card cuts a question or a subject far shorter. Callers need not cut it themselves.
SUBJECT_LENGTH = 10_000
CONTENT_TYPE_LENGTH = 255
# The longest address that mail servers take.
EMAIL_LENGTH = 254
# The largest whole number that every JSON reader keeps exactly. Milliseconds since 1970 fit.
LAST_REVISION = 2**53 - 1


Role = Literal["visitor", "agent", "bot", "system"]
Visibility = Literal["public", "internal"]
State = Literal["open", "taken", "snoozed", "closed"]


class InvalidMessageError(Exception):
    """The arguments of a task are invalid. The message names each field and its rule."""


def checked(check: Check, **default: Any) -> Any:
    """Return a dataclass field with a check; a field with a ``default`` is optional.

    The message's ``repr`` shows ids only, since other fields hold names and texts.
    """
    return field(metadata={"check": check}, repr=check is values.identifier, **default)


@dataclass(frozen=True)
class Attachment:
    """A file of a message: its name, and exactly one of its url and its path."""

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
    """The start of a conversation, for its root post."""

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
    """A message in a conversation, from the visitor, an agent, the chat bot or i-Reserve itself.

    An internal message is a note for the team, which no visitor reads.
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
    visibility: Visibility = checked(values.choice(*get_args(Visibility)), default="public")

    @property
    def is_internal(self) -> bool:
        """Whether the message is a note for the team."""
        return self.visibility == "internal"

    def __post_init__(self) -> None:
        if self.sender_name is None and self.sender_role != "system":
            raise ValueError("sender_name: is missing")
        if self.is_internal and self.sender_role == "visitor":
            raise ValueError("visibility: a visitor's message is public")
        # A message that came from Mattermost may be empty, since it is not posted there again.
        if self.origin_post_id is None and is_blank(self.text) and not self.attachments:
            raise ValueError("give a text, attachments or both")


@dataclass(frozen=True)
class ConversationChange:
    """What i-Reserve says about a conversation; a field that is None stays as it is.

    A change without a revision changes nothing, and only redraws the root post.
    """

    licence_id: str = checked(values.identifier)
    conversation_id: str = checked(values.identifier)
    revision: int | None = checked(values.number(LAST_REVISION), default=None)
    state: State | None = checked(values.choice(*get_args(State)), default=None)
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
    """A message about an event, which is posted in a channel outside any conversation."""

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
    """A new or changed user of i-Reserve."""

    licence_id: str = checked(values.identifier)
    user_id: str = checked(values.identifier)
    email: str = checked(values.email(EMAIL_LENGTH))
    name: str = checked(values.text(NAME_LENGTH))
    active: bool = checked(values.flag, default=True)


Message = Union[RootPost, ChatMessage, ConversationChange, Notification]
# The schema of each kind of message.
KINDS: Mapping[str, type[Any]] = {
    "root": RootPost,
    "reply": ChatMessage,
    "conversation": ConversationChange,
    "notification": Notification,
    "user": UserChange,
}


def parse_message(kind: str, payload: Mapping[str, Any]) -> Any:
    """Check a message and return it as an object of the class that ``KINDS`` has for its kind.

    Fields that the schema does not have are ignored (``unknown_fields`` names them).

    Raises:
        InvalidMessageError: fields are invalid; the message names them and never shows a value.
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


def require_sender_name(kind: str, payload: Mapping[str, Any]) -> None:
    """Require the sender's name of a message; only i-Reserve itself needs no name.

    Raises:
        TypeError: the name is missing.
    """
    needs_name = kind == "reply" and payload.get("sender_role") != "system"
    if needs_name and "sender_name" not in payload:
        raise TypeError("missing a required argument: 'sender_name'")


def unknown_fields(kind: str, payload: Mapping[str, Any]) -> list[str]:
    """Return the names of the arguments that the schema of this version does not have, sorted."""
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
    """Return the checked values of the given fields, and an error for each invalid field."""
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
    """Return whether an argument was given a value.

    In an optional field a blank text counts as None, since hosts send empty fields. A blank id is
    an error, and a blank sender's name belongs to a sender without a name.
    """
    keeps_blank = item.metadata["check"] is values.identifier or item.name == "sender_name"
    if item.default is None and not keeps_blank:
        return value is not None and not (isinstance(value, str) and is_blank(value))
    return value is not None


def writable(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments in a form that JSON keeps unchanged.

    JSON turns every key into text, so that a title that is None would become "null".
    """
    fields = payload.get("fields")
    if isinstance(fields, Mapping) and not all(isinstance(title, str) for title in fields):
        return {**payload, "fields": list(fields.items())}
    return dict(payload)
