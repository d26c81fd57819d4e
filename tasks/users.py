"""i-Reserve's users, kept current so that a reply's author is one of them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import Delivery, DeliveryKind, DeliveryState, Licence, User
from tasks import ledger
from tasks.delivery import Settled, refuse
from tasks.failures import SendFailedError
from tasks.lanes import Lane, LaneEntry
from tasks.messages import InvalidMessageError, UserChange, parse_user_change
from tasks.reasons import OwnReason
from tasks.runtime import Runtime


def store_change(runtime: Runtime, lane: Lane, entry: LaneEntry) -> Settled:
    """Store what i-Reserve says of a user; what cannot be stored is in the ledger as failed."""
    with runtime.database.transaction() as session:
        try:
            _store(session, parse_user_change(entry.payload))
        except InvalidMessageError as error:
            failure = SendFailedError(OwnReason.INVALID_ARGUMENTS, str(error))
        except SendFailedError as error:
            failure = error
        else:
            return Settled(entry.key, entry.task_id, DeliveryState.SENT)
        return refuse(session, _begin(session, lane, entry), entry, failure)


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
            name=change.name,
            active=change.active,
        )
    )


def _begin(session: Session, lane: Lane, entry: LaneEntry) -> int:
    row: Delivery | None = ledger.find(session, lane, entry.key)
    begun = ledger.begin(
        session,
        row,
        lane=lane,
        kind=DeliveryKind.USER,
        key=entry.key,
        task_id=entry.task_id,
        enqueued_at_ms=entry.enqueued_at_ms,
    )
    return begun.id
