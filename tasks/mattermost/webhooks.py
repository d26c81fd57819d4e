"""Calls about outgoing webhooks, which by default only an administrator's token may make.

No call changes a webhook: the server would overwrite the whole row, with the token.
"""

from collections.abc import Sequence

from tasks.mattermost.shape import parse_list
from tasks.mattermost.transport import Transport, route
from tasks.mattermost.types import OutgoingWebhook, parse_status

# The largest page that the server returns of this list.
MAX_WEBHOOKS_PAGE = 200
# At most 4,000 webhooks of one Mattermost team are read, so that a list without end ends.
MAX_WEBHOOK_PAGES = 20


class WebhookCalls:
    """The calls about outgoing webhooks of one server."""

    _transport: Transport

    def create_outgoing_webhook(
        self,
        *,
        team_id: str,
        channel_id: str,
        display_name: str,
        callback_urls: Sequence[str],
        description: str = "",
        content_type: str = "application/json",
    ) -> OutgoingWebhook:
        """Create a webhook for each post of a public channel; return it with its token.

        Raises:
            RefusedError: ``permission_missing``, or ``webhooks_disabled``, also for a private
                channel.
        """
        payload = {
            "team_id": team_id,
            "channel_id": channel_id,
            "display_name": display_name,
            "description": description,
            "callback_urls": list(callback_urls),
            "content_type": content_type,
            "trigger_words": [],
        }
        return self._transport.call(
            "POST",
            "/hooks/outgoing",
            payload=payload,
            parse=OutgoingWebhook.parse,
            channel_id=channel_id,
        )

    def get_outgoing_webhook(self, webhook_id: str) -> OutgoingWebhook:
        """Return a webhook; only its creator and administrators see its token."""
        path = route("hooks", "outgoing", webhook_id)
        return self._transport.call("GET", path, parse=OutgoingWebhook.parse)

    def list_outgoing_webhooks(self, *, team_id: str) -> list[OutgoingWebhook]:
        """Return all webhooks of a Mattermost team that the bot token's user may see."""
        found: list[OutgoingWebhook] = []
        for page in range(MAX_WEBHOOK_PAGES):
            batch = self._webhooks_page(team_id, page=page)
            found += batch
            if len(batch) < MAX_WEBHOOKS_PAGE:
                break
        return found

    def regenerate_outgoing_webhook_token(self, webhook_id: str) -> OutgoingWebhook:
        """Give the webhook a new token; the old one is invalid at once."""
        path = route("hooks", "outgoing", webhook_id, "regen_token")
        return self._transport.call("POST", path, parse=OutgoingWebhook.parse)

    def delete_outgoing_webhook(self, webhook_id: str) -> None:
        """Delete a webhook."""
        self._transport.call("DELETE", route("hooks", "outgoing", webhook_id), parse=parse_status)

    def _webhooks_page(self, team_id: str, *, page: int) -> list[OutgoingWebhook]:
        query: dict[str, str | int] = {
            "team_id": team_id,
            "page": page,
            "per_page": MAX_WEBHOOKS_PAGE,
        }
        return self._transport.call(
            "GET", "/hooks/outgoing", query=query, parse=parse_list(OutgoingWebhook.parse)
        )
