"""A request's body in chunks, which the server must accept at a steady pace."""

from collections.abc import Iterator
from typing import Protocol

from tasks.mattermost.exchange import current_exchange


class Body(Protocol):
    """A request's body in chunks. Its length is the number of bytes of all chunks."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...


class PacedBody:
    """A body whose chunks the server must each accept within ``step_s``."""

    def __init__(self, body: Body, *, step_s: float) -> None:
        self._body = body
        self._step_s = step_s

    def __len__(self) -> int:
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            current_exchange().allow_step(self._step_s)
            yield chunk
        # From now on the limit is for the wait for the answer.
        current_exchange().allow_step(self._step_s)
