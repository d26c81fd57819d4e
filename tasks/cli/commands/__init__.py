"""What is typed: each command with its options and its help.

These modules import click alone, so that help and completion answer at once. What a command does
is the function that its ``runs`` names.
"""
