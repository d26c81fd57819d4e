"""The file of settings means the same to every program that reads it, or is refused."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from honcho.environ import parse
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from env_file import EnvFileError, read_env_file

SECRET = "geheim"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param("A=plain", "plain", id="plain"),
        pytest.param("A=", "", id="empty"),
        pytest.param("A=''", "", id="empty in quotes"),
        pytest.param("  A=plain\t", "plain", id="blanks around"),
        pytest.param("A=sqlite:////var/lib/x/x.db", "sqlite:////var/lib/x/x.db", id="path"),
        pytest.param("A=postgresql://u:p%40@h/d?sslmode=require",
                     "postgresql://u:p%40@h/d?sslmode=require", id="address"),
        pytest.param("A=3pQ_-x=,y==", "3pQ_-x=,y==", id="keys"),
        pytest.param("A='x?a=1&b=2'", "x?a=1&b=2", id="ampersand"),
        pytest.param("A=' $HOME `id` \"#;~* '", " $HOME `id` \"#;~* ", id="signs of a shell"),
        pytest.param("A='Jürgen'", "Jürgen", id="beyond ASCII"),
        pytest.param("# A=no\n\nA=yes", "yes", id="comment"),
        pytest.param("A=first\nA=last", "last", id="the last one counts"),
    ],
)  # fmt: skip
def test_line_means_what_stands_there(tmp_path: Path, line: str, value: str) -> None:
    """Only the quotes around a value are removed."""
    file = tmp_path / "env"
    file.write_text(f"{line}\n")

    assert read_env_file(file) == {"A": value}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"A={SECRET}&b=2", id="ampersand"),
        pytest.param(f"A={SECRET} x", id="blank"),
        pytest.param(f"A={SECRET} # why", id="comment behind a value"),
        pytest.param(f"A=${SECRET}", id="dollar"),
        pytest.param(f"A=~/{SECRET}", id="home"),
        pytest.param(f'A="{SECRET}"', id="double quotes"),
        pytest.param(f"A='{SECRET}", id="quote that does not end"),
        pytest.param(f"A='{SECRET}'x", id="something behind the quotes"),
        pytest.param(f"A='{SECRET}\\n'", id="backslash"),
        pytest.param(f"A='{SECRET}\x07'", id="control character"),
        pytest.param(f"A={SECRET}\r", id="line end of Windows"),
        pytest.param(f"A={SECRET}ü", id="beyond ASCII without quotes"),
        pytest.param(f"A = {SECRET}", id="blanks around the sign"),
        pytest.param(f"export A={SECRET}", id="export"),
        pytest.param(f"1A={SECRET}", id="no name"),
        pytest.param(SECRET, id="no assignment"),
        pytest.param(f"\ufeffA={SECRET}", id="byte order mark"),
    ],
)
def test_line_that_programs_read_differently_is_refused(tmp_path: Path, line: str) -> None:
    """The error about an ambiguous line names file and line, and shows no value."""
    file = tmp_path / "env"
    file.write_text(f"# settings\n{line}\n", newline="")

    with pytest.raises(EnvFileError) as caught:
        read_env_file(file)

    assert str(caught.value).startswith(f"{file}, line 2: ")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda path: None, "No such file", id="none there"),
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="folder"),
        pytest.param(lambda path: path.write_bytes(b"A=\xff"), "UTF-8", id="no text"),
    ],
)
def test_file_that_cannot_be_read_is_named(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    """The error about an unreadable file names the file and says why."""
    file = tmp_path / "env"
    make(file)

    with pytest.raises(EnvFileError, match=said) as caught:
        read_env_file(file)

    assert str(caught.value).startswith(f"{file}: ")


VALUES = st.one_of(
    st.text(st.sampled_from("ab09_./:@%+,=?-&$`\"#;~!*(){}[]<>|^ \t\\'é"), max_size=12),
    st.text(st.characters(codec="utf-8"), max_size=8),
)


@examples(max_examples=200)
@given(value=VALUES, mark=st.sampled_from(["", "'", '"']))
def test_what_is_taken_is_read_alike_by_a_shell_and_honcho(value: str, mark: str) -> None:
    """Any accepted file gives the same values to us, to a shell and to honcho."""
    content = f"A={mark}{value}{mark}\n"
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content.encode())
        try:
            ours = read_env_file(Path(file.name)).get("A")
        except EnvFileError:
            return

    script = 'set -a; . /dev/stdin; printf %s "$A"'
    shell = subprocess.run(
        ["sh", "-c", script], input=content.encode(), capture_output=True, env={}, check=True
    )
    # honcho omits empty values, and an empty setting counts as not set.
    assert (shell.stdout.decode(), parse(content).get("A", "")) == (ours, ours)
