"""The address for Mattermost's outgoing webhooks, which stores a reply before it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bind_contextvars
from werkzeug.exceptions import RequestEntityTooLarge

from inbound.payload import (
    JSON,
    Fields,
    RefusedWebhookError,
    parse_webhook,
    read_fields,
    token_of,
)
from inbound.wake_ups import WakeUps
from models import Database, ReplySource
from models.limits import within
from tasks.replies.inbox import receive
from tasks.replies.webhook_tokens import find_sender
from tasks.watch.refusals import Address

log = structlog.get_logger(__name__)

# A post has at most 16,383 characters, and a form needs at most 12 bytes for a character.
MAX_BODY_BYTES = 256 * 1_024
# Mattermost would wait 30 s, and the call would occupy one of our threads for that time.
ANSWER_WITHIN_S = 4.0
# The blueprint takes all methods, so that a wrong method gets our own error in every application.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class ReplyWebhook:
    """Takes the calls of outgoing webhooks, and waits for nothing but the database."""

    def __init__(self, *, database: Callable[[], Database], wake_ups: WakeUps) -> None:
        self._database = database
        self._wake_ups = wake_ups

    def take(self) -> Response:
        """Return 200 and ``{}`` once the reply is in the inbox, or an error as JSON.

        No answer has a field ``text``, because Mattermost would post its value at any status.
        """
        try:
            self._record(_fields())
        except RefusedWebhookError as refusal:
            log.warning("webhook_refused", status=int(refusal.status), reason=str(refusal))
            self._wake_ups.note_refusal(Address.WEBHOOK, HTTPStatus(refusal.status))
            return _error(str(refusal), status=refusal.status, field=refusal.field)
        except SQLAlchemyError as error:
            log.error("webhook_not_recorded", error=type(error).__name__)
            self._wake_ups.note_refusal(Address.WEBHOOK, HTTPStatus.SERVICE_UNAVAILABLE)
            return _error("the database is away", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response("{}", mimetype=JSON)

    def _record(self, fields: Fields) -> None:
        """Store a new reply in the inbox, and wake a worker for it."""
        token = token_of(fields)
        # Two statements without a transaction, so a call with a wrong token takes no write lock.
        with within(ANSWER_WITHIN_S), self._database().autocommit() as connection:
            sender = find_sender(connection, token)
            if sender is None:
                raise RefusedWebhookError("unknown token", status=HTTPStatus.UNAUTHORIZED)
            webhook = parse_webhook(fields)
            # The blueprint unbinds it after the answer has begun, so the request's line has it too.
            bind_contextvars(correlation_id=webhook.post_id)
            if webhook.user_id == sender.bot_user_id:
                # Mattermost also calls the webhook for our own posts.
                self._wake_ups.note_own_post(webhook.post_id)
                return
            reply_id = receive(
                connection,
                licence_id=sender.licence_id,
                post_id=webhook.post_id,
                source=ReplySource.WEBHOOK,
            )
        if reply_id is not None:
            self._wake_ups.add(reply_id, licence_id=sender.licence_id)


def _fields() -> Fields:
    if request.method != "POST":
        raise RefusedWebhookError("only POST", status=HTTPStatus.METHOD_NOT_ALLOWED)
    return read_fields(_body(), mimetype=request.mimetype)


def _body() -> bytes:
    # These limits replace those of the surrounding application. A body without a Content-Length is
    # cut at the limit without an error, so a byte more shows that the body was too large.
    request.max_content_length = request.max_form_memory_size = MAX_BODY_BYTES + 1
    try:
        # If the surrounding application has read the form already, the body is empty here.
        body = request.get_data() or urlencode(list(request.form.items(multi=True))).encode()
    except RequestEntityTooLarge:
        raise _too_large() from None
    except Exception:  # noqa: BLE001 - each web server has errors of its own for a broken body
        raise RefusedWebhookError("the body could not be read") from None
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def _too_large() -> RefusedWebhookError:
    return RefusedWebhookError(
        f"the body is larger than {MAX_BODY_BYTES} bytes",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _error(problem: str, *, status: int, field: str | None = None) -> Response:
    body = {"error": problem} if field is None else {"error": problem, "field": field}
    response = Response(json.dumps(body), status=status, mimetype=JSON)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.allow.add("POST")
    return response
