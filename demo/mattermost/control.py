"""Control the stand-in, for tests and the demo; Mattermost has no such API.

Callers in the process use these functions directly, and others through the routes.
"""

from dataclasses import asdict
from typing import Any

from demo.mattermost.backend import Backend
from demo.mattermost.faults import Fault
from demo.mattermost.received import Received
from demo.mattermost.setup import Spec, set_up
from demo.mattermost.webhooks import WebhookCall


class Control:
    """The control of one server: set-up, options, faults, and the record of requests."""

    def __init__(self, backend: Backend) -> None:
        """Control this server."""
        self.backend = backend

    def setup(self, spec: Spec) -> dict[str, Any]:
        """Make teams, channels, users, bots and hooks; can be repeated. See the README.

        Raises:
            KeyError: a name does not exist.
        """
        return set_up(self.backend.state, spec)

    def received(self, *, method: str = "", path: str = "", after_seq: int = 0) -> list[Received]:
        """Return the requests to the API in the order of arrival; `path` without /api/v4."""
        return self.backend.record.find(method=method, path=path, after_seq=after_seq)

    def clear_received(self) -> None:
        """Forget the requests so far."""
        self.backend.record.clear()

    def webhook_calls(self) -> list[WebhookCall]:
        """Return the calls of outgoing webhooks in the order in which they ended."""
        return list(self.backend.webhooks.calls)

    def options(self) -> dict[str, Any]:
        """Return all options and their values."""
        return asdict(self.backend.options)

    def set_options(self, **changes: Any) -> dict[str, Any]:
        """Change options by Mattermost's names, such as MaxFileSize.

        Raises:
            ValueError: a name is unknown, or a value has the wrong type.
        """
        self.backend.change_options(changes)
        return self.options()

    def set_fault(self, kind: str, **details: Any) -> Fault:
        """Set a fault from now on. See the README for kinds and details.

        Raises:
            ValueError: the kind or a value does not exist.
            TypeError: a detail does not exist.
        """
        return self.backend.faults.set(Fault(kind, **details))  # type: ignore[arg-type]

    def faults(self) -> list[Fault]:
        """Return the faults that are set."""
        return self.backend.faults.active()

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all faults."""
        self.backend.faults.clear(fault_id)
