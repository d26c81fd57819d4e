"""The check of the language: plain words in each line, short sentences in pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository in which the check runs."""
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin" / "plain-words", tmp_path / "bin")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def _plain(line: str) -> str:
    """Return the line without the trick that hides its word from the check of this file."""
    return line.replace("~", "")


def _check(project: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "bin/plain-words"], cwd=project, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("path", "line", "named"),
    [
        pytest.param("a.py", "# Who~ever asks first has it.", "the caller", id="comment"),
        pytest.param("a.py", 'raise ValueError("some~body else has it")', "another", id="message"),
        pytest.param("docs/a.md", "It waits until any~body asks.", "any member", id="docs"),
        pytest.param("a.py", "def test_no~body_waits() -> None:", "no worker", id="name"),
        pytest.param("a.html", "<p>A post of~ ours</p>", "our posts", id="page"),
        pytest.param("bin/a", "# Starts so~ many workers.", "the number", id="script"),
        pytest.param("a.toml", "# Left alone for so~ long.", "the time", id="settings"),
    ],
)
def test_line_is_refused_with_the_plain_form(
    project: Path, path: str, line: str, named: str
) -> None:
    """A refused word is found in each kind of file, with its place and the plain form."""
    file = project / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"\n{_plain(line)}\n")

    exit_code, said = _check(project)

    assert exit_code == 1
    assert f"{path}:2: " in said
    assert named in said
    assert _plain(line) in said


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('user = "no~body"', id="a value in quotes"),
        pytest.param("The system's `no~body` runs it.", id="a name in backticks"),
        pytest.param("# So, many wait; every~body does.", id="other words"),
    ],
)
def test_line_without_such_a_word_is_not_refused(project: Path, line: str) -> None:
    """Parts of other words and quoted names are not refused."""
    (project / "a.py").write_text(_plain(line) + "\n")

    assert _check(project) == (0, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("One is here. Two is there.", "2 sentences", id="two in a line"),
        pytest.param("`a` is one. `b` is another.", "2 sentences", id="beginning with code"),
        pytest.param("- It begins here and\n  ends here.", "join them", id="one in two lines"),
        pytest.param("| a |\n|---|\n| " + "word " * 26 + "|", "26 words", id="long cell"),
        pytest.param("word " * 20 + "[of a link](a.md) and some more.", "26 words", id="link"),
        pytest.param("word " * 26, "26 words, at most 25", id="long sentence"),
    ],
)
def test_page_with_hard_sentences_is_refused(project: Path, text: str, said: str) -> None:
    """A page must have one sentence of at most 25 words on each line."""
    (project / "a.md").write_text(f"# A page\n\n{text}\n")

    exit_code, answer = _check(project)

    assert (exit_code, said in answer) == (1, True), answer


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- One is here.\n  Two is there.", id="sentence a line"),
        pytest.param("It has `a. B c` and [d](e.md#f. G), e.g. H.", id="code and links"),
        pytest.param("| One. Two. |\n|---|\n| Three. Four. |", id="sentences in a cell"),
        pytest.param("```text\n" + "word " * 30 + "\nA. B. C.\n```", id="block of code"),
        pytest.param("word " * 24 + "`a piece of code with many words`.", id="25 words"),
    ],
)
def test_page_with_short_sentences_is_not_refused(project: Path, text: str) -> None:
    """Code and links count as they are read."""
    (project / "a.md").write_text(f"# A page of. Two\n\n{text}\n")

    assert _check(project) == (0, "")
