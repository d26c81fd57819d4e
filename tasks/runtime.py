"""The parts of a worker process (database, Redis, licences, clients), made at the first use."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from redis import Redis

from ireserve_mattermost.connections import worker_redis
from ireserve_mattermost.lanes import Lanes
from models import Database, KeyRing
from models.limits import WORKER
from settings import Settings, get_settings
from tasks.attachments import AttachmentSource
from tasks.licences.access import LicenceAccess, Licences
from tasks.licences.circuit import Circuits
from tasks.licences.planned_looks import PlannedLooks
from tasks.licences.shares import Shares
from tasks.locks import Locks
from tasks.mattermost import MattermostClient
from tasks.mattermost.exchange import Stopping
from tasks.watch.tallies import Tallies

# Half as many looks at busy channels run at once as messages. A message may hold 32 threads, so all
# looks together hold at most a quarter of the threads.
THREADS_PER_LOOK = 16
# The licences whose connections are kept. Above this number, the least recently used is dropped.
MAX_CLIENTS = 200


class Clients:
    """One client for each licence's server and token, shared by all threads."""

    def __init__(self, settings: Settings, *, threads: int, stopping: Stopping) -> None:
        self._settings = settings
        self._threads = threads
        self._stopping = stopping
        self._clients: OrderedDict[tuple[str, str, str], MattermostClient] = OrderedDict()
        self._mutex = Lock()

    def of(self, licence: LicenceAccess) -> MattermostClient:
        """Return the client for a licence; a changed address or token makes a new one."""
        key = (licence.id, licence.server_url, licence.token)
        with self._mutex:
            client = self._clients.get(key) or self._connect(licence.server_url, licence.token)
            self._clients[key] = client
            self._clients.move_to_end(key)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
            return client

    def _connect(self, server_url: str, token: str) -> MattermostClient:
        return connect(
            self._settings,
            server_url,
            token,
            pool_size=self._threads,
            stopping=self._stopping,
        )


def connect(
    settings: Settings,
    server_url: str,
    token: str,
    *,
    pool_size: int = 1,
    stopping: Stopping | None = None,
) -> MattermostClient:
    """Return a client with this installation's time limits, CA bundle and proxy."""
    return MattermostClient(
        server_url,
        token,
        connect_timeout_s=settings.connect_timeout_s,
        read_timeout_s=settings.read_timeout_s,
        ca_bundle=settings.ca_bundle,
        proxy_url=settings.proxy_url,
        pool_size=pool_size,
        stopping=stopping,
    )


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of one worker process; ``stopping`` is set when the process is to stop."""

    settings: Settings
    database: Database
    redis: Redis
    lanes: Lanes
    locks: Locks
    circuits: Circuits
    shares: Shares
    # Looks at busy channels have threads of their own, so they take none from the messages' shares.
    look_shares: Shares
    planned_looks: PlannedLooks
    tallies: Tallies
    licences: Licences
    clients: Clients
    attachments: AttachmentSource
    stopping: Stopping


def build_runtime(settings: Settings, *, threads: int = 1) -> Runtime:
    """Return the parts for a process that sends ``threads`` messages at once, not yet connected."""
    redis = worker_redis(settings.redis_url)
    database = Database(settings.database_url, pool_size=threads, limits=WORKER)
    stopping = Stopping()
    keyring = KeyRing([key.get_secret_value() for key in settings.encryption_keys])
    return Runtime(
        settings=settings,
        database=database,
        redis=redis,
        lanes=Lanes(redis, hold_ms=settings.hold_s * 1_000),
        locks=Locks(redis),
        circuits=Circuits(redis),
        shares=Shares(threads),
        look_shares=Shares(max(1, threads // 2), per_message=THREADS_PER_LOOK),
        planned_looks=PlannedLooks(),
        tallies=Tallies(redis),
        licences=Licences(database, keyring),
        clients=Clients(settings, threads=threads, stopping=stopping),
        attachments=AttachmentSource(
            settings.attachments_url,
            settings.attachment_hosts,
            ca_bundle=settings.ca_bundle,
            proxy_url=settings.proxy_url,
            connect_timeout_s=settings.connect_timeout_s,
            read_timeout_s=settings.read_timeout_s,
            stopping=stopping,
        ),
        stopping=stopping,
    )


class _Process:
    """The runtime of this process; a forked child makes its own."""

    def __init__(self) -> None:
        self.threads = 1
        self._runtime: Runtime | None = None
        self._pid = 0
        self._mutex = Lock()

    def runtime(self) -> Runtime:
        with self._mutex:
            if self._runtime is None or self._pid != os.getpid():
                self._runtime = build_runtime(get_settings(), threads=self.threads)
                self._pid = os.getpid()
            return self._runtime


_process = _Process()


def current_runtime() -> Runtime:
    """Return this process's runtime."""
    return _process.runtime()


def set_threads(threads: int) -> None:
    """Set how many messages this process sends at once, before the first ``current_runtime``."""
    _process.threads = threads
