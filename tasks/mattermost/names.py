"""Resolve a host's addresses without waiting longer than the caller can.

The system's resolver takes no timeout: if the name server does not answer, the resolver returns
after 10 to 30 s. So the resolver runs in separate threads, for which a caller need not wait. There
are at most ``MAX_LOOKUPS``, they end by themselves, and they do not keep the process alive.
"""

import socket
from collections.abc import Callable
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Any

from tasks.mattermost.exchange import LookupTimeoutError

# Lookups of the same name share one thread. At most this many names are looked up at once.
MAX_LOOKUPS = 64

# The result of `socket.getaddrinfo`: family, kind, protocol, canonical name, address.
Address = tuple[Any, Any, int, str, Any]
Lookup = Callable[[str, int], list[Address]]


def _look_up(host: str, port: int) -> list[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _Question:
    """A name that is being looked up, and the result."""

    def __init__(self) -> None:
        self.is_answered = Event()
        self.addresses: list[Address] = []
        self.error: OSError | UnicodeError | None = None


class Resolver:
    """A resolver of hosts' names, safe to share between threads."""

    def __init__(self, look_up: Lookup = _look_up, *, max_lookups: int = MAX_LOOKUPS) -> None:
        self._look_up = look_up
        self._slots = BoundedSemaphore(max_lookups)
        self._open: dict[tuple[str, int], _Question] = {}
        self._mutex = Lock()

    def addresses(self, host: str, port: int, *, timeout_s: float) -> list[Address]:
        """Return the host's addresses, in the order in which to try them.

        Raises:
            LookupTimeoutError: the lookup takes longer than ``timeout_s``, or too many are running.
            OSError: the name has no address.
            UnicodeError: the text is no valid name.
        """
        try:
            # A numeric address needs no name server.
            numeric = socket.AI_NUMERICHOST
            return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric))
        except (socket.gaierror, UnicodeError):
            pass
        question = self._ask(host, port)
        if not question.is_answered.wait(timeout_s):
            raise LookupTimeoutError
        if question.error is not None:
            raise question.error
        return question.addresses

    def _ask(self, host: str, port: int) -> _Question:
        with self._mutex:
            question = self._open.get((host, port))
            if question is not None:
                return question
            if not self._slots.acquire(blocking=False):
                raise LookupTimeoutError
            question = self._open[host, port] = _Question()
        Thread(
            target=self._answer, args=(host, port, question), name=f"lookup-{host}", daemon=True
        ).start()
        return question

    def _answer(self, host: str, port: int, question: _Question) -> None:
        try:
            question.addresses = self._look_up(host, port)
        except (OSError, UnicodeError) as error:
            question.error = error
        finally:
            with self._mutex:
                del self._open[host, port]
            self._slots.release()
            question.is_answered.set()


RESOLVER = Resolver()
