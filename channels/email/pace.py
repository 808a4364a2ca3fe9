"""How fast mail comes in: as fast as it can, but slowly while the phone rings, and slower still when time is short."""

import asyncio
from collections.abc import Sequence
from math import inf

from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel

# Seconds after a call in which there may be another one.
RINGS_FOR = 2.0
# Seconds from the beginning of a message to that of the next one, meanwhile. Fifty connections that wait in file for
# the longest are still answered before they count as idle.
GAP, LONGEST_GAP = 0.1, 1.0
# A process that is woken so many seconds after its time has more to do than it can.
LATE = 0.01


class Pace:
    """Times in seconds of the loop's clock."""

    def __init__(self) -> None:
        self.gap = GAP
        self._called_at = -inf
        self._next_at = -inf
        self._file = asyncio.Lock()  # first come, first served

    def note(self, events: Sequence[Event], *, now: float) -> None:
        """Of what this process has committed."""
        if any(each.kind == "interaction.arrived" and each.data["channel"] == Channel.PHONE for each in events):
            self._called_at = now

    def delay(self, now: float) -> float:
        """How long a message has to wait; zero: it may come in."""
        return max(self._next_at - now, 0.0) if now < self._called_at + RINGS_FOR else 0.0

    def begin(self, now: float, *, late: float) -> None:
        """A message comes in; `late`: how much later than it should have been."""
        self.gap = min(self.gap * 2, LONGEST_GAP) if late > LATE else max(self.gap * 0.9, GAP)
        self._next_at = now + self.gap

    async def turn(self) -> None:
        """Waits until the next message may come in. Nothing is held while it does: a slow sender is in nobody's way."""
        loop = asyncio.get_running_loop()
        async with self._file:
            due = loop.time() + self.delay(loop.time())
            await asyncio.sleep(max(due - loop.time(), 0.0))
            self.begin(loop.time(), late=loop.time() - due)
