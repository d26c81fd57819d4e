"""Measurements of what is promised, each against a yardstick on the same machine."""
