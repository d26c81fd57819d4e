"""Notifications: one post in a channel, by itself, as a message attachment of Mattermost."""

from __future__ import annotations

from tasks.mattermost import Post
from tasks.messages import Notification
from tasks.outbound.job import Attempt, Job
from tasks.outbound.marks import Mark
from tasks.outbound.refusals import explained
from tasks.outbound.settlement import did_not_arrive, find_in_channel, look, post_once
from tasks.rendering import render_notification

PART = "1"


def post_notification(
    job: Job, key: str, message: Notification, channel_id: str, attempt: Attempt
) -> None:
    """Post the notification, unless it is there already; the post is noted in ``attempt``.

    Raises:
        RateLimitedError, UndecidedError, SendFailedError, MattermostError
    """
    mark = Mark.of(job.lane, key)
    begun = attempt.begun

    def find() -> Post | None:
        return find_in_channel(job, mark, channel_id, begun.started_at).get(PART)

    post = look(find, because=None, sent_off=False) if begun.must_look else None
    if post is None and begun.is_unsettled:
        raise did_not_arrive(begun)
    attempt.posts.append(post or post_once(lambda: _create(job, mark, message, channel_id), find))


def _create(job: Job, mark: Mark, message: Notification, channel_id: str) -> Post:
    attachment = render_notification(
        text=message.text,
        title=message.title,
        fields=message.fields,
        color=message.color,
        url=message.url,
        max_length=job.licence.max_post_size,
    )
    job.extend()
    with explained(job, channel_id):
        return job.client.create_post(
            channel_id=channel_id,
            message="",
            props={
                "attachments": [attachment],
                **mark.props(PART, notification_type=message.notification_type),
            },
            pending_post_id=mark.pending_post_id(
                bot_user_id=job.licence.bot_user_id,
                secret=job.licence.token,
                root_post_id="",
                part=PART,
            ),
        )
