"""Parse what a client sends to make or change a post."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.mattermost.attachments import with_full_attachments
from demo.mattermost.errors import INVALID_BODY_PARAM, NEEDS_LICENCE, ApiError

_STRINGS = ("id", "channel_id", "message", "root_id", "type", "pending_post_id")


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a new post that a client may set."""

    channel_id: str = ""
    message: str = ""
    root_id: str = ""
    file_ids: tuple[str, ...] = ()
    props: Mapping[str, Any] = field(default_factory=dict)
    type: str = ""
    pending_post_id: str = ""
    is_pinned: bool = False
    id: str = ""
    create_at: int = 0
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """The fields of a post to change; None leaves a field as it is."""

    message: str | None = None
    props: Mapping[str, Any] | None = None
    file_ids: tuple[str, ...] | None = None
    is_pinned: bool | None = None


def parse_draft(body: object, *, knows_priority: bool = True) -> Draft:
    """Return the draft in a JSON body, without the priority if the version has none.

    Raises:
        ApiError: the body is no object, or a field has the wrong type.
    """
    fields = _object(body)
    create_at = fields.get("create_at", 0)
    _require(isinstance(create_at, int))
    return Draft(
        **{name: _string(fields, name) for name in _STRINGS},
        file_ids=_strings(fields.get("file_ids")) or (),
        props=_props(fields.get("props")) or {},
        is_pinned=bool(fields.get("is_pinned")),
        create_at=create_at,
        priority=_priority(fields.get("metadata")) if knows_priority else None,
    )


def parse_patch(body: object) -> Patch:
    """Return the patch in a JSON body.

    Raises:
        ApiError: the body is no object, or a field has the wrong type.
    """
    fields = _object(body)
    return Patch(
        message=_string(fields, "message") if fields.get("message") is not None else None,
        props=_props(fields.get("props")),
        file_ids=_strings(fields.get("file_ids")),
        is_pinned=fields.get("is_pinned"),
    )


def _require(condition: bool) -> None:
    if not condition:
        raise ApiError(INVALID_BODY_PARAM, name="post")


def _object(body: object) -> Mapping[str, Any]:
    _require(isinstance(body, dict))
    assert isinstance(body, dict)
    return body


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    _require(value is None or isinstance(value, str))
    return value or ""


def _strings(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    _require(isinstance(value, list) and all(isinstance(item, str) for item in value))
    return tuple(value)


def _props(value: Any) -> Mapping[str, Any] | None:
    _require(value is None or isinstance(value, dict))
    return with_full_attachments(value) if value else value


def _priority(metadata: Any) -> str | None:
    """Return the priority that a client asks for.

    Raises:
        ApiError: 501 for an acknowledgement or repeated notifications, which need a licence.
    """
    if not isinstance(metadata, dict) or not isinstance(metadata.get("priority"), dict):
        return None
    wanted = metadata["priority"]
    if wanted.get("requested_ack") or wanted.get("persistent_notifications"):
        raise ApiError(NEEDS_LICENCE)
    return _string(wanted, "priority")
