"""What the wall and the strip of a desk count."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from screenpop.promise import OwedClock


@dataclass(frozen=True, slots=True)
class Waiting:
    """`count` people wait at the other end; what can wait for hours (mail, tickets) is no matter of the promise."""

    count: int
    oldest: datetime | None
    deferrable: int = 0
    oldest_deferrable: datetime | None = None

    def longest(self, now: datetime) -> timedelta:
        """Zero where nobody waits."""
        return timedelta() if self.oldest is None else now - self.oldest


NOBODY = Waiting(0, None)


@dataclass(frozen=True, slots=True)
class NextPromise:
    ticket: int
    clock: OwedClock


@dataclass(frozen=True, slots=True)
class Today:
    """Of the contacts queued since midnight. `late` ones wait longer than promised already.

    `promised`: who came by a channel that the promise is for, and whose fate is known or who are late.
    """

    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    late: int = 0
    flow_out: int = 0
    promised: int = 0

    @property
    def service_level(self) -> float | None:
        """Answered in time among all whose fate is known or who wait too long; None before the first one."""
        return self.in_time / self.promised if self.promised else None


@dataclass(frozen=True, slots=True)
class AgentNow:
    user: int
    full_name: str
    presence: str
    reason: str | None
    presence_at: datetime
    routing_status: str
    routing_at: datetime


@dataclass(frozen=True, slots=True)
class PromisesNow:
    """Tickets that are late for something, and tickets that soon will be."""

    breached: int
    at_risk: int
