"""Checks of the way back: Mattermost's outgoing webhook, its stored token, and its address."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import requests
from urllib3.exceptions import HTTPError

from models import hash_token
from settings import Settings
from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.mattermost import OutgoingWebhook
from tasks.mattermost.connections import plain_session
from tasks.mattermost.exchange import Exchange

JSON = "application/json"
TOKEN_COMMAND = "ireserve-mattermost licence webhook LICENCE"
# Our address answers with one line, so a longer answer is not ours.
MAX_ANSWER_BYTES = 1_024
_FROM_A_PROXY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}


def judge_tokens(count: int) -> Check:
    """Return whether a webhook token is stored; ``count`` is the number of stored tokens."""
    if count:
        return passed("webhook token", f"tokens stored: {count}")
    return failed(
        "webhook token",
        "no token is stored: calls of the outgoing webhook are refused",
        f"Make the webhook, then give its token: {TOKEN_COMMAND}.",
    )


def judge_hooks(
    hooks: Sequence[OutgoingWebhook],
    *,
    channel_id: str,
    token_hashes: frozenset[str],
    callback_url: str | None,
) -> Check:
    """Return whether the channel's outgoing webhook is correct; ``hooks`` are all of the team."""
    here = [hook for hook in hooks if hook.channel_id == channel_id and not hook.delete_at_ms]
    known = [hook for hook in here if hash_token(hook.token) in token_hashes]
    ours = [hook for hook in here if callback_url in hook.callback_urls] or known or here
    if not ours:
        return _fail(
            "the default channel has no outgoing webhook",
            "Make one: Integrations > Outgoing Webhooks, or licence add with --admin-token-file.",
        )
    if callback_url is not None and callback_url not in ours[0].callback_urls:
        return _fail(
            f"the webhook {ours[0].id} does not call {callback_url}",
            "Correct its callback URL.",
        )
    if not any(hook.token for hook in ours):
        return _fail(
            f"the webhook {ours[0].id} has no token, so its calls are refused",
            f"Press Regenerate Token at it in Mattermost, then give the new one: {TOKEN_COMMAND}.",
        )
    if not any(hash_token(hook.token) in token_hashes for hook in ours):
        return _fail(
            f"the token of webhook {ours[0].id} is not stored", f"Give it: {TOKEN_COMMAND}."
        )
    return _judge_details(ours)


def _judge_details(ours: Sequence[OutgoingWebhook]) -> Check:
    hook = ours[0]
    if hook.trigger_words:
        return _fail(
            f"the webhook {hook.id} has trigger words: it calls for some replies alone",
            "Remove its trigger words.",
        )
    if len(ours) > 1:
        return _warn(f"{len(ours)} webhooks tell of each reply", "Delete all but one.")
    if len(hook.callback_urls) > 1:
        return _warn(
            f"the webhook {hook.id} has several callback URLs, of which servers before 9.8 reach "
            "one at random",
            "Give each address a webhook of its own.",
        )
    if hook.content_type != JSON:
        return _warn(f"the webhook {hook.id} sends forms; they work", f"Set it to {JSON}.")
    return passed("webhook", f"the webhook {hook.id} is on the default channel, its token known")


def check_callback(callback_url: str, *, settings: Settings) -> Check:
    """Check whether our web process answers at the callback URL, as seen from this machine."""
    name = "callback URL"
    try:
        status, body = _ask(callback_url, settings)
    except (requests.RequestException, HTTPError, OSError):
        return failed(
            name,
            "no server answers there",
            "Start the web process, and check the address and the proxy in front of it.",
        )
    if status == HTTPStatus.METHOD_NOT_ALLOWED and b"only POST" in body:
        return passed(name, "the web process answers there")
    if 300 <= status < 400:
        return failed(
            name,
            f"it redirects (HTTP {status}), and Mattermost loses what it sends on the way",
            "Give the address to which it redirects.",
        )
    if status in _FROM_A_PROXY:
        return failed(
            name,
            f"the proxy answers (HTTP {status}), and the web process behind it does not",
            "Start the web process, or correct its address in the proxy.",
        )
    return failed(
        name,
        f"something else answers there (HTTP {status})",
        "The address ends in /mattermost/replies, on the host where the web process is served.",
    )


def _ask(callback_url: str, settings: Settings) -> tuple[int, bytes]:
    exchange = Exchange(
        connect_s=settings.connect_timeout_s,
        answer_s=settings.read_timeout_s,
        total_s=settings.connect_timeout_s + settings.read_timeout_s,
        receive_bytes=MAX_ANSWER_BYTES,
    )
    # The proxy is for requests to Mattermost, and this address is our own.
    session = plain_session(ca_bundle=settings.ca_bundle, proxy_url=None, pool_size=1)
    with exchange.running(), session:
        answer = session.get(callback_url, allow_redirects=False, stream=True)
        body: bytes = answer.raw.read(MAX_ANSWER_BYTES)
        answer.close()
        return answer.status_code, body


def unlisted() -> Check:
    """Return a skipped check, because the webhooks could not be listed."""
    return skipped("webhook", "a bot may not list webhooks", "Give --admin-token-file.")


def without_webhook() -> Check:
    """Return a skipped check, because a private channel has no webhook."""
    return skipped("webhook", "the default channel is private; replies come by catch-up")


def _fail(sentence: str, cure: str) -> Check:
    return failed("webhook", sentence, cure)


def _warn(sentence: str, cure: str) -> Check:
    return warned("webhook", sentence, cure)
