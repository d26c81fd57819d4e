"""What an error says, carries, and keeps to itself."""

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
    """The message is a bug report: call, event, facts, cure."""
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
    """A prefork worker hands its errors on with all that they carry."""
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
    """A result backend keeps class and args, and rebuilds the error from these."""
    error = RefusedError(Reason.NOT_FOUND, method="GET", path="/posts/x")

    copy = RefusedError(*error.args)

    assert copy.reason is Reason.NOT_FOUND


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words_and_its_cure(reason: Reason) -> None:
    """No reason leaves an operator without a sentence on what to do."""
    assert reason.what
    assert reason.cure.endswith(".")
    assert len(reason.cure) > 20
