"""The outgoing webhook that brings a licence's replies: create it, or say what to fill in."""

from __future__ import annotations

from tasks.mattermost import Channel, MattermostClient, OutgoingWebhook

DISPLAY_NAME = "i-Reserve replies"
CONTENT_TYPE = "application/json"
# Stands for the callback address if the operator has not given it.
UNKNOWN_URL = "https://<host of the web process>/mattermost/replies"
PUBLIC = "O"


def ensure_webhook(
    admin: MattermostClient, channel: Channel, *, callback_url: str
) -> OutgoingWebhook:
    """Return the channel's webhook that calls this address; create it if there is none.

    Mattermost accepts a second webhook with the same address, and then tells of each post twice.

    Raises:
        MattermostError: the token may not manage webhooks, or they are switched off.
    """
    for hook in admin.list_outgoing_webhooks(team_id=channel.team_id):
        is_ours = hook.channel_id == channel.id and callback_url in hook.callback_urls
        if is_ours and hook.token and not hook.trigger_words and not hook.delete_at_ms:
            return hook
    return admin.create_outgoing_webhook(
        team_id=channel.team_id,
        channel_id=channel.id,
        display_name=DISPLAY_NAME,
        callback_urls=[callback_url],
        content_type=CONTENT_TYPE,
    )


def webhook_fields(channel: Channel, callback_url: str | None) -> dict[str, str]:
    """Return what to fill in for a webhook that is made by hand, by Mattermost's own labels."""
    return {
        "Title": DISPLAY_NAME,
        "Content Type": CONTENT_TYPE,
        "Channel": channel.display_name or channel.name,
        "Trigger Words": "(leave empty)",
        "Callback URLs": callback_url or UNKNOWN_URL,
    }
