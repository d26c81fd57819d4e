"""Agent text keeps its Markdown, and cannot mention all members."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rendering import agent_text
from tasks.rendering.agent import AgentText
from tasks.rendering.splitting import split
from tests.unit.test_rendering_oracle import NASTY, mentions

EVERYBODY = {"@channel", "@here", "@all"}
AT = st.sampled_from(
    ["@", "\\@", "&#64;", "&#0064;", "&#x40;", "&commat;", "_@", ".@", "-@", "<b>@"]
)
NAMES = st.sampled_from(
    ["channel", "here", "all", "ALL", "Here", "&#97;ll", "c&#x68;annel", "h&#101;re"]
)
AFTER = st.sampled_from(["", ".", "!", "-x", "_", "_x", "\u0301", "](x)", "**", ":", "é", "x"])
MENTIONS = st.tuples(AT, NAMES, AFTER).map("".join)


def everybody(markdown: str) -> list[str]:
    """Return the mentions of all members that the server could find."""
    return [word for word in mentions(markdown) if word.rstrip(".:-_").lower() in EVERYBODY]


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        pytest.param(
            "**Hi** _you_\n\n- a\n1. b\n> c", "**Hi** _you_\n\n- a\n1. b\n> c", id="Markdown"
        ),
        pytest.param("[x](http://x.nl) http://y.nl", "[x](http://x.nl) http://y.nl", id="links"),
        pytest.param(
            "@jan @allard ~town a@all.nl", "@jan @allard ~town a@all.nl", id="other names"
        ),
        pytest.param(
            "@all @Here. @CHANNEL", "@\u200ball @\u200bHere. @\u200bCHANNEL", id="everybody"
        ),
        pytest.param("`@all`", "`@\u200ball`", id="in code too"),
        pytest.param("&#64;all &commat;here", "&#64;\u200ball &commat;\u200bhere", id="entities"),
        pytest.param("https://x.nl/@all", "https://x.nl/%40all", id="address"),
        pytest.param("    a\r\n\x00b  ", "    a\nb", id="control characters"),
        pytest.param("```\na", "```\na\n```", id="open fence is closed"),
        pytest.param("```\na\n```", "```\na\n```", id="closed fence"),
        pytest.param("````\n```\na", "````\n```\na\n````", id="fence in a fence"),
        pytest.param("```a`b\nc", "```a`b\nc", id="no fence"),
    ],
)
def test_markdown_is_kept_and_mentions_of_all_are_broken(text: str, markdown: str) -> None:
    """Only mentions of all members are changed, and an open code block is closed."""
    actual = agent_text(text)

    assert actual == markdown


@settings(max_examples=400)
@given(st.lists(NASTY | MENTIONS, max_size=6).map("".join))
def test_no_agent_text_mentions_everybody(text: str) -> None:
    """No agent text mentions all members, however it is written."""
    actual = everybody(agent_text(text))

    assert actual == []


@settings(max_examples=200)
@given(st.lists(MENTIONS | st.sampled_from([" ", "\n", "a"]), max_size=60).map("".join))
def test_no_slice_of_an_agent_text_mentions_everybody(text: str) -> None:
    """No slice of an agent text mentions all members."""
    agent = AgentText.of(text)

    found = [everybody(agent.write(*slice_)) for slice_ in split(agent, budget=40)]

    assert not any(found)


@pytest.mark.parametrize(
    ("text", "budget", "pieces"),
    [
        pytest.param("-@allard", 5, ["-@al", "lard"], id="a longer name"),
        pytest.param("-&#64;allard", 9, ["-&#64;al", "lard"], id="an entity"),
        pytest.param("aaaaa@all", 5, ["aaaa", "a@all"], id="an address"),
    ],
)
def test_a_cut_makes_no_mention_of_what_is_none(text: str, budget: int, pieces: list[str]) -> None:
    """A cut does not turn the start of a longer name or the end of an address into a mention."""
    agent = AgentText.of(text)

    actual = [text[start:end] for start, end in split(agent, budget=budget)]

    assert actual == pieces


def test_a_code_block_goes_on_in_the_next_message() -> None:
    """A code block that is cut is closed, and opened again with its language."""
    agent = AgentText.of("Zo:\n\n```py\n" + "print(1)\n" * 6 + "```\nklaar")

    parts = [agent.write(*slice_) for slice_ in split(agent, budget=60)]

    assert parts == [
        "Zo:\n\n```py\nprint(1)\nprint(1)\nprint(1)\nprint(1)\n```",
        "```py\nprint(1)\nprint(1)\n```\nklaar",
    ]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["```\n", "```py\n", "~~~\n", "x y\n", "\n", "z"]), max_size=40))
def test_every_slice_has_as_many_fences_opened_as_closed(lines: list[str]) -> None:
    """Each slice closes the code blocks that it opens."""
    agent = AgentText.of("".join(lines))

    for slice_ in split(agent, budget=50):
        opened = ""
        for marks, info in re.findall(r"^(```+|~~~+)(.*)$", agent.write(*slice_), re.MULTILINE):
            closes = bool(opened) and marks.startswith(opened) and not info
            opened = "" if closes else opened or marks
        assert opened == ""
