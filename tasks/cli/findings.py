"""The doctor's output: findings in lines, by licence, or in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.checks.check import Check, State, worst
from tasks.cli.examination import Finding
from tasks.cli.output import check_data, check_row, checks_table, counted, named
from tasks.cli.tables import Rows, table

# Stands for the installation, where other rows name a licence.
OURS = "-"
_WRONG = frozenset({State.FAIL, State.WARN})
# The most licences that one line names; for the others it has their number.
MAX_NAMED = 3


def is_wrong(finding: Finding) -> bool:
    """Return whether the finding needs an action."""
    return finding.check.state in _WRONG


def _named(finding: Finding) -> Check:
    return finding.check if finding.licence_id is None else named(finding.check, finding.licence_id)


def in_lines(findings: Iterable[Finding]) -> list[Rows]:
    """Return one line for each finding, with its licence, for a file that is searched."""
    rows = []
    for finding in findings:
        state, name, sentence = check_row(_named(finding))
        rows.append((state, finding.licence_id or OURS, name, sentence))
    return [table(("state", "licence", "check", "finding"), rows)]


def by_licence(findings: Sequence[Finding]) -> list[str | Rows]:
    """Return a table for the installation and one for each licence, for a terminal."""
    shown: list[str | Rows] = []
    for whose in dict.fromkeys(finding.licence_id for finding in findings):
        checks = [_named(finding) for finding in findings if finding.licence_id == whose]
        heading = "Installation" if whose is None else f"Licence {whose}"
        shown += ["", heading, checks_table(checks)]
    return shown[1:]


def in_short(findings: Iterable[Finding]) -> list[str | Rows]:
    """Return what is wrong, with one line for the same finding of several licences."""
    whose: dict[Check, list[str]] = {}
    for finding in findings:
        if is_wrong(finding):
            whose.setdefault(finding.check, []).append(finding.licence_id or OURS)
    rows = []
    # Failures come first, then the installation's findings, then those of the most licences.
    for check, licences in sorted(whose.items(), key=lambda each: _weight(*each)):
        only = named(check, licences[0]) if len(licences) == 1 else check
        state, name, sentence = check_row(only)
        rows.append((state, _some(licences), name, sentence))
    return [table(("state", "licences", "check", "finding"), rows)] if rows else []


def _weight(check: Check, licences: Sequence[str]) -> tuple[bool, bool, int]:
    return check.state is not State.FAIL, licences != [OURS], -len(licences)


def _some(licences: Sequence[str]) -> str:
    named_ones = ", ".join(licences[:MAX_NAMED])
    more = len(licences) - MAX_NAMED
    return f"{named_ones} and {more} more" if more > 0 else named_ones


def totals(findings: Sequence[Finding], licence_ids: Sequence[str]) -> dict[str, Any]:
    """Return how many checks and how many licences are in each state."""
    checks = Counter(finding.check.state for finding in findings)
    of_each: dict[str, list[Check]] = {licence_id: [] for licence_id in licence_ids}
    for finding in findings:
        if finding.licence_id is not None:
            of_each[finding.licence_id].append(finding.check)
    licences = Counter(worst(each) for each in of_each.values())
    return {
        "checks": {state.value: checks[state] for state in State},
        "licences": {state.value: licences[state] for state in (State.OK, *sorted(_WRONG))},
    }


def totals_sentence(told: Mapping[str, Mapping[str, int]]) -> str:
    """Return the totals as a line."""
    checks, licences = (
        ", ".join(f"{state} {count}" for state, count in told[what].items())
        for what in ("checks", "licences")
    )
    number = counted(sum(told["licences"].values()), "licence")
    return f"Checks: {checks}. Of {number}: {licences}."


def data_of(finding: Finding) -> dict[str, Any]:
    """Return a finding as data for JSON."""
    return {"licence": finding.licence_id, **check_data(_named(finding))}
