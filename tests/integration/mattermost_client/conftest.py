"""A certificate authority for servers that speak TLS."""

import ssl

import pytest
import trustme


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The tests' own certificate authority."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS settings of a server at localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context
