"""The doctor's checks: each reports the state of one thing, and what to do about it."""
