"""The texts of a table of words, whatever dataclasses it is made of."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def texts_of(table: Any) -> dict[str, str]:
    """Return each text of the table by its name; those of an inner table have its name before."""
    texts: dict[str, str] = {}
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, str):
            texts[field.name] = value
        elif isinstance(value, tuple):
            texts |= {f"{field.name} {number}": text for number, text in enumerate(value, 1)}
        else:
            texts |= {f"{field.name}.{name}": text for name, text in texts_of(value).items()}
    return texts
