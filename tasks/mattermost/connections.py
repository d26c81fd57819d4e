"""Connections to one server: kept alive, but never reused once they may be dead on the far side.

A server or proxy closes an idle connection after 60 s or so. A request that crosses this closing on
the wire is lost, and whether it was processed stays unknown. So a connection that was idle for half
as long is closed here and a new one made. What is done on one is bounded by its ``Exchange``.
"""

import os
import socket
import ssl
from http.client import CONTINUE, OK, HTTPException
from http.client import HTTPResponse as HttpResponse
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import SSLError as WrappedTlsError
from urllib3.response import HTTPResponse

from tasks.mattermost.exchange import LookupTimeoutError, current_exchange
from tasks.mattermost.sockets import bounded_context, connect, trusting_context

# Half of the shortest common idle limit (60 s: nginx is at 75, Go's and cloud balancers at 60).
MAX_IDLE_S = 30.0


class UnconnectedError(NewConnectionError):
    """No connection was made, so nothing was sent; ``tls`` tells whether TLS was what failed."""

    def __init__(self, conn: HTTPConnection, detail: str, *, tls: bool) -> None:
        super().__init__(conn, detail)
        self.detail = detail
        self.tls = tls


class _FinalAnswer(HttpResponse):
    """The answer itself: every 1xx before it is passed over.

    Python passes over 100 alone. It would take 102 (Processing) or 103 (Early Hints) for the whole
    answer, and the answer itself for that of the connection's next request.
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, CONTINUE if status < OK else status, reason


class _Fresh(HTTPConnection):
    """Calls itself closed after ``MAX_IDLE_S``, and says of every failure whether it was before."""

    response_class = _FinalAnswer
    _used_at = 0.0

    def connect(self) -> None:
        # Left alone, a TLS handshake that fails or stalls raises the same errors as a connection
        # that is cut in the middle of a request, and the two have different consequences.
        try:
            with current_exchange().connecting():
                super().connect()
        except (OSError, UnicodeError, HTTPException, HTTPError) as error:
            self.close()
            raise _unconnected(self, error) from None

    def _new_conn(self) -> socket.socket:
        return connect(self._dns_host, self.port or 80, options=self.socket_options or ())

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        response = super().getresponse()
        self._used_at = monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        return monotonic() - self._used_at < MAX_IDLE_S and super().is_connected


class _FreshTls(_Fresh, HTTPSConnection):
    """The same over TLS."""

    # File and folder of the authorities' certificates; a connection may be made more than once.
    _authorities: tuple[str | None, str | None] | None = None

    def _new_conn(self) -> socket.socket:
        # Here, where what goes wrong with the authorities' certificates counts as unconnected.
        if self._authorities is None:
            self._authorities = (self.ca_certs, self.ca_cert_dir)
        self.ssl_context = trusting_context(*self._authorities)
        # The library would read them again for each connection.
        self.ca_certs = self.ca_cert_dir = None
        return super()._new_conn()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Fresh


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _FreshTls


class FreshAdapter(HTTPAdapter):
    """A requests adapter whose connections are never reused after ``MAX_IDLE_S``.

    It sends within an ``Exchange`` only, whose bounds take the place of the library's time limits.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool as usual, then name our kinds of connection."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the proxy's pool as usual, then name our kinds of connection."""
        manager = super().proxy_manager_for(*args, proxy_ssl_context=bounded_context(), **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class _Session(requests.Session):
    """A session that never looks where a redirect leads: requests would read its body whole."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def plain_session(
    *, ca_bundle: str | None, proxy_url: str | None, pool_size: int
) -> requests.Session:
    """Return a session that keeps connections, and nothing else, between requests."""
    session = _Session()
    # No .netrc, which would replace our header, and no look at the environment for each request.
    session.trust_env = False
    session.verify = ca_bundle or True
    session.proxies = {"http": proxy_url, "https": proxy_url} if proxy_url else {}
    # Mattermost prefers a session cookie to the header, and then wants a CSRF token as well.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = FreshAdapter(pool_maxsize=pool_size)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _unconnected(conn: HTTPConnection, error: Exception) -> UnconnectedError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return UnconnectedError(conn, error.verify_message, tls=True)
    if isinstance(error, ssl.SSLError | WrappedTlsError):
        return UnconnectedError(conn, "the handshake failed", tls=True)
    return UnconnectedError(conn, _cause(error), tls=False)


def _cause(error: Exception) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "the host name is not known"
    if isinstance(error, LookupTimeoutError):
        return "the host name was not found out in time"
    if isinstance(error, TimeoutError):
        return "connect timeout"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return "a proxy did not let it through"
