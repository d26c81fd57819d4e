"""Say what a 403 means: Mattermost answers every one of them with the same id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.failures import SendFailedError
from tasks.mattermost import MattermostError, Reason, RefusedError
from tasks.outbound.job import Job


@contextmanager
def explained(job: Job, channel_id: str) -> Iterator[None]:
    """Turn "no permission" into which channel it is and what to do.

    Raises:
        SendFailedError: for ``not_a_member``: the channel is unknown, archived, or the bot is out.
    """
    try:
        yield
    except RefusedError as error:
        if error.reason is not Reason.NOT_A_MEMBER:
            raise
        raise _explanation(job, channel_id) from None


def _explanation(job: Job, channel_id: str) -> SendFailedError:
    label = job.licence.channel_label(channel_id)
    try:
        channel = job.client.get_channel(channel_id)
    except RefusedError as error:
        if error.reason in {Reason.NOT_FOUND, Reason.CHANNEL_UNKNOWN}:
            return SendFailedError(Reason.CHANNEL_UNKNOWN, f"there is no channel {label}")
    except MattermostError:
        # The answer is not needed for anything but a better sentence.
        pass
    else:
        if channel.delete_at_ms:
            return SendFailedError(Reason.CHANNEL_ARCHIVED, f"the channel {label} is archived")
    return SendFailedError(
        Reason.NOT_A_MEMBER, f"invite the bot @{job.licence.bot_username} to channel {label}"
    )
