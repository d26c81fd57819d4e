"""Routes: ping and configuration."""

from typing import Any

from flask import Blueprint, Response, g, request

from demo.mattermost.errors import INVALID_BODY_PARAM, OLD_FORMAT_ONLY, ApiError
from demo.mattermost.exchange import answer, backend, json_object, require_admin
from demo.mattermost.options import client_config, from_config_patch

blueprint = Blueprint("system", __name__)


@blueprint.get("/system/ping")
def ping() -> Response:
    """Answer that the server is up; this needs no token."""
    shape: dict[str, Any] = {
        "ActiveSearchBackend": "database",
        "AndroidLatestVersion": "",
        "AndroidMinVersion": "",
        "IosLatestVersion": "",
        "IosMinVersion": "",
        "status": "OK",
    }
    if request.args.get("get_server_status") == "true":
        shape |= {"database_status": "OK", "filestore_status": "OK"}
    return answer(backend().options.version.shaped("ping", shape))


@blueprint.get("/config/client")
def get_client_config() -> Response:
    """Return the settings that a client may know."""
    if request.args.get("format") != "old":
        raise ApiError(OLD_FORMAT_ONLY)
    return answer(client_config(backend().options, signed_in=g.user is not None))


@blueprint.put("/config/patch")
def patch_config() -> Response:
    """Change settings; settings that the stand-in does not know are ignored."""
    require_admin()
    patch = json_object("config")
    try:
        backend().change_options(from_config_patch(patch, backend().options.version))
    except (ValueError, AttributeError):
        raise ApiError(INVALID_BODY_PARAM, name="config") from None
    return answer(patch)
