"""Read the address of Redis from the environment, and check it, for every process.

redis-py and kombu parse an address by different rules. So this module parses the address once,
and gives each library the parts in the form that the library takes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

# The variable of this application comes first: hosting platforms set REDIS_URL to the Redis of
# i-Reserve itself.
VARIABLES = ("IRESERVE_MATTERMOST_REDIS_URL", "REDIS_URL")
DEFAULT_URL = "redis://127.0.0.1:6379/0"

_SCHEMES = {
    "redis": "tcp",
    "valkey": "tcp",
    "rediss": "tls",
    "valkeys": "tls",
    "unix": "unix",
    "redis+socket": "unix",
}
_CERTIFICATES = {"none": "none", "optional": "optional", "required": "required"}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_SWITCH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class RedisAddressError(ValueError):
    """The address of Redis cannot be used. The message says why, and shows no password."""


@dataclass(frozen=True)
class RedisAddress:
    """The parts of Redis' address. ``tls`` holds redis-py's TLS arguments, or None without TLS."""

    host: str
    port: int
    database: int
    socket_path: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """The host and port (or the socket's path) and the database, as logs may show them."""
        return f"{self.socket_path or f'{self.host}:{self.port}'}/{self.database}"

    def for_redis(self) -> dict[str, Any]:
        """Return the keyword arguments for ``redis.Redis``."""
        options: dict[str, Any] = {"db": self.database, "password": self.password}
        if self.username:
            options["username"] = self.username
        if self.socket_path:
            return {**options, "unix_socket_path": self.socket_path}
        tls = {"ssl": True, **self.tls} if self.tls is not None else {}
        return {**options, "host": self.host, "port": self.port, **tls}

    def for_celery(self) -> dict[str, Any]:
        """Return Celery's ``broker_url`` and ``broker_use_ssl``."""
        login = ""
        if self.password is not None or self.username:
            login = f"{quote(self.username or '', safe='')}:{quote(self.password or '', safe='')}@"
        if self.socket_path:
            path = quote(self.socket_path)
            url = f"redis+socket://{login}{path}?virtual_host={self.database}"
            return {"broker_url": url, "broker_use_ssl": False}
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "redis" if self.tls is None else "rediss"
        url = f"{scheme}://{login}{host}:{self.port}/{self.database}"
        return {"broker_url": url, "broker_use_ssl": False if self.tls is None else dict(self.tls)}


def redis_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address that the environment gives, unchecked; skip empty variables."""
    for variable in VARIABLES:
        value = environ.get(variable, "").strip()
        if value:
            return value
    return DEFAULT_URL


def parse_redis_url(url: str) -> RedisAddress:
    """Check an address of Redis and return its parts.

    Raises:
        RedisAddressError: the address cannot be used.
    """
    scheme, separator, rest = url.strip().partition("://")
    kind = _SCHEMES.get(scheme.lower()) if separator else None
    if kind is None:
        raise RedisAddressError(_refused_scheme(scheme.lower() if separator else ""))
    split = urlsplit(f"redis://{rest}")
    if (
        split.netloc.count("@") > 1
        or "#" in rest
        or rest.split("?")[0].rpartition("@")[0].count("/")
    ):
        raise RedisAddressError(
            "the address of Redis cannot be parsed: percent-encode special characters of user and "
            "password (@ as %40, / as %2F, # as %23, : as %3A)"
        )
    options = dict(parse_qsl(split.query, keep_blank_values=True))
    tls = _tls(options) if kind == "tls" else None
    database = _database(split, options, is_socket=kind == "unix")
    if options:
        raise RedisAddressError(
            f"the address of Redis has the option {sorted(options)[0]!r}, which is not supported: "
            "remove it (db and ssl_* are)"
        )
    if kind == "unix":
        return _socket(split, database)
    return _server(split, database, tls)


def _refused_scheme(scheme: str) -> str:
    if "sentinel" in scheme or "cluster" in scheme:
        return (
            "the address of Redis names a sentinel or a cluster, which are not supported: give the "
            "address of one server, or of a proxy that follows the master"
        )
    return (
        "the address of Redis must begin with redis://, rediss:// (TLS) or unix:// (a socket); "
        f"set {VARIABLES[0]} or {VARIABLES[1]} to such an address"
    )


def _server(split: SplitResult, database: int, tls: Mapping[str, Any] | None) -> RedisAddress:
    if "," in split.netloc or ";" in split.netloc:
        raise RedisAddressError(_refused_scheme("cluster"))
    try:
        host, port = split.hostname or "127.0.0.1", split.port or 6379
    except ValueError:
        # Python's own message shows the text after the colon, which may be part of the password.
        raise RedisAddressError(
            "the port in the address of Redis is no number from 1 to 65535; percent-encode special "
            "characters of user and password"
        ) from None
    username, password = _login(split)
    return RedisAddress(host, port, database, username=username, password=password, tls=tls)


def _socket(split: SplitResult, database: int) -> RedisAddress:
    path = unquote(split.path)
    if not path.startswith("/") or split.hostname:
        raise RedisAddressError(
            "the address of Redis' socket needs an absolute path: unix:///run/redis.sock?db=0"
        )
    username, password = _login(split)
    return RedisAddress("", 0, database, socket_path=path, username=username, password=password)


def _login(split: SplitResult) -> tuple[str | None, str | None]:
    username = unquote(split.username) if split.username else None
    return username, unquote(split.password) if split.password else None


def _database(split: SplitResult, options: dict[str, str], *, is_socket: bool) -> int:
    """Return the database's number from the path or an option; remove the option."""
    named = [options.pop(name) for name in ("db", "virtual_host") if name in options]
    if not is_socket and split.path.strip("/"):
        named.append(split.path.strip("/"))
    numbers = {value.strip("/") for value in named} or {"0"}
    number = numbers.pop()
    if numbers or not (number.isascii() and number.isdigit()) or len(number) > 5:
        raise RedisAddressError(
            "the address of Redis must name one database by its number, as in "
            "redis://host:6379/0 or unix:///path?db=0"
        )
    return int(number)


def _tls(options: dict[str, str]) -> dict[str, Any]:
    """Return redis-py's TLS arguments; remove the options that they come from."""
    word = options.pop("ssl_cert_reqs", "required")
    word = word.lower()
    if word.startswith("cert_"):
        word = word[len("cert_") :]
    if word not in _CERTIFICATES:
        raise RedisAddressError(
            "ssl_cert_reqs in the address of Redis must be required, optional or none"
        )
    tls: dict[str, Any] = {"ssl_cert_reqs": word, "ssl_check_hostname": word == "required"}
    check = options.pop("ssl_check_hostname", None)
    if check is not None:
        if check.lower() not in _SWITCH:
            raise RedisAddressError(
                "ssl_check_hostname in the address of Redis must be true or false"
            )
        tls["ssl_check_hostname"] = _SWITCH[check.lower()] and word != "none"
    tls.update({name: options.pop(name) for name in _TLS_FILES if name in options})
    return tls
