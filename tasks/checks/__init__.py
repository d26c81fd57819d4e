"""The doctor's checks: each names one thing, says how it is, and what to do about it."""
