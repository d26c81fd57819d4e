"""The languages of the demo: known before anything is installed."""

from __future__ import annotations

# Each with the clock of a team that speaks it. English is spoken in too many zones: its page tells
# times by the browser's clock.
TIME_ZONES = {"en": "", "nl": "Europe/Amsterdam", "de": "Europe/Berlin"}
