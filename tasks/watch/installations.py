"""A name for an installation's database, to notice two installations that share one Redis."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select

from models import Database, Licence

# The name of a database without a licence.
NONE = "none"
_LENGTH = 16


def name_of(database: Database) -> str:
    """Return a short name of the database, made from its oldest licence.

    The name does not depend on the address by which a process reaches the database.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be asked.
    """
    oldest = select(Licence.id, Licence.created_at).order_by(Licence.created_at, Licence.id)
    with database.reading() as connection:
        row = connection.execute(oldest.limit(1)).first()
    if row is None:
        return NONE
    return sha256(f"{row.id} {row.created_at.isoformat()}".encode()).hexdigest()[:_LENGTH]
