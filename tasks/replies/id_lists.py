"""Many ids as one parameter of a statement, alike on both databases.

As JSON, because that is the one kind of list that both can read; a parameter for each id would cost
more than what is done with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, TableValuedAlias, Text, bindparam, cast, func

# The parameter that holds the list.
IDS = "ids"


def listed(dialect: str) -> TableValuedAlias:
    """Return the list as a table with its members in ``value`` and their order in ``key``."""
    ids = bindparam(IDS, type_=Text)
    if dialect == "sqlite":
        return func.json_each(ids).table_valued("key", "value", name="listed")
    members = func.json_array_elements_text(cast(ids, JSON))
    return members.table_valued("value", with_ordinality="key", name="listed").render_derived()


def as_list(ids: Iterable[str]) -> dict[str, Any]:
    """Return the parameter."""
    return {IDS: json.dumps(list(ids))}
