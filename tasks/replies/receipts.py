"""Receipts: the bot's reaction to a member's post shows what became of the post."""

from __future__ import annotations

from models import Receipt, Receipts
from tasks.mattermost import MattermostClient


def allowed_receipt(receipt: Receipt | None, receipts: Receipts) -> Receipt | None:
    """Return the receipt if the licence's setting allows it; None: the post gets no reaction."""
    if receipts is Receipts.NONE or receipt is None:
        return None
    is_for_all = receipt is Receipt.RECORDED
    return None if is_for_all and receipts is not Receipts.ALL else receipt


def give_receipt(
    client: MattermostClient,
    post_id: str,
    receipt: Receipt | None,
    *,
    bot_user_id: str,
    instead_of: Receipt | None,
) -> None:
    """React to the post, and remove the earlier reaction; safe to run twice.

    Raises:
        MattermostError: the server refuses, or cannot be asked.
    """
    if receipt is not None:
        client.add_reaction(post_id, user_id=bot_user_id, emoji_name=receipt.value)
    if instead_of is not None:
        client.remove_reaction(post_id, user_id=bot_user_id, emoji_name=instead_of.value)
