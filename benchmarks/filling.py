"""Fill the tables with years of traffic, which the database itself generates."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, text

from benchmarks.installation import LICENCES
from benchmarks.post_server import CHANNEL_ID
from models import Conversation, Database, utc_now
from tasks.replies.backoff import GIVEN_UP

CONVERSATIONS = 1_000_000
# The root post and nine messages: 10 million deliveries in total.
DELIVERIES_EACH = 10
# Conversations for one transaction: a million deliveries make several hundred megabytes of log.
PORTION = 100_000
# One of this many conversations was active within the last month,
# and one of this many deliveries has failed.
ACTIVE_EACH = 24
FAILED_EACH = 1_000
LONG_AGO = timedelta(days=365)

_NUMBERS = {
    "postgresql": "SELECT generate_series(CAST(:start AS bigint), :stop - 1, :step)",
    "sqlite": "SELECT :start UNION ALL SELECT n + :step FROM numbers WHERE n + :step < :stop",
}
_CONVERSATION = f"""
INSERT INTO conversations (licence_id, conversation_id, visitor_name, channel_id, root_post_id,
    thread_number, created_at, last_active_at)
WITH RECURSIVE numbers(n) AS ({{numbers}})
SELECT 'L' || CAST(1 + n % {{licences}} AS TEXT), 'old-' || CAST(n AS TEXT), 'Jan de Vries',
    '{CHANNEL_ID}', 'root' || CAST(1000000000 + n AS TEXT), 1, :then,
    CASE n % {ACTIVE_EACH} WHEN 0 THEN :now ELSE :then END
FROM numbers
"""
# One reply of the team in each conversation; one reply in 1,000 was given up.
_REPLY = f"""
INSERT INTO replies (licence_id, post_id, state, source, conversation_row, text, plain_text,
    visibility, posted_at, post_update_at_ms, revision, received_at, recorded_at, next_attempt_at,
    attempts, reason)
WITH RECURSIVE numbers(n) AS ({{numbers}})
SELECT 'L' || CAST(1 + n % {{licences}} AS TEXT), 'answer' || CAST(10000000000 + n AS TEXT),
    CASE n % {FAILED_EACH} WHEN 1 THEN 'received' ELSE 'recorded' END, 'webhook', NULL,
    'Yes, it is free.', 'Yes, it is free.', 'public', :then, 1, 1, :then,
    CASE n % {FAILED_EACH} WHEN 1 THEN NULL ELSE :then END,
    CASE n % {FAILED_EACH} WHEN 1 THEN :given_up ELSE :then END, 1, NULL
FROM numbers
"""
_DELIVERY = f"""
INSERT INTO deliveries (licence_id, lane, key, kind, state, reason, payload, channel_id, post_id,
    post_count, task_id, enqueued_at, started_at, finished_at)
WITH RECURSIVE numbers(n) AS ({{numbers}}), messages(m) AS (VALUES {{messages}})
SELECT 'L' || CAST(1 + n % {{licences}} AS TEXT),
    'L' || CAST(1 + n % {{licences}} AS TEXT) || ':c:old-' || CAST(n AS TEXT),
    CASE m WHEN 0 THEN 'root:1' ELSE 'reply:old-' || CAST(m AS TEXT) END,
    CASE m WHEN 0 THEN 'root' ELSE 'reply' END,
    CASE (n * {DELIVERIES_EACH} + m) % {FAILED_EACH} WHEN 1 THEN 'failed' ELSE 'sent' END,
    CASE (n * {DELIVERIES_EACH} + m) % {FAILED_EACH} WHEN 1 THEN 'timeout' END,
    CASE (n * {DELIVERIES_EACH} + m) % {FAILED_EACH} WHEN 1 THEN {{payload}} END,
    '{CHANNEL_ID}', 'post' || CAST(10000000000 + n * {DELIVERIES_EACH} + m AS TEXT), 1,
    '7f9c24e5-2c33-4b9a-9d4e-' || CAST(100000000000 + n * {DELIVERIES_EACH} + m AS TEXT),
    :then, :then, :then
FROM numbers CROSS JOIN messages
"""
_PAYLOADS = {"postgresql": "CAST('{}' AS json)", "sqlite": "'{}'"}


def fill(database: Database, *, step: int = 1, licences: int = len(LICENCES)) -> None:
    """Insert each ``step``-th conversation with its deliveries and replies.

    The licences are L1, L2 and so on.
    """
    for start in range(0, CONVERSATIONS, PORTION):
        portion = {"start": start, "stop": start + PORTION, "step": step}
        _fill_portion(database, licences=licences, **portion)
        if step == 1:
            print(f"  filled {start + PORTION:,} of {CONVERSATIONS:,}", file=sys.stderr)
    _settle(database)


def _fill_portion(database: Database, *, licences: int, **numbers: int) -> None:
    dialect = database.engine.dialect.name
    parts = {
        "numbers": _NUMBERS[dialect],
        "messages": ", ".join(f"({number})" for number in range(DELIVERIES_EACH)),
        "payload": _PAYLOADS[dialect],
        "licences": licences,
    }
    now, then = utc_now(), utc_now() - LONG_AGO
    with database.engine.begin() as connection:
        connection.execute(
            text(_CONVERSATION.format(**parts)).bindparams(_moment("now"), _moment("then")),
            {**numbers, "now": now, "then": then},
        )
        connection.execute(
            text(_DELIVERY.format(**parts)).bindparams(_moment("then")), {**numbers, "then": then}
        )
        connection.execute(
            text(_REPLY.format(**parts)).bindparams(_moment("given_up"), _moment("then")),
            {**numbers, "given_up": GIVEN_UP, "then": then},
        )


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=Conversation.created_at.type)


def _settle(database: Database) -> None:
    """Vacuum PostgreSQL now, so that it does not start to do so during the measurement."""
    engine = database.engine
    if engine.dialect.name != "postgresql":
        return
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
