"""Connections to one server: kept alive, but not reused once the server may have closed them.

A server or proxy closes an idle connection after about 60 s. If a request is sent at that moment,
it is lost, or its outcome stays unknown. So this module closes a connection that was idle for half
of that time and opens a new one. An ``Exchange`` limits what is done on a connection.
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

# Half of the shortest common idle limit: nginx has 75 s, Go and cloud load balancers 60 s.
MAX_IDLE_S = 30.0


class UnconnectedError(NewConnectionError):
    """No connection was made, so nothing was sent; ``tls``: whether TLS failed."""

    def __init__(self, conn: HTTPConnection, detail: str, *, tls: bool) -> None:
        super().__init__(conn, detail)
        self.detail = detail
        self.tls = tls


class _FinalAnswer(HttpResponse):
    """The final answer to a request, without the 1xx answers before it.

    Python skips 100 only. It would read 102 (Processing) or 103 (Early Hints) as the whole answer,
    and the final answer as the answer to the connection's next request.
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, CONTINUE if status < OK else status, reason


class _Fresh(HTTPConnection):
    """A connection that counts as closed after ``MAX_IDLE_S`` and marks failures to connect."""

    response_class = _FinalAnswer
    _used_at = 0.0
    # Whether the next data to send are a request's headers, and headers that were not sent yet.
    _is_head = False
    _head = b""

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request: the headers with the beginning of the body, in one write.

        With two writes the server wakes up twice, and the first time it finds no body.
        """
        self._is_head, self._head = True, b""
        try:
            super().request(*args, **kwargs)
            if self._head:
                self.send(b"")
        finally:
            self._is_head, self._head = False, b""

    def send(self, data: Any) -> None:
        """Send the data after the headers that were not sent yet; only keep headers."""
        if self._is_head:
            self._is_head, self._head = False, data
            return
        head, self._head = self._head, b""
        super().send(head + data if head else data)

    def connect(self) -> None:
        # The library raises the same errors for a TLS handshake that fails or stalls as for a
        # connection that is cut during a request. The caller must handle the two differently.
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
    """The same connection over TLS."""

    # The file and folder of the authorities' certificates, kept for when ``connect`` runs again.
    _authorities: tuple[str | None, str | None] | None = None

    def _new_conn(self) -> socket.socket:
        # The certificates are loaded here, so that their errors count as a failure to connect.
        if self._authorities is None:
            self._authorities = (self.ca_certs, self.ca_cert_dir)
        self.ssl_context = trusting_context(*self._authorities)
        # Without this the library would load the certificates again for each connection.
        self.ca_certs = self.ca_cert_dir = None
        return super()._new_conn()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Fresh


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _FreshTls


class FreshAdapter(HTTPAdapter):
    """A requests adapter whose connections are never reused after ``MAX_IDLE_S``.

    The adapter must be used within an ``Exchange``, whose limits replace the library's timeouts.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool manager with our classes of connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Create the proxy's pool manager with our classes of connections."""
        manager = super().proxy_manager_for(*args, proxy_ssl_context=bounded_context(), **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class _Session(requests.Session):
    """A session that ignores redirects, because requests would read a redirect's whole body."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def plain_session(
    *, ca_bundle: str | None, proxy_url: str | None, pool_size: int
) -> requests.Session:
    """Return a session that keeps connections between requests, but no cookies or other state."""
    session = _Session()
    # A .netrc would replace our header, and requests would read the environment at each request.
    session.trust_env = False
    session.verify = ca_bundle or True
    session.proxies = {"http": proxy_url, "https": proxy_url} if proxy_url else {}
    # Mattermost prefers a session cookie to our header, and then also requires a CSRF token.
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
