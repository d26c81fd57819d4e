"""The addresses of a text's links: what stands in parentheses behind a label."""

import html
import re
from dataclasses import dataclass
from urllib.parse import unquote

# Parentheses in an address nest twice at most, as in the web client.
_DESTINATION = re.compile(r"\(((?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+)\)")
_SIZE = re.compile(r"\s=(?:\d+(?:x\d+)?|x\d+)\Z")
_ESCAPE = re.compile(r"\\([`*{}\[\]()#+\-.!_>|~\\])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# The web client makes no link of these addresses, and shows the label alone.
_UNSAFE = re.compile(r"\s*(?:javascript|vbscript|data):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Destination:
    """The address of a link, and where the link ends in its text."""

    address: str
    end: int


def find_destination(text: str, position: int, end: int, *, is_image: bool) -> Destination | None:
    """Return the destination that stands at the position; None: there is none."""
    match = _DESTINATION.match(text, position, end)
    return Destination(_address(match[1], is_image=is_image), match.end()) if match else None


def is_unsafe(address: str) -> bool:
    """Return whether the address would run code."""
    return bool(_UNSAFE.match(address))


def is_same(label: str, address: str) -> bool:
    """Return whether the label says the same as the address."""
    return unquote(label) == unquote(address) or address in ("mailto:" + label, "http://" + label)


def _address(inside: str, *, is_image: bool) -> str:
    """Return the address among what stands in the parentheses, without title and size."""
    text = inside.strip()
    if text[-1:] in ("'", '"') and text:
        title = text.rfind(text[-1], 0, -1)
        if title > 0 and text[title - 1].isspace():
            text = text[:title].rstrip()
    if is_image:
        text = _SIZE.sub("", text)
    if text.startswith("<"):
        text = text[1:].removesuffix(">")
    return _ENTITY.sub(lambda found: html.unescape(found[0]), _ESCAPE.sub(r"\1", text))
