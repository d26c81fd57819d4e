"""Turn the HTTP library's exceptions into errors that say whether the server may have acted."""

from collections.abc import Iterator

import requests
from requests.exceptions import InvalidHeader
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as WrappedTimeoutError

from tasks.mattermost.connections import UnconnectedError
from tasks.mattermost.errors import Call, MattermostError, NotSentError, OutcomeUnknownError
from tasks.mattermost.exchange import AnswerTooLargeError, Exchange
from tasks.mattermost.reasons import Reason


def failure(error: Exception, call: Call, exchange: Exchange) -> MattermostError:
    """Return the error to raise instead of the library's, whose text holds the URL's query."""
    if exchange.is_broken_off:
        unsent = any(isinstance(cause, UnconnectedError) for cause in causes(error))
        return call.failed(NotSentError if unsent else OutcomeUnknownError, Reason.STOPPED)
    for cause in causes(error):
        if isinstance(cause, UnconnectedError):
            reason = Reason.TLS_FAILED if cause.tls else Reason.UNREACHABLE
            return call.failed(NotSentError, reason, detail=cause.detail)
        if isinstance(cause, AnswerTooLargeError):
            return call.failed(OutcomeUnknownError, Reason.ANSWER_TOO_LARGE)
        if isinstance(cause, TimeoutError | WrappedTimeoutError):
            return call.failed(OutcomeUnknownError, Reason.TIMEOUT)
    # Our own headers are valid, so an InvalidHeader is about the answer, for example two lengths.
    if isinstance(error, ValueError) and not isinstance(error, InvalidHeader):
        return call.failed(NotSentError, Reason.UNREACHABLE, detail="the address is not valid")
    if not isinstance(error, requests.RequestException | HTTPError):
        # The only plain OSError that requests lets through; it is raised before the connection.
        return call.failed(NotSentError, Reason.TLS_FAILED, detail="the CA bundle is unreadable")
    return call.failed(OutcomeUnknownError, Reason.CONNECTION_CUT)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all errors that it wraps, in any of the libraries' three places."""
    yield error
    wrapped = [getattr(error, "reason", None), getattr(error, "original_error", None), *error.args]
    for inner in wrapped:
        if isinstance(inner, BaseException):
            yield from causes(inner)
