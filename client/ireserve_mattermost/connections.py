"""Connections to Redis for the lanes: short time limits for i-Reserve, longer ones for workers."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ireserve_mattermost.address import parse_redis_url

# i-Reserve's own request waits for `.delay()`: refused, hung or cut off, Redis must not hold it
# up. Connecting and asking stay within 1.5 s together.
PRODUCER_CONNECT_TIMEOUT_S = 0.4
PRODUCER_TIMEOUT_S = 0.6

# A worker has time, and less of it to lose by giving up early; kombu's blocking pop of 1 s must
# fit in as well. A cut connection is noticed within this time.
WORKER_CONNECT_TIMEOUT_S = 3.0
WORKER_TIMEOUT_S = 5.0

# An uptime check is answered within 5 s, whatever Redis and the database do together.
WEB_CONNECT_TIMEOUT_S = 1.0
WEB_TIMEOUT_S = 2.0

# redis-py 8 allows a process 100 connections, fewer than a worker has threads or a host with gevent
# has greenlets. Redis itself takes 10,000 by default.
MAX_CONNECTIONS = 5_000


def producer_redis(url: str) -> Redis:
    """Return the connection that ``.delay()`` writes lanes with.

    Raises:
        RedisAddressError: the address cannot be used.
    """
    return _redis(url, PRODUCER_CONNECT_TIMEOUT_S, PRODUCER_TIMEOUT_S)


def worker_redis(url: str) -> Redis:
    """Return the connection that workers drain lanes with.

    Raises:
        RedisAddressError: the address cannot be used.
    """
    return _redis(url, WORKER_CONNECT_TIMEOUT_S, WORKER_TIMEOUT_S)


def web_redis(url: str) -> Redis:
    """Return the connection that a web process asks for health and figures with.

    Raises:
        RedisAddressError: the address cannot be used.
    """
    return _redis(url, WEB_CONNECT_TIMEOUT_S, WEB_TIMEOUT_S)


def _redis(url: str, connect_timeout_s: float, timeout_s: float) -> Redis:
    return Redis(
        **parse_redis_url(url).for_redis(),
        socket_connect_timeout=connect_timeout_s,
        socket_timeout=timeout_s,
        max_connections=MAX_CONNECTIONS,
        # The library's own retries with growing pauses would multiply these times.
        retry=Retry(NoBackoff(), 0),
    )
