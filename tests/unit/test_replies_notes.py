"""What counts as a note, and what is left of it without its prefix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.emoji_codes import emoji_by_name
from tasks.replies.notes import NotePrefixes, leading_mentions
from tasks.replies.plain_text import Reading, plain_text_of
from tasks.replies.prefixes import PrefixError, require_sendable_prefixes

PREFIXES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)

NOTES = {
    "plain": "note: call first",
    "no space after it": "note:call first",
    "alone": "note:",
    "capitals": "NOTE: call first",
    "capital": "Note: call first",
    "space before the colon": "Note : call first",
    "leading spaces": "   note: call first",
    "leading tab": "\tnote: call first",
    "indented like code": "    note: call first",
    "leading newlines": "\n\n \nnote: call first",
    "windows line ends": "\r\nnote: call first",
    "no-break space": "\u00a0note: call first",
    "zero width space before": "\u200bnote: call first",
    "zero width space inside": "no\u200bte: call first",
    "byte order mark": "\ufeffnote: call first",
    "soft hyphen": "no\u00adte: call first",
    "hangul filler": "\u3164note: call first",
    "braille blank": "\u2800note: call first",
    "wide colon": "note： call first",
    "wide letters": "ｎｏｔｅ: call first",
    "bold": "**note:** call first",
    "bold word": "**Note**: call first",
    "italic": "_note:_ call first",
    "italic left open": "_note: call first",
    "struck": "~~note:~~ call first",
    "heading": "# note: call first",
    "bullet": "- note: call first",
    "numbered": "1. note: call first",
    "task": "- [ ] note: call first",
    "entity": "&#110;ote: call first",
    "escaped": "\\note: call first",
    "escaped colon": "note\\: call first",
    "link": "[note:](https://example.com) call first",
    "table": "|note: call first|\n|-|",
    "in brackets": "(note: call first)",
    "after a lock": "🔒 note: call first",
    "after a rule": "---\nnote: call first",
    "under a quote": "> what he said\n\nnote: call first",
    "right under a quote": "> what he said\nnote: call first",
    "slashes": "// call first",
    "slashes without space": "//call first",
    "slashes alone": "//",
    "three slashes": "/// call first",
    "address without scheme": "//example.com/x",
    "escaped slash": "\\// call first",
    "on the line of a fence": "~~~note: call first",
    "dutch": "Notitie: eerst bellen",
    "german": "NOTIZ: erst anrufen",
    "letter that is an emoji": "ℹ\ufe0f note: call first",
    "code of a letter": ":information_source: note: call first",
    "code of the server": ":acme_internal: note: call first",
    "code with a tone": ":+1_medium_light_skin_tone: note: call first",
    "two codes": ":one: :two: note: call first",
    "digit on a key": "1\ufe0f\u20e3 note: call first",
    "trade mark": "™ note: call first",
    "circled letter": "Ⓜ note: call first",
    "squared letter": "🅰️ note: call first",
    "squared word": "🆗 note: call first",
    "squared syllable": "🈁 note: call first",
    "squared ideograph": "🈺 note: call first",
    "circled ideograph": "㊙️ note: call first",
    "circled number": "① note: call first",
    "flag": "🇳🇱 note: call first",
    "joined emoji": "👩🏿\u200d⚕\ufe0f note: call first",
    "emoticon": ":D note: call first",
    "emoticon with a nose": ":-P note: call first",
    "heart": "<3 note: call first",
    "box ticked": "- [x] note: call first",
    "box in capitals": "[X] note: call first",
    "check mark": "✔ note: call first",
    "arrow of signs": "-> note: call first",
    "long arrow": "--> note: call first",
    "double arrow": "=> note: call first",
    "arrow": "→ note: call first",
    "quotation marks": "“note: call first”",
    "low quotation marks": "„note: call first“",
    "angle quotation marks": "»note: call first«",
    "angle bracket": "- > note: call first",
    "picture": "![i](https://a.example/i.png) note: call first",
    "bold picture": "**![i](https://a.example/i.png)** note: call first",
    "tag": "<b>note: call first</b>",
    "number in brackets": "(1) note: call first",
    "number without a blank": "1.note: call first",
    "number with a bracket": "2) note: call first",
    "part": "2/3 note: call first",
    "number sign": "#1 note: call first",
    "letter of an item": "a) note: call first",
    "roman number": "iv. note: call first",
    "other colon": "note\u2236 call first",
    "low colon": "note\ua789 call first",
    "accent that is a mark of its own": "n\u0308ote: call first",
    "mention": "@anna note: call first",
    "mention in bold": "**@anna** note: call first",
    "letters in circles": "ⓝⓞⓣⓔ: call first",
    "no word in sight": "* " * 2_000 + "call first",
    "code right before": "🔒:note: call first",
    "emoji code right before": ":lock::note: call first",
    "code of its own": ":note: call first",
    "two colons": "::note: call first",
    "picture in a link": "[![i](https://a.nl/i.png)](https://a.nl) note: call first",
    "emoji in a link": "[🔒](https://a.nl) note: call first",
    "picture with its address below": "![i][r] note: call first\n\n[r]: https://a.nl/i.png",
    "picture with brackets": "![a [b] c](https://a.nl/i.png) note: call first",
    "picture on two lines": "![a\nb](https://a.nl/i.png) note: call first",
    "number of two parts": "1.1 note: call first",
    "number of three parts": "1.2.3 note: call first",
    "box with blanks": "[ x ] note: call first",
    "laughing": "=D note: call first",
    "crying": ":'D note: call first",
    "cat's mouth": ":3 note: call first",
    "face of letters": "o_O note: call first",
    "shrug": "¯\\_(ツ)_/¯ note: call first",
    "look": "(ಠ_ಠ) note: call first",
    "modifier apostrophe": "ʼnote: call first",
    "long dash of Japanese": "ーnote: call first",
    "quote after an emoji": "🔒\n> what he said\nnote: call first",
    "bold word right under a quote": "> what he said\n**Note**: call first",
    "bold word after a picture": "![i](https://a.example/i.png) **Note**: call first",
    "entity after a picture": "![i](https://a.example/i.png) &#110;ote: call first",
    "bold word, indented like code": "    **Note**: call first",
    "lone backtick": "`note: call first",
    "quotation marks of backticks": "``note: call first''",
    "backtick after a lock": "🔒 `note: call first",
    "at sign": "@note: call first",
    "hashtag": "#intern note: call first",
    "hashtag of its own": "#note: call first",
    "channel": "~support note: call first",
    "numero sign": "№1 note: call first",
    "bear": "ʕ•ᴥ•ʔ note: call first",
    "heart right before": "<3note: call first",
    "wide brackets": "［x］note: call first",
    "branch": "└─ note: call first",
    "braille": "⠿ note: call first",
    "dingbat": "❯ note: call first",
    "marks of direction": "\u202e\u2066note: call first",
}
REPLIES = {
    "empty": "",
    "spaces": "  \n ",
    "text": "Your room is ready",
    "longer word": "notebook: bring yours",
    "emoji like a longer word": ":notebook: bring yours",
    "link with words": "[our site](https://a.nl) note: call first",
    "notes": "notes: none",
    "without colon": "note that we close at six",
    "in the middle": "Please note: we close at six",
    "second line": "Hello\nnote: we close at six",
    "quoted": "> note: call first",
    "quoted deeper": "> > note: call first",
    "quoted, then a reply": "> note: call first\n\nWill do",
    "code": "`note: call first`",
    "fenced": "```\nnote: call first\n```",
    "tildes": "~~~\nnote: call first\n~~~",
    "web address": "https://example.com // x",
    "one slash": "/ call first",
    "fraction": "1//2",
    "mention alone": "@anna",
    "mention of a visitor": "@jan your room is ready",
    "number as text": "10 note: call first",
    "word": "ok. note: we close at six",
    "letter as text": "a note: call first",
    "word with an accent": "nöte: x",
    "hashtag and words": "#deal see the note: x",
    "channel and words": "~support has the note: x",
    "code that is not closed, and a word": "`x note: y",
    "picture and words": "![i](https://a.nl/i.png) see the note: x",
    "word with a bold colon": "no**te**day: x",
}


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES.keys())
def test_what_looks_like_a_note_is_one(text: str) -> None:
    """A text that a reader takes for a note is a note."""
    assert PREFIXES.matches(text)


@pytest.mark.parametrize("text", REPLIES.values(), ids=REPLIES.keys())
def test_what_does_not_begin_like_a_note_is_a_reply(text: str) -> None:
    """Other words, quotes, code and prefixes further on make no note."""
    assert not PREFIXES.matches(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("note: call first", "call first", id="plain"),
        pytest.param("**Note :** call *first*", "call first", id="marked up"),
        pytest.param("// note: twice", "note: twice", id="only one prefix goes"),
        pytest.param("//", "", id="nothing but the prefix"),
        pytest.param("- note: a\n- b", "a\n- b", id="list"),
        pytest.param("note： wide", "wide", id="wide colon"),
    ],
)
def test_plain_text_of_a_note_lacks_the_prefix(text: str, expected: str) -> None:
    """The plain text of a note begins after its prefix."""
    assert PREFIXES.without_prefix(plain_text_of(text)) == expected


def test_licence_chooses_its_own_prefixes() -> None:
    """A licence's own prefixes replace the default ones, and match whole words."""
    prefixes = NotePrefixes.parse("intern Geheim:")

    assert [prefixes.matches(text) for text in ("Intern: x", "INTERN", "geheim: x")] == [True] * 3
    assert [prefixes.matches(text) for text in ("internal", "note: x")] == [False] * 2
    assert prefixes.without_prefix("internal") == "internal"


