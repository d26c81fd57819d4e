"""What operators watch: counts, backlogs, heartbeats, logs and error reports."""
