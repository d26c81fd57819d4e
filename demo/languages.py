"""The languages of the demo, in a module that imports no installed package."""

from __future__ import annotations

# The time zone of a team that speaks the language. English is spoken in many zones, so the English
# page uses the browser's time zone.
TIME_ZONES = {"en": "", "nl": "Europe/Amsterdam", "de": "Europe/Berlin"}
