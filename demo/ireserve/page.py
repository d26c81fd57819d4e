"""The demo's page: on the left the visitor's web chat, on the right the team's Mattermost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from demo.ireserve.chat import (
    Opening,
    end_conversation,
    say,
    start_conversation,
    take_conversation,
)
from demo.ireserve.configuration import Configuration
from demo.ireserve.files import is_kept, keep_file, send_file
from demo.ireserve.mirror import Mirror, Passage
from demo.ireserve.shown import shown
from demo.ireserve.store import Conversation, Message, MessageState, Store
from demo.ireserve.switch import Switch
from demo.ireserve.words import PAGE_WORDS

# A few screens of text; the package itself takes far longer texts.
MAX_TEXT_LENGTH = 10_000
MAX_NAME_LENGTH = 100
# The user of i-Reserve who is also a member of the team in Mattermost.
AGENT_ID, AGENT = "user-7", "Anna"

_CONVERSATION = "/conversations/<licence_id>/<conversation_id>"

blueprint = Blueprint("page", __name__)


@blueprint.get("/")
def index() -> AnyResponse | str:
    """Show the newest conversation of the first channel, or an invitation to begin one."""
    conversations = _store().conversations()
    first = next(iter(current_configuration().channels))
    newest = min(conversations, key=lambda each: each.licence_id != first, default=None)
    return redirect(_url_of(newest)) if newest else _page(None)


@blueprint.get(_CONVERSATION)
def conversation_page(licence_id: str, conversation_id: str) -> str:
    """Show one conversation; the page's script then asks ``messages``."""
    return _page(_find(licence_id, conversation_id))


@blueprint.post("/conversations")
def begin() -> AnyResponse:
    """Begin a conversation, as a visitor who opens the chat does."""
    form = request.form
    conversation = Conversation(
        licence_id=form["licence_id"],
        conversation_id=f"chat-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}",
        visitor_name=form["visitor_name"].strip()[:MAX_NAME_LENGTH] or abort(400),
        page_url=form.get("page_url", "").strip(),
        started_at=_now(),
    )
    if conversation.licence_id not in current_configuration().channels:
        abort(400)
    opening = Opening(
        url=f"{request.url_root.rstrip('/')}{_url_of(conversation)}",
        question=form.get("question", "").strip()[:MAX_TEXT_LENGTH] or None,
    )
    start_conversation(_store(), conversation, opening)
    return redirect(_url_of(conversation), 303)


@blueprint.get(f"{_CONVERSATION}/messages")
def messages(licence_id: str, conversation_id: str) -> Response:
    """Return what the visitor may see, or 204 if the page has it already."""
    update = _update(licence_id, conversation_id)
    change = sha256(json.dumps(update).encode()).hexdigest()
    if change == request.args.get("change"):
        return Response(status=204)
    return _json({"change": change, **update})


def _update(licence_id: str, conversation_id: str) -> dict[str, Any]:
    """Return what the page shows of the conversation now."""
    told = _store().outcomes(licence_id, conversation_id)
    links = [each.permalink for each in told if each.event == "thread_linked"]
    reasons = {each.message_id: each.reason for each in told if each.event == "failed"}
    visible = _store().visible_to_visitor(licence_id, conversation_id)
    written_here = [message.message_id for message in visible if message.post_id is None]
    passages = _mirror().passages(licence_id, conversation_id, written_here)
    return {
        "thread": _mirror().thread(licence_id, conversation_id),
        "permalink": links[-1] if links else None,
        "messages": [
            _shown(message, passages.get(message.message_id), reasons.get(message.message_id))
            for message in visible
        ],
    }


@blueprint.post(f"{_CONVERSATION}/messages")
def write(licence_id: str, conversation_id: str) -> Response:
    """Store and enqueue a message of the visitor, with its files."""
    conversation = _find(licence_id, conversation_id)
    text = request.form.get("text", "").strip()
    if len(text) > MAX_TEXT_LENGTH:
        abort(400)
    files = _kept_files()
    if not text and not files:
        abort(400)
    message = Message(
        licence_id=licence_id,
        conversation_id=conversation_id,
        message_id=uuid4().hex,
        sender_name=conversation.visitor_name,
        sender_role="visitor",
        text=text,
        posted_at=_now(),
        attachments=files,
    )
    say(_store(), message)
    return _json({}, 201)