@pytest.mark.parametrize("setting", ["", " ", "intern:", "note: //", "ℹ️ 🔒"])
def test_two_slashes_begin_a_note_for_every_licence(setting: str) -> None:
    """Two slashes begin a note for every licence, because earlier clients sent notes so."""
    assert NotePrefixes.parse(setting).matches("// call first")
    assert NotePrefixes.parse(setting).without_prefix("// call first") == "call first"


def test_licence_without_prefixes_has_no_other_notes() -> None:
    """With an empty setting no word begins a note."""
    assert not NotePrefixes.parse(" ").matches("note: x")


@pytest.mark.parametrize("setting", ["🔒", ":lock:", "#intern", "->", "(intern)", "ℹ️"])
def test_sign_may_be_a_prefix(setting: str) -> None:
    """A licence may choose a sign as its prefix."""
    prefixes = NotePrefixes.parse(setting)

    assert prefixes.matches(f"{setting} x")
    assert prefixes.matches(f"• **{setting}** x")
    assert not prefixes.matches("• x")
    assert not prefixes.matches("I think so")


@pytest.mark.parametrize(
    "setting", ["note: //", "/note", "!intern", "note: ！x", "／x", "\u200b/x"]
)
def test_prefix_that_is_a_command_is_refused(setting: str) -> None:
    """A prefix that a client would take for a command is refused."""
    with pytest.raises(PrefixError, match="command"):
        require_sendable_prefixes(setting)


