"""Checks of a registered licence: its server, its bot, its channels and its webhook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models import Conversation, KeyRing, KeyRingError, Licence, WebhookToken, utc_now
from settings import Settings
from tasks.checks import options, webhooks
from tasks.checks.bot import PRIVATE, UsedChannel, check_team, check_used_channel, judge_bot
from tasks.checks.check import Check, attempt, failed, refused, skipped, warned
from tasks.checks.clock import check_clock
from tasks.checks.known_posts import NAME as KNOWN_POSTS
from tasks.checks.known_posts import check_known_posts, known_post_ids
from tasks.checks.registration import judge_server
from tasks.checks.round_trip import check_round_trip
from tasks.checks.speaking import check_speaking
from tasks.mattermost import (
    Channel,
    ClientConfig,
    MattermostClient,
    MattermostError,
    Member,
    RefusedError,
)
from tasks.mattermost.exchange import Stopping
from tasks.rendering.locale import Locale
from tasks.replies.live_channels import ACTIVE_FOR

_OTHER_ADDRESS = (
    "Give the server's address again: ireserve-mattermost licence edit LICENCE --url URL."
)


@dataclass(frozen=True, slots=True)
class StoredLicence:
    """A licence as it is stored, with its channels, its webhooks' tokens and its newest posts."""

    licence: Licence
    places: tuple[UsedChannel, ...]
    token_hashes: frozenset[str]
    post_ids: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[int, int]:
        """The stored limits: characters of a post, bytes of a file."""
        return self.licence.max_post_size, self.licence.max_file_size_bytes


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What the checks of a licence need.

    ``admin_token`` and ``callback_url`` are None if the operator has not given them.
    """

    settings: Settings
    keyring: Callable[[], KeyRing]
    connect: Callable[[str, str], MattermostClient]
    redis: Redis
    admin_token: str | None = None
    callback_url: str | None = None
    round_trip: bool = False
    # Set when the operator interrupts the doctor; a check under way still cleans up.
    stopping: Stopping = field(default_factory=Stopping)


@dataclass(frozen=True, slots=True)
class LicenceChecks:
    """The results of the checks, and the server's settings if the bot could ask for them."""

    checks: list[Check]
    config: ClientConfig | None = None


def load_licences(session: Session, licence_id: str | None) -> list[StoredLicence]:
    """Return the licence (None: all licences) with the stored data that its checks need."""
    query = select(Licence).options(selectinload(Licence.notification_channels))
    if licence_id is not None:
        query = query.where(Licence.id == licence_id)
    return [
        StoredLicence(
            licence,
            _used_channels(session, licence),
            _token_hashes(session, licence.id),
            known_post_ids(session, licence.id),
        )
        for licence in session.scalars(query.order_by(Licence.id))
    ]


def _token_hashes(session: Session, licence_id: str) -> frozenset[str]:
    own = WebhookToken.licence_id == licence_id
    return frozenset(session.scalars(select(WebhookToken.token_hash).where(own)))


def _used_channels(session: Session, licence: Licence) -> tuple[UsedChannel, ...]:
    """Return each channel once: the default, those of active threads, those of notifications."""
    live = session.scalars(
        select(Conversation.channel_id)
        .distinct()
        .where(
            Conversation.licence_id == licence.id,
            Conversation.last_active_at >= utc_now() - ACTIVE_FOR,
            Conversation.root_post_id.is_not(None),
        )
        .order_by(Conversation.channel_id)
    )
    default = UsedChannel(licence.default_channel_id, f"~{licence.default_channel_name}", True)
    places = {default.channel_id: default}
    for channel_id in live:
        places.setdefault(channel_id, UsedChannel(channel_id, channel_id, True))
    for target in licence.notification_channels:
        if target.enabled:
            place = UsedChannel(target.channel_id, f"~{target.channel_name}", False)
            places.setdefault(target.channel_id, place)
    return tuple(places.values())


def check_licence(stored: StoredLicence, context: CheckContext) -> LicenceChecks:
    """Return the results of the licence's checks; no stored data are changed."""
    licence = stored.licence
    checks = [] if licence.enabled else [_disabled()]
    try:
        token = context.keyring().decrypt(licence.bot_token_encrypted)
    except KeyRingError as error:
        return LicenceChecks([*checks, failed("bot", str(error), "See the check of the keys.")])
    try:
        client = context.connect(licence.server_url, token)
    except ValueError as error:
        return LicenceChecks([*checks, failed("server", str(error), _OTHER_ADDRESS)])
    with client:
        return _check_server(stored, context, client, checks)


