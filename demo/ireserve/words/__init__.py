"""What the demo's page says itself, in each language."""

from demo.ireserve.words.languages import PAGE_WORDS

__all__ = ["PAGE_WORDS"]
