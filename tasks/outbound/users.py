"""Store i-Reserve's users, so that replies are recorded under them.

A change of a user is not sent to Mattermost. It has a row in the ledger only if storing it failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import InvalidMessageError, UserChange, parse_message
from models import DeliveryState, Licence, User
from tasks.failures import OwnReason, SendFailedError, Settled
from tasks.outbound.endings import give_up, is_caused_by_entry, refuse_entry
from tasks.outbound.job import Head, Step
from tasks.runtime import Runtime


def store_changes(runtime: Runtime, lane: Lane, heads: Sequence[Head]) -> Iterator[Step]:
    """Store changes of users, one after the other; yield the outcome of each."""
    for head in heads:
        if runtime.stopping.is_set():
            return
        yield Step([head], [_store_change(runtime, lane, head.entry)])


def _store_change(runtime: Runtime, lane: Lane, entry: LaneEntry) -> Settled:
    try:
        change = parse_message("user", entry.payload)
        with runtime.database.transaction() as session:
            _store(session, change)
    except InvalidMessageError as error:
        failure = SendFailedError(OwnReason.INVALID_ARGUMENTS, str(error))
        return refuse_entry(runtime, lane, entry, failure)
    except SendFailedError as error:
        return refuse_entry(runtime, lane, entry, error)
    except Exception as error:
        if not is_caused_by_entry(error):
            raise
        return give_up(runtime, lane, entry, error)
    return Settled(entry.key, entry.task_id, DeliveryState.SENT)


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
