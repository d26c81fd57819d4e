"""Find the cause of a refusal for which Mattermost has one id and several causes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.failures import SendFailedError
from tasks.mattermost import MattermostError, Reason, RefusedError
from tasks.outbound.job import Job
from tasks.outbound.undecided import require_database


@contextmanager
def explain_refusals(job: Job, channel_id: str) -> Iterator[None]:
    """Replace the refusal ``not_a_member`` in the block by an error with its real cause.

    Raises:
        SendFailedError: the channel is unknown or archived, or the bot is no member.
        UndecidedError: the server cannot reach its database, without which it refuses anything.
    """
    try:
        yield
    except RefusedError as error:
        if error.reason is not Reason.NOT_A_MEMBER:
            raise
        require_database(job)
        raise _explanation(job, channel_id) from None


def _explanation(job: Job, channel_id: str) -> SendFailedError:
    label = job.licence.channel_label(channel_id)
    try:
        channel = job.client.get_channel(channel_id)
    except RefusedError as error:
        if error.reason in {Reason.NOT_FOUND, Reason.CHANNEL_UNKNOWN}:
            return SendFailedError(Reason.CHANNEL_UNKNOWN, f"there is no channel {label}")
    except MattermostError:
        # The answer would only make the error's text more exact.
        pass
    else:
        if channel.delete_at_ms:
            return SendFailedError(Reason.CHANNEL_ARCHIVED, f"the channel {label} is archived")
    return SendFailedError(
        Reason.NOT_A_MEMBER, f"invite the bot @{job.licence.bot_username} to channel {label}"
    )
