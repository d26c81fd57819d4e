"""The text of a paragraph without its marks, as Mattermost's web client shows it.

A mark goes when it makes something bold, slanted or a link. What marks nothing stays as it was
typed: a lone star, a star between two digits, an underscore inside a word, a web address, an
e-mail address, a mention. Each character is looked at a limited number of times.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tasks.replies.destinations import find_destination, is_same, is_unsafe
from tasks.replies.emoji_codes import with_emoji
from tasks.replies.marks import backticks, may_close, may_open, run_end

_TOKEN: Final = re.compile(
    r"""
      (?P<newline>\n)
    # The web client takes a backslash away before these alone.
    | \\(?P<escaped>[`*{}\[\]()\#+\-.!_>|~]|\\(?![A-Za-z0-9_]))
    | (?P<code>`+)
    | <(?P<angles>[^<>\n]*+)>
    | (?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)
    | (?P<address>(?<![A-Za-z0-9])
        (?:[A-Za-z][A-Za-z0-9+.\-]{0,30}://|(?i:mailto:|tel:|www\d{0,3}\.))
        (?:[^\s()\[\]<>`!{;:'",?]|[\[\]<>`!{;:'",?](?=[^\s()<>])|\((?:[^\s()<>]|\([^\s()<>]*+\))*+\))++)
    | (?P<email>(?<![\w.+'\-])[\w.+'\-]++@[\w\-]+(?:\.[\w\-]+)+)
    | (?P<name>(?<![\w@~])(?:@[A-Za-z0-9][\w.\-]*+|~[A-Za-z0-9][\w\-]*+))
    | (?P<strike>~~)
    | (?P<mark>\*+|_+)
    | (?P<opening>!?\[)
    | (?P<closing>\])
    """,
    re.VERBOSE,
)
_ADDRESS_IN_ANGLES: Final = re.compile(r"\S+?(?:@|:/)\S|www\d{0,3}\.\S", re.IGNORECASE)
_TAG: Final = re.compile(r"/?[A-Za-z]|!--|\?|!\[CDATA\[")
_MARK_END: Final = re.compile(r"(?<=\S)(?:\*+|_+(?!\w))")
# How many marks end what: one something slanted, two something bold, three both.
_ENDS: Final = {1: (1,), 2: (2,), 3: (1, 2)}
# What the clients strip from the end of a bare address.
_AFTER_ADDRESS: Final = "?!.,:;*_~'\""


def shown(text: str, *, line_starts: Mapping[int, str] | None = None) -> str:
    """Return the paragraph without its marks.

    ``line_starts`` says what goes in front of the line that begins at an index of the text.
    """
    return Spans.of(text, line_starts=line_starts or {}).text()


@dataclass(slots=True)
class Spans:
    """A paragraph, cut into pieces; those that are ``fixed`` hold no emoji codes."""

    source: str
    line_starts: Mapping[int, str]
    begins_with_code: bool = False
    _pieces: list[str] = field(default_factory=list)
    _fixed: list[bool] = field(default_factory=list)
    # The pieces that end with marks which may begin something slanted (one) or bold (two).
    _marks: dict[str, list[int]] = field(
        default_factory=lambda: {"*": [], "_": [], "**": [], "__": []}
    )
    _strike: int | None = None
    _last_ends: dict[str, int] | None = None
    _links: list[int] = field(default_factory=list)
    _images: list[int] = field(default_factory=list)
    _code_ends: dict[int, list[int]] | None = None

    @classmethod
    def of(cls, source: str, *, line_starts: Mapping[int, str]) -> "Spans":
        """Return the paragraph, read."""
        spans = cls(source, line_starts)
        spans._read()
        return spans

    def text(self) -> str:
        """Return the text without marks, with emoji."""
        parts: list[str] = []
        words: list[str] = []
        for piece, is_fixed in zip(self._pieces, self._fixed, strict=True):
            if is_fixed:
                parts += [with_emoji("".join(words)), piece]
                words = []
            else:
                words.append(piece)
        return "".join([*parts, with_emoji("".join(words))])

    def _read(self) -> None:
        position = 0
        while token := _TOKEN.search(self.source, position):
            if token.start() > position:
                self._write(self.source[position : token.start()])
            kind = token.lastgroup
            assert kind is not None
            position = getattr(self, f"_read_{kind}")(token)
        self._write(self.source[position:])

    def _write(self, piece: str, *, fixed: bool = False) -> None:
        self._pieces.append(piece)
        self._fixed.append(fixed)

    def _read_newline(self, token: re.Match[str]) -> int:
        self._write("\n" + self.line_starts.get(token.end(), ""))
        return token.end()

    def _read_escaped(self, token: re.Match[str]) -> int:
        self._write(token["escaped"])
        return token.end()

    def _read_entity(self, token: re.Match[str]) -> int:
        self._write(html.unescape(token[0]), fixed=True)
        return token.end()

    def _read_code(self, token: re.Match[str]) -> int:
        end = self._code_end(token)
        if end is None:
            self._write(token[0])
            return token.end()
        self.begins_with_code |= token.start() == run_end(self.source, " ")
        code = self.source[token.end() : end - len(token[0])].strip()
        self._write(self._with_line_starts(code), fixed=True)
        return end

    def _code_end(self, token: re.Match[str]) -> int | None:
        """Return the end of the next run of as many backticks; None: there is none."""
        if self._code_ends is None:
            self._code_ends = backticks(self.source)
        ends = self._code_ends[len(token[0])]
        while ends and ends[-1] <= token.end():
            ends.pop()
        return ends[-1] if ends else None

    def _with_line_starts(self, text: str) -> str:
        # Lines of code in a quote or a list: what stands in front is the same for each.
        return text.replace("\n", "\n" + next(iter(self.line_starts.values()), ""))

    def _read_angles(self, token: re.Match[str]) -> int:
        inside = token["angles"]
        if not any(map(str.isspace, inside)) and _ADDRESS_IN_ANGLES.match(inside):
            self._write(inside.removeprefix("mailto:"), fixed=True)
            return token.end()
        if _TAG.match(inside):
            self._write(token[0], fixed=True)
            return token.end()
        self._write("<")
        return token.start() + 1

    def _read_address(self, token: re.Match[str]) -> int:
        return self._write_whole(token, token[0].rstrip(_AFTER_ADDRESS))

    def _read_email(self, token: re.Match[str]) -> int:
        if token[0].startswith("_") and token[0].endswith("_"):
            # The whole of it is slanted.
            return self._read_mark_at(token.start(), run_end(token[0], "_") + token.start())
        return self._write_whole(token, token[0].rstrip("_"))

    def _read_name(self, token: re.Match[str]) -> int:
        return self._write_whole(token, token[0].rstrip("_"))

    def _write_whole(self, token: re.Match[str], text: str) -> int:
        text = text or token[0]
        self._write(text, fixed=True)
        return token.start() + len(text)

    def _read_strike(self, token: re.Match[str]) -> int:
        """Leave the mark, and let nothing that began after it end behind its end."""
        self._write(token[0])
        if self._strike is None:
            self._strike = len(self._pieces) - 1
        else:
            self._forget_marks_after(self._strike)
            self._strike = None
        return token.end()

    def _read_mark(self, token: re.Match[str]) -> int:
        return self._read_mark_at(token.start(), token.end())

    def _read_mark_at(self, start: int, end: int) -> int:
        char, count = self.source[start], end - start
        before = self.source[start - 1] if start else "\n"
        after = self.source[end : end + 1] or "\n"
        left = self._close(char, count, end=end) if may_close(char, before, after) else count
        self._write(char * left, fixed=not left)
        if left == count and may_open(char, before, after):
            self._open(char, left, end=end, after=after)
        return end

    def _close(self, char: str, count: int, *, end: int) -> int:
        """Take away what the marks close, the inner one first; return how many are left.

        One mark closes what is slanted, two what is bold, three both.
        """
        for size in self._closings(char, count, end=end):
            stack = self._marks[char * size]
            if stack:
                piece = stack.pop()
                count -= size
                self._pieces[piece] = self._pieces[piece][size:]
                self._fixed[piece] = not self._pieces[piece]
                # What began in between ends nowhere.
                self._forget_marks_after(piece)
        return count

    def _closings(self, char: str, count: int, *, end: int) -> tuple[int, ...]:
        """Return what the marks may close, in this order: 1 something slanted, 2 something bold."""
        ones, twos = self._marks[char], self._marks[char * 2]
        if count == 3:
            return (2, 1) if twos[-1:] > ones[-1:] else (1, 2)
        if count == 2 and not twos:
            # Two marks end something slanted only where no single mark does so further on.
            return () if self._last_end(char, 1) >= end else (1,)
        return (1,) if count == 1 else (2,)

    def _open(self, char: str, count: int, *, end: int, after: str) -> None:
        piece = len(self._pieces) - 1
        is_bold = count > 1 and self._last_end(char, 2) >= end
        if is_bold:
            self._marks[char * 2].append(piece)
        # The web client leaves a single star alone before these.
        is_slanted = count in (1, 3) or (count == 2 and not is_bold and not self._marks[char])
        if is_slanted and not (char == "*" and after in '"<'):
            self._marks[char].append(piece)

    def _last_end(self, char: str, count: int) -> int:
        """Return where marks last stand that may end something bold (2) or slanted (1)."""
        if self._last_ends is None:
            self._last_ends = {}
            for run in _MARK_END.finditer(self.source):
                for size in _ENDS.get(len(run[0]), (2,)):
                    self._last_ends[run[0][0] * size] = run.start()
        return self._last_ends.get(char * count, -1)

    def _forget_marks_after(self, piece: int) -> None:
        for stack in self._marks.values():
            while stack and stack[-1] > piece:
                stack.pop()

    def _read_opening(self, token: re.Match[str]) -> int:
        stack = self._images if token[0] == "![" else self._links
        stack.append(len(self._pieces))
        self._write(token[0])
        return token.end()

    def _read_closing(self, token: re.Match[str]) -> int:
        opened, is_image = self._last_opening()
        found = find_destination(self.source, token.end(), is_image=is_image)
        if opened is None or found is None:
            self._write("]")
            return token.end()
        self._forget_marks_after(opened)
        if not is_image:
            # A link holds no other.
            self._links.clear()
        self._write_link(opened, found.address)
        return found.end

    def _last_opening(self) -> tuple[int | None, bool]:
        is_image = (self._images or [-1])[-1] > (self._links or [-1])[-1]
        stack = self._images if is_image else self._links
        return (stack.pop() if stack else None), is_image

    def _write_link(self, opened: int, address: str) -> None:
        label = "".join(self._pieces[opened + 1 :]).strip()
        self._pieces[opened], self._fixed[opened] = "", True
        if label and is_unsafe(address):
            return
        if not label or is_same(label, address):
            del self._pieces[opened:], self._fixed[opened:]
            self._write(label or address, fixed=True)
        elif address:
            self._write(f" ({address})", fixed=True)