@pytest.mark.parametrize("setting", ["", DEFAULT_NOTE_PREFIXES, "intern: #geheim 🔒"])
def test_other_prefixes_are_taken(setting: str) -> None:
    """Words and other signs are accepted as prefixes."""
    require_sendable_prefixes(setting)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("@anna look", ("anna",), id="plain"),
        pytest.param("@Anna.De-Vries_2: look", ("anna.de-vries_2",), id="all letters of a name"),
        pytest.param("**@anna** look", ("anna",), id="bold"),
        pytest.param("🔒 :lock: - [x] @anna look", ("anna",), id="after no text"),
        pytest.param("> he said\n\n@anna look", ("anna",), id="under a quote"),
        pytest.param("@jan @anna: look", ("jan", "anna"), id="several"),
        pytest.param("@all", ("all",), id="everybody"),
        pytest.param("&commat;anna look", ("anna",), id="entity"),
        pytest.param("hello @anna", (), id="later"),
        pytest.param("> @anna look", (), id="quoted"),
        pytest.param("`@anna`", (), id="code"),
        pytest.param("@ anna", (), id="no name"),
        pytest.param("info@anna.nl", (), id="address"),
    ],
)
def test_mentions_that_a_text_begins_with(text: str, names: tuple[str, ...]) -> None:
    """Names before the first word are found, also after characters that are no text."""
    assert leading_mentions(text, Reading.of(text)) == names


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
        "o_O ",
        "1.1 ",
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
    """Whatever stands before and after a prefix, the note stays a note."""
    assert PREFIXES.matches(" ".join(lead) + " " + prefix + " " + text)


@given(text=st.text(max_size=80))
def test_every_text_is_judged(text: str) -> None:
    """Any text can be judged, and a note's plain text is part of the whole plain text."""
    plain = plain_text_of(text)

    assert PREFIXES.matches(text) in (True, False)
    assert PREFIXES.without_prefix(plain) in plain


@pytest.mark.parametrize("written", ["großes: x", "GROSSES: x", "Grosses: x"])
def test_prefix_is_found_in_each_case_of_its_letters(written: str) -> None:
    """A prefix matches in upper and lower case, for all letters."""
    assert NotePrefixes.parse("Großes:").matches(written)
