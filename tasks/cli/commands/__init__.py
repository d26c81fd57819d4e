"""The definitions of all commands: their names, options and help texts.

These modules import only click, so that help and completion answer at once. The function that a
command's ``runs`` names does the work.
"""
