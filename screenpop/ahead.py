"""Pops read before anybody asks for them: what they show takes as long to read as a decision and its reservation."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from screenpop.desk import moved_by
from screenpop.history import in_utc, load_address, load_pop
from screenpop.pop import Item, Pop, of_arrival

_KEPT_FOR = 2.0  # seconds


class Ahead:
    """Kept for a moment, forgotten when a customer or a ticket changes, and never shown stale."""

    def __init__(self, pool: Pool, directory: Directory, *, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._directory = directory
        self._clock = clock
        self._of: dict[int, asyncio.Task[Pop | None]] = {}
        # By external id: contacts that are being written down.
        self._coming: dict[str, tuple[Arrival, asyncio.Task[Pop]]] = {}

    def prepare(self, interaction: int) -> None:
        """It waits, and somebody is free."""
        if interaction not in self._of:
            self._keep(interaction, asyncio.create_task(self._load(interaction)))

    def expect(self, arrival: Arrival) -> None:
        """It will be offered the moment it is written down."""
        if arrival.external_id is not None and arrival.address_kind is not None and arrival.address is not None:
            reading = load_address(self._pool, arrival.address_kind, arrival.address, now=self._clock())
            self._coming[arrival.external_id] = arrival, asyncio.create_task(reading)
            asyncio.get_running_loop().call_later(_KEPT_FOR, self._let_go, arrival.external_id)

    def arrived(self, event: Event) -> None:
        if (found := self._coming.pop(event.data["external_id"], None)) is not None and event.interaction is not None:
            self._keep(event.interaction, asyncio.create_task(self._join(event, *found)))

    def forget(self) -> None:
        """What was read may have changed."""
        for key in tuple(self._coming):
            self._let_go(key)
        for interaction in tuple(self._of):
            self._drop(interaction)

    async def take(self, event: Event, agent: str) -> Pop | None:
        """The pop of a reservation as `event` left it; None when it must be read anew."""
        task = None if event.interaction is None else self._of.pop(event.interaction, None)
        pop = None if task is None else await task
        item = None if pop is None else pop["interaction"]
        # One version behind is the state right before this reservation, which changes nothing else that is shown.
        if pop is None or item is None or item["version"] != (event.version or 0) - 1:
            return None
        return {**pop, "interaction": moved_by(item, event, agent)}

    def _keep(self, interaction: int, task: asyncio.Task[Pop | None]) -> None:
        self._of[interaction] = task
        asyncio.get_running_loop().call_later(_KEPT_FOR, self._drop, interaction)

    def _drop(self, interaction: int) -> None:
        if task := self._of.pop(interaction, None):
            task.cancel()

    def _let_go(self, key: str) -> None:
        if found := self._coming.pop(key, None):
            found[1].cancel()

    async def _load(self, interaction: int) -> Pop | None:
        return await load_pop(self._pool, interaction, now=self._clock())

    async def _join(self, event: Event, arrival: Arrival, reading: asyncio.Task[Pop]) -> Pop | None:
        """None when it is not the customer who was found a moment before."""
        pop = await reading
        known = pop["customer"]
        if (known["id"] if known else None) != event.customer or event.interaction is None:
            return None
        queue = self._directory.queues.get(event.queue or 0)
        at = in_utc(event.data["queued_at"])
        item = Item(
            id=event.interaction,
            channel=arrival.channel,
            direction=arrival.direction,
            state=event.data["state"],
            outcome=None,
            external_id=arrival.external_id,
            customer=event.customer,
            queue=queue.name if queue else None,
            agent=None,
            ticket=None,
            address=arrival.address,
            arrived_at=at,
            queued_at=at,
            answered_at=None,
            ended_at=None,
            closed_at=None,
            disposition=None,
            note=None,
            address_kind=arrival.address_kind,
            address_name=arrival.address_name,
            called=arrival.called,
            subject=arrival.subject,
            priority=arrival.priority,
            version=event.version or 1,
        )
        return of_arrival(pop, item)
