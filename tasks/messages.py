"""What i-Reserve may enqueue, checked: the arguments of the public tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from models.base import ID_LENGTH
from models.licence import NOTIFICATION_TYPE_LENGTH
from models.user import EMAIL_LENGTH
from tasks.lanes import Lane

# A name is shown on one line; longer ones come from a form without a limit or from a prankster.
NAME_LENGTH = 1_000
# Browsers and proxies give up on longer addresses.
URL_LENGTH = 8_000
# Some thirty full posts: more than anybody types, little enough to hold in memory many times over.
TEXT_LENGTH = 500_000
# A notification is one post; Mattermost allows its text 16,383 characters.
NOTIFICATION_TEXT_LENGTH = 16_000
NOTIFICATION_TITLE_LENGTH = 1_000
NOTIFICATION_FIELDS = 50
# Ten posts' worth; each is uploaded by itself and holds up the conversation meanwhile.
ATTACHMENTS = 100


class InvalidMessageError(Exception):
    """The arguments of a task are wrong; the message names the task, the field and the rule."""


def _identifier(value: Any) -> Any:
    # bool is a subclass of int, and True is nobody's id.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _short_enough(value: str) -> str:
    # Lanes and keys are made of ids, and an index has no room for more.
    if len(value.encode()) > ID_LENGTH:
        raise ValueError(f"must have at most {ID_LENGTH} bytes")
    return value


def _aware(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Control characters in an id are always a mistake, and would break logs and names of keys.
Identifier = Annotated[
    str,
    BeforeValidator(_identifier),
    StringConstraints(min_length=1, max_length=ID_LENGTH, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_short_enough),
]
Name = Annotated[str, StringConstraints(max_length=NAME_LENGTH)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=URL_LENGTH)]


class _Arguments(BaseModel):
    # What was passed is a name or a message text: an error shows the field and the rule alone.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AttachmentArguments(_Arguments):
    """A file of a message: its name, and where it is to be had (exactly one of url and path)."""

    name: Name
    url: Url | None = None
    path: Url | None = None
    content_type: Annotated[str, StringConstraints(max_length=255)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("give exactly one of url and path")
        return self


class RootPost(_Arguments):
    """A conversation has started."""

    licence_id: Identifier
    conversation_id: Identifier
    visitor_name: Name
    page_url: Url | None = None
    started_at: datetime | None = None

    _in_utc = field_validator("started_at")(_aware)


class Reply(_Arguments):
    """A message of the conversation, by its visitor or an agent."""

    licence_id: Identifier
    conversation_id: Identifier
    message_id: Identifier
    sender_name: Name
    sender_role: Literal["visitor", "agent"]
    text: Annotated[str, StringConstraints(max_length=TEXT_LENGTH)] = ""
    attachments: Annotated[tuple[AttachmentArguments, ...], Field(max_length=ATTACHMENTS)] = ()
    sent_at: datetime | None = None
    origin_post_id: Identifier | None = None

    _in_utc = field_validator("sent_at")(_aware)

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if not self.text and not self.attachments:
            raise ValueError("give a text, attachments or both")
        return self


class Notification(_Arguments):
    """An event that is told in a channel by itself, outside any conversation."""

    licence_id: Identifier
    notification_type: Annotated[Identifier, StringConstraints(max_length=NOTIFICATION_TYPE_LENGTH)]
    text: Annotated[str, StringConstraints(max_length=NOTIFICATION_TEXT_LENGTH)]
    title: Annotated[str, StringConstraints(max_length=NOTIFICATION_TITLE_LENGTH)] | None = None
    fields: Annotated[tuple[tuple[str, str], ...], Field(max_length=NOTIFICATION_FIELDS)] = ()
    color: (
        Annotated[str, StringConstraints(pattern=r"^(good|warning|danger|#[0-9a-fA-F]{6})$")] | None
    ) = None
    url: Url | None = None
    notification_id: Identifier | None = None

    @field_validator("fields", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        """Accept a mapping (in its order) or title and value pairs; numbers become text."""
        if value is None:
            return ()
        pairs = value.items() if isinstance(value, Mapping) else value
        return tuple(
            tuple(str(part) if isinstance(part, int | float) else part for part in pair)
            for pair in pairs
        )

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("must start with http:// or https://")
        return value

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if not self.text and not self.title and not self.fields:
            raise ValueError("give a text, a title or fields")
        return self


class UserChange(_Arguments):
    """A user of i-Reserve is new or has changed."""

    licence_id: Identifier
    user_id: Identifier
    email: Annotated[
        str,
        # Mattermost keeps addresses in lower case and compares them so.
        StringConstraints(
            strip_whitespace=True, to_lower=True, max_length=EMAIL_LENGTH, pattern=r"^\S+@\S+$"
        ),
    ]
    name: Name
    active: bool = True


Message = RootPost | Reply | Notification
KINDS: Mapping[str, type[Message]] = {
    "root": RootPost,
    "reply": Reply,
    "notification": Notification,
}
_Model = TypeVar("_Model", bound=BaseModel)
# All changes of a licence's users go through one lane, so that the newest is the last.
_USERS = "users"


def parse_message(kind: str, payload: Mapping[str, Any]) -> Message:
    """Return the checked message.

    Raises:
        InvalidMessageError: names each wrong field and the rule, and never shows a value.
    """
    return _checked(KINDS[kind], payload)


def parse_user_change(payload: Mapping[str, Any]) -> UserChange:
    """Return the checked change.

    Raises:
        InvalidMessageError: as ``parse_message``.
    """
    return _checked(UserChange, payload)


def _checked(model: type[_Model], payload: Mapping[str, Any]) -> _Model:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'arguments'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise InvalidMessageError(f"{problems} (correct it and enqueue it again)") from None


def lane_of(kind: str, payload: Mapping[str, Any]) -> Lane:
    """Return the lane that a message belongs in.

    Raises:
        InvalidMessageError: an id that the lane is named after is missing or wrong.
    """
    licence_id = _checked_id(payload, "licence_id")
    if kind == "user":
        return Lane(licence_id, "u", _USERS)
    if kind == "notification":
        return Lane.of_notifications(licence_id, _checked_id(payload, "notification_type"))
    return Lane.of_conversation(licence_id, _checked_id(payload, "conversation_id"))


def key_of(kind: str, payload: Mapping[str, Any], *, task_id: str) -> str:
    """Return what names the message within its lane; the same key is sent once.

    Raises:
        InvalidMessageError: the id that the key is made of is wrong.
    """
    if kind == "root":
        return "root:1"
    if kind == "reply":
        return f"reply:{_checked_id(payload, 'message_id')}"
    if kind == "user":
        return f"user:{task_id}"
    if payload.get("notification_id") is None:
        return f"notification:{task_id}"
    return f"notification-id:{_checked_id(payload, 'notification_id')}"


class _Id(_Arguments):
    value: Identifier


def _checked_id(payload: Mapping[str, Any], field: str) -> str:
    try:
        return _Id(value=payload.get(field)).value
    except ValidationError as error:
        rule = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise InvalidMessageError(f"{field}: {rule} (correct it and enqueue it again)") from None
