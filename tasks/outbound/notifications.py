"""Post a notification: one post in a channel, outside any thread, as a message attachment."""

from __future__ import annotations

from ireserve_mattermost.messages import Notification
from tasks.outbound.job import Attempt, Job
from tasks.outbound.settlement import Draft, Place, find_earlier, post_marked
from tasks.rendering import render_notification

PART = "1"


def post_notification(job: Job, message: Notification, channel_id: str, attempt: Attempt) -> None:
    """Post the notification, unless its post exists already; add the post to ``attempt``.

    Raises:
        RateLimitedError, UndecidedError: the notification has to wait.
        SendFailedError, MattermostError: the notification has failed.
    """
    place = Place(channel_id)
    find_earlier(job, attempt, place)
    post_marked(job, attempt, place, _draft(job, message))


def _draft(job: Job, message: Notification) -> Draft:
    attachment = render_notification(
        text=message.text,
        title=message.title,
        fields=message.fields,
        color=message.color,
        url=message.url,
        locale=job.licence.locale,
        max_length=job.licence.max_post_size,
    )
    return Draft(
        PART,
        props={"attachments": [attachment]},
        mark_data={"notification_type": message.notification_type},
    )
