"""Many ids as one parameter of a statement, in the same way on both databases.

The list is JSON, the only form that both databases can read. One parameter for each id would take
longer than the statement itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, TableValuedAlias, Text, bindparam, cast, func

# The name of the parameter with the list.
IDS = "ids"


def listed(dialect: str) -> TableValuedAlias:
    """Return the list as a table with its members in ``value`` and their order in ``key``."""
    ids = bindparam(IDS, type_=Text)
    if dialect == "sqlite":
        return func.json_each(ids).table_valued("key", "value", name="listed")
    members = func.json_array_elements_text(cast(ids, JSON))
    return members.table_valued("value", with_ordinality="key", name="listed").render_derived()


def as_list(ids: Iterable[str]) -> dict[str, Any]:
    """Return the parameter with these ids."""
    return {IDS: json.dumps(list(ids))}
