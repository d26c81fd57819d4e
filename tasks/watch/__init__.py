"""What operators watch: counts, backlogs, signs of life, logs, error reports."""
