"""What tells one installation's database from another's, where both use one Redis."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select

from models import Database, Licence

# No licence is registered.
NONE = "none"
_LENGTH = 16


def name_of(database: Database) -> str:
    """Return a short word that stands for the database: made of its oldest licence.

    It is the same from whatever address the database is reached.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be asked.
    """
    oldest = select(Licence.id, Licence.created_at).order_by(Licence.created_at, Licence.id)
    with database.reading() as connection:
        row = connection.execute(oldest.limit(1)).first()
    if row is None:
        return NONE
    return sha256(f"{row.id} {row.created_at.isoformat()}".encode()).hexdigest()[:_LENGTH]
