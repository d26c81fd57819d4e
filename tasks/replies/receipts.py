"""Receipts: the bot's reaction on a member's post says what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

import structlog

from models import Visibility
from tasks.mattermost import MattermostClient, MattermostError

log = structlog.get_logger(__name__)


class Receipt(StrEnum):
    """What a reaction says, by the name of its emoji."""

    RECORDED = "white_check_mark"
    INTERNAL = "lock"
    NOT_RECORDED = "warning"

    @classmethod
    def of(cls, visibility: Visibility) -> Self:
        """Return the receipt of a reply that was recorded."""
        return cls("lock" if visibility is Visibility.INTERNAL else "white_check_mark")


def give_receipt(
    client: MattermostClient,
    receipt: Receipt,
    *,
    post_id: str,
    bot_user_id: str,
    instead_of: Receipt | None,
) -> None:
    """React to the post, and take the earlier reaction back; what fails is logged and let be."""
    try:
        client.add_reaction(post_id, user_id=bot_user_id, emoji_name=receipt.value)
        if instead_of is not None:
            client.remove_reaction(post_id, user_id=bot_user_id, emoji_name=instead_of.value)
    except MattermostError as error:
        log.warning("receipt_not_given", post_id=post_id, reason=error.reason.value)
