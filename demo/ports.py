"""TCP ports on the loopback interface that a server can be given by number."""

from __future__ import annotations

import atexit
import random
import socket
from contextlib import ExitStack

# honcho numbers its processes' ports in steps of this size.
HONCHO_STEP = 100
# Kernels give outgoing connections ports above these (Linux from 32768, others from 49152). One of
# those could be taken while a server is stopped that is to listen there again.
_PORTS = range(10_000, 32_000)
_ATTEMPTS = 200

# Holds each port that this process has been given, for as long as it lives.
_held = ExitStack()
atexit.register(_held.close)


def free_port() -> int:
    """Return a port that nothing listens on, and that no other process is given meanwhile.

    Raises:
        OSError: none was found.
    """
    return free_base_port(1)


def free_base_port(processes: int) -> int:
    """Return such a port that is free together with those that honcho gives to further processes.

    Raises:
        OSError: none was found.
    """
    for _ in range(_ATTEMPTS):
        base = random.choice(_PORTS)
        ports = range(base, base + HONCHO_STEP * processes, HONCHO_STEP)
        if ports[-1] in _PORTS and all(map(_hold, ports)):
            return base
    raise OSError(f"no free port was found from {_PORTS[0]} to {_PORTS[-1]}")


def _hold(port: int) -> bool:
    """Hold the port for this process; say whether it was free.

    What is held is the UDP port of the same number: a server can listen on the TCP port, and
    another process that looks for a free one finds it held. It is let go when the process ends.
    """
    held = socket.socket(type=socket.SOCK_DGRAM)
    try:
        held.bind(("127.0.0.1", port))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
    except OSError:
        held.close()
        return False
    _held.enter_context(held)
    return True
