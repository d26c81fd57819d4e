"""What operators watch: counts, backlogs, signs of life, logs and error reports."""
