"""An append-only file of JSON lines, from which the stand-in rises again after a kill."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


class Journal:
    """Writes one line per change and hands it to the operating system at once.

    That survives a kill of the process; a loss of power is out of scope for a stand-in.
    """

    def __init__(self, path: Path | None) -> None:
        """Without a path nothing is kept."""
        self.path = path
        self._file: IO[str] | None = None

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every entry written so far, oldest first; a half-written last line is left out."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                # Only the last line can lack its end: the process was killed while writing it.
                if line.endswith("\n"):
                    kind, value = json.loads(line)
                    yield kind, value

    def open(self) -> None:
        """Get ready to append; cuts off a half-written last line first."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):
            self.path.write_bytes(content[: content.rfind(b"\n") + 1])
        self._file = self.path.open("a", encoding="utf-8")

    def __bool__(self) -> bool:
        """Whether anything is kept, so that no entry is prepared for nothing."""
        return self._file is not None

    def append(self, kind: str, value: dict[str, Any]) -> None:
        """Add one entry. The caller holds the state's lock, so that lines keep their order."""
        if self._file is not None:
            self._file.write(json.dumps([kind, value], separators=(",", ":")) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
