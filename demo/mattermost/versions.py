"""The versions of Mattermost that the stand-in answers as, and their differences, as data.

The shapes of the answers hold the keys of all versions. A version names the keys that it omits,
the keys with another value, and the rules that it follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.mattermost import errors
from demo.mattermost.errors import ApiError, Refusal

Keys = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """The answers of one version; the flags say what it does and another version does not."""

    number: str
    # By kind of object: keys that are always absent, and keys that are absent when empty.
    absent: Keys
    absent_when_empty: Keys = field(default_factory=dict)
    # By kind of object: values that this version has in every answer.
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Refusals with another status or id in this version, by the id of 6.7.2.
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    digest: str
    # Content types: of the web client's page, and of the answer to an unknown path of the API.
    page_type: str
    unknown_path_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    collapsed_threads: str
    collapsed_threads_values: frozenset[str]
    # Whether the team may read a public channel, and whether members may read unattached files.
    team_reads_public_channels: bool
    unattached_files_are_open: bool
    edits_add_files: bool
    limits_requests: bool
    knows_priority: bool
    # Whether an attachment's field values mention, and whether a member can follow all threads.
    field_values_mention: bool
    channels_follow_threads: bool
    commands_know_their_thread: bool
    # On 6.7 an edit that restores a button's lost target crashes the request.
    dead_buttons_can_be_revived: bool
    # Older versions ignore `permanent` and delete as usual.
    deletes_for_good: bool
    deletion_of_unknown: Refusal
    thread_needs_both_anchors: bool
    bad_thread_parameter: Refusal

    def shaped(self, kind: str, shape: Mapping[str, Any]) -> dict[str, Any]:
        """Return the shape of one kind of object as this version has it."""
        absent = self.absent.get(kind, frozenset())
        empty = self.absent_when_empty.get(kind, frozenset())
        kept = {
            key: value
            for key, value in shape.items()
            if key not in absent and (value or key not in empty)
        }
        return {**kept, **self.fixed.get(kind, {})}

    def refused(self, error: ApiError) -> ApiError:
        """Return the error with this version's own status and id."""
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
    # In this version a file has no channel, and a new account has another status.
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
