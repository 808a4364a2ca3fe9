"""Sends answers to gateways: at least once, under an id of their own; a gateway that is away holds up no other."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from callcenter.actions import gateway_out
from callcenter.domain.gateway import call_of, is_later, told_by
from callcenter.domain.outbox import pause_after
from callcenter.errors import ChannelError
from callcenter.outward import ATTEMPT, Networks, Outward, open_outward
from callcenter.store.db import TRY_AGAIN
from callcenter.store.gateways import Outgoing
from callcenter.store.log import ContactLog

log = structlog.get_logger()

_EVERY = 0.5
_AT_ONCE = 4  # messages to one gateway
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_ANSWER = 16_000
# Longer than an attempt and its booking: whoever still has a message then is dead or frozen.
_LEASE = ATTEMPT + timedelta(seconds=50)


class Sender:
    """`run` is supervised, on every node. `outcomes` counts attempts: sent, put_off, failed."""

    def __init__(self, contact_log: ContactLog, *, allowed: Networks, clock: Callable[[], datetime]) -> None:
        self._log = contact_log
        self._allowed = allowed
        self._clock = clock
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self.outcomes: Counter[str] = Counter(sent=0, put_off=0, failed=0)

    async def run(self) -> None:
        async with open_outward(self._allowed) as outward, asyncio.TaskGroup() as group:
            while True:
                try:
                    for gateway in await gateway_out.waiting(self._log, now=self._clock()):
                        if gateway not in self._at_work:
                            task = self._at_work[gateway] = group.create_task(self._serve(outward, gateway))
                            task.add_done_callback(partial(self._done, gateway))
                except TRY_AGAIN as error:
                    log.warning("gateway.database", error=repr(error))
                await asyncio.sleep(_EVERY)

    def _done(self, gateway: int, _: asyncio.Task[None]) -> None:
        del self._at_work[gateway]

    async def send_due(self) -> None:
        """Everything that is due, once."""
        async with open_outward(self._allowed) as outward:
            for gateway in await gateway_out.waiting(self._log, now=self._clock()):
                await self._serve(outward, gateway)

    async def _serve(self, outward: Outward, gateway: int) -> None:
        while True:
            try:
                taken = await gateway_out.take(self._log, gateway, most=_AT_ONCE, lease=_LEASE, now=self._clock())
                await asyncio.gather(*(self._send(outward, each) for each in taken))
            except TRY_AGAIN as error:
                log.warning("gateway.database", error=repr(error))
                return
            if not taken:
                return

    async def _send(self, outward: Outward, taken: Outgoing) -> None:
        outbound = taken.table.outbound
        if outbound is None:
            # The file was changed after the answer was written.
            await self._failed(taken, ChannelError("the gateway takes no answers any more", permanent=True))
            return
        number = "" if taken.number is None else str(taken.number)
        values = {"to": taken.to, "text": taken.text, "id": str(taken.ident), "ticket": number}
        call = call_of(outbound, values, taken.secrets)
        try:
            response = await outward.post(
                call.url, call.body, {**call.headers, "User-Agent": "callcenter"}, most=_LONGEST_ANSWER
            )
        except ChannelError as error:
            await self._failed(taken, error)
            return
        ident, words = told_by(outbound, response.body)
        if 200 <= response.status < 300:
            await gateway_out.sent(self._log, taken, external_id=ident, now=self._clock())
            self.outcomes["sent"] += 1
        else:
            said = f"{response.status} {words}" if words else response.words()
            await self._failed(taken, ChannelError(said, permanent=not is_later(response.status)))

    async def _failed(self, taken: Outgoing, error: ChannelError) -> None:
        now, again = self._clock(), False
        if error.permanent:
            await gateway_out.give_up(self._log, taken, error=str(error), reason="refused", now=now)
        else:
            # Chance spreads them out and decides nothing.
            pause = pause_after(taken.attempt, chance=random.random(), first=_FIRST_PAUSE)  # noqa: S311
            again = await gateway_out.put_off(self._log, taken, error=str(error), due=now + pause, now=now)
        self.outcomes["put_off" if again else "failed"] += 1
        log.warning("gateway.not_sent", gateway=taken.table.name, message=taken.message, attempt=taken.attempt)
