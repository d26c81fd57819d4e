"""What the team reads in Mattermost: texts, names and links as posts. Nothing here does I/O."""

from tasks.rendering.agent import agent_text
from tasks.rendering.authors import author_props
from tasks.rendering.file_names import safe_file_name
from tasks.rendering.notifications import render_notification
from tasks.rendering.plain import plain_text
from tasks.rendering.posts import (
    file_note,
    render_files_header,
    render_reply,
    render_root,
)

__all__ = [
    "agent_text",
    "author_props",
    "file_note",
    "plain_text",
    "render_files_header",
    "render_notification",
    "render_reply",
    "render_root",
    "safe_file_name",
]
