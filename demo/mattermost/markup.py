"""Render messages as the web client does: GitHub's Markdown, mentions, emoji, no raw HTML."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import emoji
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

# A page is rendered often, and most of its messages stay the same.
_CACHED_MESSAGES = 4096

_MENTION = re.compile(r"(?<![\w.@-])@[a-zA-Z0-9][\w.-]*\w|(?<![\w~])~[a-z0-9][a-z0-9_-]*")


class _MessageRenderer(RendererHTML):
    """A renderer of links that open a new tab, pictures as links, mentions and emoji."""

    def text(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        """Return plain text with mentions marked and emoji codes turned into emoji."""
        text = str(escape(emoji_of(tokens[index].content)))
        return _MENTION.sub(lambda found: f'<span class="mention">{found[0]}</span>', text)

    def link_open(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Return a link that opens a new tab and sends no referrer."""
        token = tokens[index]
        token.attrSet("target", "_blank")
        token.attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, index, options, env)

    def image(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        """Return a link instead of a picture: this page loads nothing from other hosts."""
        source = escape(str(tokens[index].attrGet("src") or ""))
        label = escape(tokens[index].content or "picture")
        return f'<a href="{source}" target="_blank" rel="noopener noreferrer">🖼 {label}</a>'


@cache
def _markdown() -> MarkdownIt:
    options = {"html": False, "breaks": True, "linkify": True}
    return MarkdownIt("gfm-like", options, renderer_cls=_MessageRenderer)


@lru_cache(maxsize=_CACHED_MESSAGES)
def message_html(text: str) -> Markup:
    """Return the safe HTML of a message."""
    return Markup(_markdown().render(text))


def emoji_of(text: str) -> str:
    """Return the text with an emoji for every known `:code:`."""
    return emoji.emojize(text, language="alias") if ":" in text else text
