"""Which files were sent with our post and are not attached to it."""

from typing import Any

import pytest

from ireserve_mattermost.messages import Attachment
from tasks.mattermost import FileInfo, Post
from tasks.outbound.lost_files import lost_files_of, lost_files_of_earlier
from tasks.rendering import WORDINGS, Locale, file_note
from tasks.rendering.wording import Wording


def file(id_: str, name: str) -> dict[str, Any]:
    """Return the server's metadata of a file."""
    return {"id": id_, "name": name, "size": 1, "mime_type": "", "extension": "", "user_id": "u"}


def post(*files: dict[str, Any], sent: int, message: str = "") -> Post:
    """Return our post that was sent with this number of files and has these files."""
    return Post.parse(
        {
            "id": "p",
            "channel_id": "c",
            "user_id": "u",
            "message": message,
            "create_at": 1,
            "update_at": 1,
            "delete_at": 0,
            "props": {"ireserve": {"files": sent}},
            "file_ids": [one["id"] for one in files],
            "metadata": {"files": list(files)},
        }
    )


def items(*names: str) -> list[Attachment]:
    """Return enqueued attachments with these names."""
    return [Attachment(name=name, path="x", content_type="image/png") for name in names]


@pytest.mark.parametrize(
    ("sent", "there", "lost"),
    [
        pytest.param({"1": "a", "2": "b"}, ["1", "2"], [], id="none"),
        pytest.param({"1": "a", "2": "b"}, ["1"], ["b"], id="one"),
        pytest.param({"1": "a", "2": "a"}, ["2"], ["a"], id="one of two of a name"),
        pytest.param({"1": "a", "2": "a"}, [], ["a", "a"], id="all"),
        pytest.param({"1": "a", "2": "b"}, ["8", "9"], [], id="the post of an earlier attempt"),
    ],
)
def test_what_was_sent_and_is_not_attached_is_lost(
    sent: dict[str, str], there: list[str], lost: list[str]
) -> None:
    """A sent file that is not attached is found by its id, even if another file has its name."""
    files = [FileInfo.parse(file(id_, name)) for id_, name in sent.items()]

    actual = lost_files_of(files, post(*(file(id_, "x") for id_ in there), sent=len(files)))

    assert actual == lost


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS)
@pytest.mark.parametrize(
    ("names", "there", "sent", "noted", "lost"),
    [
        pytest.param(["a.png", "b.png"], ["a.png", "b.png"], 2, [], [], id="none"),
        pytest.param(["a.png", "b.png"], ["b.png"], 2, [], ["a.png"], id="one"),
        pytest.param(["a.png"] * 3, ["a.png"], 3, [], ["a.png"] * 2, id="two of three of a name"),
        pytest.param(["a/b.png", "c"], ["b.png"], 2, [], ["c"], id="a name that was made safe"),
        pytest.param(["a", "b"], ["a.png"], 2, [], ["b"], id="an ending by its type"),
        pytest.param(["a", "b"], ["a.jpg"], 2, [], ["b"], id="an ending by the host's type"),
        pytest.param(["a.png", "b.png"], [], 1, ["a.png"], ["b.png"], id="one was told already"),
        pytest.param(["a.png"] * 2, [], 1, ["a.png"], ["a.png"], id="one of a name was told"),
        pytest.param(["a.png", "b.png"], ["odd", "names"], 2, [], [], id="all are there"),
    ],
)
def test_what_an_earlier_attempt_lost_is_found_by_name(
    names: list[str],
    there: list[str],
    sent: int,
    noted: list[str],
    lost: list[str],
    wording: Wording,
) -> None:
    """The lost files of an earlier attempt are found by name, whatever language it wrote in."""
    locale = Locale(wording)
    message = "\n".join(file_note(name=name, reason="empty", locale=locale) for name in noted)
    earlier = post(
        *(file(str(number), name) for number, name in enumerate(there)), sent=sent, message=message
    )

    actual = lost_files_of_earlier(items(*names), earlier)

    assert actual == lost
