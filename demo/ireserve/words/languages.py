"""The page's texts by language."""

from __future__ import annotations

from demo.ireserve.words.dutch import DUTCH
from demo.ireserve.words.english import ENGLISH
from demo.ireserve.words.german import GERMAN

# By the codes of a licence's languages.
PAGE_WORDS = {"en": ENGLISH, "nl": DUTCH, "de": GERMAN}
