"""An append-only file of JSON lines, from which the stand-in restores its state."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


class Journal:
    """A file with one line for each change, passed to the operating system at once.

    The file survives a kill of the process. It need not survive a loss of power.
    """

    def __init__(self, path: Path | None) -> None:
        """Without a path the journal stores nothing."""
        self.path = path
        self._file: IO[str] | None = None

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every entry so far, oldest first, without a half-written last line."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                # Only the last line can be incomplete, if the process was killed while writing it.
                if line.endswith("\n"):
                    kind, value = json.loads(line)
                    yield kind, value

    def open(self) -> None:
        """Open the file to append, after cutting off a half-written last line."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):
            self.path.write_bytes(content[: content.rfind(b"\n") + 1])
        self._file = self.path.open("a", encoding="utf-8")

    def __bool__(self) -> bool:
        """Return whether the journal stores entries, so that callers skip preparing them."""
        return self._file is not None

    def append(self, kind: str, value: dict[str, Any]) -> None:
        """Add one entry. The caller holds the state's lock, which keeps the lines in order."""
        if self._file is not None:
            self._file.write(json.dumps([kind, value], separators=(",", ":")) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
