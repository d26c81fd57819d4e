"""The address that Mattermost's outgoing webhooks call: a reply is written down, then answered."""

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

# A post has at most 16,383 characters, which a form makes 12 bytes each at worst.
MAX_BODY_BYTES = 256 * 1_024
# Mattermost waits 30 s, and keeps one of our threads busy for as long.
ANSWER_WITHIN_S = 4.0
# All of them come to us, so that a wrong one is answered in our way whichever application has
# registered the blueprint.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class ReplyWebhook:
    """Takes what outgoing webhooks send. It waits for the database and for nothing else."""

    def __init__(self, *, database: Callable[[], Database], wake_ups: WakeUps) -> None:
        self._database = database
        self._wake_ups = wake_ups

    def take(self) -> Response:
        """Return 200 and ``{}`` once the reply is in the inbox, or an error as JSON.

        No answer ever has a ``text``: Mattermost would post it, whatever the status.
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
        """Put the reply into the inbox if it is a new one, and have a worker woken for it."""
        token = token_of(fields)
        # Two statements, of which the second one stands for itself; who only knocks locks nothing.
        with within(ANSWER_WITHIN_S), self._database().autocommit() as connection:
            sender = find_sender(connection, token)
            if sender is None:
                raise RefusedWebhookError("unknown token", status=HTTPStatus.UNAUTHORIZED)
            webhook = parse_webhook(fields)
            # It is let go once the answer has begun, and with it the line of the request.
            bind_contextvars(correlation_id=webhook.post_id)
            if webhook.user_id == sender.bot_user_id:
                # What we posted ourselves comes back through the hook.
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
    # The application around us may have limits of its own; this address has these. A body without
    # an announced length is cut off at the limit in silence: one byte more tells it apart.
    request.max_content_length = request.max_form_memory_size = MAX_BODY_BYTES + 1
    try:
        # That application may also have read a form before us, and then the body is gone.
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
