"""The doctor's checks: those of the installation's parts, and those of licences, in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import Database, Licence
from settings import mistyped_names
from tasks.app import app
from tasks.attachments.store import AttachmentStore
from tasks.checks import broker, workers
from tasks.checks import installation as ours
from tasks.checks.check import Check, failed, skipped
from tasks.checks.connections import check_connections, messages_at_once
from tasks.checks.licence import (
    CheckContext,
    LicenceChecks,
    StoredLicence,
    check_licence,
    load_licences,
)
from tasks.checks.reports import check_reports
from tasks.checks.store import check_store
from tasks.checks.variables import check_names
from tasks.cli.installation import Installation
from tasks.licences.registration import update_server_settings
from tasks.watch.installations import name_of

# A licence takes about five requests, one after the other. If each answer takes 0.1 s, 2,000
# licences wait 8 s in these threads, and use 12 s of a processor.
THREADS = 128
# The connections to the database, within ``COMMAND_CONNECTIONS`` of tasks/checks/connections.py. A
# query takes a hundredth of the time of a licence's requests.
LOADERS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """A check, and the licence that it is about; None: it is about the installation."""

    licence_id: str | None
    check: Check


def examine_installation(parts: Installation) -> list[Check]:
    """Return the checks of our own parts; if the broker is down, those that need it are skipped."""
    settings = parts.settings
    dsn = settings.sentry_dsn
    broker_check, takes_messages = broker.check_broker(parts.redis, place=settings.redis_label)
    return [
        *_check_database(parts.database),
        ours.check_keys(parts.database, parts.keyring),
        ours.check_unregistered(parts.database),
        check_store(AttachmentStore(settings.attachments_url)),
        broker_check,
        *(_check_work(parts) if takes_messages else _left_out()),
        check_names(mistyped_names()),
        check_reports(None if dsn is None else dsn.get_secret_value()),
    ]


def _check_database(database: Database) -> list[Check]:
    limits = [ours.check_limits(database)] if database.is_postgresql else []
    return [ours.check_database(database), *limits]


def _check_work(parts: Installation) -> list[Check]:
    """Return the checks that need Redis."""
    redis = parts.redis
    # Each question waits as long as a worker may take to answer, so they are asked together.
    with ThreadPoolExecutor() as pool:
        connections = pool.submit(_check_connections, parts.database)
        own, usual = pool.map(workers.answering, (app, workers.any_application(app)))
    return [
        *connections.result(),
        broker.check_memory(redis),
        broker.check_redis_clock(redis),
        workers.check_workers(own, usual),
        workers.check_beat(redis),
        *_check_sweepers(parts),
        *_check_host_tasks(parts, usual),
        broker.check_entries(redis),
    ]


def _check_connections(database: Database) -> list[Check]:
    if not database.is_postgresql:
        return []
    return [check_connections(database, messages_at_once(app))]


def _check_host_tasks(
    parts: Installation, answering: Sequence[workers.Worker] | None
) -> list[Check]:
    queue = parts.settings.reply_queue
    waiting = workers.waiting_in(parts.redis, queue)
    tasks = {
        workers.REPLY_TASK: parts.settings.reply_task,
        workers.OUTCOME_TASK: parts.settings.outcome_task,
    }
    return [
        workers.check_host_task(kind, task, queue, answering, waiting=waiting)
        for kind, task in tasks.items()
    ]


def _check_sweepers(parts: Installation) -> list[Check]:
    try:
        name = name_of(parts.database)
    except SQLAlchemyError:
        # The check of the database reports this.
        return []
    return [workers.check_installation(parts.redis, name)]


def _left_out() -> list[Check]:
    names = ("workers", "beat", "reply task", "outcome task")
    return [skipped(name, broker.NO_BROKER, "See the check of the broker.") for name in names]


def licence_ids(database: Database) -> list[str] | None:
    """Return the ids of all licences; None: the database does not answer (its check says so)."""
    try:
        with database.snapshot() as session:
            return list(session.scalars(select(Licence.id).order_by(Licence.id)))
    except SQLAlchemyError:
        return None


class Examination:
    """Checks licences in parallel, and stores what their servers say about themselves."""

    def __init__(self, database: Database, context: CheckContext) -> None:
        self._database = database
        self._context = context
        self._connecting = BoundedSemaphore(LOADERS)

    @contextmanager
    def of(self, ids: Sequence[str]) -> Iterator[Iterator[tuple[str, list[Check]]]]:
        """Yield the checks of each licence, in the order of ``ids``, as they come.

        After an error or Ctrl-C no other check begins, and those under way are cleaned up before
        this returns.
        """
        with ThreadPoolExecutor(max_workers=max(1, min(THREADS, len(ids)))) as pool:
            try:
                yield zip(ids, pool.map(self._look, ids), strict=True)
            except BaseException:
                self._context.stopping.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _look(self, licence_id: str) -> list[Check]:
        try:
            return self._look_at(licence_id)
        except SQLAlchemyError:
            return [skipped("licence", "the database does not answer")]
        except Exception as error:  # noqa: BLE001
            # An unexpected value of one licence must not hide the findings of others.
            what = f"the doctor broke at this licence ({type(error).__name__})"
            return [failed("licence", what, "Report it.")]

    def _look_at(self, licence_id: str) -> list[Check]:
        stored = self._load(licence_id)
        if stored is None:
            return [skipped("licence", "it was removed meanwhile")]
        found: LicenceChecks = check_licence(stored, self._context)
        if found.config is not None:
            # After an upgrade of many servers, the threads would else write all at once.
            with self._connecting:
                update_server_settings(self._database, stored.licence, found.config)
        return found.checks

    def _load(self, licence_id: str) -> StoredLicence | None:
        with self._connecting, self._database.snapshot() as session:
            return next(iter(load_licences(session, licence_id)), None)
