"""Everything works with Redis over TLS, and a wrong certificate is refused."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme

from tests.stage.deployed import DeployedStage
from tests.stage.deployment import Deployment
from tests.tls_proxy import tls_before
from tests.waiting import wait_until

MESSAGE = {"message_id": "m1", "sender_name": "Jan", "sender_role": "visitor", "text": "hello"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority that no client knows."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA) -> Iterator[str]:
    """The authority's certificate file, for a client that should know it."""
    with authority.cert_pem.tempfile() as path:
        yield path


@pytest.fixture
def tls_url(stage: DeployedStage, authority: trustme.CA) -> Iterator[str]:
    """The address of the stage's Redis behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with tls_before(stage.redis.port, context) as port:
        yield f"rediss://localhost:{port}/0"


@pytest.fixture
def deployment(stage: DeployedStage) -> Iterator[Deployment]:
    """The stage's deployment, which is stopped before the TLS proxy."""
    yield stage.deployment
    stage.deployment.stop()


@pytest.mark.parametrize("query", ["ssl_ca_certs={bundle}", "ssl_cert_reqs=none"])
def test_message_goes_all_the_way(
    stage: DeployedStage, tls_url: str, deployment: Deployment, bundle: str, query: str
) -> None:
    """A message is sent over TLS with a private authority, or without checking the certificate."""
    deployment.environment["REDIS_URL"] = f"{tls_url}?{query.format(bundle=bundle)}"
    deployment.start_worker()
    host = deployment.start_host()

    host.delay("create_root_post", "L1", "c1", visitor_name="Jan")
    answer = host.delay("post_reply", "L1", "c1", **MESSAGE)

    assert answer["ok"], answer
    wait_until(lambda: len(stage.accepted()) == 2, what="root and reply")


def test_unknown_certificate_is_refused(
    stage: DeployedStage, tls_url: str, deployment: Deployment
) -> None:
    """A client sends nothing to a server with an unknown certificate."""
    deployment.environment["REDIS_URL"] = tls_url
    host = deployment.start_host()

    answer = host.delay("post_reply", "L1", "c1", **MESSAGE)

    assert answer["error"] == "kombu.exceptions.OperationalError"
    assert "certificate" in answer["message"].lower(), answer
    assert stage.accepted() == []
