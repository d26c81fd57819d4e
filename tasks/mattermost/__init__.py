"""A client for the REST API of Mattermost, which does not depend on the rest of this package."""

from tasks.mattermost.allowance import Allowance, AllowanceSpentError
from tasks.mattermost.client import MattermostClient
from tasks.mattermost.errors import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
)
from tasks.mattermost.reasons import Reason
from tasks.mattermost.transport import Download
from tasks.mattermost.types import (
    Channel,
    ClientConfig,
    FileInfo,
    Member,
    Membership,
    OutgoingWebhook,
    Post,
    Team,
)

__all__ = [
    "Allowance",
    "AllowanceSpentError",
    "Channel",
    "ClientConfig",
    "Download",
    "FileInfo",
    "MattermostClient",
    "MattermostError",
    "Member",
    "Membership",
    "NotSentError",
    "OutcomeUnknownError",
    "OutgoingWebhook",
    "Post",
    "RateLimitedError",
    "Reason",
    "RefusedError",
    "Team",
]
