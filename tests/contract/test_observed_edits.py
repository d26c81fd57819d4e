"""Observed behaviour of edits after the server's time limit: only the message is refused."""

from __future__ import annotations

from tests.contract.server import ServerUnderTest

TOO_LATE = "api.post.update_post.permissions_time_limit.app_error"


def test_limit_for_edits_refuses_a_message_and_takes_props(server: ServerUnderTest) -> None:
    """After the limit, the bot may change the props of its post, but not the message."""
    post = server.bot.posted(server.webchat_id, "before")
    props = {"attachments": [{"text": "Closed", "color": "#8a94a6"}]}
    with server.settings(ServiceSettings={"PostEditTimeLimit": 0}):
        told = server.bot.get("/config/client", format="old").json()["PostEditTimeLimit"]
        refused = server.bot.patch(post["id"], message="after")
        taken = server.bot.patch(post["id"], props=props)

    assert told == "0"
    assert (refused.status_code, refused.json()["id"]) == (400, TOO_LATE)
    assert taken.status_code == 200
    assert taken.json()["message"] == "before"
    assert taken.json()["props"]["attachments"][0]["text"] == "Closed"
