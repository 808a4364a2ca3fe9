"""What becomes of work that waits too long, as an organisation's rules say it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from callcenter.domain.duration import format_duration


class Treatment(StrEnum):
    """What a channel does with somebody who goes on waiting otherwise."""

    CALLBACK = "callback"  # is offered to be called back
    VOICEMAIL = "voicemail"  # may leave a message
    CLOSED = "closed"  # is treated as outside the opening hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """One rule. When: `after` so long in the queue (to `lend`: in all), or while the `expected` wait is longer.

    What: move `to` another queue, let a queue `lend` its agents, or a `treatment`. One of each; queues are named.
    """

    after: timedelta | None = None
    expected: timedelta | None = None
    to: str | None = None
    lend: str | None = None
    treatment: Treatment | None = None

    def __str__(self) -> str:
        when = f"after {format_duration(self.after)}" if self.after is not None else "expected over "
        if self.expected is not None:
            when += format_duration(self.expected)
        what = f"to {self.to}" if self.to else f"lend {self.lend}" if self.lend else str(self.treatment)
        return f"{when}: {what}"


def find_circle(leads_to: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """A way on which work would come back to where it was (first and last are the same); empty when there is none."""
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done:
            return ()
        for following in leads_to.get(name, ()):
            if circle := walk(following, (*way, name)):
                return circle
        done.add(name)
        return ()

    return next((circle for name in leads_to if (circle := walk(name, ()))), ())
