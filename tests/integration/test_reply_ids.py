"""A reply's number is never used twice, on either database."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from models import Database, Reply, ReplySource
from tasks.replies.inbox import receive, receive_all
from tests.stage.stage import LICENCE
from tests.webhook_calls import add_licence

LARGEST = 2**53


@pytest.fixture(autouse=True)
def _licence(database: Database) -> None:
    add_licence(database, LICENCE)


def _one(database: Database, post_id: str) -> int:
    with database.autocommit() as connection:
        reply_id = receive(
            connection, licence_id=LICENCE, post_id=post_id, source=ReplySource.WEBHOOK
        )
    assert reply_id is not None
    return reply_id


def _many(database: Database, *post_ids: str) -> list[int]:
    with database.transaction() as session:
        found = receive_all(
            session, licence_id=LICENCE, post_ids=post_ids, source=ReplySource.CATCH_UP
        )
    return [found[post_id] for post_id in post_ids]


def _forget_all(database: Database) -> None:
    with database.transaction() as session:
        session.execute(delete(Reply))


def _restore(session: Session) -> None:
    """Remove all replies and set the counter back, as restoring an empty backup does."""
    session.execute(delete(Reply))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ALTER SEQUENCE replies_id_seq RESTART"))


def test_numbers_grow_and_fit_every_language(database: Database) -> None:
    """Numbers grow and fit into 53 bits, so that each language can store them."""
    ids = [
        _one(database, "a"),
        *_many(database, *(f"b{n}" for n in range(500))),
        _one(database, "c"),
    ]

    assert len(set(ids)) == 502
    assert max(ids) < LARGEST
    assert ids[0] < min(ids[1:])
    assert ids[-1] > ids[0]


def test_post_that_is_known_gets_no_other_number(database: Database) -> None:
    """A known post keeps its row and number."""
    first = _one(database, "a")

    with database.transaction() as session:
        again = receive_all(
            session, licence_id=LICENCE, post_ids=["a"], source=ReplySource.CATCH_UP
        )
        known = session.scalars(select(Reply.id)).all()

    assert (again, known) == ({}, [first])


def test_numbers_of_erased_replies_are_not_given_again(database: Database) -> None:
    """Numbers of erased replies are not used again, not even the newest."""
    given: list[int] = []
    for number in range(50):
        given += [_one(database, f"a{number}"), *_many(database, f"b{number}", f"c{number}")]
        _forget_all(database)

    assert len(set(given)) == 150


def test_numbers_are_not_given_again_after_a_restore(database: Database) -> None:
    """After a restore no number is used again, since numbers contain the time."""
    before = _many(database, *(f"a{number}" for number in range(100)))
    with database.transaction() as session:
        _restore(session)

    after = _many(database, *(f"b{number}" for number in range(100)))

    assert not set(before) & set(after)


def test_more_posts_than_a_moment_has_numbers_are_received_at_once(database: Database) -> None:
    """5,000 posts that are received at once each get their own number."""
    numbers = _many(database, *(f"{number:026d}" for number in range(5_000)))

    assert len(set(numbers)) == 5_000
