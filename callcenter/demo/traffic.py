"""Calls that come in now, at a human pace with the shape of the hour, through a PBX that is played."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import structlog

from callcenter.demo import pace
from callcenter.demo.callers import Caller, Callers
from channels.telephony.fakepbx import CallOver, FakeCall, FakePbx

log = structlog.get_logger()

# Calls a minute at the busiest hour; nights are never as quiet as in life, since somebody is watching.
_PER_MINUTE = 4.5
_QUIETEST = 0.6
# Until the agents are at their desks.
_OPENING = 4.0
# Now and then many ring at once, and the wall has something to show.
_BURST = 0.02
_AGENT_ENDS = 0.25
_REMEMBERED = 500


class Traffic:
    """`run` plays calls until it is cancelled. `speed` shortens all waits of people (tests)."""

    def __init__(
        self,
        pbx: FakePbx,
        callers: Callers,
        *,
        timezone: str,
        dice: Random,
        clock: Callable[[], datetime],
        speed: float,
    ) -> None:
        self._pbx = pbx
        self._callers = callers
        self._zone = ZoneInfo(timezone)
        self._dice = dice
        self._clock = clock
        self._speed = speed
        self._tasks: set[asyncio.Task[None]] = set()
        # What the caller of a call wanted, by the call's external id: what its agent will write down.
        self._wanted: dict[str, Caller] = {}

    async def run(self) -> None:
        try:
            pause = _OPENING
            while True:
                await asyncio.sleep(pause / self._speed)
                now = self._clock().astimezone(self._zone)
                level = max(_QUIETEST, pace.of_the_hour(now))
                pause = self._dice.expovariate(_PER_MINUTE * level / 60)
                for _ in range(self._dice.randint(3, 5) if self._dice.random() < _BURST else 1):
                    self.ring(self._callers.draw(now))
        finally:
            await self._hang_up_all()

    def ring(self, caller: Caller | None) -> None:
        """Somebody rings, waits for a while, talks for a while."""
        if caller is not None:
            task = asyncio.create_task(self._play(caller))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def ring_queue(self, queue: str) -> None:
        self.ring(self._callers.draw(self._clock(), queue=queue))

    def wanted(self, external_id: str) -> Caller | None:
        return self._wanted.get(external_id)

    async def _play(self, caller: Caller) -> None:
        dice, speed = self._dice, self._speed
        patience = dice.uniform(1, 4) if dice.random() < 0.02 else pace.seconds(12, 75, 400, dice).total_seconds()
        call = await self._pbx.call(
            caller=caller.number, to=caller.called, name=caller.name, gives_up_after=patience / speed
        )
        self._remember(f"{self._pbx.name}/{call.uniqueid}", caller)
        try:
            await call.until("talking", timeout=(patience + 60) / speed)
        except (CallOver, TimeoutError):
            call.hangup()
            return
        talk = pace.seconds(25, 62, 240, dice).total_seconds() / speed
        if dice.random() < 0.12:
            await self._look_it_up(call, talk / 4)
        await asyncio.wait([call.ended], timeout=talk)
        if call.ended.done():
            return
        if dice.random() < _AGENT_ENDS and call.agent is not None:
            call.agent_hangs_up()
        else:
            call.hangup()

    async def _look_it_up(self, call: FakeCall, seconds: float) -> None:
        """The agent asks the customer to hold the line for a moment."""
        await asyncio.wait([call.ended], timeout=seconds)
        if call.agent is not None:
            call.agent_holds()
            await asyncio.wait([call.ended], timeout=seconds)
            if call.agent is not None:
                call.agent_resumes()

    def _remember(self, external_id: str, caller: Caller) -> None:
        self._wanted[external_id] = caller
        while len(self._wanted) > _REMEMBERED:
            del self._wanted[next(iter(self._wanted))]

    async def _hang_up_all(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        ends = [call.ended for call in self._pbx.calls.values()]
        for call in list(self._pbx.calls.values()):
            call.hangup()
        if ends:
            await asyncio.wait(ends, timeout=1)
