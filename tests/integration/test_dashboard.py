"""The dashboard in deploy/ shows only metrics that a web process exports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.pages import ROOT
from tests.stage.scraper import Scraper
from tests.stage.stage import Stage

pytestmark = pytest.mark.one_database

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana.json").read_text())
PANELS = DASHBOARD["panels"]
# Grafana's values for its variables.
FILLED = {"$__rate_interval": "1m", "$licence": ".*"}
SELECTOR = re.compile(r"\b(ireserve_mattermost_\w+)(?:\{([^}]*)\})?")
MATCHER_LABEL, GROUPING = re.compile(r"(\w+)(?:=~|!~|!=|=)\""), re.compile(r"\bby \(([\w, ]+)\)")
LEGEND_LABEL = re.compile(r"\{\{(\w+)\}\}")


def _filled(expression: str) -> str:
    for name, value in FILLED.items():
        expression = expression.replace(name, value)
    return expression


def _expressions() -> Iterator[str]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]


def _wanted(panel: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each metric of a panel with each label in its expression."""
    for target in panel["targets"]:
        for metric, matchers in SELECTOR.findall(target["expr"]):
            groups = ",".join(GROUPING.findall(target["expr"])).replace(" ", "").split(",")
            labels = [
                *MATCHER_LABEL.findall(matchers),
                *groups,
                *LEGEND_LABEL.findall(target["legendFormat"]),
            ]
            yield metric, ""
            yield from ((metric, label) for label in labels if label)


def test_each_panel_shows_what_is_exported(stage: Stage, scraper: Scraper) -> None:
    """Each metric and label of a panel is exported after one message was sent."""
    stage.start()
    exported: defaultdict[str, set[str]] = defaultdict(set)
    for family in parse_text(scraper.ask().text):
        for sample in family.samples:
            exported[sample.name] |= {"", *sample.labels}

    wanted = {pair for panel in PANELS for pair in _wanted(panel)}

    assert {(name, label) for name, label in wanted if label not in exported[name]} == set()
    assert len({name for name, _ in wanted}) > 12


def test_variable_asks_for_a_label_that_is_exported(stage: Stage, scraper: Scraper) -> None:
    """The list of licences comes from a metric that each licence always has."""
    (query,) = [
        each["definition"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"
    ]
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert found is not None

    samples = [each for family in parse_text(scraper.ask().text) for each in family.samples]

    values = {each.labels.get(found[2]) for each in samples if each.name == found[1]}
    assert values == {"", "L1"}


@pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="NO PROMTOOL: install it (`apt-get install prometheus`) to run this test",
)
def test_prometheus_reads_each_expression(tmp_path: Path) -> None:
    """Prometheus parses each expression with Grafana's variables filled in."""
    rules = [
        {"record": f"panel:{number}", "expr": _filled(expression)}
        for number, expression in enumerate(_expressions())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert [rule for rule in rules if "$" in rule["expr"]] == []


def test_panels_lie_beside_each_other() -> None:
    """No panel covers another panel or leaves the 24 columns."""
    cells = [cell for panel in PANELS for cell in _cells(panel["gridPos"])]

    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for column in range(place["x"], place["x"] + place["w"]):
        for row in range(place["y"], place["y"] + place["h"]):
            yield column, row
