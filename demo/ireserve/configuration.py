"""The configuration of the demo's i-Reserve, which its processes read from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_STORE = "IRESERVE_STORE"
_ATTACHMENTS = "IRESERVE_ATTACHMENTS"
_CHANNELS = "IRESERVE_CHANNELS"
_STAND_IN = "IRESERVE_STAND_IN"
_COMMANDS = "IRESERVE_COMMANDS"
_LANGUAGE = "IRESERVE_LANGUAGE"
_TIME_ZONE = "IRESERVE_TIME_ZONE"


@dataclass(frozen=True, slots=True)
class Channel:
    """A licence's channel in Mattermost: its name on the demo's page, and its own page."""

    label: str
    page_url: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The paths of i-Reserve's data, and the Mattermost server that the page shows.

    ``channels`` maps licence ids to channels. ``stand_in_url`` is None with a real Mattermost
    server: our page cannot frame its pages, and it has no switch. ``commands`` is a script that
    runs ``ireserve-mattermost`` with the settings of this installation. ``language`` is the
    page's language, as licences name it. ``time_zone`` is for the times on the page; empty
    means the browser's.
    """

    store: Path
    attachments: Path
    channels: Mapping[str, Channel]
    stand_in_url: str | None
    commands: Path
    language: str = "en"
    time_zone: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """Return the configuration that this process's environment holds."""
        channels = json.loads(os.environ[_CHANNELS])
        return cls(
            store=Path(os.environ[_STORE]),
            attachments=Path(os.environ[_ATTACHMENTS]),
            channels={licence_id: Channel(**channel) for licence_id, channel in channels.items()},
            stand_in_url=os.environ[_STAND_IN] or None,
            commands=Path(os.environ[_COMMANDS]),
            language=os.environ[_LANGUAGE],
            time_zone=os.environ[_TIME_ZONE],
        )

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables that hold this configuration."""
        channels = {
            licence_id: {"label": channel.label, "page_url": channel.page_url}
            for licence_id, channel in self.channels.items()
        }
        return {
            _STORE: str(self.store),
            _ATTACHMENTS: str(self.attachments),
            _CHANNELS: json.dumps(channels),
            _STAND_IN: self.stand_in_url or "",
            _COMMANDS: str(self.commands),
            _LANGUAGE: self.language,
            _TIME_ZONE: self.time_zone,
        }
