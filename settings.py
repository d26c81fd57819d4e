"""All settings of the installation, read from the environment once and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import setting_rules as rules
from ireserve_mattermost.address import DEFAULT_URL, VARIABLES, parse_redis_url, redis_url

# What the Procfile and the command line read, beside the settings.
BESIDE = (
    "FLOWER_BASIC_AUTH", "FLOWER_URL_PREFIX", "IRESERVE_MATTERMOST_ENV_FILE",
    "IRESERVE_MATTERMOST_OPERATOR", "LISTEN_ADDRESS", "WORKER_NAME", "WORKER_THREADS",
)  # fmt: skip
_HERE = Path(__file__).resolve().parent


def _under_var(address: str) -> str:
    """Return the address of something under a checkout's ``var/``; installed there is no default.

    What is written among installed packages is gone with the next version.
    """
    is_checkout = (_HERE / "pyproject.toml").is_file()
    return address.format(_HERE / "var") if is_checkout else ""


def _split(value: Any) -> Any:
    """Return a comma-separated string as a tuple of its non-empty, stripped members."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class Settings(BaseSettings):
    """The installation's settings; each field is the environment variable of the same name."""

    # A wrong value may be a secret: the error names the field and not what was in it.
    model_config = SettingsConfigDict(
        hide_input_in_errors=True, frozen=True, extra="ignore", populate_by_name=True,
        # As templates and compose files have it: NAME= is a setting that is not set.
        env_ignore_empty=True, str_strip_whitespace=True,
    )  # fmt: skip

    database_url: str = Field(
        default=_under_var("sqlite:///{}/ireserve-mattermost.db"), validate_default=True
    )
    # IRESERVE_MATTERMOST_REDIS_URL, else REDIS_URL: the same rule in i-Reserve's processes.
    redis_url: str = Field(default=DEFAULT_URL, validation_alias=AliasChoices(*VARIABLES))
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    attachments_url: str = Field(default=_under_var("file://{}/attachments"), validate_default=True)
    attachment_hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    ca_bundle: str | None = None
    proxy_url: str | None = None

    connect_timeout_s: float = Field(default=3.0, gt=0, le=20)
    # Mattermost may fetch a link preview for 5 s before it answers, so shorter is unwise. The
    # lane's lock (30 s) is extended before each request and must outlive the two together.
    read_timeout_s: float = Field(default=20.0, gt=0, le=20)
    hold_s: int = Field(default=600, ge=0, le=86_400)
    # i-Reserve's task that is told of replies; without one i-Reserve reads the tables.
    reply_task: str | None = None
    # Never our own queue, where no worker knows that task. Celery's own default for one's own.
    reply_queue: str = "celery"
    # i-Reserve's task, in the same queue, that is told which messages fail and where threads are;
    # without one nothing is told.
    outcome_task: str | None = None
    retention_days: int = Field(default=30, ge=1, le=3_650)
    # What a host or an operator might miss is kept for ever, unless it is said for how long.
    retention_conversations_days: int | None = Field(default=None, ge=1, le=36_500)
    retention_replies_days: int | None = Field(default=None, ge=1, le=36_500)
    retention_deliveries_days: int | None = Field(default=None, ge=1, le=36_500)

    # How late a reply in a private channel, an edit or a deletion may be noticed: where something
    # was just said, and elsewhere. 0 switches the former off.
    catch_up_busy_s: int = Field(default=3, ge=0, le=60)
    catch_up_interval_s: int = Field(default=60, ge=5, le=86_400)

    # Without it the metrics are not served: the address can be reached from wherever webhooks come.
    metrics_token: SecretStr | None = None
    # Needs the extra `sentry`.
    sentry_dsn: SecretStr | None = None

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @field_validator("encryption_keys", "attachment_hosts", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("metrics_token", "sentry_dsn", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        """Take an empty secret for none, wherever it comes from."""
        return value or None

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("log_format", mode="before")
    @classmethod
    def _lower_case(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("redis_url")
    @classmethod
    def _usable(cls, value: str) -> str:
        """Refuse an address of Redis that cannot be used, before anything connects."""
        value = value.strip() or redis_url()
        parse_redis_url(value)
        return value

    @property
    def redis_label(self) -> str:
        """Host, port and database of Redis, as logs may show them."""
        return parse_redis_url(self.redis_url).label

    _database = field_validator("database_url")(rules.database_url)
    _attachments = field_validator("attachments_url")(rules.attachments_url)
    _proxy = field_validator("proxy_url")(rules.proxy_url)
    _ca_bundle = field_validator("ca_bundle")(rules.readable_file)
    _queue = field_validator("reply_queue")(rules.queue_of_the_host)


class SettingsError(Exception):
    """A setting cannot be used; the message names it and what is allowed, and no value."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process; the environment is read at the first call.

    Raises:
        SettingsError: one of them cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = [rules.sentence(each) for each in error.errors(include_input=False)]
        raise SettingsError(f"wrong settings: {'; '.join(sorted(set(found)))}") from None


def settings_or_exit() -> Settings:
    """Return the settings, or end the process with one sentence: it cannot work without them."""
    try:
        settings = get_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        raise SystemExit(1) from None
    return settings


def mistyped_names(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return names of the environment that no process reads, each with the setting it may mean.

    Those are like a setting which is not set, or have our prefix. Other programs share the
    environment, so the former is a guess.
    """
    return rules.unread(
        environ, known=[*VARIABLES, *map(str.upper, Settings.model_fields), *BESIDE]
    )


def account_before_sudo() -> str | None:
    """Return the account from which this process was started with sudo; None: without it."""
    return os.environ.get("SUDO_USER") or None


def own_worker_name() -> str:
    """Return the name of this machine's worker, as the Procfile has it."""
    return os.environ.get("WORKER_NAME") or "celery"


def own_port(usual: int) -> int:
    """Return the port of this process or its neighbour, as the Procfile has it.

    Raises:
        SettingsError: PORT is no number.
    """
    port = os.environ.get("PORT") or str(usual)
    if not port.isdecimal():
        raise SettingsError("wrong settings: PORT must be a number")
    return int(port)


def own_address() -> str:
    """Return the address at which a neighbour on this machine answers, as the Procfile has it."""
    address = os.environ.get("LISTEN_ADDRESS") or "0.0.0.0"
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


def flower_prefix() -> str:
    """Return what stands before each of Flower's addresses, as Flower itself reads it."""
    prefix = os.environ.get("FLOWER_URL_PREFIX", "").strip("/")
    return f"/{prefix}" if prefix else ""


def environment_with(**more: str) -> dict[str, str]:
    """Return the environment for a process of the Procfile: our programs come first."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": programs, **more}
