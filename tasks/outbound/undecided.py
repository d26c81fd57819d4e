"""The causes of an undecided message: failed queries, and refusals while the database is away."""

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

# A server that did not answer within 20 s may still be creating the post. If the first look does
# not find the post, a second look follows after this time.
LOOK_AGAIN_S = 20.0
# After this time another worker sends what a stopping worker has not sent.
AFTER_STOP_S = 1.0
# A server that cannot read its database answers a valid request with these reasons. It does not
# find the bot's token or membership (11.6), or the channel (6.7).
REFUSALS_IN_DOUBT = frozenset({Reason.NOT_A_MEMBER, Reason.TOKEN_REJECTED, Reason.INVALID_REQUEST})


@contextmanager
def translate_query_errors() -> Iterator[None]:
    """Turn a query's failure in the block into UndecidedError: it says nothing about the message.

    Raises:
        UndecidedError: the server cannot be asked now.
    """
    try:
        yield
    except (NotSentError, OutcomeUnknownError) as error:
        raise undecided_error(error, sent_off=False, question=error) from None


@contextmanager
def confirm_refusals(job: Job) -> Iterator[None]:
    """Accept a refusal in the block, also of a query, only if the server reaches its database.

    Raises:
        UndecidedError: the server does not reach its database, or cannot be asked.
    """
    try:
        yield
    except RefusedError as error:
        if error.reason in REFUSALS_IN_DOUBT:
            require_database(job)
        raise


def stopped_error(error: MattermostError | AttachmentError) -> UndecidedError:
    """Return the error for a message that was not sent because this worker was asked to stop."""
    return UndecidedError(
        Reason.STOPPED,
        str(error),
        look_again_s=AFTER_STOP_S,
        sent_off=False,
        cause=OwnTroubleError(),
    )


def undecided_error(
    error: MattermostError,
    *,
    sent_off: bool,
    look_again_s: float = LOOK_AGAIN_S,
    question: MattermostError | None = None,
) -> UndecidedError:
    """Return the error for a message that stays undecided.

    Args:
        error: the error of the message's request.
        sent_off: whether the request was sent.
        look_again_s: the seconds until the next look.
        question: the error of a query about the message; None: no query failed.
    """
    return UndecidedError(
        error.reason,
        f"{error} {NOT_KNOWN_YET}",
        look_again_s=look_again_s,
        sent_off=sent_off,
        cause=_cause(question) if question is not None else error,
    )


def _cause(question: MattermostError) -> Exception:
    """Return what a query's failure says about the server, for the circuit."""
    if isinstance(question, RateLimitedError) or question.reason is Reason.STOPPED:
        return question
    return UnansweredError()


def require_database(job: Job) -> None:
    """Require that the server reaches its database, without which it refuses anything.

    Raises:
        UndecidedError: the server does not reach its database, or cannot be asked.
    """
    job.extend()
    with translate_query_errors():
        job.client.ping_database()
