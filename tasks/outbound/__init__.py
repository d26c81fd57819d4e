"""Send messages, notifications and users from their lanes, and record their outcomes."""
