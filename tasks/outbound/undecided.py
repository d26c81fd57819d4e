"""What leaves a message undecided: errors to questions, and refusals that may not be meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.attachments import AttachmentError
from tasks.failures import NOT_KNOWN_YET, OwnTroubleError, UnansweredError, UndecidedError
from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.outbound.job import Job

# A server that did not answer within 20 s may still be at work on the post: when it is not there
# at once, it is looked for a second time after as long again.
LOOK_AGAIN_S = 20.0
# What a worker that stops had not sent yet is another worker's to send.
AFTER_STOP_S = 1.0
# What a server answers to a healthy request when it cannot read its database: it knows neither the
# bot's token nor its membership (11.6), or not the channel (6.7).
REFUSALS_IN_DOUBT = frozenset({Reason.NOT_A_MEMBER, Reason.TOKEN_REJECTED, Reason.INVALID_REQUEST})


@contextmanager
def asking() -> Iterator[None]:
    """Let an error to a question leave the message undecided: it says nothing of the message.

    Raises:
        UndecidedError: the server cannot be asked now.
    """
    try:
        yield
    except (NotSentError, OutcomeUnknownError) as error:
        raise undecided(error, sent_off=False, question=error) from None


@contextmanager
def believed(job: Job) -> Iterator[None]:
    """Let a refusal stand only while the server reaches its database, also that of a question.

    Raises:
        UndecidedError: it does not, or cannot be asked.
    """
    try:
        yield
    except RefusedError as error:
        if error.reason in REFUSALS_IN_DOUBT:
            ask_for_database(job)
        raise


def broken_off(error: MattermostError | AttachmentError) -> UndecidedError:
    """Return that this worker was asked to stop before the message went out."""
    return UndecidedError(
        Reason.STOPPED,
        str(error),
        look_again_s=AFTER_STOP_S,
        sent_off=False,
        cause=OwnTroubleError(),
    )


def undecided(
    error: MattermostError,
    *,
    sent_off: bool,
    look_again_s: float = LOOK_AGAIN_S,
    question: MattermostError | None = None,
) -> UndecidedError:
    """Return that the message stays undecided after this error, to it or to a question about it."""
    return UndecidedError(
        error.reason,
        f"{error} {NOT_KNOWN_YET}",
        look_again_s=look_again_s,
        sent_off=sent_off,
        cause=_cause(question) if question is not None else error,
    )


def _cause(question: MattermostError) -> Exception:
    """Return what the failure of a question says of the server."""
    if isinstance(question, RateLimitedError) or question.reason is Reason.STOPPED:
        return question
    return UnansweredError()


def ask_for_database(job: Job) -> None:
    """Ask whether the server reaches its database, without which it refuses anything.

    Raises:
        UndecidedError: it does not, or cannot be asked.
    """
    job.extend()
    with asking():
        job.client.check_database()
