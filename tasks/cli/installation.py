"""The parts of the installation that commands use, each made when it is first needed."""

from __future__ import annotations

from functools import cached_property

import click
from redis import Redis

from ireserve_mattermost.connections import worker_redis
from ireserve_mattermost.lanes import Lanes
from models import Database, KeyRing
from models.limits import OPERATOR, Limits
from settings import Settings, get_settings
from tasks.licences.circuit import Circuits
from tasks.licences.registration import RegistrationError
from tasks.mattermost import MattermostClient
from tasks.runtime import connect


class Installation:
    """Database, Redis and keys of the settings; connections are closed when the command ends."""

    def __init__(self, *, limits: Limits = OPERATOR) -> None:
        self._limits = limits

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        return get_settings()

    @cached_property
    def database(self) -> Database:
        """The database."""
        database = Database(self.settings.database_url, limits=self._limits)
        click.get_current_context().call_on_close(database.dispose)
        return database

    @cached_property
    def redis(self) -> Redis:
        """The connection to Redis."""
        redis = worker_redis(self.settings.redis_url)
        click.get_current_context().call_on_close(redis.close)
        return redis

    @cached_property
    def lanes(self) -> Lanes:
        """The lanes."""
        return Lanes(self.redis)

    @cached_property
    def circuits(self) -> Circuits:
        """The circuits."""
        return Circuits(self.redis)

    def keyring(self) -> KeyRing:
        """Return the keys.

        Raises:
            KeyRingError: ENCRYPTION_KEYS is empty, or has an invalid key.
        """
        return KeyRing([key.get_secret_value() for key in self.settings.encryption_keys])

    def connect(self, server_url: str, token: str) -> MattermostClient:
        """Return a client, which is closed when the command ends.

        Raises:
            RegistrationError: the address or the token has no valid form.
        """
        try:
            client = connect(self.settings, server_url.rstrip("/"), token)
        except ValueError as error:
            # The error's text quotes neither address nor token.
            raise RegistrationError(str(error)) from None
        click.get_current_context().call_on_close(client.close)
        return client
