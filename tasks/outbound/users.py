"""i-Reserve's users, kept current so that a reply's author is one of them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import DeliveryState, Licence, User
from tasks.failures import SendFailedError
from tasks.lanes import Lane, LaneEntry
from tasks.messages import InvalidMessageError, UserChange, parse_user_change
from tasks.outbound.batch import refuse_entry
from tasks.outcomes import Settled
from tasks.reasons import OwnReason
from tasks.runtime import Runtime


def store_change(runtime: Runtime, lane: Lane, entry: LaneEntry) -> Settled:
    """Store what i-Reserve says of a user; what cannot be stored is in the ledger as failed."""
    try:
        change = parse_user_change(entry.payload)
        with runtime.database.transaction() as session:
            _store(session, change)
    except InvalidMessageError as error:
        failure = SendFailedError(OwnReason.INVALID_ARGUMENTS, str(error))
    except SendFailedError as error:
        failure = error
    else:
        return Settled(entry.key, entry.task_id, DeliveryState.SENT)
    return refuse_entry(runtime, lane, entry, failure)


def _store(session: Session, change: UserChange) -> None:
    if session.get(Licence, change.licence_id) is None:
        raise SendFailedError(
            OwnReason.LICENCE_UNKNOWN, f"no licence {change.licence_id!r} is registered"
        )
    session.merge(
        User(
            licence_id=change.licence_id,
            user_id=change.user_id,
            email=change.email,
            name=change.name.replace("\0", ""),
            active=change.active,
        )
    )
