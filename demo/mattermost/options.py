"""The settings of the stand-in, by the names that Mattermost's System Console uses."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from demo.mattermost.errors import COLLAPSED_THREADS, ApiError
from demo.mattermost.versions import NEWEST, VERSIONS, ServerVersion
from demo.mattermost.words import CLIENT_WORDS


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that an administrator can change, with Mattermost's defaults."""

    # A real server on PostgreSQL stores a message in varchar(65535), with four bytes a character.
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
    # A real server has no such settings. It fixes the first two at 30 s, which tests shorten.
    PendingPostTtlS: float = 30.0
    WebhookTimeoutS: float = 30.0
    # The time zone of the page, which a real client takes from its user's settings. Empty means
    # the browser's time zone.
    PageTimeZone: str = ""
    # Empty means the default of the version.
    CollapsedThreads: str = ""
    ThreadAutoFollow: bool = True
    PostPriority: bool = True
    # The number of seconds in which a message may be edited; -1 means no limit.
    PostEditTimeLimit: int = -1
    EnableAPIPostDeletion: bool = False
    EnableAPIUserDeletion: bool = False
    # A JSON body may have this size and 512 bytes more.
    MaximumPayloadSizeBytes: int = 300_000
    OutgoingIntegrationRequestsTimeout: int = 30
    SiteURL: str = ""
    # The language of the web client for users who have chosen no language.
    DefaultClientLocale: str = "en"
    # The version of Mattermost that the stand-in answers as.
    Version: str = NEWEST

    def changed(self, changes: Mapping[str, Any]) -> "Options":
        """Return the same options with some values changed.

        Raises:
            ValueError: a name is no option, or a value has the wrong type.
        """
        for name, value in changes.items():
            current = getattr(self, name, None)
            wanted = (int, float) if isinstance(current, float) else type(current)
            if name not in self.__slots__ or not isinstance(value, wanted):
                raise ValueError(f"{name} is no option, or the value has the wrong type")
        if changes.get("Version", self.Version) not in VERSIONS:
            raise ValueError(f"Version must be one of {', '.join(VERSIONS)}")
        if changes.get("DefaultClientLocale", self.DefaultClientLocale) not in CLIENT_WORDS:
            raise ValueError(f"DefaultClientLocale must be one of {', '.join(CLIENT_WORDS)}")
        return replace(self, **changes)

    @property
    def version(self) -> ServerVersion:
        """The rules of the version that the server answers as."""
        return VERSIONS[self.Version]

    @property
    def collapsed_threads(self) -> str:
        """The setting of collapsed reply threads."""
        return self.CollapsedThreads or self.version.collapsed_threads

    @property
    def threads_are_collapsed(self) -> bool:
        """Whether threads are collapsed for members who have not changed the setting."""
        return self.collapsed_threads in ("always_on", "default_on")

    def version_id(self) -> str:
        """Return the X-Version-Id header: version, build, hash of the settings, licensed."""
        digest = hashlib.new(
            self.version.digest, repr(asdict(self)).encode(), usedforsecurity=False
        )
        return f"{self.Version}..{digest.hexdigest()}.false"


# The sections whose settings get a prefix here, because their names alone are too general.
_SECTION_PREFIX = {"RateLimitSettings": "RateLimit"}


def from_config_patch(patch: Mapping[str, Any], version: ServerVersion) -> dict[str, Any]:
    """Return the options that a body of PUT /config/patch changes, and ignore unknown settings.

    Raises:
        ApiError: the version does not know the value of CollapsedThreads.
    """
    threads = patch.get("ServiceSettings", {}).get("CollapsedThreads")
    if threads is not None and threads not in version.collapsed_threads_values:
        raise ApiError(COLLAPSED_THREADS)
    return {
        name: value
        for section, settings in patch.items()
        for key, value in settings.items()
        if (name := _SECTION_PREFIX.get(section, "") + key) in Options.__slots__
    }


# The options that /config/client returns to a signed-in user, all as strings.
_PUBLISHED = (
    "EnableFileAttachments",
    "EnableLinkPreviews",
    "EnableOutgoingWebhooks",
    "EnablePostIconOverride",
    "EnablePostUsernameOverride",
    "MaxFileSize",
    "MaxPostSize",
    "PostEditTimeLimit",
    "PostPriority",
    "RequireEmailVerification",
    "ShowEmailAddress",
    "SiteURL",
    "Version",
)
_PUBLISHED_TO_ALL = ("SiteURL", "Version")


def client_config(options: Options, *, signed_in: bool) -> dict[str, str]:
    """Return the flat map of strings of GET /config/client?format=old."""
    names = _PUBLISHED if signed_in else _PUBLISHED_TO_ALL
    values = {name: getattr(options, name) for name in names}
    if signed_in:
        values["CollapsedThreads"] = options.collapsed_threads
    told = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
    return options.version.shaped("config", told)
