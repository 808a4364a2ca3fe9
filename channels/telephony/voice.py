"""Phone calls: from the AGI request to the end of the conversation, one task a call."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel, Outcome, ReservationState, State
from callcenter.domain.phone import parse_number
from callcenter.errors import Conflict
from callcenter.ports import Pops
from callcenter.store.db import retrying
from callcenter.store.directory import Directory, Queue
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.queries import Queries
from channels.telephony import agi
from channels.telephony.agi import GoneReason
from channels.telephony.calls import CallChange, Change, Missed, dial_result
from channels.telephony.fastagi import AgiSession, HungUp
from channels.telephony.switch import Switch

_SQL = Queries(Path(__file__).with_suffix(".sql"))
log = structlog.get_logger()

# Longer than any transaction of ours, shorter than a caller's patience with silence.
_DATABASE_PATIENCE = timedelta(seconds=3)
# After a hang-up on the AGI socket, AMI says within this time whether the caller left or was transferred.
_FATE = 0.5
# A call that is transferred back into our dialplan counts as a new interaction; more often than this it is a loop.
_MAX_RETURNS = 9


@dataclass(slots=True, eq=False)
class Offer:
    reservation: int
    agent: int
    ringing: bool = False
    answered: bool = False
    ended: bool = False


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
    offer: Offer | None = None
    last_reservation: int = 0
    gone_at: datetime | None = None
    music: bool = False
    playing: bool = False
    closed: bool = False
    # Reservations by the leg (Uniqueid) that talks under them.
    legs: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    fate: asyncio.Event = field(default_factory=asyncio.Event)


class Voice:
    """The phone channel of this node."""

    def __init__(
        self,
        contact_log: ContactLog,
        directory: Directory,
        node: Node,
        pops: Pops,
        switches: Mapping[str, Switch],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._node = node
        self._pops = pops
        self._switches = switches
        self._clock = clock
        self.calls: dict[int, Call] = {}
        self.by_unique: dict[tuple[str, str], Call] = {}
        self._by_reservation: dict[int, Call] = {}

    # -- the door

    async def handle(self, session: AgiSession) -> None:
        """A FastAGI request. An exception closes it without CC_DONE, so the dialplan asks again, here or elsewhere."""
        match session.path:
            case "/inbound":
                await self._inbound(session)
            case "/answered":
                await self._answered(session)
            case path:
                log.warning("agi.unknown_path", path=path[:100], peer=session.peer)
                await session.finish()

    def _switch(self, session: AgiSession) -> Switch | None:
        """Which PBX speaks: the one it says it is, if its address may; else the only one its address may be."""
        named = session.query.get("pbx")
        for switch in self._switches.values():
            if switch.may_speak(session.peer) and named in (None, switch.name):
                return switch
        return None

    async def _inbound(self, session: AgiSession) -> None:
        now = self._clock()
        switch = self._switch(session)
        if switch is None:
            log.warning("agi.unknown_pbx", pbx=session.query.get("pbx", "")[:50], peer=session.peer)
            return
        if not self._node.alive(now):
            return
        environment = session.environment
        called = environment.get("extension") or environment.get("dnid") or ""
        queue = self._queue(session.query.get("queue"), called)
        answering = asyncio.create_task(_quietly(session, agi.answer())) if queue else None
        try:
            call = await self._arrive(session, switch, queue, called, now)
            if call is None:
                return
            call.session = session
            try:
                if answering is not None:
                    await answering
                await self._converse(call)
            finally:
                # A call that left AGI by a transfer is followed by AMI; any other ends here, or asks again.
                if call.session is not None:
                    self.drop(call)
        finally:
            if answering is not None:
                answering.cancel()

    def _queue(self, name: str | None, called: str) -> Queue | None:
        if name is not None:
            for queue in self._directory.queues.values():
                if queue.name == name:
                    return queue
        return self._directory.queue_for_number(called)

    # -- arrival

    async def _arrive(
        self, session: AgiSession, switch: Switch, queue: Queue | None, called: str, now: datetime
    ) -> Call | None:
        environment = session.environment
        unique = environment.get("uniqueid", "")
        if not unique:
            log.warning("agi.no_uniqueid", peer=session.peer)
            return None
        first = f"{switch.name}/{unique}"
        for number in range(1, _MAX_RETURNS + 1):
            key = first if number == 1 else f"{first}#{number}"
            events = await self._open(session, switch, queue, called, key, now)
            if events:
                ident = events[0].interaction
                assert ident is not None
                queued_at = now if len(events) > 1 else None
                return self._take(ident, session, switch, queue, queued_at)
            known = await self._log.pool.fetchrow(_SQL.known, [key])
            if known is None:
                continue
            if State(known["state"]) in (State.NEW, State.QUEUED, State.OFFERED):
                if (call := await self._resume(known, session, switch, now)) is not None:
                    return call
            elif not await self._begins_anew(known, switch, unique, now):
                await session.finish()
                return None
        log.warning("call.loop", pbx=switch.name, uniqueid=unique)
        await session.finish()
        return None

    async def _open(
        self, session: AgiSession, switch: Switch, queue: Queue | None, called: str, key: str, now: datetime
    ) -> Sequence[Event]:
        environment = session.environment
        number = parse_number(environment.get("callerid", ""), self._directory.organisation.region)
        name = environment.get("calleridname", "")
        # Without AMI a prompt cannot be cut short when an agent is free: then it is played before the queue.
        greeted_first = queue is not None and queue.greeting is not None and not switch.connected
        arrival = interactions.Arrival(
            channel=Channel.PHONE,
            external_id=_text(key),
            address_kind="phone" if number.identifies else None,
            address=_text(number.value),
            address_name=None if name.lower() in ("", "unknown") else _text(name),
            called=_text(called),
            pbx=switch.name,
            leg=_text(environment.get("channel", "")),
        )
        waits = queue is not None and not greeted_first and self._is_open(queue, now)
        return await retrying(
            lambda: interactions.arrive(
                self._log, arrival, queue=queue.id if queue else None, queued=waits, node=self._node.id, now=now
            ),
            within=_DATABASE_PATIENCE,
        )

    def _is_open(self, queue: Queue, now: datetime) -> bool:
        return queue.hours is None or queue.hours.is_open(now)

    async def _begins_anew(self, known: asyncpg.Record, switch: Switch, unique: str, now: datetime) -> bool:
        """A call that talked before asks again: a new contact when it was transferred to a number of ours or was given up
        wrongly; the end of the old one when its agent hung up while nobody served it."""
        if known["state"] != State.ACTIVE:
            return bool(known["outcome"] not in (None, Outcome.HANDLED))
        away = known["left_alone"] or switch.legs.transferring(unique)
        cause = "transferred" if away else "agent_hangup"
        await interactions.end_interaction(self._log, known["id"], cause=cause, now=now)
        if (before := self.calls.get(known["id"])) is not None:
            self.drop(before)
        return away

    async def _resume(
        self, known: asyncpg.Record, session: AgiSession, switch: Switch, now: datetime
    ) -> Call | None:
        """A waiting call whose node died, or was given up by it; it keeps its place. None: it was answered or closed meanwhile."""
        ident = known["id"]
        call = self._take(ident, session, switch, self._directory.queues.get(known["queue_id"]), known["queued_at"])
        if known["pending"] is not None:
            await interactions.return_to_queue(
                self._log, known["pending"], state=ReservationState.CANCELLED, reason="asked_again", now=now
            )
        try:
            await interactions.adopt(
                self._log, ident, node=self._node.id, leg=_text(session.environment.get("channel", "")), now=now
            )
        except Conflict:
            self.drop(call)
            return None
        log.info("call.resumed", interaction=ident)
        return call

    def _take(
        self, ident: int, session: AgiSession, switch: Switch, queue: Queue | None, queued_at: datetime | None
    ) -> Call:
        unique = session.environment["uniqueid"]
        channel = session.environment.get("channel", "")
        call = Call(ident, unique, channel, switch, queue, queued_at, session)
        self.track(call)
        session.on_gone(lambda _: self._gone(call))
        return call

    def track(self, call: Call, talked: Mapping[str, int] | None = None) -> None:
        """AMI's changes of this call are ours from now on. `talked`: reservations by the legs that talk already."""
        call.legs = dict(talked or {})
        self.calls[call.interaction] = call
        self.by_unique[call.switch.name, call.unique] = call
        call.switch.legs.serve(call.unique, call.channel, talked=call.legs)

    def drop(self, call: Call) -> None:
        if self.calls.get(call.interaction) is call:
            del self.calls[call.interaction]
        if self.by_unique.get((call.switch.name, call.unique)) is call:
            del self.by_unique[call.switch.name, call.unique]
            call.switch.legs.forget(call.unique)
        self._by_reservation.pop(call.last_reservation, None)

    def _gone(self, call: Call) -> None:
        if call.gone_at is None:
            call.gone_at = self._clock()
            call.news.set()

    # -- events of the log (direct, and by the feed from other nodes)

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.interaction is None or (call := self.calls.get(event.interaction)) is None:
                continue
            match event.kind:
                case "interaction.reserved":
                    self._reserved(call, event)
                case "reservation.rejected" | "reservation.timed_out" | "reservation.failed" | "reservation.cancelled":
                    offer = call.offer
                    if offer is not None and offer.reservation == event.data["reservation"]:
                        offer.ended = True
                        if offer.ringing:
                            # Ended on the console, or by the sweep: the phone need not ring on.
                            call.switch.changes.put_nowait(CallChange(Change.RINGING, call.unique))
                case "interaction.closed" | "interaction.abandoned" | "interaction.ended":
                    call.closed = True
                    call.news.set()

    def _reserved(self, call: Call, event: Event) -> None:
        reservation = event.data["reservation"]
        if reservation <= call.last_reservation or event.agent is None:
            return
        self._by_reservation.pop(call.last_reservation, None)
        call.last_reservation = reservation
        call.offer = Offer(reservation, event.agent)
        self._by_reservation[reservation] = call
        call.news.set()

    # -- waiting

    async def _converse(self, call: Call) -> None:
        """Until the caller or we are done with it."""
        session = call.session
        assert session is not None
        if call.queue is None:
            await self._turn_away(call, Outcome.FAILED, "no_queue", None)
            return
        if call.queued_at is None and not await self._greet_or_refuse(call, call.queue):
            return
        if call.queue.greeting is not None and call.switch.connected and call.offer is None:
            await self._play(call, call.queue.greeting)
        while True:
            if call.gone_at is not None:
                await self._left_waiting(call)
                return
            if call.closed:
                await session.finish()
                return
            if call.offer is not None and not call.offer.ended:
                offer = call.offer
                if await self._ring(call, offer):
                    return
                if call.offer is offer:
                    call.offer = None
                continue
            if not call.music:
                call.music = True
                await _quietly(session, agi.music_on())
                continue
            await call.news.wait()
            call.news.clear()

    async def _greet_or_refuse(self, call: Call, queue: Queue) -> bool:
        """Before the queue: closed hours end here, a greeting that cannot be cut short is heard out."""
        now = self._clock()
        if not self._is_open(queue, now):
            await self._turn_away(call, Outcome.MISSED, "closed_hours", queue.closed_announcement)
            return False
        if queue.greeting is not None:
            await self._play(call, queue.greeting)
        if call.gone_at is not None:
            await self._left_waiting(call)
            return False
        call.queued_at = self._clock()
        await interactions.enqueue(self._log, call.interaction, queue=queue.id, now=call.queued_at)
        return True

    async def _play(self, call: Call, prompt: str) -> None:
        """Plays a prompt; with AMI it is cut short the moment an agent is free."""
        session = call.session
        assert session is not None
        playing = asyncio.create_task(_quietly(session, agi.stream_file(prompt)))
        try:
            while not playing.done():
                news = asyncio.create_task(call.news.wait())
                await asyncio.wait((playing, news), return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                call.news.clear()
                if not playing.done() and call.offer is not None and call.switch.connected:
                    await call.switch.stop_playback(call.channel)
                    await playing
        finally:
            playing.cancel()
        call.news.set()

    async def _turn_away(self, call: Call, outcome: Outcome, cause: str, announcement: str | None) -> None:
        assert call.session is not None
        if announcement is not None:
            await self._play(call, announcement)
        now = call.gone_at or self._clock()
        await interactions.leave_unserved(
            self._log, call.interaction, outcome=outcome, cause=cause, node=self._node.id, now=now
        )
        call.closed = True
        await call.session.finish()

    async def _left_waiting(self, call: Call) -> None:
        """The AGI channel is gone before anybody answered."""
        session, gone_at = call.session, call.gone_at
        assert session is not None and gone_at is not None
        lost = session.gone_reason is GoneReason.EOF
        await session.finish()
        if lost:
            outcome, cause = Outcome.FAILED, "pbx_lost"
        elif await self._is_away(call):
            outcome, cause = Outcome.FLOW_OUT, "redirected"
        else:
            outcome, cause = interactions.abandon_outcome(call.queued_at, gone_at), "customer_hangup"
        if self._node.alive(self._clock()):
            await interactions.leave_unserved(
                self._log, call.interaction, outcome=outcome, cause=cause, node=self._node.id, now=gone_at
            )
        call.closed = True

    async def _is_away(self, call: Call) -> bool:
        """Whether a caller who left our AGI is still on the PBX (transferred, redirected); only AMI can tell."""
        if not call.switch.connected:
            return False
        if call.switch.legs.transferring(call.unique):
            return True
        try:
            async with asyncio.timeout(_FATE):
                await call.fate.wait()
        except TimeoutError:
            return call.unique in call.switch.legs.channels and call.switch.connected
        return False

    # -- ringing and talking

    async def _ring(self, call: Call, offer: Offer) -> bool:
        """One offer to one agent. True when the call is over, False when it waits again."""
        session, queue = call.session, call.queue
        assert session is not None and queue is not None
        endpoint = self._directory.user(offer.agent).endpoint
        if endpoint is None:
            await self._return(offer, Missed(ReservationState.FAILED, "no_phone"))
            return False
        await self._pops.written(offer.reservation, offer.agent)
        if call.gone_at is not None or offer.ended or call.closed:
            return False
        now = self._clock()
        offer.ringing = True
        dialling = asyncio.create_task(
            session.command(
                agi.dial(
                    endpoint,
                    timeout=queue.ring_timeout,
                    options=f"tTg{'m' if call.music else 'r'}",
                    answered=str(offer.reservation),
                )
            )
        )
        try:
            await interactions.offer(self._log, offer.reservation, due=now + queue.ring_timeout, now=now)
            if offer.ended:
                await self.stop_ringing(call)
            await dialling
            returned_at = self._clock()
            status = (await session.command(agi.get_variable("DIALSTATUS"))).text or ""
            cause = (await session.command(agi.get_variable("HANGUPCAUSE"))).text or ""
        except HungUp:
            # Only a connection that ended answers nothing at all.
            returned_at, status, cause = call.gone_at or self._clock(), "", ""
        finally:
            dialling.cancel()
            offer.ringing = False
        call.music = False
        if offer.answered or status == "ANSWER":
            await self._talked(call, offer, returned_at)
            return True
        if call.gone_at is not None:
            call.gone_at = returned_at
            return False
        missed = dial_result(status, cause)
        if missed is not None:
            if missed.reason == "no_circuit":
                log.warning("call.no_circuit", interaction=call.interaction, status=status, cause=cause, endpoint=endpoint)
            await self._return(offer, missed)
        return False

    async def _return(self, offer: Offer, missed: Missed) -> None:
        offer.ended = True
        await interactions.return_to_queue(
            self._log, offer.reservation, state=missed.state, reason=missed.reason, now=self._clock()
        )

    async def _answered(self, session: AgiSession) -> None:
        """The agent's leg says that it was picked up; it waits for us before it is connected, so it is not kept waiting."""
        now = self._clock()
        environment = session.environment
        try:
            reservation = int(session.query.get("id", ""))
        except ValueError:
            log.warning("agi.bad_answer", peer=session.peer)
            return
        await session.finish()
        await self.answered(
            reservation, leg=environment.get("channel", ""), unique=environment.get("uniqueid", ""), now=now
        )

    async def answered(self, reservation: int, *, leg: str, unique: str, now: datetime) -> None:
        """Told by AGI and by AMI, whichever is first."""
        call = self._by_reservation.get(reservation)
        if call is not None:
            if call.offer is not None and call.offer.reservation == reservation:
                if call.offer.answered:
                    return
                call.offer.answered = True
            call.legs[unique] = reservation
        try:
            await retrying(
                lambda: interactions.answer(self._log, reservation, now=now, leg=_text(leg)), within=_DATABASE_PATIENCE
            )
        except Conflict:
            log.info("call.answered_late", reservation=reservation)

    async def _talked(self, call: Call, offer: Offer, returned_at: datetime) -> None:
        """The dial has ended after a conversation: who left, and is the caller still somewhere?"""
        session = call.session
        assert session is not None
        if not offer.answered:
            await self.answered(offer.reservation, leg="", unique="", now=returned_at)
        gone = call.gone_at is not None
        if gone and call.switch.connected and await self._follow(call, session):
            return
        if not gone:
            cause = "agent_hangup"
        elif session.gone_reason is GoneReason.EOF:
            cause = "unknown"
        else:
            cause = "customer_hangup" if call.switch.connected else "unknown"
        await retrying(
            lambda: interactions.end_interaction(
                self._log, call.interaction, cause=cause, node=self._node.id, now=returned_at
            ),
            within=_DATABASE_PATIENCE,
        )
        call.closed = True
        await session.finish()

    async def _follow(self, call: Call, session: AgiSession) -> bool:
        """Whether the caller left us by a transfer; then AMI follows the call from here on."""
        if not call.switch.legs.transferring(call.unique):
            await session.finish()
            if not await self._is_away(call):
                return False
        # A transferred caller's dialplan must not ask us again, unless it leads to a number of ours.
        session.abort()
        call.session = None
        call.gone_at = None
        log.info("call.followed", interaction=call.interaction)
        return True

    async def stop_ringing(self, call: Call) -> None:
        """Ends the dial of an offer that ended on the console; without AMI it rings until its time is over."""
        channel = call.switch.legs.ringing(call.unique)
        if channel is not None and call.switch.connected:
            await call.switch.hang_up(channel)


async def _quietly(session: AgiSession, command: agi.Command) -> None:
    """A command whose failure is told by the session's end."""
    try:
        await session.command(command)
    except HungUp:
        pass


def _text(value: str) -> str:
    """PostgreSQL's text has no NUL."""
    return value.replace("\0", "")[:500]
