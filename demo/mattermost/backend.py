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
    """One server: what it knows, how it is set, what is wrong with it, what reached it."""

    def __init__(self, journal_path: Path | None = None, *, version: str = NEWEST) -> None:
        """Bring back what the journal holds, then write on in it."""
        self.journal = Journal(journal_path)
        self.state = State(self.journal)
        # Tells a page that is open over a restart that all counts began anew.
        self.boot_id = new_id()
        self.options = Options(Version=version)
        self.state.version = self.options.version
        self.version_id = self.options.version_id()
        self.faults = Faults()
        self.record = Record()
        self.pending = PendingPosts()
        self.later_answers: LaterAnswers[Any] = LaterAnswers()
        # What was told to one person alone: it is stored nowhere, so a restart forgets it.
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
        """Change options by name; the rate limit starts afresh.

        Raises: ValueError for an unknown name or a value of the wrong type.
        """
        self._set_options(self.options.changed(changes))
        with self.state.lock:
            self.journal.append("Options", changes)

    def use_site_url(self, url: str) -> None:
        """The address that the server calls itself by, unless an option says another.

        It goes into no journal: after a restart the port may be another one.
        """
        if not self.options.SiteURL:
            self._set_options(self.options.changed({"SiteURL": url}))

    def subject(self, scope: FaultScope, user: User | None) -> Subject:
        """What faults may look at in a request by that user."""
        if user is None:
            return Subject(scope)
        teams = self.state.teams_of(user.id)
        names = frozenset(name for team in teams for name in (team.id, team.name))
        return Subject(scope, frozenset({user.id, user.username}), names)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the server."""
        self._closing.wait(seconds)

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Do something after a while, unless the server ends before."""

        def run() -> None:
            if not self._closing.wait(seconds):
                do()

        threading.Thread(target=run, daemon=True).start()

    def tell_privately(self, user: User, *, channel_id: str, text: str) -> None:
        """Show a line to one person alone, as an answer to a click or a command does."""
        self.private_lines.append(PrivateLine(user.id, channel_id, text))

    def remember(self, entry: Received) -> None:
        """Keep a finished entry of the record over a restart."""
        if self.journal:
            with self.state.lock:
                self.journal.append("Received", entry.shape())

    def close(self) -> None:
        """End every pause, close the journal, drop temporary files."""
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
        """Give each post of a bot an entry: one whose request a kill cut off has none yet.

        It comes last, as it did in its thread: nothing was taken between it and the kill.
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
