"""One caller of ours, and all of them by the keys under which events name them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from callcenter.domain.events import Event
from callcenter.domain.overflow import Treatment
from callcenter.store.db import retrying
from callcenter.store.directory import Directory, Queue
from channels.telephony import agi
from channels.telephony.calls import CallChange, Change
from channels.telephony.fastagi import AgiSession, HungUp
from channels.telephony.switch import Switch

T = TypeVar("T")
_DATABASE_BACK_WITHIN = timedelta(minutes=5)


@dataclass(slots=True, eq=False)
class Offer:
    reservation: int
    agent: int
    answered: bool = False
    ended: bool = False
    # The answer is written down: what follows on it must not be written before.
    recorded: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Call:
    """One caller of ours. `session` is None once the call has left AGI (a transfer) and AMI alone follows it."""

    interaction: int
    unique: str
    channel: str
    switch: Switch
    queue: Queue | None
    queued_at: datetime | None
    session: AgiSession | None
    # The latest offer; the one that is dialled, or talks, may be an ended one before it, until its phone is quiet.
    offer: Offer | None = None
    dialling: Offer | None = None
    last_reservation: int = 0
    gone_at: datetime | None = None
    music: bool = False  # it plays now
    heard_music: bool = False
    told_at: datetime | None = None  # when the last announcement ended, or there was nothing to say
    was_told: bool = False  # something was said then
    closed: bool = False
    taken_out: bool = False  # closed by a supervisor, while the caller was there
    # It waited so long that it is treated as outside the opening hours.
    turned_away: bool = False
    # It waited so long that it is to be offered to be called back.
    may_be_called_back: bool = False
    # Reservations by the leg (Uniqueid) that talks under them.
    legs: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    fate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_offered(self) -> bool:
        return self.offer is not None and not self.offer.ended

    def offer_of(self, reservation: int) -> Offer | None:
        offers = (self.dialling, self.offer)
        return next((offer for offer in offers if offer is not None and offer.reservation == reservation), None)

    def treat(self, treatment: str) -> None:
        self.turned_away |= treatment == Treatment.CLOSED
        self.may_be_called_back |= treatment == Treatment.CALLBACK
        self.news.set()

    def is_moot(self, offer: Offer) -> bool:
        """Whether the offer ended while something else was waited for."""
        return self.gone_at is not None or offer.ended or self.closed


class Calls:
    """The calls that this node serves."""

    def __init__(self, directory: Directory, *, clock: Callable[[], datetime]) -> None:
        self._directory = directory
        self._clock = clock
        self.by_interaction: dict[int, Call] = {}
        self.by_unique: dict[tuple[str, str], Call] = {}
        self.by_reservation: dict[int, Call] = {}

    def take(
        self, ident: int, session: AgiSession, switch: Switch, queue: Queue | None, queued_at: datetime | None
    ) -> Call:
        unique = session.environment["uniqueid"]
        channel = session.environment.get("channel", "")
        call = Call(ident, unique, channel, switch, queue, queued_at, session)
        is_there = unique in switch.legs.channels
        self.track(call)
        if session.gone_reason is not None and switch.connected and not is_there:
            # AMI told the hang-up before we knew whose it was.
            call.fate.set()
            switch.legs.channels.pop(unique, None)
        session.on_gone(lambda _: self._gone(call))
        return call

    def track(self, call: Call, talked: Mapping[str, int] | None = None) -> None:
        """AMI's changes of this call are ours from now on. `talked`: reservations by the legs that talk already."""
        call.legs = dict(talked or {})
        self.by_interaction[call.interaction] = call
        self.by_unique[call.switch.name, call.unique] = call
        call.switch.legs.serve(call.unique, call.channel, talked=call.legs)

    def drop(self, call: Call) -> None:
        if self.by_interaction.get(call.interaction) is call:
            del self.by_interaction[call.interaction]
        if self.by_unique.get((call.switch.name, call.unique)) is call:
            del self.by_unique[call.switch.name, call.unique]
            call.switch.legs.forget(call.unique)
            if not call.switch.connected:
                call.switch.legs.channels.pop(call.unique, None)  # no event will
        self.by_reservation.pop(call.last_reservation, None)

    def _gone(self, call: Call) -> None:
        if call.gone_at is None:
            call.gone_at = self._clock()
            call.news.set()

    def note(self, events: Sequence[Event]) -> None:
        """What the log says of our calls: directly from this process, and by the feed from other nodes."""
        for event in events:
            if event.interaction is None or (call := self.by_interaction.get(event.interaction)) is None:
                continue
            match event.kind:
                case "interaction.reserved":
                    self._reserved(call, event)
                case "reservation.rejected" | "reservation.timed_out" | "reservation.failed" | "reservation.cancelled":
                    if (offer := call.offer_of(event.data["reservation"])) is not None:
                        offer.ended = True
                        if offer is call.dialling:
                            # Ended on the console, or by the sweep: the phone need not ring on.
                            call.switch.note(CallChange(Change.RINGING, call.unique))
                case "interaction.moved" if event.queue is not None:
                    self._moved(call, self._directory.queues.get(event.queue))
                case "interaction.treatment":
                    call.treat(event.data["treatment"])
                case "interaction.closed" | "interaction.abandoned" | "interaction.ended":
                    call.closed = True
                    call.taken_out = event.data.get("cause") == "taken_out"
                    call.news.set()

    def _moved(self, call: Call, queue: Queue | None) -> None:
        """Told twice; another queue has its own announcements, and the caller another place."""
        if queue is not None and queue != call.queue:
            call.queue, call.told_at, call.was_told = queue, None, False
            call.news.set()

    def _reserved(self, call: Call, event: Event) -> None:
        reservation = event.data["reservation"]
        if reservation <= call.last_reservation or event.agent is None:
            return
        if call.dialling is None or call.dialling.reservation != call.last_reservation:
            self.by_reservation.pop(call.last_reservation, None)
        call.last_reservation = reservation
        call.offer = Offer(reservation, event.agent)
        self.by_reservation[reservation] = call
        call.news.set()

    def dial_ended(self, call: Call) -> None:
        dialled, call.dialling = call.dialling, None
        if dialled is not None and dialled is not call.offer:
            self.by_reservation.pop(dialled.reservation, None)


async def written(operation: Callable[[], Awaitable[T]]) -> T:
    """What has happened to a call is written down, however long the database is away within reason."""
    return await retrying(operation, within=_DATABASE_BACK_WITHIN)


async def quietly(session: AgiSession, command: agi.Command) -> None:
    """A command whose failure is told by the session's end."""
    with suppress(HungUp):
        await session.command(command)


def text(value: str) -> str:
    """PostgreSQL's text has no NUL."""
    return value.replace("\0", "")[:500]
