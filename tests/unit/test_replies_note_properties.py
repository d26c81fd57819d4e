"""A note stays a note, whatever signs stand before it; any text can be judged."""

from hypothesis import given
from hypothesis import strategies as st

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.emoji_codes import emoji_by_name
from tasks.replies.notes import NotePrefixes
from tasks.replies.plain_text import Reading

NOTES = ("note:", "Note :", "NOTITIE:", "notiz:", "//", "note：", "**Note**:")
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
    prefix=st.sampled_from(NOTES),
    text=st.text(max_size=40),
)
def test_nothing_that_is_no_text_makes_a_note_public(
    lead: list[str], prefix: str, text: str
) -> None:
    """Whatever signs stand before a note prefix, and whatever text after it, the post is a note."""
    assert PREFIXES.matches(" ".join(lead) + " " + prefix + " " + text)


@given(prefix=st.sampled_from(NOTES), text=st.text(max_size=80))
def test_plain_text_of_a_note_lacks_its_prefix(prefix: str, text: str) -> None:
    """The plain text of a note ends as all of its plain text does, and its prefix is left out."""
    plain = Reading.of(f"{prefix} {text}").text

    note = PREFIXES.without_prefix(plain)

    assert plain.endswith(note)
    assert len(note) < len(plain)


ONE_LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=80)


@given(prefix=st.sampled_from(NOTES), text=ONE_LINE)
def test_quoted_line_makes_no_note(prefix: str, text: str) -> None:
    """Whatever a quoted line says, it makes no note, since it is another person's."""
    assert not PREFIXES.matches(f"> {prefix} {text}")
