"""The client for one Mattermost server and one bot."""

from typing import Self

from tasks.mattermost.answer_headers import AnswerHeaders
from tasks.mattermost.directory import DirectoryCalls
from tasks.mattermost.exchange import Stopping
from tasks.mattermost.files import FileCalls
from tasks.mattermost.posts import PostCalls
from tasks.mattermost.transport import Transport
from tasks.mattermost.webhooks import WebhookCalls

CONNECT_TIMEOUT_S = 3.0
# The server fetches previews of links before it answers, for up to 5 s each.
READ_TIMEOUT_S = 20.0
# How many connections are kept alive. Further threads open new connections.
POOL_SIZE = 8


class MattermostClient(PostCalls, FileCalls, DirectoryCalls, WebhookCalls):
    """The REST API v4 of one server as one user; safe to share between threads, not across a fork.

    Each call makes one request, which it never repeats, and follows no redirect. If the call fails,
    it raises one of the four kinds of MattermostError. A call takes no longer than both timeouts
    together, and a file's transfer no longer than the time for its size. All calls end soon after
    ``stopping`` is set.

    Raises:
        ValueError: the address or the token is invalid; the message quotes neither.
    """

    def __init__(
        self,
        server_url: str,
        token: str,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        ca_bundle: str | None = None,
        proxy_url: str | None = None,
        pool_size: int = POOL_SIZE,
        stopping: Stopping | None = None,
    ) -> None:
        self._transport = Transport(
            server_url,
            token,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            ca_bundle=ca_bundle,
            proxy_url=proxy_url,
            pool_size=pool_size,
            stopping=stopping,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def answer_headers(self) -> AnswerHeaders:
        """The server's clock and rate limit, from its last answer to a call."""
        return self._transport.answer_headers

    def close(self) -> None:
        """Close the idle connections; a later call opens new ones."""
        self._transport.close()