def _check_server(
    stored: StoredLicence, context: CheckContext, client: MattermostClient, checks: list[Check]
) -> LicenceChecks:
    try:
        bot, config = _ask(client)
    except MattermostError as error:
        return LicenceChecks([*checks, refused("server", error), _unasked("bot and channels")])
    checks += [judge_server(config), check_clock(client.answer_headers)]
    if isinstance(bot, MattermostError):
        return LicenceChecks([*checks, refused("bot", bot), _unasked("team and channels")])
    return LicenceChecks(checks + _check_bot(stored, context, client, bot, config), config)


def _ask(client: MattermostClient) -> tuple[Member | RefusedError, ClientConfig]:
    """Return the bot, or the refusal of its token, and the server's settings.

    Mattermost shows all its settings only for a valid token, and some of them for any token.

    Raises:
        MattermostError: the server does not answer.
    """
    try:
        bot: Member | RefusedError = client.get_me()
    except RefusedError as error:
        bot = error
    return bot, client.get_client_config()


def _check_bot(
    stored: StoredLicence,
    context: CheckContext,
    client: MattermostClient,
    bot: Member,
    config: ClientConfig,
) -> list[Check]:
    checks = [judge_bot(bot, stored_user_id=stored.licence.bot_user_id)]
    team = stored.licence.team_name
    checks.append(attempt("team", lambda: check_team(client, team, bot_username=bot.username)))
    # Fetch each channel only once.
    ask = cache(client.get_channel)
    checks += [_check_channel(client, place, ask, bot.username) for place in stored.places]
    checks += options.judge_options(config)
    checks += check_speaking(client, stored.licence, config)
    checks.append(options.judge_limits(config, stored=stored.limits))
    if stored.post_ids:
        checks.append(attempt(KNOWN_POSTS, lambda: check_known_posts(client, stored.post_ids)))
    return checks + _check_way_back(stored, context, client, ask)


def _check_channel(
    client: MattermostClient, place: UsedChannel, ask: Callable[[str], Channel], bot_username: str
) -> Check:
    return attempt(
        place.check_name, lambda: check_used_channel(client, place, ask, bot_username=bot_username)
    )


def _check_way_back(
    stored: StoredLicence,
    context: CheckContext,
    client: MattermostClient,
    ask: Callable[[str], Channel],
) -> list[Check]:
    channel_id = stored.licence.default_channel_id
    if _is_private(ask, channel_id):
        return [webhooks.without_webhook()]
    checks = [
        webhooks.judge_tokens(len(stored.token_hashes)),
        attempt("webhook", lambda: _check_hooks(stored, context)),
    ]
    if context.callback_url is not None:
        url = context.callback_url
        checks.append(webhooks.check_callback(url, settings=context.settings))
    if context.round_trip:
        checks.append(attempt("round trip", lambda: _round_trip(client, context, stored.licence)))
    return checks


def _round_trip(client: MattermostClient, context: CheckContext, licence: Licence) -> Check:
    locale = Locale.of(language=licence.language, time_zone=licence.time_zone)
    return check_round_trip(
        client,
        context.redis,
        channel_id=licence.default_channel_id,
        wording=locale.wording,
        stopping=context.stopping,
    )


def _check_hooks(stored: StoredLicence, context: CheckContext) -> Check:
    licence = stored.licence
    if context.admin_token is None:
        return webhooks.unlisted()
    with context.connect(licence.server_url, context.admin_token) as admin:
        hooks = admin.list_outgoing_webhooks(team_id=licence.team_id)
    return webhooks.judge_hooks(
        hooks,
        channel_id=licence.default_channel_id,
        token_hashes=stored.token_hashes,
        callback_url=context.callback_url,
    )


def _is_private(ask: Callable[[str], Channel], channel_id: str) -> bool:
    try:
        return ask(channel_id).type == PRIVATE
    except MattermostError:
        # The channel's own check reports this error.
        return False


def _disabled() -> Check:
    return warned(
        "licence",
        "the licence is disabled: its messages fail, its replies are refused",
        "Run: ireserve-mattermost licence enable LICENCE.",
    )


def _unasked(what: str) -> Check:
    return skipped(what, "Mattermost must answer the bot first")
