"""Pops read before anybody asks for them: what they show takes as long to read as a decision and its reservation."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, State
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from screenpop.desk import moved_by
from screenpop.history import in_utc, load_address, load_pop
from screenpop.pop import Item, Pop, PopView, of_arrival

_KEPT_FOR = 2.0  # seconds

# A pop, and by language what is drawn of it already.
Read = tuple[Pop, Mapping[str, PopView]]


class Ahead:
    """Kept for a moment, forgotten when a customer or a ticket changes, and never shown stale."""

    def __init__(self, pool: Pool, directory: Directory, *, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._directory = directory
        self._clock = clock
        self._of: dict[int, asyncio.Task[Read | None]] = {}
        # By external id: contacts that are being written down.
        self._coming: dict[str, asyncio.Task[Read]] = {}

    def prepare(self, interaction: int) -> None:
        """It waits, and somebody is free."""
        if interaction not in self._of:
            self._keep(interaction, asyncio.create_task(self._load(interaction)))

    def expect(self, arrival: Arrival, queue: str | None, draw: Callable[[Pop], Mapping[str, PopView]]) -> None:
        """It will be offered the moment it is written down."""
        if arrival.external_id is not None and arrival.address_kind is not None and arrival.address is not None:
            reading = self._read(arrival, arrival.address_kind, arrival.address, queue, draw)
            self._coming[arrival.external_id] = asyncio.create_task(reading)
            asyncio.get_running_loop().call_later(_KEPT_FOR, self._let_go, arrival.external_id)

    def arrived(self, event: Event) -> None:
        if (found := self._coming.pop(event.data["external_id"], None)) is not None and event.interaction is not None:
            self._keep(event.interaction, asyncio.create_task(self._join(event, found)))

    def forget(self) -> None:
        """What was read may have changed."""
        for key in tuple(self._coming):
            self._let_go(key)
        for interaction in tuple(self._of):
            self._drop(interaction)

    async def take(self, event: Event, agent: str) -> Read | None:
        """The pop of a reservation as `event` left it; None when it must be read anew."""
        task = None if event.interaction is None else self._of.pop(event.interaction, None)
        read = None if task is None else await task
        if read is None:
            return None
        pop, views = read
        item = pop["interaction"]
        # One version behind is the state right before this reservation, which changes nothing else that is shown.
        if item is None or item["version"] != (event.version or 0) - 1:
            return None
        return {**pop, "interaction": moved_by(item, event, agent)}, views

    def _keep(self, interaction: int, task: asyncio.Task[Read | None]) -> None:
        self._of[interaction] = task
        asyncio.get_running_loop().call_later(_KEPT_FOR, self._drop, interaction)

    def _drop(self, interaction: int) -> None:
        if task := self._of.pop(interaction, None):
            task.cancel()

    def _let_go(self, key: str) -> None:
        if found := self._coming.pop(key, None):
            found.cancel()

    async def _load(self, interaction: int) -> Read:
        return await load_pop(self._pool, interaction, now=self._clock()), {}

    async def _read(
        self, arrival: Arrival, kind: str, address: str, queue: str | None, draw: Callable[[Pop], Mapping[str, PopView]]
    ) -> Read:
        now = self._clock()
        pop = await load_address(self._pool, kind, address, now=now)
        pop = of_arrival(pop, _item(arrival, pop, queue, now))
        return pop, draw(pop)

    async def _join(self, event: Event, reading: asyncio.Task[Read]) -> Read | None:
        """None when it is not the customer who was found a moment before."""
        pop, views = await reading
        coming, ident = pop["interaction"], event.interaction
        if coming is None or ident is None or coming["customer"] != event.customer:
            return None
        history = [known for known in pop["history"] if known["id"] != ident]
        if len(history) < len(pop["history"]):
            # The reader saw it already, and what was drawn has it as history of itself.
            recent = pop["recent_count"]
            pop = {**pop, "history": history, "recent_count": {**recent, "count": recent["count"] - 1}}
            views = {}
        at = in_utc(event.data["queued_at"])
        item: Item = {**coming, "id": ident, "arrived_at": at, "queued_at": at, "version": event.version or 1}
        return {**pop, "interaction": item}, {code: replace(view, interaction=ident) for code, view in views.items()}


def _item(arrival: Arrival, pop: Pop, queue: str | None, now: datetime) -> Item:
    """The contact as it will be, but for its number and the moment of its commit."""
    at = now.isoformat()
    return Item(
        id=0,
        channel=arrival.channel,
        direction=arrival.direction,
        state=State.QUEUED,
        outcome=None,
        external_id=arrival.external_id,
        customer=pop["customer"]["id"] if pop["customer"] else None,
        queue=queue,
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
        version=0,
    )
