"""The fields of the application's own texts in Mattermost; mypy checks that each language has all.

A name in braces is filled in; a text has the same names in each language. For a new text add a
field here and a line in each language's module.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReasons:
    """The reasons why a file is missing, as texts that follow the file's name.

    The fields up to ``stopped`` have the names of the reasons in ``tasks.attachments``.
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
    # The team never reads this text: the message waits for the next worker.
    stopped: str
    # Like `too_large`, with the limit.
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

    # Times: the names of the months in a date, and the form of a date with its time of day.
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
    # Which posts reach the visitor, if not all posts but notes do.
    reply_prefix: str
    prefix_wanted: str
    alerts_only: str
    open_in_ireserve: str
    continues: str

    # The posts of a thread. `note` marks what only the team may read.
    note: str
    sent: str
    file_of: str
    files_of: str
    file_missing: str
    file_reasons: FileReasons

    # The line about missing messages: how many, where they are, who sent them, and why.
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

    # The bot's own posts.
    hint: str
    round_trip: str
