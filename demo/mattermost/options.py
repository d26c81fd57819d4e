"""The settings of the stand-in, by the names that Mattermost's System Console uses."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """What an administrator of the server can set, with Mattermost's defaults."""

    # A real server on PostgreSQL keeps a message in varchar(65535), four bytes to a character.
    MaxPostSize: int = 16383
    MaxFileSize: int = 100 * 1024 * 1024
    # 7680 x 4320, one frame of 8K video, is Mattermost's default.
    MaxImageResolution: int = 33_177_600
    EnableFileAttachments: bool = True
    EnableOutgoingWebhooks: bool = True
    EnablePostUsernameOverride: bool = False
    EnablePostIconOverride: bool = False
    EnableLinkPreviews: bool = True
    ShowEmailAddress: bool = True
    RequireEmailVerification: bool = False
    RateLimitEnable: bool = False
    RateLimitPerSec: int = 10
    RateLimitMaxBurst: int = 100
    RateLimitVaryByRemoteAddr: bool = True
    RateLimitVaryByUser: bool = False
    # Not settings of a real server, where both are fixed at 30 s; tests shorten them.
    PendingPostTtlS: float = 30.0
    WebhookTimeoutS: float = 30.0
    SiteURL: str = ""
    Version: str = "6.7.2"

    def changed(self, changes: Mapping[str, Any]) -> "Options":
        """The same options with some values changed.

        Raises: ValueError for a name that is none of these, or a value of the wrong type.
        """
        for name, value in changes.items():
            current = getattr(self, name, None)
            wanted = (int, float) if isinstance(current, float) else type(current)
            if name not in self.__slots__ or not isinstance(value, wanted):
                raise ValueError(f"{name} is no option, or the value has the wrong type")
        return replace(self, **changes)

    def version_id(self) -> str:
        """The X-Version-Id header: version, build, hash of the settings, licensed."""
        digest = hashlib.md5(repr(asdict(self)).encode(), usedforsecurity=False).hexdigest()
        return f"{self.Version}..{digest}.false"


# The settings that carry another name here, because their section gives half of the meaning.
_SECTION_PREFIX = {"RateLimitSettings": "RateLimit"}


def from_config_patch(patch: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a body of Mattermost's PUT /config/patch changes; others are ignored."""
    return {
        name: value
        for section, settings in patch.items()
        for key, value in settings.items()
        if (name := _SECTION_PREFIX.get(section, "") + key) in Options.__slots__
    }


# What /config/client tells a signed-in user of the options, all as strings.
_PUBLISHED = (
    "EnableFileAttachments",
    "EnableLinkPreviews",
    "EnableOutgoingWebhooks",
    "EnablePostIconOverride",
    "EnablePostUsernameOverride",
    "MaxFileSize",
    "MaxPostSize",
    "RequireEmailVerification",
    "ShowEmailAddress",
    "SiteURL",
    "Version",
)
_PUBLISHED_TO_ALL = ("SiteURL", "Version")


def client_config(options: Options, *, signed_in: bool) -> dict[str, str]:
    """The flat map of strings that GET /config/client?format=old answers."""
    names = _PUBLISHED if signed_in else _PUBLISHED_TO_ALL
    values = {name: getattr(options, name) for name in names}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
