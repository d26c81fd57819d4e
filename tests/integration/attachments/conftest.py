"""An attachment store with files, and a host of links over TLS."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The tests' own certificate authority."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS settings of a file host on localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA) -> Iterator[str]:
    """The path of a CA bundle with this authority."""
    with authority.cert_pem.tempfile() as path:
        yield path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one file, and a file outside it that no path may reach."""
    (tmp_path / "outside.txt").write_bytes(b"outside")
    home = tmp_path / "store"
    (home / "sub").mkdir(parents=True)
    (home / "sub" / "a.txt").write_bytes(b"hello")
    return home
