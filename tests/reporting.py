"""Report figures at the end of a run, and the logs of a failed test's processes."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.figures import table, write_report

LAST_LINES = 20
# The kernel takes the time of a file from a clock with coarse ticks. So a file that the test wrote
# may seem older than the test's start.
TICK_S = 0.1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    parser.addoption(
        "--full-load",
        action="store_true",
        help="run each fault test with 2,000 messages, and more of them",
    )
    parser.addoption(
        "--fault-report", metavar="FILE", help="write what the fault tests measured as JSON"
    )
    parser.addoption(
        "--fail-on-skip", action="store_true", help="fail if a test was skipped (for CI)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the suite's marks, and make sure that the tests' processes can be interrupted.

    If a script starts the suite in the background, or under `nohup`, the suite ignores SIGINT or
    SIGHUP. Its child processes would then ignore the signal, too.
    """
    for signum, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, handler)
    config.addinivalue_line("markers", "full_load: runs with --full-load alone")
    config.addinivalue_line(
        "markers", "one_database: on SQLite alone, but for --full-load: its SQL is plain"
    )
    config.addinivalue_line("markers", "measures_time: has the machine for itself")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run with --fail-on-skip if any test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--fail-on-skip") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the last log lines of a failed test's processes to its report."""
    report = yield
    if report.failed:
        for log in sorted(_logs(item, since=call.start)):
            lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            if lines:
                report.sections.append((f"Last lines of {log}", "\n".join(lines)))
    return report


def _logs(item: pytest.Item, *, since: float) -> set[Path]:
    """Return the logs in the test's folder, and shared servers' logs written during the test."""
    arguments: dict[str, object] = getattr(item, "funcargs", {})
    own = set(_logs_in(arguments.get("tmp_path")))
    shared = (getattr(argument, "directory", None) for argument in arguments.values())
    return own | {
        log
        for folder in shared
        for log in _logs_in(folder)
        if log.stat().st_mtime >= since - TICK_S
    }


def _logs_in(folder: object) -> Iterator[Path]:
    return folder.rglob("*.log") if isinstance(folder, Path) else iter(())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the fault tests' figures, and with --durations the time of each folder."""
    _print_figures(terminalreporter)
    if terminalreporter.config.getoption("durations"):
        terminalreporter.section("time by folder")
        for line in _times(_reports(terminalreporter)):
            terminalreporter.write_line(line)


def _print_figures(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    properties = [each for report in reports for each in report.user_properties]
    rows = [row for name, row in properties if name == "fault_test"]
    if rows:
        terminalreporter.section("fault tests passed")
        for line in table(rows):
            terminalreporter.write_line(line)
    figures = [str(row) for name, row in properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.write_line(figure)
    path = terminalreporter.config.getoption("--fault-report")
    if path:
        write_report(Path(path), rows, figures)


def _reports(terminalreporter: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    for reports in terminalreporter.stats.values():
        yield from (report for report in reports if isinstance(report, pytest.TestReport))


def _times(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return a line for each folder: the seconds of its tests, and their number."""
    seconds: defaultdict[str, float] = defaultdict(float)
    tests: defaultdict[str, set[str]] = defaultdict(set)
    for report in reports:
        folder = str(Path(report.nodeid.partition("::")[0]).parent)
        seconds[folder] += report.duration
        tests[folder].add(report.nodeid)
    folders = sorted(seconds, key=lambda folder: -seconds[folder])
    return [f"{seconds[it]:7.1f} s  {len(tests[it]):5}  {it}" for it in folders]
