"""A letter on its way out: its states, when it is tried again, and what it says in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class LetterState(StrEnum):
    WAITING = "waiting"  # to be sent when it is due, or being sent under a lease
    SENT = "sent"  # the mail server took it
    FAILED = "failed"  # the mail server refused it for good, or its time ran out


class LetterVerb(StrEnum):
    SEND = "send"
    PUT_OFF = "put_off"
    GIVE_UP = "give_up"


TRANSITIONS: dict[tuple[LetterState, LetterVerb], LetterState] = {
    (LetterState.WAITING, LetterVerb.SEND): LetterState.SENT,
    (LetterState.WAITING, LetterVerb.PUT_OFF): LetterState.WAITING,
    (LetterState.WAITING, LetterVerb.GIVE_UP): LetterState.FAILED,
}

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=4)


def pause_after(attempt: int, *, chance: float, first: timedelta = _FIRST_PAUSE) -> timedelta:
    """How long to wait after failure number `attempt` (from 1): `first`, then doubled each time up to four hours.

    `chance` from 0 to 1 takes up to half of it away, so that what failed together is not tried together again.
    """
    # A larger power would overflow.
    pause = min(first * (1 << min(attempt - 1, 16)), _LONGEST_PAUSE)
    return pause * (1 - chance / 2)


@dataclass(frozen=True, slots=True)
class Letter:
    """As the recipient reads it; `html` None: plain text only. `stop`: the address that ends such letters."""

    subject: str
    text: str
    html: str | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What a letter answers, and where answers to it go; ids without their brackets. `auto`: its Auto-Submitted."""

    in_reply_to: str | None = None
    references: Sequence[str] = ()
    reply_to: str | None = None
    auto: str = "auto-generated"  # no: a person wrote it


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a letter."""

    name: str
    type: str
    data: bytes
