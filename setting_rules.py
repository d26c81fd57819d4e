"""Rules for the settings' values beyond their types, and the sentences of their errors."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ireserve_mattermost.wake_ups import QUEUE

# Two names are similar from this ratio on, or if only the unit at their end differs (HOLD_SECONDS
# and HOLD_S).
_ALIKE = 0.85
_UNIT = re.compile(r"_(S|SEC|SECS|SECONDS|MIN|MINUTES|HOURS|D|DAYS)$")
# A variable with this prefix is always meant for this application.
PREFIX = "IRESERVE_MATTERMOST_"
_DATABASE = (
    "must be an address such as postgresql://user:password@host:5432/database or "
    "sqlite:////path/to/file.db"
)


def database_url(value: str) -> str:
    """Return the address with our driver; accept ``postgres://``, as hosting platforms give it.

    Raises:
        ValueError: the address is missing, is wrong, or names another kind of database.
    """
    _require_set(value)
    scheme, separator, rest = value.partition("://")
    kind = scheme.lower().partition("+")[0]
    if not separator or kind not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError(f"{_DATABASE}; no other database is supported")
    if kind == "sqlite":
        return f"sqlite://{rest}"
    url = f"postgresql+psycopg://{rest}"
    _require_postgres_url(url)
    return url


def _require_set(value: str) -> None:
    if not value:
        raise ValueError("must be set: outside of a checkout it has no default")


def _require_postgres_url(url: str) -> None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import make_conninfo
    except ImportError:
        raise ValueError("names PostgreSQL, but psycopg is not installed") from None
    try:
        parsed = make_url(url)
        make_conninfo("", **{name: str(value) for name, value in parsed.query.items()})
    except (ArgumentError, ValueError):
        # The libraries' error texts may show a part of the password.
        raise ValueError(
            f"{_DATABASE}; one host, and special characters of user and password percent-encoded"
        ) from None
    except ProgrammingError as error:
        named = str(error).strip()
        raise ValueError(f"has an option that PostgreSQL does not know: {named}") from None


def attachments_url(value: str) -> str:
    """Return the address of the store, after checking that fsspec can open it.

    Raises:
        ValueError: the address is missing, or needs a package that is not installed.
    """
    from fsspec import get_filesystem_class

    _require_set(value)
    scheme, separator, _ = value.partition("://")
    try:
        get_filesystem_class(scheme if separator else "file")
    except ImportError:
        raise ValueError(
            f"names a store {scheme}:// whose package is not installed: for s3:// "
            "install the extra s3 (pip install 'ireserve-mattermost[s3]')"
        ) from None
    except ValueError:
        raise ValueError("must begin with file:// or s3://") from None
    return value


def proxy_url(value: str | None) -> str | None:
    """Return the address of the proxy.

    Raises:
        ValueError: it is not the http:// or https:// address of a host.
    """
    if value is not None and not re.match(r"https?://[^/\s]+", value):
        raise ValueError("must begin with http:// or https:// and name a host")
    return value


def readable_file(value: str | None) -> str | None:
    """Return the path.

    Raises:
        ValueError: there is no such file.
    """
    if value is not None and not Path(value).is_file():
        raise ValueError("names no file that this process may read")
    return value


def queue_of_the_host(value: str) -> str:
    """Return the queue of i-Reserve's own workers.

    Raises:
        ValueError: it is the queue of our workers.
    """
    if value == QUEUE:
        raise ValueError(f"must not be {QUEUE}, which our own workers read: they have no such task")
    return value


def sentence(error: Mapping[str, Any]) -> str:
    """Return one sentence about a wrong setting, without its value."""
    said = _said(str(error["msg"]))
    # Two variables can hold the address of Redis, so its own error text names the address instead.
    return said if said.startswith("the address of Redis") else f"{_name(error)} {said}"


def _name(error: Mapping[str, Any]) -> str:
    return str(error["loc"][0]).upper()


def _said(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text.replace("Input should be", "must be").split(", unable to parse", maxsplit=1)[0]


def unread(environ: Mapping[str, str], *, known: Collection[str]) -> dict[str, str]:
    """Return the names that no process reads, each with the known name it may mean.

    A name is included if it has our prefix, or if it resembles a known name that is not set. The
    value is an empty string if no known name is similar.
    """
    ours = {name: _nearest(name, known) for name in environ if name.startswith(PREFIX)}
    return {**mistyped(environ, known=known), **_without(ours, known)}


def _without(names: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    return {name: near for name, near in names.items() if name not in known}


def _nearest(name: str, known: Collection[str]) -> str:
    rest = name.removeprefix(PREFIX)
    near = get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return next(iter(near or get_close_matches(rest, known, n=1)), "")


def mistyped(environ: Mapping[str, str], *, known: Iterable[str]) -> dict[str, str]:
    """Return the names that resemble a known name that is not set, each with that known name."""
    missing = [name for name in known if name not in environ]
    found = {}
    for name in environ:
        near = get_close_matches(name, missing, n=1, cutoff=_ALIKE) or [
            each for each in missing if _UNIT.search(each) and _stem(each) == _stem(name)
        ]
        if near and name not in known:
            found[name] = near[0]
    return found


def _stem(name: str) -> str:
    return _UNIT.sub("", name)
