"""Asterisks of our own for a test run, each in a folder of its own and on ports that the system chooses."""

import shutil
import socket
import tempfile
from pathlib import Path

from tests.telephony.lab.instance import Instance, Ports
from tests.telephony.phones import PROVIDER, free_port


def free_ports(servers: int = 2) -> Ports:
    """Ports for one Asterisk that asks this many call-centre servers."""
    first = free_port(kind=socket.SOCK_DGRAM) // 1000 * 1000
    return Ports(
        sip=free_port(kind=socket.SOCK_DGRAM),
        ami=free_port(),
        http=free_port(),
        https=free_port(),
        trunk=free_port(PROVIDER, socket.SOCK_DGRAM),
        agi=tuple(free_port() for _ in range(servers)),
        rtp=(first - 1000 if first > 60000 else first, (first - 1000 if first > 60000 else first) + 999),
    )


def make_instance(ports: Ports | None = None, **values: str) -> Instance:
    """Prepare an Asterisk in a folder of its own, which another user can enter; not started."""
    directory = Path(tempfile.mkdtemp(prefix="asterisk-", dir="/tmp"))
    directory.chmod(0o755)
    return Instance(directory, ports or free_ports(), values=values)


def remove(instance: Instance) -> None:
    instance.stop()
    shutil.rmtree(instance.directory, ignore_errors=True)
