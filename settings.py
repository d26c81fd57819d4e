"""All settings of the installation, read from the environment once and nowhere else."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ireserve_mattermost.address import DEFAULT_URL, VARIABLES, parse_redis_url, redis_url

_VAR = Path(__file__).resolve().parent / "var"


def _split(value: Any) -> Any:
    """Return a comma-separated string as a tuple of its non-empty, stripped members."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class Settings(BaseSettings):
    """The installation's settings; each field is the environment variable of the same name."""

    # A wrong value may be a secret: the error names the field and not what was in it.
    model_config = SettingsConfigDict(
        hide_input_in_errors=True, frozen=True, extra="ignore", populate_by_name=True
    )

    database_url: str = Field(default=f"sqlite:///{_VAR / 'ireserve-mattermost.db'}")
    # IRESERVE_MATTERMOST_REDIS_URL, else REDIS_URL: the same rule in i-Reserve's processes.
    redis_url: str = Field(default=DEFAULT_URL, validation_alias=AliasChoices(*VARIABLES))
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    attachments_url: str = Field(default=f"file://{_VAR / 'attachments'}")
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
    retention_days: int = Field(default=30, ge=1, le=3_650)
    # What a host or an operator might miss is kept for ever, unless it is said for how long.
    retention_conversations_days: int | None = Field(default=None, ge=1, le=36_500)
    retention_replies_days: int | None = Field(default=None, ge=1, le=36_500)
    retention_deliveries_days: int | None = Field(default=None, ge=1, le=36_500)

    # How late a reply in a private channel, an edit or a deletion may be noticed: where something
    # was just said, and elsewhere. 0 switches the former off.
    catch_up_busy_s: int = Field(default=3, ge=0, le=60)
    catch_up_interval_s: int = Field(default=60, ge=5, le=86_400)

    # Without it nobody sees the metrics: the address is reachable from wherever webhooks come from.
    metrics_token: SecretStr | None = None
    # Needs the extra `sentry`.
    sentry_dsn: SecretStr | None = None

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @field_validator("encryption_keys", "attachment_hosts", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        return _split(value)

    @field_validator(
        "metrics_token",
        "sentry_dsn",
        "retention_conversations_days",
        "retention_replies_days",
        "retention_deliveries_days",
        mode="before",
    )
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        """Take an empty variable for one that is not set."""
        return value or None

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

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, value: str) -> str:
        """Accept the address as hosting platforms hand it out, and name our driver."""
        scheme, separator, rest = value.partition("://")
        if scheme in {"postgres", "postgresql"}:
            scheme = "postgresql+psycopg"
        return f"{scheme}{separator}{rest}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process; the environment is read at the first call."""
    return Settings()


def account_before_sudo() -> str | None:
    """Return the account from which this process was started with sudo; None: without it."""
    return os.environ.get("SUDO_USER") or None
