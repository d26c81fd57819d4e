"""The texts of the demo's page, in each language."""

from demo.ireserve.words.languages import PAGE_WORDS

__all__ = ["PAGE_WORDS"]
