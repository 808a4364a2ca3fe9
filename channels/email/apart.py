"""What runs in the process that reads large messages; with few imports, since it starts when the first one comes."""

import os
import resource
import signal
from contextlib import suppress

from callcenter.domain.mail import Mail
from channels.email.parse import parse

_NICE = 10


def begin(most: int) -> None:
    """In bytes. What it reads is in less of a hurry than the calls of the serving process."""
    os.nice(_NICE)
    with suppress(ValueError, OSError):  # where the system has no such limit
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def read(raw: bytes, null_sender: bool, seconds: float) -> Mail:
    """Beyond its seconds the system ends the process, whatever it is at."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return parse(raw, null_sender=null_sender)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
