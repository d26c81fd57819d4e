"""The versions of Mattermost that the stand-in speaks, and all in which they differ, as data.

The shapes of the answers hold every key that any version has. A version says which of them it
leaves out, which have another value, and which rules it follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.mattermost import errors
from demo.mattermost.errors import ApiError, Refusal

Keys = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """How one version answers; the flags say what it does that another does not."""

    number: str
    # By kind of thing: keys that are never there, or not when their value is empty.
    absent: Keys
    absent_when_empty: Keys = field(default_factory=dict)
    # By kind of thing: values that this version has in every answer.
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Refusals that have another status or id here, by the id of 6.7.2.
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    digest: str
    # The web client's page, and the answer to an address below the API's that does not exist.
    page_type: str
    unknown_path_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    collapsed_threads: str
    collapsed_threads_values: frozenset[str]
    # What the team may read of a public channel without being a member of it.
    team_reads_public_channels: bool
    unattached_files_are_open: bool
    edits_add_files: bool
    limits_requests: bool
    knows_priority: bool
    # What is read for mentions in an attachment's fields, and followed without a name.
    field_values_mention: bool
    channels_follow_threads: bool
    commands_know_their_thread: bool
    # On 6.7 an edit that gives a target to a button which has lost its own breaks the server.
    dead_buttons_can_be_revived: bool
    # Older versions take `permanent` for nothing, and delete as ever.
    deletes_for_good: bool
    deletion_of_unknown: Refusal
    thread_needs_both_anchors: bool
    bad_thread_parameter: Refusal

    def shaped(self, kind: str, shape: Mapping[str, Any]) -> dict[str, Any]:
        """The shape of one kind of thing as this version has it."""
        absent = self.absent.get(kind, frozenset())
        empty = self.absent_when_empty.get(kind, frozenset())
        kept = {
            key: value
            for key, value in shape.items()
            if key not in absent and (value or key not in empty)
        }
        return {**kept, **self.fixed.get(kind, {})}

    def refused(self, error: ApiError) -> ApiError:
        """The error with this version's own status and id."""
        own = self.refusals.get(error.id)
        return error if own is None else ApiError(own)


_THREADS_67 = frozenset({"disabled", "default_off", "default_on"})

V6_7_2 = ServerVersion(
    number="6.7.2",
    absent={
        "post": frozenset({"remote_id"}),
        "file": frozenset({"archived"}),
        "reaction": frozenset({"channel_id"}),
        "channel": frozenset(
            {
                "autotranslation",
                "banner_info",
                "default_category_name",
                "policy_enforced",
                "policy_is_active",
            }
        ),
        "member": frozenset({"autotranslation_disabled", "urgent_mention_count"}),
        "member_notify_props": frozenset({"channel_auto_follow_threads"}),
        "user": frozenset({"remote_id"}),
        "own_user": frozenset({"remote_id"}),
        "post_list": frozenset({"first_inaccessible_post_time"}),
        "thread_list": frozenset({"first_inaccessible_post_time"}),
        "ping": frozenset({"ActiveSearchBackend"}),
        "config": frozenset({"PostPriority"}),
        "thread": frozenset({"is_urgent"}),
        "threads": frozenset({"total_unread_urgent_mentions"}),
        "unread": frozenset({"urgent_mention_count"}),
    },
    absent_when_empty={"post": frozenset({"file_ids"})},
    # A file has no channel, and a new account's status is another.
    fixed={"file": {"channel_id": ""}, "notify_props": {"push_status": "away"}},
    digest="md5",
    page_type="text/html; charset=utf-8",
    unknown_path_type="text/plain; charset=utf-8",
    collapsed_threads="disabled",
    collapsed_threads_values=_THREADS_67,
    team_reads_public_channels=False,
    unattached_files_are_open=False,
    edits_add_files=False,
    limits_requests=False,
    knows_priority=False,
    field_values_mention=False,
    channels_follow_threads=False,
    commands_know_their_thread=False,
    dead_buttons_can_be_revived=False,
    deletes_for_good=False,
    deletion_of_unknown=errors.PERMISSIONS,
    thread_needs_both_anchors=True,
    bad_thread_parameter=errors.INVALID_PARAM,
)

V11_6_0 = ServerVersion(
    number="11.6.0",
    absent={
        "own_user": frozenset({"auth_data"}),
        "post_list": frozenset({"has_next"}),
    },
    refusals={
        errors.FILES_DISABLED.id: errors.FILES_DISABLED_403,
        errors.POST_TOO_LONG.id: errors.POST_MESSAGE_LENGTH,
        errors.RESPONSE_URL_USED_UP.id: errors.RESPONSE_URL_USED_UP_11,
    },
    digest="sha256",
    page_type="text/html",
    unknown_path_type="application/json",
    headers={
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
        "Expires": "0",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "",
    },
    collapsed_threads="always_on",
    collapsed_threads_values=_THREADS_67 | {"always_on"},
    team_reads_public_channels=True,
    unattached_files_are_open=True,
    edits_add_files=True,
    limits_requests=True,
    knows_priority=True,
    field_values_mention=True,
    channels_follow_threads=True,
    commands_know_their_thread=True,
    dead_buttons_can_be_revived=True,
    deletes_for_good=True,
    deletion_of_unknown=errors.POST_UNKNOWN,
    thread_needs_both_anchors=False,
    bad_thread_parameter=errors.INVALID_BODY_PARAM,
)

VERSIONS: Mapping[str, ServerVersion] = {each.number: each for each in (V6_7_2, V11_6_0)}
NEWEST = V11_6_0.number
