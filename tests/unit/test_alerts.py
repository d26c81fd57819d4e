"""Each alert rule fires in its case, is silent before, and names its runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from inbound.metric_families import BrokerFigures, DatabaseFigures, families
from tests.pages import ROOT, anchors

DEPLOY = ROOT / "deploy"
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
METRIC = re.compile(r"\bireserve_mattermost_\w+")
NO_PROMTOOL = "NO PROMTOOL: install it (`apt-get install prometheus`) to run this test"
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason=NO_PROMTOOL)
OURS = "ireserve_mattermost_"
# The minutes at which the alert must be silent and must fire. There is one sample each minute.
QUIET_M, AFTER_M = 10, 100


@dataclass(frozen=True, slots=True)
class Case:
    """Samples under which the alert is silent for ten minutes, and then fires."""

    alert: str
    series: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)


def _of_l1(name: str, **more: str) -> str:
    labels = ",".join(f'{key}="{value}"' for key, value in {"licence": "L1", **more}.items())
    return f"{OURS}{name}{{{labels}}}"


L1 = {"licence": "L1"}
ZERO_THEN_ONE = "0x10 1x90"
CASES = [
    Case("WebDown", {'up{job="ireserve-mattermost"}': "1x10 0x90"}, {"job": "ireserve-mattermost"}),
    Case(
        "WebDown", {'up{job="ireserve-mattermost"}': "1x10 stale"}, {"job": "ireserve-mattermost"}
    ),
    Case("PartDown", {f'{OURS}up{{part="store"}}': "1x10 0x90"}, {"part": "store"}),
    Case("NoWorker", {f'{OURS}processes{{kind="worker"}}': "1x10 0x90"}, {"kind": "worker"}),
    Case("NoBeat", {f'{OURS}processes{{kind="beat"}}': "1x10 0x90"}, {"kind": "beat"}),
    Case("WorkerGone", {f'{OURS}processes{{kind="worker"}}': "2x60 1x60"}, {"kind": "worker"}),
    Case("NothingSweeps", {f"{OURS}sweep_last_run_timestamp_seconds": "0+60x10 600x90"}),
    Case("RedisLosesMessages", {f"{OURS}redis_keeps_messages": "1x10 0x90"}),
    Case(
        "RedisNearlyFull",
        {
            f"{OURS}redis_memory_used_bytes": "79x10 81x90",
            f"{OURS}redis_memory_limit_bytes": "100x100",
        },
    ),
    Case("MessagesWait", {_of_l1("oldest_waiting_seconds"): "119x10 121x90"}, L1),
    Case(
        "ManyMessagesWait",
        {
            _of_l1("messages_waiting"): "50x10 51x90",
            f"{OURS}messages_waiting_limit": "100x100",
        },
        L1,
    ),
    Case("ServerAway", {_of_l1("circuit_state"): "1x10 2x90"}, L1),
    # The very first failure: of a licence, and of a licence that is not registered.
    Case(
        "MessagesFail",
        {_of_l1("messages_total", kind="reply", state="failed"): "0x90 1x10"},
        L1,
    ),
    Case(
        "MessagesFail",
        {f'{OURS}messages_total{{licence="",kind="user",state="failed"}}': "0x90 1x10"},
    ),
    Case(
        "RepliesGivenUp",
        {_of_l1("replies_unrecorded", state="given_up"): ZERO_THEN_ONE},
        {**L1, "state": "given_up"},
    ),
    Case("FilesMissing", {_of_l1("files_missing"): ZERO_THEN_ONE}, L1),
    Case(
        "WebhookTokenWrong",
        {f'{OURS}refused_total{{address="webhook",status="401"}}': "0x90 1x10"},
        {"address": "webhook", "status": "401"},
    ),
    Case(
        "WebhooksRefused",
        {f'{OURS}refused_total{{address="webhook",status="503"}}': "0x90 1x10"},
        {"status": "503"},
    ),
    Case(
        "MetricsTokenWrong",
        {f'{OURS}refused_total{{address="metrics",status="401"}}': "0x90 1x10"},
        {"address": "metrics", "status": "401"},
    ),
    Case("EntriesSetAside", {f"{OURS}entries_set_aside": ZERO_THEN_ONE}),
    Case("QueueGrows", {f"{OURS}queue_messages": "1000x10 1001x90"}),
    # The series does not exist before its first event.
    Case(
        "UnknownArguments",
        {_of_l1("unknown_arguments_total", kind="reply"): "_x90 1x10"},
        {**L1, "kind": "reply"},
    ),
    Case("NothingIsRemoved", {f"{OURS}retention_last_run_timestamp_seconds": "1+60x10 600x90"}),
    Case("FilesNotRemoved", {f"{OURS}files_to_remove": ZERO_THEN_ONE}),
    Case("RepliesNotTaken", {f"{OURS}reply_queue_messages": "0x10 1+1x90"}),
    Case("SettingsWithoutEffect", {f"{OURS}settings_without_effect": ZERO_THEN_ONE}),
    Case("ClocksApart", {f"{OURS}redis_clock_apart_seconds": "60x10 61x90"}),
    Case(
        "FlowerDown",
        {'up{job="ireserve-mattermost-flower"}': "1x10 0x90"},
        {"job": "ireserve-mattermost-flower"},
    ),
]


def _as_test(case: Case) -> dict[str, Any]:
    (rule,) = [rule for rule in RULES if rule["alert"] == case.alert]
    annotations = {
        name: re.sub(r"{{ \$labels\.(\w+) }}", lambda found: case.labels.get(found[1], ""), text)
        for name, text in rule["annotations"].items()
    }
    fired = {"exp_labels": {**case.labels, **rule["labels"]}, "exp_annotations": annotations}
    return {
        "interval": "1m",
        "input_series": [
            {"series": series, "values": values} for series, values in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{QUIET_M}m", "alertname": case.alert, "exp_alerts": []},
            {"eval_time": f"{AFTER_M}m", "alertname": case.alert, "exp_alerts": [fired]},
        ],
    }


def _run_promtool(test: dict[str, Any], directory: Path) -> subprocess.CompletedProcess[str]:
    page = {"rule_files": [str(DEPLOY / "alerts.yml")], "tests": [test]}
    path = directory / "test.yml"
    path.write_text(yaml.safe_dump(page))
    return subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)


@needs_promtool
@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.alert}-{number}" for number, case in enumerate(CASES)]
)
def test_alert_is_silent_first_and_fires_then(case: Case, tmp_path: Path) -> None:
    """As Prometheus evaluates each alert, it is silent before its case and fires in its case."""
    done = _run_promtool(_as_test(case), tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


@needs_promtool
def test_queue_from_which_something_is_taken_is_no_alert(tmp_path: Path) -> None:
    """A busy queue that is never empty raises no alert."""
    case = Case("RepliesNotTaken", {f"{OURS}reply_queue_messages": "9 7 8 5x6 9 8 7x90"})
    test = _as_test(case)
    silent, _ = test["alert_rule_test"]

    done = _run_promtool({**test, "alert_rule_test": [{**silent, "eval_time": "12m"}]}, tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_each_alert_is_tried() -> None:
    """Each alert has a case in which it fires."""
    assert {rule["alert"] for rule in RULES} == {case.alert for case in CASES}


@needs_promtool
def test_promtool_takes_rules_and_configuration() -> None:
    """Prometheus' own tool accepts our alert rules and our configuration."""
    done = subprocess.run(
        ["promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus.yml"],
        capture_output=True,
        text=True,
    )
    rules = subprocess.run(["promtool", "check", "rules", DEPLOY / "alerts.yml"])

    assert (done.returncode, rules.returncode) == (0, 0), done.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_alert_says_how_bad_it_is_and_where_its_runbook_is(rule: dict[str, Any]) -> None:
    """Each alert has a severity and a runbook section that says what to check and to do."""
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    text = (ROOT / page).read_text()
    section = text.partition(f"\n## {rule['alert']}\n")[2].partition("\n## ")[0]

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(page)
    assert "**Check**" in section
    assert "**Do:**" in section


def test_each_runbook_is_that_of_an_alert() -> None:
    """Each runbook section belongs to an existing alert."""
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)

    assert sorted(headings) == sorted(rule["alert"] for rule in RULES)


def test_alert_rules_name_metrics_that_exist() -> None:
    """The alert rules use only metrics that a web process exports."""
    named = {name for rule in RULES for name in METRIC.findall(rule["expr"])}
    ours = {
        sample.name + ("_total" if sample.type == "counter" else "")
        for sample in families(BrokerFigures(), DatabaseFigures())
    }

    assert named - ours == set()
    assert len(named) > 10
