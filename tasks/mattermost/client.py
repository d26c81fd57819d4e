"""The client of one Mattermost server, for one bot."""

from typing import Self

from tasks.mattermost.answer_headers import AnswerHeaders
from tasks.mattermost.directory import DirectoryCalls
from tasks.mattermost.exchange import Stopping
from tasks.mattermost.files import FileCalls
from tasks.mattermost.posts import PostCalls
from tasks.mattermost.transport import Transport
from tasks.mattermost.webhooks import WebhookCalls

CONNECT_TIMEOUT_S = 3.0
# The server fetches previews of links before it answers, up to 5 s for each; hence this long.
READ_TIMEOUT_S = 20.0
# Kept-alive connections. More threads than this work too, with new connections for the rest.
POOL_SIZE = 8


class MattermostClient(PostCalls, FileCalls, DirectoryCalls, WebhookCalls):
    """REST API v4 of one server as one user; safe to share between threads, not across a fork.

    Every call raises one of the four kinds of MattermostError and tries once only: it follows no
    redirect and repeats nothing. It ends within the two timeouts taken together, a transfer of a
    file within the time for its size, and all of them soon after ``stopping`` is set.

    Raises:
        ValueError: an address or token that cannot be one; the text quotes neither.
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
    def headers(self) -> AnswerHeaders:
        """What the server's last answer to a call says of its clock and its limit of requests."""
        return self._transport.headers

    def close(self) -> None:
        """Close the idle connections; a later call opens new ones."""
        self._transport.close()
