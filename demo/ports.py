"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import socket

# honcho numbers its processes' ports in steps of this size.
HONCHO_STEP = 100
_ATTEMPTS = 200


def free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def free_base_port(processes: int) -> int:
    """Return a port that is free together with those that honcho gives to further processes."""
    for _ in range(_ATTEMPTS):
        base = free_port()
        others = [base + HONCHO_STEP * index for index in range(1, processes)]
        if all(port < 65_536 and _is_free(port) for port in others):
            return base
    raise OSError("no free run of ports was found")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