@blueprint.post(f"{_CONVERSATION}/take")
def take(licence_id: str, conversation_id: str) -> Response:
    """Take the conversation as Anna."""
    take_conversation(_find(licence_id, conversation_id), user_id=AGENT_ID, name=AGENT)
    return _json({})


@blueprint.post(f"{_CONVERSATION}/end")
def end(licence_id: str, conversation_id: str) -> Response:
    """Close the conversation, as an agent does."""
    end_conversation(_find(licence_id, conversation_id))
    return _json({})


@blueprint.get(f"{_CONVERSATION}/messages/<message_id>/files/<int:number>")
def get_file(licence_id: str, conversation_id: str, message_id: str, number: int) -> Response:
    """Return a file of a message that the visitor may see."""
    visible = _store().visible_to_visitor(licence_id, conversation_id)
    files = [
        file
        for message in visible
        if message.message_id == message_id and message.state is not MessageState.DELETED
        for file in message.attachments[number : number + 1]
    ]
    if not files:
        abort(404)
    return send_file(files[0], current_configuration().attachments)


@blueprint.post("/server")
def turn_server() -> Response:
    """Turn the stand-in off or on; return its new state."""
    stand_in_url = current_configuration().stand_in_url or abort(404)
    switch = Switch(stand_in_url)
    switch.turn(on=request.form["is_on"] == "true")
    return _json({"is_on": switch.is_on()})


def current_configuration() -> Configuration:
    """Return the configuration of the application that answers the request."""
    configuration: Configuration = current_app.extensions["configuration"]
    return configuration


def _store() -> Store:
    return Store(current_configuration().store)


def _mirror() -> Mirror:
    mirror: Mirror = current_app.extensions["mirror"]
    return mirror


def _page(conversation: Conversation | None) -> str:
    configuration = current_configuration()
    licence_id = conversation.licence_id if conversation else next(iter(configuration.channels))
    stand_in_url = configuration.stand_in_url
    return render_template(
        "page.html",
        language=configuration.language,
        time_zone=configuration.time_zone,
        words=PAGE_WORDS[configuration.language],
        conversation=conversation,
        conversations=[(each, _url_of(each)) for each in _store().conversations()],
        channels=configuration.channels,
        channel=configuration.channels[licence_id],
        licence_id=licence_id,
        commands=configuration.commands,
        is_stand_in=stand_in_url is not None,
        is_on=stand_in_url is None or Switch(stand_in_url).is_on(),
        max_text_length=MAX_TEXT_LENGTH,
        max_name_length=MAX_NAME_LENGTH,
    )


def _find(licence_id: str, conversation_id: str) -> Conversation:
    conversation = _store().conversation(licence_id, conversation_id)
    if conversation is None:
        abort(404)
    return conversation


def _url_of(conversation: Conversation) -> str:
    return url_for(
        "page.conversation_page",
        licence_id=conversation.licence_id,
        conversation_id=conversation.conversation_id,
    )


def _shown(message: Message, passage: Passage | None, reason: str | None) -> dict[str, Any]:
    content = shown(message, partial(_file_url, message))
    if passage:
        content["passage"] = passage
    if passage is Passage.FAILED and reason:
        # Only while the message is failed: an operator may have sent it again since.
        content["failure"] = reason
    return content


def _file_url(message: Message, number: int) -> str | None:
    if not is_kept(message.attachments[number], current_configuration().attachments):
        return None
    return url_for(
        "page.get_file",
        licence_id=message.licence_id,
        conversation_id=message.conversation_id,
        message_id=message.message_id,
        number=number,
    )


def _kept_files() -> tuple[dict[str, Any], ...]:
    parts = [part for part in request.files.getlist("files") if part.filename]
    return tuple(keep_file(part, current_configuration().attachments) for part in parts)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
