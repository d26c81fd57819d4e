"""Connections to Redis for the lanes: short timeouts for i-Reserve, longer ones for workers."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ireserve_mattermost.address import parse_redis_url

# A request to i-Reserve waits for `.delay()`, so a Redis that is away must not delay it for long.
# Connecting and the command take less than 1.5 s together.
PRODUCER_CONNECT_TIMEOUT_S = 0.4
PRODUCER_TIMEOUT_S = 0.6

# A worker can wait, and giving up early costs it more than waiting. The timeout must be longer
# than kombu's blocking pop of 1 s. A worker notices a cut connection within this time.
WORKER_CONNECT_TIMEOUT_S = 3.0
WORKER_TIMEOUT_S = 5.0

# The web process answers an uptime check within 5 s, even if both Redis and the database hang.
WEB_CONNECT_TIMEOUT_S = 1.0
WEB_TIMEOUT_S = 2.0

# redis-py 8 allows a process 100 connections. A worker can have more threads, and a host with
# gevent more greenlets. Redis itself takes 10,000 connections by default.
MAX_CONNECTIONS = 5_000


def producer_redis(url: str) -> Redis:
    """Return the connection with which ``.delay()`` writes to lanes.

    Raises:
        RedisAddressError: the address cannot be used.
    """
    return _redis(url, PRODUCER_CONNECT_TIMEOUT_S, PRODUCER_TIMEOUT_S)


def worker_redis(url: str) -> Redis:
    """Return the connection with which workers drain lanes.

    Raises:
        RedisAddressError: the address cannot be used.
    """
    return _redis(url, WORKER_CONNECT_TIMEOUT_S, WORKER_TIMEOUT_S)


def web_redis(url: str) -> Redis:
    """Return the connection with which a web process reads health and figures.

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
        # By default redis-py retries with growing pauses, which would multiply these timeouts.
        retry=Retry(NoBackoff(), 0),
    )
