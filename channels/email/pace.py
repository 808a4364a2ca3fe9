"""How fast mail comes in: as fast as it can, but in single file while the phone rings: callers feel every millisecond."""

import asyncio
from collections.abc import Sequence
from math import inf

from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel

# Seconds after a call in which there may be another one.
RINGS_FOR = 2.0
# Seconds from the beginning of a message to that of the next one, meanwhile: each costs about ten milliseconds of a
# processor, here and in the database.
GAP = 0.1


class Pace:
    """Times in seconds of the loop's clock."""

    def __init__(self) -> None:
        self._called_at = -inf
        self._next_at = -inf
        self._file = asyncio.Lock()  # first come, first served

    def note(self, events: Sequence[Event], *, now: float) -> None:
        """Of what this process has committed."""
        if any(each.kind == "interaction.arrived" and each.data["channel"] == Channel.PHONE for each in events):
            self._called_at = now

    def delay(self, now: float) -> float:
        """How long a message has to wait; not above zero: it may come in."""
        return self._next_at - now if now < self._called_at + RINGS_FOR else 0.0

    async def turn(self) -> None:
        """Waits until the next message may come in. Nothing is held while it does: a slow sender is in nobody's way."""
        loop = asyncio.get_running_loop()
        async with self._file:
            await asyncio.sleep(max(self.delay(loop.time()), 0.0))
            self._next_at = loop.time() + GAP
