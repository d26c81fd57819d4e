"""A note stays a note, whatever signs stand before it; any text can be judged."""

from hypothesis import given
from hypothesis import strategies as st

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.emoji_codes import emoji_by_name
from tasks.replies.notes import NotePrefixes
from tasks.replies.plain_text import plain_text_of

PREFIXES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)
# Characters before a note that a person would not call text.
DECORATIONS = (
    *(":3 ", "O:) ", "T_T ", "o_O ", "\\o/ ", "o/ ", "¯\\_(ツ)_/¯ "),
    *("[🔒](https://a.example) ", "[](https://a.example) ", "1.1 ", "2.10.3) "),
    *" \n\t\u200b\u00a0\ufeff\u2060*#-+\\_~|=!?.,;()[]{}«»“”„‘’‚'\"•◦▪–—→⇒➜✓✔☐☑①Ⓜ™©ℹ",
    *("- [x] ", "[X]", "[ ]", "->", "=>", "-->", "1. ", "2) ", "(3)", "[4] ", "1/2 ", "#1 ", "a) "),
    *(
        "![i](https://a.nl/i.png)",
        ":acme_internal:",
        ":D ",
        "=D ",
        ":'D ",
        "[ x ] ",
        "(ツ) ",
        "[🔒](https://a.nl) ",
        "[![i](https://a.nl/i.png)](https://a.nl) ",
        "![i][r] ",
        ":-P ",
        "<3 ",
        "xD ",
        "<b>",
        "~~",
        "**",
    ),
    *("\n> quoted\n\n", "@anna ", "# ", "\n\n", "#intern ", "~support ", "№1 ", "ʕ•ᴥ•ʔ "),
    *"│└├─█⠿✂❖❯❝※§¶\u200f\u202e\u2066\u00ad",
)


@given(
    lead=st.lists(
        st.sampled_from(DECORATIONS)
        | st.sampled_from(sorted(emoji_by_name())).map(lambda name: f":{name}:")
        | st.sampled_from(sorted(set(emoji_by_name().values()))),
        max_size=5,
    ),
    prefix=st.sampled_from(["note:", "Note :", "NOTITIE:", "notiz:", "//", "note：", "**Note**:"]),
    text=st.text(max_size=40),
)
def test_nothing_that_is_no_text_makes_a_note_public(
    lead: list[str], prefix: str, text: str
) -> None:
    """Whatever signs stand before a note prefix, and whatever text after it, the post is a note."""
    assert PREFIXES.matches(" ".join(lead) + " " + prefix + " " + text)


@given(text=st.text(max_size=80))
def test_every_text_is_judged(text: str) -> None:
    """Any text can be judged, and a note's plain text is part of the whole plain text."""
    plain = plain_text_of(text)

    assert PREFIXES.matches(text) in (True, False)
    assert PREFIXES.without_prefix(plain) in plain
