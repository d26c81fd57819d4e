"""All parts of one stand-in server, put together."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.mattermost.entities import User
from demo.mattermost.faults import Faults, FaultScope, Subject
from demo.mattermost.ids import new_id
from demo.mattermost.journal import Journal
from demo.mattermost.later_answers import LaterAnswers
from demo.mattermost.options import Options
from demo.mattermost.pending import PendingPosts
from demo.mattermost.rate_limit import RateLimiter
from demo.mattermost.received import Received, Record
from demo.mattermost.state import State
from demo.mattermost.uploads import FileStore
from demo.mattermost.versions import NEWEST
from demo.mattermost.webhooks import Webhooks

# More than any page shows.
MAX_PRIVATE_LINES = 1_000


@dataclass(frozen=True, slots=True)
class PrivateLine:
    """A line that only one person sees."""

    user_id: str
    channel_id: str
    text: str


class Backend:
    """One server: its state, its options, its faults, and the requests that reached it."""

    def __init__(self, journal_path: Path | None = None, *, version: str = NEWEST) -> None:
        """Restore the state from the journal, then append to the journal."""
        self.journal = Journal(journal_path)
        self.state = State(self.journal)
        # A page that is open during a restart sees by this id that all counts began anew.
        self.boot_id = new_id()
        self.options = Options(Version=version)
        self.state.version = self.options.version
        self.version_id = self.options.version_id()
        self.faults = Faults()
        self.record = Record()
        self.pending = PendingPosts()
        self.later_answers: LaterAnswers[Any] = LaterAnswers()
        # Lines that only one user sees. They are not stored, so a restart forgets them.
        self.private_lines: deque[PrivateLine] = deque(maxlen=MAX_PRIVATE_LINES)
        self.rate_limiter = RateLimiter()
        self.store = FileStore(
            journal_path.with_name(journal_path.name + ".files") if journal_path else None
        )
        self.webhooks = Webhooks(self.state, options=lambda: self.options)
        self._closing = threading.Event()
        self._restore()
        self.journal.open()
        self._record_what_was_cut_off()

    def change_options(self, changes: dict[str, Any]) -> None:
        """Change options by name; the rate limit starts anew.

        Raises:
            ValueError: a name is unknown, or a value has the wrong type.
        """
        self._set_options(self.options.changed(changes))
        with self.state.lock:
            self.journal.append("Options", changes)

    def use_site_url(self, url: str) -> None:
        """Use this site URL, unless the option SiteURL is set.

        The URL is not written to the journal: after a restart the port may differ.
        """
        if not self.options.SiteURL:
            self._set_options(self.options.changed({"SiteURL": url}))

    def subject(self, scope: FaultScope, user: User | None) -> Subject:
        """Return what faults may match in a request of that user."""
        if user is None:
            return Subject(scope)
        teams = self.state.teams_of(user.id)
        names = frozenset(name for team in teams for name in (team.id, team.name))
        return Subject(scope, frozenset({user.id, user.username}), names)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the server runs."""
        self._closing.wait(seconds)

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Call a function after some seconds, unless the server ends before."""

        def run() -> None:
            if not self._closing.wait(seconds):
                do()

        threading.Thread(target=run, daemon=True).start()

    def tell_privately(self, user: User, *, channel_id: str, text: str) -> None:
        """Show a line to one user only, as an answer to a click or a command does."""
        self.private_lines.append(PrivateLine(user.id, channel_id, text))

    def remember(self, entry: Received) -> None:
        """Write a finished entry of the record to the journal."""
        if self.journal:
            with self.state.lock:
                self.journal.append("Received", entry.shape())

    def close(self) -> None:
        """End every pause, close the journal and delete temporary files."""
        self._closing.set()
        with self.state.lock:
            self.journal.close()
        self.store.close()

    def _set_options(self, options: Options) -> None:
        self.options = options
        self.state.version = options.version
        self.version_id = options.version_id()
        self.rate_limiter.reset()

    def _restore(self) -> None:
        for kind, value in self.journal.entries():
            if kind == "Options":
                self._set_options(self.options.changed(value))
            elif kind == "Received":
                self.record.restore(value)
            else:
                self.state.restore(kind, value)
        self.record.put_in_order()

    def _record_what_was_cut_off(self) -> None:
        """Record each bot's post whose request was cut off when the server was killed.

        The new entry comes last: between the post and the kill, the server took no request.
        """
        requests = self.record.find(method="POST", path="/posts")
        known = {entry.post_id for entry in requests if not entry.duplicate}
        for post in self.state.posts.values():
            is_own = self.state.users[post.user_id].is_bot and not (post.type or post.original_id)
            if is_own and post.id not in known:
                entry = self.record.begin("POST", "/posts", query="")
                entry.time_ms, entry.user_id = post.create_at, post.user_id
                entry.post_id, entry.root_id = post.id, post.root_id
                entry.channel_id, entry.message = post.channel_id, post.message
                entry.props, entry.file_ids = post.props, post.file_ids
                entry.outcome = "cut off"
                self.remember(entry)
