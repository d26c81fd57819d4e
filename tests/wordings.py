"""Collect the texts of a table of words: a dataclass, whose fields may be dataclasses, too."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def texts_of(table: Any) -> dict[str, str]:
    """Return each text by its field's name, and in an inner table by ``table.field``."""
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
