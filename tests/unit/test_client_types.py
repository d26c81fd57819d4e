"""What i-Reserve's type checker finds: wrong keywords and values of the public tasks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.pages import ROOT

HOST = """
from ireserve_mattermost import create_root_post, post_reply, send_notification

post_reply.delay("L1", 7, message_id=3, sender_name="Jan", sender_role="visitor", text="x",
                 attachments=[{"name": "a.png", "path": "a.png"}]).id
post_reply.apply_async(("L1", 7), {"message_id": 3}, context={"request": "r-1"})
post_reply.delay("L1", 7, message_id=4, sender_role="system", text="x", visibility="internal")
create_root_post.delay("L1", "c1", visitor_name="Jan")
send_notification.delay("L1", notification_type="booked", fields={"Nights": 3})
send_notification.delay("L1", notification_type="booked", fields=[("Nights", 3)])
post_reply.delay("L1", 7, mesage_id=3, sender_name="Jan", sender_role="visitor")  # wrong
post_reply.delay("L1", 7, message_id=3.5, sender_name="Jan", sender_role="visitor")  # wrong
post_reply.delay("L1", 7, message_id=3, sender_name="Jan", sender_role="robot")  # wrong
post_reply.delay("L1", 7, message_id=3, sender_name="J", sender_role="bot", visibility="x")  # wrong
post_reply.delay("L1", 7, message_id=3, sender_name="J", sender_role="agent",
                 attachments=[{"nme": "a.png"}])  # wrong
create_root_post.delay("L1", "c1")  # wrong
send_notification.delay("L1", notification_type="booked", fields={"Nights": None})  # wrong
"""


def test_wrong_calls_are_found_by_a_strict_type_checker(tmp_path: Path) -> None:
    """A strict type checker reports each wrong call at its line, and no right call."""
    host = tmp_path / "host.py"
    host.write_text(HOST)
    environment = {**os.environ, "MYPYPATH": str(ROOT / "client")}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "host.py"]

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    lines = HOST.splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if "# wrong" in line]
    found = {int(number) for number in re.findall(r"^host\.py:(\d+): error", done.stdout, re.M)}
    # A call over two lines is reported at its first line, or at the argument's line.
    assert {number if number in wrong else number + 1 for number in found} == set(wrong), (
        done.stdout
    )
