"""Finding out that the machine at the other end is gone, where no read has a time-out."""

import socket
from typing import Final

# seconds of silence before probing, between probes, probes; milliseconds that data may stay unacknowledged
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}


def keep_alive(listener: socket.socket) -> None:
    """Have TCP ask now and then; the sockets that this one accepts inherit it."""
    options = {"SO_KEEPALIVE": (socket.SOL_SOCKET, 1)}
    options |= {name: (socket.IPPROTO_TCP, n) for name, n in _KEEPALIVE.items()}
    for name, (level, value) in options.items():
        if hasattr(socket, name):
            listener.setsockopt(level, getattr(socket, name), value)
