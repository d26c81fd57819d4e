"""The check of the environment for settings that no process reads, as with a mistyped name."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.checks.check import Check, passed, warned


def check_names(unread: Mapping[str, str]) -> Check:
    """Return the check of names that no process reads, each with the setting it may mean."""
    if not unread:
        return passed("settings", "each setting in the environment has a name that is read")
    told = [f"{name} (did you mean {near}?)" if near else name for name, near in unread.items()]
    return warned(
        "settings",
        f"no process reads: {', '.join(told)}",
        "Correct the name, or take it away; docs/settings.md lists all. Until then the default "
        "holds.",
    )
