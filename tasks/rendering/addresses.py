"""Find where a web address in a sentence ends, as Mattermost's own parsers do.

Mattermost's parsers may differ, or may all read another address than the person typed. Then this
module takes the safe reading: markup around an address is not a part of the address.
"""

import re

import regex

# The characters that end an address: whitespace, angle brackets and zero width characters. The web
# client also ends an address at full-width and CJK punctuation, and turns U+2424 into a newline.
_ENDS = (
    r"\s\u2424<>\u200b\u2060\ufeff\u3001\u3002\u300c-\u3011"
    r"\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e"
)
# A piece is one character that may end the address, or a run of characters that do not end it.
_PIECE = re.compile(rf"[^{_ENDS}()\[\]\\\"'`|“”‘’«»]+|[^{_ENDS}]")
# The character before an address, and the characters that then end the address.
_AROUND = {
    '"': '"',
    "'": "'",
    "`": "`",
    "|": "|",
    # A label in angle brackets, as Slack writes it.
    "<": "|",
    "“": "”“",
    "„": "“”",
    "‘": "’",
    "‚": "‘’",
    "«": "»",
    "»": "«",
}
# An apostrophe closes a quotation only if no letter or digit follows.
_APOSTROPHES = "'’"
# Punctuation at the end belongs to the sentence, not to the address.
_TRAILING = "?!.,:;…`\\“”‘’«»"
_QUOTES = "\"'"
# Marks of emphasis belong to the address unless they enclose it.
_MARKS = "*_~|"
_LOOK_BACK = 200
# No real address has more brackets open at once. The limit keeps a text of brackets from being
# searched to its end again for each address in it.
_MAX_OPEN = 20
# Both patterns search backwards for the last mark: before a word (opening), after one (closing).
_OPENED = {mark: regex.compile(rf"(?r)(?<![^\W_]){re.escape(mark)}(?=\S|\Z)") for mark in _MARKS}
_CLOSED = {
    mark: regex.compile(rf"(?r)(?<=[^\s{re.escape(mark)}]){re.escape(mark)}(?![^\W_])")
    for mark in _MARKS
}


def address_end(text: str, start: int, end: int) -> int:
    """Return the end of the address; ``start`` to ``end`` are its scheme and the host's start."""
    scan = _Scan(text, start, end)
    for piece in _PIECE.finditer(text, end):
        if piece.start() != scan.end or not scan.takes(piece[0]):
            break
        scan.end = piece.end()
    return _without_trailing(text, start, scan.whole_brackets_end())


class _Scan:
    """The state of the search: the end of the address so far, and its open brackets."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.end = end
        self._text = text
        self._start = start
        self._closers = _AROUND.get(text[start - 1], "") if start else ""
        self._round: list[int] = []
        self._square = 0
        # After the scheme, whose two slashes do not begin the path.
        self._host_start = end

    def takes(self, piece: str) -> bool:
        """Return whether the address continues with this piece."""
        if len(piece) > 1 or piece not in "()[]\\" + self._closers:
            return True
        if piece in self._closers:
            return self._goes_on_after(piece)
        if piece == "\\":
            # Before the path, browsers read a backslash as a slash, and other programs read it as a
            # part of the host.
            return "/" in self._text[self._host_start : self.end]
        return self._takes_round(piece) if piece in "()" else self._takes_square(piece)

    def whole_brackets_end(self) -> int:
        """Return the end of the address, before the first round bracket that is not closed."""
        return self._round[0] if self._round else self.end

    def _goes_on_after(self, quote: str) -> bool:
        following = self._text[self.end + 1 : self.end + 2]
        return quote in _APOSTROPHES and following.isalnum()

    def _takes_round(self, bracket: str) -> bool:
        if bracket == "(":
            self._round.append(self.end)
            return len(self._round) < _MAX_OPEN
        if self._round:
            self._round.pop()
            return True
        return False

    def _takes_square(self, bracket: str) -> bool:
        following = self._text[self.end + 1 : self.end + 2]
        if bracket == "[":
            self._square += 1
            return following != "/"
        if self._square:
            self._square -= 1
            return True
        return following != "(" and not _is_in_square_brackets(self._text, self._start)


def _is_in_square_brackets(text: str, start: int) -> bool:
    before = text[max(start - _LOOK_BACK, 0) : start].rpartition("\n")[2]
    return before.rfind("[") > before.rfind("]")


def _without_trailing(text: str, start: int, end: int) -> int:
    """Return the end of the address without punctuation, brackets and marks that follow it."""
    address = text[start:end]
    surplus = {close: address.count(close) - address.count(open_) for open_, close in ("[]", "{}")}
    odd = {quote: address.count(quote) % 2 for quote in _QUOTES}
    while end > start:
        last = text[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif odd.get(last):
            odd[last] = 0
        elif last not in _TRAILING and not (last in _MARKS and _is_opened(text, start, last)):
            break
        end -= 1
    return end


def _is_opened(text: str, start: int, mark: str) -> bool:
    """Return whether a mark is opened before the address, on the same line, and not closed."""
    before = text[max(start - _LOOK_BACK, 0) : start].rpartition("\n")[2]
    opened, closed = _OPENED[mark].search(before), _CLOSED[mark].search(before)
    return opened is not None and (closed is None or opened.start() > closed.start())
