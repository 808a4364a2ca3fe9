"""Phone calls: from the AGI request to the end of the conversation, one task a call."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from callcenter.actions import interactions
from callcenter.domain.interaction import Outcome, ReservationState
from callcenter.errors import Conflict, Invalid
from callcenter.ports import Assigner, Pops, Waits
from callcenter.store.directory import Directory, Queue
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.queries import Queries
from channels.telephony import agi
from channels.telephony.agi import GoneReason
from channels.telephony.announcements import Announcer, play
from channels.telephony.arrival import Arrivals, is_open
from channels.telephony.call import Call, Calls, Offer, quietly, text, written
from channels.telephony.calls import Missed, dial_result
from channels.telephony.fastagi import AgiSession, HungUp
from channels.telephony.keypad import Keypad
from channels.telephony.later import Later
from channels.telephony.switch import Switch

_SQL = Queries(Path(__file__).with_suffix(".sql"))
log = structlog.get_logger()

# After a hang-up on the AGI socket, AMI says within this time whether the caller left or was transferred (seconds).
_FATE = 0.5


class Voice:
    """The phone channel of this node."""

    def __init__(
        self,
        contact_log: ContactLog,
        directory: Directory,
        node: Node,
        pops: Pops,
        assigner: Assigner,
        waits: Waits,
        switches: Mapping[str, Switch],
        keypad: Keypad,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._node = node
        self._pops = pops
        self.switches = switches
        self._keypad = keypad
        self._clock = clock
        self.calls = Calls(directory, clock=clock)
        self._announcer = Announcer(waits, Later(contact_log, directory, node, clock=clock).offer, clock=clock)
        self._arrivals = Arrivals(contact_log, directory, node, assigner, pops, self.calls)

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
        for switch in self.switches.values():
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
        queue = self._arrivals.queue(session.query.get("queue"), called)
        answering = asyncio.create_task(quietly(session, agi.answer())) if queue else None
        try:
            call = await self._arrivals.arrive(session, switch, queue, called, now)
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
                    self.calls.drop(call)
        finally:
            if answering is not None:
                answering.cancel()

    # -- waiting

    async def _converse(self, call: Call) -> None:
        """Until the caller or we are done with it."""
        session = call.session
        assert session is not None
        if call.closed:
            await self._wait(call, session)
            return
        if call.queue is None:
            await self._turn_away(call, Outcome.FAILED, "no_queue", None)
            return
        if call.queued_at is None and not await self._greet_or_refuse(call, call.queue):
            return
        if call.queue.greeting is not None and call.switch.connected and call.offer is None:
            await play(call, agi.stream_file(call.queue.greeting))
        await self._wait(call, session)

    async def _wait(self, call: Call, session: AgiSession) -> None:
        """Music and offers, until somebody talked with the caller or the caller has left."""
        while True:
            if call.gone_at is not None:
                await self._left_waiting(call)
                return
            if call.closed:
                if (call.taken_out or call.turned_away) and call.queue is not None and call.queue.closed_announcement:
                    await play(call, agi.stream_file(call.queue.closed_announcement))
                await session.finish()
                return
            if call.offer is not None and not call.offer.ended:
                offer = call.offer
                if await self._ring(call, offer):
                    return
                if call.offer is offer:
                    call.offer = None
                continue
            if call.turned_away:
                # Out of the queue before it is told so: else somebody would be offered it meanwhile.
                await self._leave_unserved(call, Outcome.FLOW_OUT, "overflow", self._clock())
                continue
            if not call.music:
                call.music = call.heard_music = True
                await quietly(session, agi.music_on())
                continue
            await self._announcer.until_news(call)

    async def _greet_or_refuse(self, call: Call, queue: Queue) -> bool:
        """Before the queue: closed hours end here, a greeting that cannot be cut short is heard out."""
        now = self._clock()
        if not is_open(queue, now):
            await self._turn_away(call, Outcome.MISSED, "closed_hours", queue.closed_announcement)
            return False
        if queue.greeting is not None:
            await play(call, agi.stream_file(queue.greeting))
        if call.gone_at is not None:
            await self._left_waiting(call)
            return False
        queued_at = call.queued_at = self._clock()
        with suppress(Conflict):  # it waits already, by a try whose answer was lost, or its end is on its way to us
            await written(lambda: interactions.enqueue(self._log, call.interaction, queue=queue.id, now=queued_at))
        return True

    async def _turn_away(self, call: Call, outcome: Outcome, cause: str, announcement: str | None) -> None:
        assert call.session is not None
        if announcement is not None:
            await play(call, agi.stream_file(announcement))
        now = call.gone_at or self._clock()
        await self._leave_unserved(call, outcome, cause, now)
        await call.session.finish()

    async def _left_waiting(self, call: Call) -> None:
        """The AGI channel is gone before anybody answered."""
        session, gone_at = call.session, call.gone_at
        assert session is not None
        assert gone_at is not None
        lost = session.gone_reason is GoneReason.EOF
        await session.finish()
        if lost:
            outcome, cause = Outcome.FAILED, "pbx_lost"
        elif await self._is_away(call):
            outcome, cause = Outcome.FLOW_OUT, "redirected"
        else:
            outcome, cause = interactions.abandon_outcome(call.queued_at, gone_at), "customer_hangup"
        if not self._node.stopping:
            await self._leave_unserved(call, outcome, cause, gone_at)

    async def _leave_unserved(self, call: Call, outcome: Outcome, cause: str, now: datetime) -> None:
        await written(
            lambda: interactions.leave_unserved(
                self._log, call.interaction, outcome=outcome, cause=cause, node=self._node.id, now=now
            )
        )
        call.closed = True

    async def _is_away(self, call: Call) -> bool:
        """Whether a caller who left our AGI is still on the PBX (transferred, redirected); only AMI can tell."""
        legs = call.switch.legs
        if legs.transferring(call.unique):
            return True
        if call.switch.connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FATE):
                    await call.fate.wait()
                return False
        # AMI may be lost right after a transfer: then what it said last holds until it is back.
        return call.unique in legs.channels and (call.switch.connected or legs.given_away(call.unique))

    # -- ringing and talking

    async def _ring(self, call: Call, offer: Offer) -> bool:
        """One offer to one agent. True when the call is over, False when it waits again."""
        session, queue = call.session, call.queue
        assert session is not None
        assert queue is not None
        command = self._dial_command(call, offer, queue)
        if command is None:
            await self._return(offer, Missed(ReservationState.FAILED, "no_phone"))
            return False
        await self._pops.written(offer.reservation, offer.agent)
        if call.is_moot(offer):
            return False
        returned_at, status, cause = await self._dial(call, offer, command, queue.ring_timeout)
        call.music = False
        if status == "ANSWER" and not offer.answered and not offer.ended:
            await self.answered(offer.reservation, leg="", unique="", now=returned_at)
        if offer.answered:
            await offer.recorded.wait()
        if offer.answered:
            await self._talked(call, returned_at)
            return True
        if call.gone_at is not None:
            call.gone_at = returned_at
        elif (missed := dial_result(status, cause)) is not None:
            if missed.reason == "no_circuit":
                log.warning("call.no_circuit", interaction=call.interaction, status=status, cause=cause)
            await self._return(offer, missed)
        return False

    def _dial_command(self, call: Call, offer: Offer, queue: Queue) -> agi.Command | None:
        """None for an agent without a phone that can be dialled."""
        endpoint = self._directory.user(offer.agent).endpoint
        if endpoint is None:
            return None
        # Never T: it would let the caller send the agent anywhere by the transfer keys.
        options = f"tg{'m' if call.heard_music else 'r'}"
        try:
            return agi.dial(endpoint, timeout=queue.ring_timeout, options=options, answered=str(offer.reservation))
        except Invalid as error:
            log.warning("call.bad_endpoint", agent=offer.agent, reason=str(error))
            return None

    async def _dial(
        self, call: Call, offer: Offer, command: agi.Command, ring_timeout: timedelta
    ) -> tuple[datetime, str, str]:
        """When it ended, DIALSTATUS and HANGUPCAUSE. With option g a result of -1 means that the caller left."""
        session, now = call.session, self._clock()
        assert session is not None
        call.dialling = offer
        dialling = asyncio.create_task(self._dialled(session, command))
        try:
            await written(lambda: interactions.offer(self._log, offer.reservation, due=now + ring_timeout, now=now))
            if offer.ended:
                await self.stop_ringing(call)
            result, returned_at = await dialling
            status = await session.command(agi.get_variable("DIALSTATUS"))
            cause = await session.command(agi.get_variable("HANGUPCAUSE"))
        except HungUp:
            # Only a connection that ended answers nothing at all.
            return call.gone_at or self._clock(), "", ""
        finally:
            dialling.cancel()
            self.calls.dial_ended(call)
        if result == "-1" and call.gone_at is None:
            call.gone_at = returned_at
        return returned_at, status.text or "", cause.text or ""

    async def _dialled(self, session: AgiSession, command: agi.Command) -> tuple[str | None, datetime]:
        """The dial's result and its moment, whatever else is waited for meanwhile."""
        reply = await session.command(command)
        return reply.result, self._clock()

    async def _return(self, offer: Offer, missed: Missed) -> None:
        offer.ended = True
        now = self._clock()
        await written(
            lambda: interactions.return_to_queue(
                self._log, offer.reservation, state=missed.state, reason=missed.reason, now=now
            )
        )

    async def _answered(self, session: AgiSession) -> None:
        """The agent's leg was picked up; the PBX connects it only when this request is over, so that is at once."""
        now = self._clock()
        environment = session.environment
        try:
            reservation = int(session.query.get("id", ""))
        except ValueError:
            log.warning("agi.bad_answer", peer=session.peer)
            return
        call = self.calls.by_reservation.get(reservation)
        if call is not None and (offer := call.offer_of(reservation)) is not None and offer.ended:
            # Declined on the console, or given up: hung up before the PBX connects it, with AMI or without.
            log.info("call.answered_late", reservation=reservation)
            await quietly(session, agi.hangup())
            await session.finish()
            return
        await session.finish()
        await self.answered(
            reservation, leg=environment.get("channel", ""), unique=environment.get("uniqueid", ""), now=now
        )

    async def answered(self, reservation: int, *, leg: str, unique: str, now: datetime) -> None:
        """Told by AGI and by AMI, whichever is first."""
        call = self.calls.by_reservation.get(reservation)
        offer = None
        if call is not None:
            offer = call.offer_of(reservation)
            if offer is not None:
                if offer.ended:
                    await self._undo_answer(call, offer, leg, unique)
                if offer.answered or offer.ended:
                    return
                offer.answered = True
            call.legs[unique] = reservation
        try:
            await written(lambda: interactions.answer(self._log, reservation, now=now, leg=text(leg)))
        except Conflict:
            # Accepted already: by a try whose answer was lost on its way to us.
            if not await written(lambda: self._log.pool.fetchval(_SQL.is_accepted, reservation)):
                log.info("call.answered_late", reservation=reservation)
                if call is not None and offer is not None:
                    await self._undo_answer(call, offer, leg, unique)
        finally:
            if offer is not None:
                offer.recorded.set()

    async def _undo_answer(self, call: Call, offer: Offer, leg: str, unique: str) -> None:
        """The offer had ended, on the console or by its time: the agent's phone is hung up, the caller waits again."""
        offer.answered, offer.ended = False, True
        call.legs.pop(unique, None)
        if leg and call.switch.connected:
            await call.switch.hang_up(leg)

    async def _talked(self, call: Call, returned_at: datetime) -> None:
        """The dial has ended after a conversation: who left, and is the caller still somewhere?"""
        session = call.session
        assert session is not None
        gone = call.gone_at is not None
        if gone and await self._follow(call, session):
            return
        if self._node.stopping:
            return  # the conversation may go on, and another node sees its end
        if not gone:
            cause = "agent_hangup"
        elif session.gone_reason is GoneReason.EOF:
            cause = "unknown"
        else:
            cause = "customer_hangup" if call.switch.connected else "unknown"
        if not await written(
            lambda: interactions.end_interaction(
                self._log, call.interaction, cause=cause, node=self._node.id, now=returned_at
            )
        ):
            return  # we were frozen: whoever has taken the call hears it ask again
        call.closed = True
        await self._keypad.ask(call)
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
