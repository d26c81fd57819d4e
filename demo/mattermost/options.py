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
    # Not settings of a real server: the first two are fixed at 30 s there; tests shorten them.
    PendingPostTtlS: float = 30.0
    WebhookTimeoutS: float = 30.0
    # By which clock the page tells times, as clients do by their member's settings; empty: by the
    # browser's.
    PageTimeZone: str = ""
    # What the version has by default, unless it is set.
    CollapsedThreads: str = ""
    ThreadAutoFollow: bool = True
    PostPriority: bool = True
    # Seconds for which a message may be edited; -1: for ever.
    PostEditTimeLimit: int = -1
    EnableAPIPostDeletion: bool = False
    EnableAPIUserDeletion: bool = False
    # A JSON body may be so large, and 512 bytes more.
    MaximumPayloadSizeBytes: int = 300_000
    OutgoingIntegrationRequestsTimeout: int = 30
    SiteURL: str = ""
    # The language of the web client for those who have chosen none.
    DefaultClientLocale: str = "en"
    # The one switch: which version the server answers as.
    Version: str = NEWEST

    def changed(self, changes: Mapping[str, Any]) -> "Options":
        """The same options with some values changed.

        Raises: ValueError for a name that is none of these, or a value of the wrong type.
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
        """How the server answers."""
        return VERSIONS[self.Version]

    @property
    def collapsed_threads(self) -> str:
        """The setting of collapsed reply threads."""
        return self.CollapsedThreads or self.version.collapsed_threads

    @property
    def threads_are_collapsed(self) -> bool:
        """Whether members who have set nothing have their threads collapsed."""
        return self.collapsed_threads in ("always_on", "default_on")

    def version_id(self) -> str:
        """The X-Version-Id header: version, build, hash of the settings, licensed."""
        digest = hashlib.new(
            self.version.digest, repr(asdict(self)).encode(), usedforsecurity=False
        )
        return f"{self.Version}..{digest.hexdigest()}.false"


# The settings that carry another name here, because their section gives half of the meaning.
_SECTION_PREFIX = {"RateLimitSettings": "RateLimit"}


def from_config_patch(patch: Mapping[str, Any], version: ServerVersion) -> dict[str, Any]:
    """The options that a body of Mattermost's PUT /config/patch changes; others are ignored.

    Raises: ApiError for a setting of threads that the version does not know.
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


# What /config/client tells a signed-in user of the options, all as strings.
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
    """The flat map of strings that GET /config/client?format=old answers."""
    names = _PUBLISHED if signed_in else _PUBLISHED_TO_ALL
    values = {name: getattr(options, name) for name in names}
    if signed_in:
        values["CollapsedThreads"] = options.collapsed_threads
    told = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
    return options.version.shaped("config", told)
