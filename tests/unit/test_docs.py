"""The docs name what the code has, their links work, and their blocks can be run."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from models.base import Base
from settings import OTHER_VARIABLES, Settings
from tasks.app import app
from tasks.failures import OwnReason
from tasks.mattermost import Reason
from tasks.rendering import WORDINGS, Language
from tests.pages import BACKGROUND, FILE, NO_RUN, ROOT, Block, all_pages, anchors, blocks, links

REFERENCE = (ROOT / "docs" / "reference.md").read_text()
BLOCKS = [block for page in all_pages() for block in blocks(page)]
# Languages of blocks to run, to parse, and only to show.
RUN, PARSED, SHOWN = {"sh", "python"}, {"ini", "yaml"}, {"text"}
METRIC = re.compile(r"\bireserve_mattermost_\w+")
EVENT = re.compile(r"\blog\.(?:debug|info|warning|error|exception)\(\s*\"([a-z_]+[a-z])\"")
LEVELS = {"debug", "info", "warning", "error", "exception"}
TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)
TEST_FILE, NAMED_TEST = re.compile(r"\b(test_\w+\.py)"), re.compile(r"`(test_\w+)`")
LAST_STEP_WITHOUT_A_NOTE = "0004"
DATED = re.compile(r"^Date: 20\d\d-\d\d-\d\d$", re.MULTILINE)
STATUS = re.compile(r"^Status: (?:proposed|accepted|superseded)\b", re.MULTILINE)
OPTION = re.compile(r"^(?:\d\. |\| (?!---))", re.MULTILINE)
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
# Why a test cannot run a block, and the most blocks for each reason. A further block must raise a
# number here, so that its author first looks for a way to run it.
NOT_RUN = {
    "installs packages": 1,
    "needs root": 3,
    "needs a container engine": 1,
    "needs an account at a host": 1,
    "tests of its own run it": 3,
}


@pytest.mark.parametrize("reason", [*Reason, *OwnReason], ids=lambda reason: str(reason.value))
def test_each_reason_is_documented_with_its_cure(reason: Reason | OwnReason) -> None:
    """The reference lists each reason that the ledger can hold, with its cure."""
    assert f"| `{reason.value}` |" in REFERENCE
    assert reason.cure in REFERENCE


@pytest.mark.parametrize("name", sorted([*Settings.model_fields, *OTHER_VARIABLES]))
def test_each_setting_is_documented(name: str) -> None:
    """The table of settings has every setting."""
    assert f"`{name.upper()}`" in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_each_table_is_in_the_reference_and_what_it_holds_of_people(name: str) -> None:
    """The reference explains each table, and the privacy page says what personal data it has."""
    assert f"| `{name}` |" in REFERENCE
    assert f"`{name}`" in (ROOT / "docs" / "privacy.md").read_text()


def test_each_task_is_in_the_reference() -> None:
    """The reference lists each task that Flower shows."""
    app.loader.import_default_modules()
    names = {name for name in app.tasks if name.startswith("mattermost.")}

    assert {name for name in names if name.removeprefix("mattermost.") not in REFERENCE} == set()
    assert len(names) > 4


def test_readme_is_short_enough_to_be_read() -> None:
    """The README has at most 90 lines and 600 words."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 90
    assert len(text.split()) <= 600


@pytest.mark.parametrize("page", all_pages())
def test_each_link_leads_somewhere(page: str) -> None:
    """Each relative link leads to an existing file and anchor."""
    dead = [link for link in links(page) if not _leads_somewhere(page, link)]

    assert dead == []


def _leads_somewhere(page: str, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return True
    name, _, anchor = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(str(target.resolve().relative_to(ROOT)))


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_each_block_says_what_it_is(block: Block) -> None:
    """Each block has a known language, and a known directive after it if any."""
    known = block.directive in {"", BACKGROUND} or block.directive.startswith((FILE, NO_RUN))

    assert block.language in RUN | PARSED | SHOWN
    assert known, block.directive
    assert block.why_not is None or block.language in RUN


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    """Each block that is not run has a reason of ``NOT_RUN``, no more often than listed there."""
    counted = Counter(block.why_not for block in BLOCKS if block.why_not is not None)

    assert {why: count for why, count in counted.items() if count > NOT_RUN.get(why, 0)} == {}


def test_each_event_of_the_logs_is_explained() -> None:
    """The docs explain each log event."""
    page = (ROOT / "docs" / "operating.md").read_text()
    code = [path for name in ("tasks", "inbound") for path in (ROOT / name).rglob("*.py")]
    events = {event for path in code for event in EVENT.findall(path.read_text())}

    assert {event for event in events if f"`{event}`" not in page} == set()
    assert len(events) > 10


def test_each_event_of_the_logs_is_a_fixed_string() -> None:
    """The name of each log event is a fixed string, so that a search finds it in the code."""
    code = [path for name in ("tasks", "inbound") for path in (ROOT / name).rglob("*.py")]

    changing = {
        f"{path.relative_to(ROOT)}: {call}"
        for path in code
        for call in _calls_with_a_changing_event(path)
    }

    assert changing == set()


def _calls_with_a_changing_event(path: Path) -> list[str]:
    """Return the calls of the log in a file whose event is not a constant."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    logged = [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        and call.func.attr in LEVELS
    ]
    return [ast.unparse(call) for call in logged if not isinstance(call.args[0], ast.Constant)]


@pytest.mark.parametrize("page", all_pages())
def test_each_test_that_a_page_names_exists(page: str) -> None:
    """Each test that a page names as evidence exists."""
    text = (ROOT / page).read_text()
    files = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    names = {name for path in files.values() for name in TEST.findall(path.read_text())}

    assert set(TEST_FILE.findall(text)) - set(files) == set()
    assert set(NAMED_TEST.findall(text)) - names == set()


@pytest.mark.parametrize("language", [Language.DUTCH, Language.GERMAN])
def test_page_for_the_team_has_the_words_of_its_cards(language: Language) -> None:
    """The team's page in Dutch and in German has the words of the cards."""
    page = (ROOT / "docs" / f"support-team.{language.value}.md").read_text()
    words = WORDINGS[language]

    said = [
        *(words.new, words.waiting, words.answered, words.taken, words.snoozed, words.closed),
        *(words.prefix_wanted.format(prefix=words.reply_prefix), words.alerts_only, words.note),
    ]

    assert [each for each in said if each not in page] == []


def test_each_step_of_the_schema_is_in_the_upgrade_notes() -> None:
    """docs/upgrading.md has a row for each later migration, with what it adds and what to do."""
    steps = [path.name[:4] for path in (ROOT / "models/migrations/versions").glob("0*.py")]
    page = (ROOT / "docs" / "upgrading.md").read_text()

    noted = [step for step in sorted(steps) if f"| {step} |" in page]

    assert noted == [step for step in sorted(steps) if step > LAST_STEP_WITHOUT_A_NOTE]


def test_each_decision_has_its_own_number() -> None:
    """Each decision record has its own number."""
    numbers = [int(path.name[:4]) for path in DECISIONS]
    headings = [path.read_text().partition(".")[0] for path in DECISIONS]

    assert numbers == list(range(1, len(DECISIONS) + 1))
    assert headings == [f"# {number}" for number in numbers]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: str(path.name))
def test_each_decision_says_when_and_against_what_it_was_made(path: Path) -> None:
    """Each decision record has a date, a status, four sections, and two or more options."""
    text = path.read_text()
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])

    assert list(sections) == ["Context", "Options", "Decision", "Consequences"]
    assert DATED.search(text)
    assert STATUS.search(text)
    assert len(OPTION.findall(sections["Options"])) > 1
