"""One rule for the address of Redis: what each library gets, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ireserve_mattermost.address import (
    DEFAULT_URL,
    RedisAddressError,
    parse_redis_url,
    redis_url,
)

TLS = {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
PLAIN = {"host": "h", "port": 6379, "db": 0, "password": None}


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        pytest.param("redis://h", PLAIN, id="host alone"),
        pytest.param(" redis://h:6379/ ", PLAIN, id="blanks and a slash"),
        pytest.param("REDIS://h/5", {**PLAIN, "db": 5}, id="capitals"),
        pytest.param("valkey://h/5", {**PLAIN, "db": 5}, id="valkey"),
        pytest.param("redis://h?db=3", {**PLAIN, "db": 3}, id="database as an option"),
        pytest.param("redis://h/3?db=3", {**PLAIN, "db": 3}, id="database twice, the same"),
        pytest.param("redis://[::1]:7/1", {**PLAIN, "host": "::1", "port": 7, "db": 1}, id="IPv6"),
        pytest.param(
            "redis://:p%40ss%2Fw%23r%3Ad%25@h", {**PLAIN, "password": "p@ss/w#r:d%"}, id="password"
        ),
        pytest.param(
            "redis://app:secret@h", {**PLAIN, "username": "app", "password": "secret"}, id="user"
        ),
        pytest.param("rediss://h", {**PLAIN, **TLS}, id="TLS"),
        pytest.param(
            "rediss://h?ssl_cert_reqs=none",
            {**PLAIN, **TLS, "ssl_cert_reqs": "none", "ssl_check_hostname": False},
            id="TLS, any certificate",
        ),
        pytest.param(
            "rediss://h?ssl_cert_reqs=CERT_NONE",
            {**PLAIN, **TLS, "ssl_cert_reqs": "none", "ssl_check_hostname": False},
            id="TLS, in kombu's words",
        ),
        pytest.param(
            "rediss://h?ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
            {**PLAIN, **TLS, "ssl_ca_certs": "/ca.pem", "ssl_check_hostname": False},
            id="TLS, own authority",
        ),
        pytest.param(
            "unix:///run/redis.sock?db=2",
            {"unix_socket_path": "/run/redis.sock", "db": 2, "password": None},
            id="socket",
        ),
        pytest.param(
            "redis+socket:///run/redis.sock?virtual_host=2",
            {"unix_socket_path": "/run/redis.sock", "db": 2, "password": None},
            id="socket, in kombu's words",
        ),
    ],
)
def test_address_becomes_arguments_of_redis(url: str, arguments: dict[str, Any]) -> None:
    """redis-py gets keyword arguments, and parses no address itself."""
    assert parse_redis_url(url).for_redis() == arguments


@pytest.mark.parametrize(
    ("url", "broker_url", "tls"),
    [
        pytest.param("redis://h", "redis://h:6379/0", False, id="plain"),
        pytest.param("redis://h?db=3", "redis://h:6379/3", False, id="database as an option"),
        pytest.param("redis://[::1]/1", "redis://[::1]:6379/1", False, id="IPv6"),
        pytest.param("redis://:p%40s@h", "redis://:p%40s@h:6379/0", False, id="password"),
        pytest.param(
            "rediss://h/1",
            "rediss://h:6379/1",
            {"ssl_cert_reqs": "required", "ssl_check_hostname": True},
            id="TLS",
        ),
        pytest.param(
            "unix:///run/r.sock?db=2",
            "redis+socket:///run/r.sock?virtual_host=2",
            False,
            id="socket",
        ),
    ],
)
def test_address_becomes_settings_of_celery(url: str, broker_url: str, tls: Any) -> None:
    """kombu gets an address in its own form, and TLS as a separate setting."""
    expected = {"broker_url": broker_url, "broker_use_ssl": tls}

    assert parse_redis_url(url).for_celery() == expected


@pytest.mark.parametrize(
    ("url", "named"),
    [
        pytest.param("sentinel://h:26379/mymaster", "sentinel or a cluster", id="sentinel"),
        pytest.param("redis+sentinel://h/x", "sentinel or a cluster", id="sentinel with redis"),
        pytest.param("redis-cluster://h", "sentinel or a cluster", id="cluster"),
        pytest.param("redis://h1:1,h2:2/0", "sentinel or a cluster", id="several hosts"),
        pytest.param("localhost:6379", "must begin with redis://", id="no scheme"),
        pytest.param('"redis://h"', "must begin with redis://", id="quotation marks"),
        pytest.param("amqp://h", "must begin with redis://", id="another broker"),
        pytest.param("redis://:p@ss@h", "percent-encode", id="raw @ in the password"),
        pytest.param("redis://:p/ss@h", "percent-encode", id="raw / in the password"),
        pytest.param("redis://:p#ss@h", "percent-encode", id="raw # in the password"),
        pytest.param("redis://h:secret", "no number from 1 to 65535", id="port that is none"),
        pytest.param("redis://h/x", "by its number", id="database that is none"),
        pytest.param("redis://h/2?db=3", "one database", id="two databases"),
        pytest.param("redis://h/-1", "by its number", id="negative database"),
        pytest.param("redis://h?protocol=3", "'protocol'", id="an option that kombu does not know"),
        pytest.param("redis://h?ssl_cert_reqs=none", "'ssl_cert_reqs'", id="TLS word without TLS"),
        pytest.param("rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs", id="unknown TLS word"),
        pytest.param("unix://run/redis.sock", "absolute path", id="relative socket"),
    ],
)
def test_address_that_cannot_work_is_refused_in_one_sentence(url: str, named: str) -> None:
    """The error names the mistake in one sentence, without any part that may be a password."""
    with pytest.raises(RedisAddressError) as refused:
        parse_redis_url(url)

    assert named in str(refused.value)
    assert "ss@h" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, DEFAULT_URL, id="nothing"),
        pytest.param({"REDIS_URL": "redis://a"}, "redis://a", id="the common name"),
        pytest.param(
            {"REDIS_URL": "redis://a", "IRESERVE_MATTERMOST_REDIS_URL": "redis://b"},
            "redis://b",
            id="our own name first",
        ),
        pytest.param(
            {"REDIS_URL": "redis://a", "IRESERVE_MATTERMOST_REDIS_URL": " "},
            "redis://a",
            id="an empty one does not count",
        ),
    ],
)
def test_address_is_read_by_one_rule(environ: dict[str, str], expected: str) -> None:
    """The package's own variable comes first, so i-Reserve may keep REDIS_URL for itself."""
    assert redis_url(environ) == expected


def test_label_names_the_place_and_no_secret() -> None:
    """The label of the address, for log and doctor, shows no secret."""
    address = parse_redis_url("redis://app:secret@db.internal:6380/4")

    assert address.label == "db.internal:6380/4"
    assert "secret" not in repr(address)
