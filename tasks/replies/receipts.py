"""Receipts: the bot's reaction on a member's post says what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

import structlog

from models import Receipts, Visibility
from tasks.mattermost import MattermostClient, MattermostError
from tasks.replies.patience import GIVEN_UP
from tasks.replies.rows import KnownReply

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


def receipt_of(known: KnownReply) -> Receipt | None:
    """Return the receipt that the post has been given, as far as its row says."""
    if known.next_attempt_at == GIVEN_UP or known.shows_nothing:
        return Receipt.NOT_RECORDED
    return Receipt.of(known.visibility) if known.visibility else None


def wanted(receipt: Receipt | None, receipts: Receipts) -> Receipt | None:
    """Return the receipt if the licence wants such a one; None: its post gets no mark."""
    if receipts is Receipts.NONE or receipt is None:
        return None
    is_for_all = receipt is Receipt.RECORDED
    return None if is_for_all and receipts is not Receipts.ALL else receipt


def give_receipt(
    client: MattermostClient,
    receipt: Receipt | None,
    *,
    post_id: str,
    bot_user_id: str,
    instead_of: Receipt | None,
) -> None:
    """React to the post, and take the earlier reaction back; failures are logged and ignored."""
    try:
        if receipt is not None:
            client.add_reaction(post_id, user_id=bot_user_id, emoji_name=receipt.value)
        if instead_of is not None:
            client.remove_reaction(post_id, user_id=bot_user_id, emoji_name=instead_of.value)
    except MattermostError as error:
        log.warning("receipt_not_given", post_id=post_id, reason=error.reason.value)
