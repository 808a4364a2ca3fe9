"""A notice to somebody who works here: it stands on their console, and goes to them in other ways too."""

from enum import StrEnum


class Way(StrEnum):
    """How a notice reaches somebody besides the console, where it always stands."""

    EMAIL = "email"
    PHONE = "phone"  # called by the PBX, which reads the ticket's number out
