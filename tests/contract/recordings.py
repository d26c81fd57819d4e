"""The recorded answers of real servers, by version."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SAMPLES = Path(__file__).parents[1] / "samples"


@dataclass(frozen=True, slots=True)
class Recording:
    """One server's answers, case by case, and the outgoing webhooks that it sent."""

    version: str
    cases: Mapping[str, Mapping[str, Any]]
    outgoing_webhook: Mapping[str, Any]


def _read(version: str) -> Recording:
    text = (_SAMPLES / f"recorded-{version}.json").read_text(encoding="utf-8")
    content = json.loads(text)
    cases = {case["case"]: case for case in content["cases"]}
    return Recording(version, cases, content["outgoing_webhook"])


# Oldest first.
RECORDINGS = {version: _read(version) for version in ("6.7.2", "11.6.0")}
# Each version has the same recorded cases.
CASE_NAMES = sorted(RECORDINGS["11.6.0"].cases)


def recording_of(version: str) -> Recording:
    """Return the recording of this version, else of the newest older one, else of 6.7.2."""
    known = [each for each in RECORDINGS if _number(each) <= _number(version)]
    return RECORDINGS[known[-1] if known else "6.7.2"]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
