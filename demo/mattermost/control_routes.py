"""Routes under /_control, which Mattermost lacks: set-up, record, options and faults."""

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, request

from demo.mattermost.control import Control
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import answer, backend

blueprint = Blueprint("control", __name__, url_prefix="/_control")


@blueprint.post("/setup")
def setup() -> Response:
    """Make the objects that the body names; see the README."""
    try:
        return answer(_control().setup(_body()))
    except (KeyError, TypeError, ApiError) as error:
        return _rejected(error)


@blueprint.get("/received")
def get_received() -> Response:
    """Return the record of requests; filter by the query's `method`, `path`, `after_seq`."""
    entries = _control().received(
        method=request.args.get("method", ""),
        path=request.args.get("path", ""),
        after_seq=request.args.get("after_seq", 0, type=int),
    )
    return answer({"received": [entry.shape() for entry in entries]})


@blueprint.delete("/received")
def clear_received() -> Response:
    """Clear the record of requests."""
    _control().clear_received()
    return answer({})


@blueprint.get("/webhook-calls")
def get_webhook_calls() -> Response:
    """Return the calls of outgoing webhooks."""
    return answer({"webhook_calls": [asdict(call) for call in _control().webhook_calls()]})


@blueprint.get("/options")
def get_options() -> Response:
    """Return all options."""
    return answer(_control().options())


@blueprint.patch("/options")
def set_options() -> Response:
    """Change some options."""
    try:
        return answer(_control().set_options(**_body()))
    except ValueError as error:
        return _rejected(error)


@blueprint.get("/faults")
def get_faults() -> Response:
    """Return the faults that are set."""
    return answer({"faults": [fault.shape() for fault in _control().faults()]})


@blueprint.post("/faults")
def set_fault() -> Response:
    """Set a fault; the answer has its id."""
    try:
        return answer(_control().set_fault(**_body()).shape(), 201)
    except (ValueError, TypeError) as error:
        return _rejected(error)


@blueprint.delete("/faults")
@blueprint.delete("/faults/<int:fault_id>")
def clear_faults(fault_id: int | None = None) -> Response:
    """Clear one fault, or all faults."""
    _control().clear_faults(fault_id)
    return answer({})


def _control() -> Control:
    return Control(backend())


def _body() -> dict[str, Any]:
    # A page of another origin cannot send JSON without a CORS preflight, which fails here.
    if request.mimetype != "application/json":
        abort(415)
    body = json.loads(request.get_data())
    if not isinstance(body, dict):
        abort(400)
    return body


def _rejected(error: Exception) -> Response:
    return answer({"error": f"{type(error).__name__}: {error}"}, 400)
