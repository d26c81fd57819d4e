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

# Variables that the Procfile and the command line read in addition to the settings.
OTHER_VARIABLES = (
    "FLOWER_BASIC_AUTH", "FLOWER_URL_PREFIX", "IRESERVE_MATTERMOST_ENV_FILE",
    "IRESERVE_MATTERMOST_OPERATOR", "LISTEN_ADDRESS", "WORKER_NAME", "WORKER_THREADS",
)  # fmt: skip
_HERE = Path(__file__).resolve().parent


def _under_var(address: str) -> str:
    """Return an address below the checkout's ``var/``; an empty string for an installed package.

    An installed package has no default, because an upgrade removes data in the package's folder.
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

    # A wrong value may be a secret, so an error names the field and leaves out the value.
    model_config = SettingsConfigDict(
        hide_input_in_errors=True, frozen=True, extra="ignore", populate_by_name=True,
        # Templates and compose files write NAME= for a setting that is not set.
        env_ignore_empty=True, str_strip_whitespace=True,
    )  # fmt: skip

    database_url: str = Field(
        default=_under_var("sqlite:///{}/ireserve-mattermost.db"), validate_default=True
    )
    # IRESERVE_MATTERMOST_REDIS_URL, else REDIS_URL. i-Reserve's processes follow the same rule.
    redis_url: str = Field(default=DEFAULT_URL, validation_alias=AliasChoices(*VARIABLES))
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    attachments_url: str = Field(default=_under_var("file://{}/attachments"), validate_default=True)
    attachment_hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    ca_bundle: str | None = None
    proxy_url: str | None = None

    connect_timeout_s: float = Field(default=3.0, gt=0, le=20)
    # Mattermost may fetch a link preview for 5 s before it answers, so keep this above 5 s. The
    # lane's lock (30 s) is extended before each request. With these defaults it outlasts both.
    read_timeout_s: float = Field(default=20.0, gt=0, le=20)
    hold_s: int = Field(default=600, ge=0, le=86_400)
    # i-Reserve's task for new and changed replies. Without a task, i-Reserve reads the tables.
    reply_task: str | None = None
    # Never our own queue, because our workers do not know the task. The default is Celery's own.
    reply_queue: str = "celery"
    # i-Reserve's task, in the same queue, for the outcomes of messages: which have failed, and
    # where threads are. Without a task, i-Reserve gets no outcomes.
    outcome_task: str | None = None
    retention_days: int = Field(default=30, ge=1, le=3_650)
    # A host or an operator may need these rows, so they are kept for ever unless a limit is set.
    retention_conversations_days: int | None = Field(default=None, ge=1, le=36_500)
    retention_replies_days: int | None = Field(default=None, ge=1, le=36_500)
    retention_deliveries_days: int | None = Field(default=None, ge=1, le=36_500)

    # How often catch-up looks for replies in private channels, for edits and for deletions. The
    # first interval is for channels with very recent posts; 0 switches it off.
    catch_up_busy_s: int = Field(default=3, ge=0, le=60)
    catch_up_interval_s: int = Field(default=60, ge=5, le=86_400)

    # Without a token the metrics are off: every server that sends webhooks can reach the address.
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
        """Return None for an empty secret, also for one that is passed as an argument."""
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
        """Return the address of Redis after checking it, before any process connects."""
        value = value.strip() or redis_url()
        parse_redis_url(value)
        return value

    @property
    def redis_label(self) -> str:
        """Host, port and database of Redis, without its user and password, for the logs."""
        return parse_redis_url(self.redis_url).label

    _database = field_validator("database_url")(rules.database_url)
    _attachments = field_validator("attachments_url")(rules.attachments_url)
    _proxy = field_validator("proxy_url")(rules.proxy_url)
    _ca_bundle = field_validator("ca_bundle")(rules.readable_file)
    _queue = field_validator("reply_queue")(rules.queue_of_the_host)


class SettingsError(Exception):
    """A setting cannot be used; the message names the setting and the rule, never the value."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process; the first call reads the environment.

    Raises:
        SettingsError: a setting cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = [rules.sentence(each) for each in error.errors(include_input=False)]
        raise SettingsError(f"wrong settings: {'; '.join(sorted(set(found)))}") from None


def settings_or_exit() -> Settings:
    """Return the settings; if one is wrong, print a sentence and exit with status 1."""
    try:
        settings = get_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        raise SystemExit(1) from None
    return settings


def mistyped_names(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the names of variables that no process reads, each with the setting it may mean.

    A name is included if it has our prefix, or if it resembles a setting that is not set.
    Resemblance is a guess, because other programs share the environment.
    """
    return rules.unread(
        environ, known=[*VARIABLES, *map(str.upper, Settings.model_fields), *OTHER_VARIABLES]
    )


def account_before_sudo() -> str | None:
    """Return the account that started this process with ``sudo``; None without ``sudo``."""
    return os.environ.get("SUDO_USER") or None


def own_worker_name() -> str:
    """Return the name of this machine's worker, by the same rule as the Procfile."""
    return os.environ.get("WORKER_NAME") or "celery"


def own_port(usual: int) -> int:
    """Return the port of a process on this machine, by the same rule as the Procfile.

    Raises:
        SettingsError: PORT is not a number.
    """
    port = os.environ.get("PORT") or str(usual)
    if not port.isdecimal():
        raise SettingsError("wrong settings: PORT must be a number")
    return int(port)


def own_address() -> str:
    """Return the address at which a process on this machine answers, by the Procfile's rule."""
    address = os.environ.get("LISTEN_ADDRESS") or "0.0.0.0"
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


def flower_prefix() -> str:
    """Return the prefix of Flower's addresses, by Flower's own rule; an empty string for none."""
    prefix = os.environ.get("FLOWER_URL_PREFIX", "").strip("/")
    return f"/{prefix}" if prefix else ""


def environment_with(**more: str) -> dict[str, str]:
    """Return the environment for a process of the Procfile, with our programs first on PATH."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": programs, **more}
