"""All our words in Mattermost are in one table, complete in each language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from string import Formatter

import pytest

from tasks.rendering import WORDINGS, Language
from tasks.rendering.english import ENGLISH
from tests.wordings import texts_of

RENDERING = Path(__file__).parents[2] / "tasks" / "rendering"
# The table itself.
TABLES = {"wording.py", "english.py", "dutch.py", "german.py"}
WORDS = re.compile("[A-Za-z]{2}")
# A name of code, an address, an entity, a colour, or a regular expression.
KEY_OR_PATTERN = re.compile(r"\A(?:[a-z_]+|[A-Z_]+|#\w+)\Z|[\\\[&^]|[#;]:|:[#;]|(?:https?|mailto):")
# Words that are the same in each language, and names of classes, which only mypy reads.
NOT_SAID = {
    "i-Reserve",
    " (i-Reserve)",
    " (bot)",
    "(UTC",
    "Etc/UTC",
    "Locale",
    "Language",
    "Card",
    "CardState",
    "MissingMessages",
    "MissingReason",
}
# The functions that make a post, or a line of a post.
POSTING = {"create_post", "patch_post", "Draft", "file_note", "render_reply", "render_notification"}
# The texts that are the same as in English: Dutch dates have the same order.
SAME = {Language.DUTCH: ["moment"], Language.GERMAN: []}


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_language_has_its_table() -> None:
    """Each language that a licence can have has its table."""
    assert set(WORDINGS) == set(Language)


@pytest.mark.parametrize("language", Language)
def test_texts_of_all_languages_are_filled_in_alike(language: Language) -> None:
    """Each text has the same placeholders in all languages."""
    texts, english = texts_of(WORDINGS[language]), texts_of(ENGLISH)

    assert {name: placeholders(text) for name, text in texts.items()} == {
        name: placeholders(text) for name, text in english.items()
    }
    assert [name for name, text in texts.items() if text != text.strip() or not text] == []


@pytest.mark.parametrize("language", [Language.DUTCH, Language.GERMAN])
def test_every_text_is_translated(language: Language) -> None:
    """Each text is translated, except dates that have only figures."""
    texts, english = texts_of(WORDINGS[language]), texts_of(ENGLISH)

    assert [name for name, text in texts.items() if text == english[name]] == SAME[language]


def said(tree: ast.AST) -> Iterator[str]:
    """Yield the literals of a module that read as words: no docstring, error, key or pattern."""
    body = getattr(tree, "body", [])
    first = body[0] if isinstance(body, list) and body else None
    docstring = first.value if isinstance(first, ast.Expr) else None
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Raise) or getattr(node, "value", node) is docstring:
            continue
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and WORDS.search(text) and not KEY_OR_PATTERN.search(text):
            yield text
        yield from said(node)


@pytest.mark.parametrize(
    "path",
    [path for path in RENDERING.glob("*.py") if path.name not in TABLES],
    ids=attrgetter("name"),
)
def test_rendering_says_nothing_outside_of_the_table(path: Path) -> None:
    """No renderer has words as literals, which would be English for every team."""
    assert [text for text in said(ast.parse(path.read_text())) if text not in NOT_SAID] == []


def test_a_word_of_a_renderer_is_noticed() -> None:
    """The test above finds a literal, also inside the braces of an f-string."""
    source = (
        'def line(name):\n    """Return it."""\n    return f"{name} by " + "Closed" + "Page: "\n'
    )

    assert list(said(ast.parse(source))) == [" by ", "Closed", "Page: "]


def shown(tree: ast.AST) -> Iterator[str]:
    """Yield the literals that a module passes to functions that post or render."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        for argument in call.keywords if name in POSTING else ():
            if argument.arg in {"message", "text", "reason"}:
                yield from said(argument)


@pytest.mark.parametrize("folder", ["checks", "outbound", "replies"])
def test_what_posts_says_nothing_outside_of_the_table(folder: str) -> None:
    """No code that posts passes words as literals."""
    modules = [ast.parse(path.read_text()) for path in (RENDERING.parent / folder).glob("*.py")]

    assert [text for module in modules for text in shown(module)] == []


def test_a_literal_in_a_post_is_noticed() -> None:
    """The test above finds a literal in a post."""
    source = 'client.create_post(channel_id="c", message="Moved: " + name)'

    assert list(shown(ast.parse(source))) == ["Moved: "]
