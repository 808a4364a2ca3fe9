"""Sends what is due for webhooks: at least once, under an id of its own; one that is away holds up no other."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import orjson
import structlog

from callcenter.actions import deliveries
from callcenter.domain.delivery import headers_of
from callcenter.domain.outbox import pause_after
from callcenter.errors import ChannelError
from callcenter.outward import ATTEMPT, Networks
from callcenter.store.db import TRY_AGAIN
from callcenter.store.deliveries import Outgoing
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from channels.webhooks.wire import Wire, open_wire

log = structlog.get_logger()

_EVERY = 0.5
_AT_ONCE = 4  # deliveries to one webhook
_FIRST_PAUSE = timedelta(seconds=5)
# Longer than an attempt and its booking: whoever still has a delivery then is dead or frozen.
_LEASE = ATTEMPT + timedelta(seconds=50)
_PURGE_EVERY = timedelta(hours=1)


class Sender:
    """`run` is supervised, on every node. `outcomes` counts attempts: sent, put_off, failed."""

    def __init__(
        self, contact_log: ContactLog, directory: Directory, *, allowed: Networks, clock: Callable[[], datetime]
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._allowed = allowed
        self._clock = clock
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self.outcomes: Counter[str] = Counter(sent=0, put_off=0, failed=0)

    async def run(self) -> None:
        purged_at: datetime | None = None
        async with open_wire(self._allowed) as wire, asyncio.TaskGroup() as group:
            while True:
                now = self._clock()
                try:
                    await deliveries.collect(self._log, self._directory, now=now)
                    for webhook in await deliveries.waiting(self._log, now=now):
                        if webhook not in self._at_work:
                            task = self._at_work[webhook] = group.create_task(self._serve(wire, webhook))
                            task.add_done_callback(partial(self._done, webhook))
                    if purged_at is None or now - purged_at > _PURGE_EVERY:
                        await deliveries.purge(self._log, now=now)
                        purged_at = now
                except TRY_AGAIN as error:
                    log.warning("webhook.database", error=repr(error))
                await asyncio.sleep(_EVERY)

    def _done(self, webhook: int, _: asyncio.Task[None]) -> None:
        del self._at_work[webhook]

    async def send_due(self) -> None:
        """Everything that is due, once."""
        async with open_wire(self._allowed) as wire:
            for webhook in await deliveries.waiting(self._log, now=self._clock()):
                await self._serve(wire, webhook)

    async def _serve(self, wire: Wire, webhook: int) -> None:
        while True:
            try:
                taken = await deliveries.take(self._log, webhook, most=_AT_ONCE, lease=_LEASE, now=self._clock())
                await asyncio.gather(*(self._send(wire, each) for each in taken))
            except TRY_AGAIN as error:
                log.warning("webhook.database", error=repr(error))
                return
            if not taken:
                return

    async def _send(self, wire: Wire, delivery: Outgoing) -> None:
        body = orjson.dumps({"id": str(delivery.ident), **delivery.body}, option=orjson.OPT_SORT_KEYS)
        headers = {"Content-Type": "application/json", "User-Agent": "callcenter"}
        headers |= headers_of(delivery.secret or "", ident=str(delivery.ident), body=body, now=self._clock())
        try:
            await wire.post(delivery.url, body, headers)
        except ChannelError as error:
            await self._failed(delivery, error)
        else:
            await deliveries.sent(self._log, delivery, now=self._clock())
            self.outcomes["sent"] += 1

    async def _failed(self, delivery: Outgoing, error: ChannelError) -> None:
        now, again = self._clock(), False
        if error.permanent:
            await deliveries.give_up(self._log, delivery, error=str(error), now=now)
        else:
            # Chance spreads them out and decides nothing.
            pause = pause_after(delivery.attempt, chance=random.random(), first=_FIRST_PAUSE)  # noqa: S311
            again = await deliveries.put_off(self._log, delivery, error=str(error), due=now + pause, now=now)
        self.outcomes["put_off" if again else "failed"] += 1
        log.warning("webhook.refused", webhook=delivery.webhook, delivery=str(delivery.ident), attempt=delivery.attempt)
