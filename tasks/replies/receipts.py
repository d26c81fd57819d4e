"""Receipts: the bot's reaction on a member's post says what became of it."""

from __future__ import annotations

from models import Receipt, Receipts
from tasks.mattermost import MattermostClient


def wanted(receipt: Receipt | None, receipts: Receipts) -> Receipt | None:
    """Return the receipt if the licence wants such a one; None: its post gets no mark."""
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
    """React to the post, and take the earlier reaction back.

    Both may be done twice.

    Raises:
        MattermostError: the server does not take it, or cannot be asked.
    """
    if receipt is not None:
        client.add_reaction(post_id, user_id=bot_user_id, emoji_name=receipt.value)
    if instead_of is not None:
        client.remove_reaction(post_id, user_id=bot_user_id, emoji_name=instead_of.value)
