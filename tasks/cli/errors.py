"""Errors that an operator can correct, each as one line with the cure."""

from __future__ import annotations

from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError

from models import KeyRingError
from settings import SettingsError
from tasks.attachments import AttachmentError
from tasks.failures import SendFailedError
from tasks.licences.registration import RegistrationError
from tasks.mattermost import MattermostError
from tasks.outbound.resending import LaneBusyError
from tasks.watch.own_servers import first_line

NO_REDIS = "Redis cannot be reached: check REDIS_URL, and that it runs"
_AS_THEY_ARE = (RegistrationError, MattermostError, KeyRingError, SendFailedError, LaneBusyError)


def explain(error: Exception) -> str | None:
    """Return the error as one line with its cure; None: an operator cannot correct it."""
    match error:
        case AttachmentError():
            return f"{error}: check ATTACHMENTS_URL, then run it again"
        case SettingsError():
            return f"{error}: see docs/settings.md"
        case OperationalError() | ProgrammingError() | InternalError():
            return (
                f"the database cannot be reached or has no tables ({first_line(error)}): check "
                "DATABASE_URL, then run `ireserve-mattermost db upgrade`"
            )
        case RedisError() | BrokerError():
            return NO_REDIS
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}"
    return str(error) if isinstance(error, _AS_THEY_ARE) else None
