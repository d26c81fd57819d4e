"""What an error of a call to Mattermost says, and that it survives pickling."""

import pickle

import pytest

from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
)


def test_an_error_says_what_happened_to_what_and_what_to_do() -> None:
    """The error message names the call, the event, the facts and the cure."""
    error = RefusedError(
        Reason.CHANNEL_ARCHIVED,
        method="POST",
        path="/posts",
        status=400,
        error_id="api.post.create_post.can_not_post_to_deleted.error",
        request_id="r1",
    )

    assert str(error) == (
        "POST /posts: the channel is archived (channel_archived, HTTP 400, "
        "api.post.create_post.can_not_post_to_deleted.error, request r1). "
        "Unarchive it, or choose another channel for this licence."
    )


@pytest.mark.parametrize(
    "kind", [NotSentError, OutcomeUnknownError, RateLimitedError, RefusedError]
)
def test_an_error_survives_pickling(kind: type[MattermostError]) -> None:
    """An error keeps its attributes when a prefork worker pickles it."""
    error = kind(
        Reason.TIMEOUT,
        method="GET",
        path="/users/me",
        channel_id="c",
        status=408,
        error_id="e",
        request_id="r",
        retry_after_s=2.0,
        detail="d",
    )

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_an_error_is_rebuilt_from_its_args_alone() -> None:
    """A result backend can rebuild an error from its class and args."""
    error = RefusedError(Reason.NOT_FOUND, method="GET", path="/posts/x")

    copy = RefusedError(*error.args)

    assert copy.reason is Reason.NOT_FOUND


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words_and_its_cure(reason: Reason) -> None:
    """Each reason has a text and a cure for the operator."""
    assert reason.what
    assert reason.cure.endswith(".")
    assert len(reason.cure) > 20
