"""Find free TCP ports on the loopback interface, for servers that need a number."""

from __future__ import annotations

import atexit
import random
import socket
from contextlib import ExitStack

# honcho gives its processes ports in steps of this size.
HONCHO_STEP = 100
# Kernels give outgoing connections higher ports (Linux from 32768, others from 49152). Such a port
# could be taken while a server is stopped, before it listens there again.
_PORTS = range(10_000, 32_000)
_ATTEMPTS = 200

# The sockets that reserve this process's ports until it ends.
_held = ExitStack()
atexit.register(_held.close)


def free_port() -> int:
    """Return a port on which no server listens, and which no other process gets meanwhile.

    Raises:
        OSError: no free port was found.
    """
    return free_base_port(1)


def free_base_port(processes: int) -> int:
    """Return a free port whose following ports, which honcho gives to its processes, are free too.

    Raises:
        OSError: no free ports were found.
    """
    for _ in range(_ATTEMPTS):
        base = random.choice(_PORTS)
        ports = range(base, base + HONCHO_STEP * processes, HONCHO_STEP)
        if ports[-1] in _PORTS and all(map(_hold, ports)):
            return base
    raise OSError(f"no free port was found from {_PORTS[0]} to {_PORTS[-1]}")


def _hold(port: int) -> bool:
    """Reserve the port for this process; return whether it was free.

    The process binds the UDP port of the same number until it ends. A server can still listen on
    the TCP port, but another process that looks for a free port finds this one taken.
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
