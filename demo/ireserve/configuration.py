"""What i-Reserve's processes of the demo are told, by the environment."""

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
    """Where a licence's conversations are mirrored: a name for the page, and its own page."""

    label: str
    page_url: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where the store and the attachments are, and what stands on the page's other side.

    ``channels`` is by licence. ``stand_in_url`` is None when a real Mattermost server is played
    against: its pages cannot be shown within ours, and it has no switch. ``commands`` is a program
    that is ``ireserve-mattermost`` with the settings of this installation. ``language`` is the
    page's, as licences name it, and ``time_zone`` its clock's; empty: the browser's.
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
        """Return what this process was told."""
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
        """Return the variables that tell a process this."""
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
