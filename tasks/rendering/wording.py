"""All that we say in Mattermost ourselves: each language has every text, or mypy refuses it.

A name in braces is filled in, and each language has the same ones. A new text is a field here and
a line in each language's module.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReasons:
    """Why a file is missing, as it is read after the file's name.

    Those up to ``stopped`` bear the names of the attachments' own reasons.
    """

    gone: str
    too_large: str
    empty: str
    host_not_allowed: str
    not_https: str
    outside_store: str
    bad_redirect: str
    link_refused: str
    web_page: str
    compressed: str
    download_failed: str
    download_timeout: str
    store_unavailable: str
    no_time_left: str
    # Never read by the team: the message waits for the next worker.
    stopped: str
    # As `too_large`, where the limit is known.
    larger_than: str
    image_too_large: str
    uploads_disabled: str
    not_a_member: str
    rejected_by_plugin: str
    not_taken: str
    lost_by_server: str
    not_copied: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The texts of one language."""

    # Times: the months as they are written in a date, and a date with its time of day.
    months: tuple[str, str, str, str, str, str, str, str, str, str, str, str]
    moment: str

    # People without a name.
    unnamed_visitor: str
    unnamed_agent: str
    unnamed_bot: str

    # The card: the state, then by whom and when; "waiting since" beside another state.
    started: str
    new: str
    waiting: str
    answered: str
    taken: str
    snoozed: str
    closed: str
    by: str
    since: str
    at: str
    waiting_beside: str
    # Which posts the visitor gets, where that is not each but a note.
    reply_prefix: str
    prefix_wanted: str
    alerts_only: str
    open_in_ireserve: str
    continues: str

    # The posts of a thread. `note`: for the team alone.
    note: str
    sent: str
    file_of: str
    files_of: str
    file_missing: str
    file_reasons: FileReasons

    # What is missing in a thread: how much, where it is, whose it was, and why.
    missing_one: str
    missing_more: str
    maybe_missing_one: str
    maybe_missing_more: str
    missing_where: str
    missing_where_more: str
    of_visitor: str
    of_agent: str
    of_bot: str
    of_unknown: str
    not_reached: str
    had_trouble: str
    refused: str
    switched_off: str
    not_showable: str
    own_error: str

    # Notifications that are too long.
    one_more_field: str
    more_fields: str
    more_characters: str

    # What the bot says by itself.
    hint: str
    round_trip: str
