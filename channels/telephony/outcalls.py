"""Calls that we place: the agent's phone rings first, then the customer's; what became of them is written down."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from callcenter.actions import callbacks, interactions, outcalls
from callcenter.actions.outcalls import Outcall
from callcenter.domain.events import Event
from callcenter.domain.interaction import ReservationState, State
from callcenter.errors import ChannelError, Conflict, Invalid
from callcenter.ports import Letters
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from channels.telephony import agi
from channels.telephony.call import Call, Calls, quietly, text, written
from channels.telephony.fastagi import AgiSession, HungUp
from channels.telephony.follow import Telephone
from channels.telephony.switch import Switch

log = structlog.get_logger()

PATH: Final = "/callback"
# `/answered?id=c7`: the customer of call 7 has picked up.
MARK: Final = "c"
_CONTEXT: Final = "callcenter-callback"
_EVERY = 1.0
_RING_CUSTOMER = timedelta(seconds=45)
_RING_AGENT = timedelta(seconds=15)
# A call without any channel on its PBX is looked at this much later once more, and then is over.
_SURELY_GONE = timedelta(seconds=5)
# Seconds in which AMI tells whether the customer left with the agent, or was transferred.
_FATE = 0.5
# Reasons of OriginateResponse: 3 rang out, 5 busy; 0 and others: no such phone, or nobody registered there.
_FAILURES: Final = {
    "3": (ReservationState.TIMED_OUT, "no_answer"),
    "5": (ReservationState.FAILED, "busy"),
}
_CAUSES: Final = {"BUSY": "busy", "NOANSWER": "no_answer", "CANCEL": "agent_hangup"}


class Outcalls(Telephone):
    """callcenter.ports.Phone. `run` is supervised, on every node; `handle` and `answered` are asked by the PBX."""

    def __init__(
        self,
        contact_log: ContactLog,
        directory: Directory,
        switches: Mapping[str, Switch],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(contact_log, switches)
        self._directory = directory
        self._now = clock
        # Those whose dial runs here, with their customer once they have answered.
        self._here: dict[int, Call | None] = {}
        self._open: dict[int, tuple[Outcall, AgiSession]] = {}
        # Agents' phones that ring for a reservation: (switch, leg).
        self._ringing: dict[int, tuple[Switch, str]] = {}
        self._news: asyncio.Queue[tuple[int, str] | tuple[Switch, str]] = asyncio.Queue()
        self._gone_since: dict[int, datetime] = {}
        for switch in switches.values():
            switch.not_originated = self._not_originated

    def begin(self, calls: Calls, node: Node, letters: Letters) -> None:
        self._calls = calls
        self._node = node
        self._letters = letters
        self._log.listen(self.note)

    # -- asked by consoles and other systems

    async def call(self, interaction: int, *, reservation: int, agent: int) -> bool:
        """Rings the agent's phone, and when they answer the customer's. False where no PBX is connected that dials out,
        or the agent has no phone."""
        endpoint = self._directory.user(agent).endpoint
        able = (switch for switch in self._switches.values() if switch.connected and switch.dial_out is not None)
        switch = next(able, None)
        if switch is None or endpoint is None:
            return False
        leg = f"callcenter-{secrets.token_hex(8)}"
        queue = self._directory.queues.get(await outcalls.queue_of(self._log, interaction))
        ring = _RING_AGENT if queue is None else queue.ring_timeout
        ident = await outcalls.begin(
            self._log,
            self._directory,
            interaction,
            reservation=reservation,
            pbx=switch.name,
            leg=leg,
            ring=ring,
            now=self._now(),
        )
        found = await outcalls.get(self._log, ident)
        assert found is not None
        self._ringing[reservation] = switch, leg
        log.info("outcall.begun", call=ident, interaction=interaction, pbx=switch.name)
        rings = await switch.originate(
            endpoint,
            context=_CONTEXT,
            exten=str(ident),
            ring_ms=round(ring.total_seconds() * 1000),
            channel_id=leg,
            caller=found.number,
        )
        if not rings:
            await self._unanswered(found, ReservationState.FAILED, "no_circuit")
            raise ChannelError("The PBX did not ring your phone.", permanent=False)
        return True

    async def not_reached(self, interaction: int) -> None:
        await callbacks.missed(
            self._log, self._directory, self._letters, interaction, cause="no_answer", now=self._now()
        )

    # -- asked by the PBX

    async def handle(self, session: AgiSession) -> None:
        """The agent has picked up."""
        call = await self._named(session, session.query.get("id", ""))
        if call is None or call.ended_at is not None:
            await self._dismiss(session)
            return
        if call.state is State.ACTIVE:
            # The server that led it has died meanwhile: its dial is over.
            await self._close_unseen(call)
            await self._dismiss(session)
            return
        channel = text(session.environment.get("channel", ""))
        try:
            await written(lambda: interactions.answer(self._log, call.reservation, now=self._now(), leg=channel))
            await interactions.adopt(self._log, call.interaction, node=self._node.id, leg=channel, now=self._now())
        except Conflict:
            await self._dismiss(session)
            return
        self._ringing.pop(call.reservation, None)
        self._here[call.id] = None
        self._open[call.id] = call, session
        try:
            await self._dial(session, call)
        finally:
            self._here.pop(call.id, None)
            self._open.pop(call.id, None)

    async def answered(self, session: AgiSession) -> None:
        """The customer has picked up; the PBX connects them when this request is over."""
        ident = session.query.get("id", "").removeprefix(MARK)
        call = await self._named(session, ident) if ident not in map(str, self._open) else self._open[int(ident)][0]
        unique, channel = session.environment.get("uniqueid", ""), text(session.environment.get("channel", ""))
        if call is not None and call.id in self._open:
            self._follow(call, unique, channel)
        await session.finish()
        if call is not None:
            now = self._now()
            if await written(lambda: outcalls.reached(self._log, call, leg=unique, now=now)):
                await interactions.adopt(self._log, call.interaction, node=self._node.id, leg=channel, now=now)

    async def _named(self, session: AgiSession, ident: str) -> Outcall | None:
        allowed = any(switch.may_speak(session.peer) for switch in self._switches.values())
        if not allowed or not ident.isdecimal() or len(ident) > 18:
            log.warning("agi.bad_call", peer=session.peer)
            return None
        return await written(lambda: outcalls.get(self._log, int(ident)))

    async def _dismiss(self, session: AgiSession) -> None:
        await quietly(session, agi.hangup())
        await session.finish()

    def _follow(self, call: Outcall, unique: str, channel: str) -> None:
        """From here on AMI tells of hold, transfers and the customer's end, as of any call."""
        switch = self._switches[call.pbx]
        queue = self._directory.queues.get(call.queue or 0)
        customer = Call(call.interaction, unique, channel, switch, queue, call.queued_at, self._open[call.id][1])
        self._here[call.id] = customer
        self._calls.track(customer, {call.agent_leg: call.reservation})

    async def _dial(self, session: AgiSession, call: Outcall) -> None:
        switch = self._switches.get(call.pbx)
        queue = self._directory.queues.get(call.queue or 0)
        if switch is None or switch.dial_out is None:
            await self._not_reached(call, "unreachable")
            await self._dismiss(session)
            return
        status = ""
        result: str | None = "-1"
        try:
            shown = (
                next((number for number in queue.numbers if number.lstrip("+").isdecimal()), None) if queue else None
            )
            if shown is not None:
                await session.command(agi.set_variable("CALLERID(num)", shown))
            endpoint = switch.dial_out.replace("{number}", call.number)
            command = agi.dial(endpoint, timeout=_RING_CUSTOMER, options="g", answered=f"{MARK}{call.id}")
            result = (await session.command(command)).result
            status = (await session.command(agi.get_variable("DIALSTATUS"))).text or ""
        except HungUp:
            if session.gone_reason is agi.GoneReason.EOF:
                return  # the PBX, or this server, goes down: whoever looks next finds how it ended
        except Invalid as error:
            log.warning("outcall.bad_number", call=call.id, reason=str(error))
        customer = self._here.get(call.id)
        if customer is None:
            await self._not_reached(call, _CAUSES.get(status, "agent_hangup" if session.gone_reason else "unreachable"))
        else:
            await self._talked(call, customer, agent_left=result == "-1")
        await session.finish()

    async def _not_reached(self, call: Outcall, cause: str) -> None:
        now = self._now()
        log.info("outcall.not_reached", call=call.id, cause=cause)
        await written(
            lambda: outcalls.not_reached(self._log, self._directory, self._letters, call, cause=cause, now=now)
        )

    async def _talked(self, call: Outcall, customer: Call, *, agent_left: bool) -> None:
        """The two are no longer connected: it is over, unless the agent has given the customer away."""
        now = self._now()
        if agent_left and await self._is_elsewhere(customer):
            customer.session = None
            log.info("call.followed", interaction=call.interaction)
            return
        cause = "agent_hangup" if agent_left else "customer_hangup"
        await written(lambda: outcalls.over(self._log, call, cause=cause, now=now))
        self._calls.drop(customer)

    async def _is_elsewhere(self, customer: Call) -> bool:
        if not customer.switch.connected:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(_FATE):
                await customer.fate.wait()
            return False
        return customer.unique in customer.switch.legs.channels

    # -- what nobody tells in a request

    def _not_originated(self, fields: Mapping[str, str]) -> None:
        if fields.get("Context") == _CONTEXT and fields.get("Exten", "").isdecimal():
            self._news.put_nowait((int(fields["Exten"]), fields.get("Reason", "")))

    def note(self, events: Sequence[Event]) -> None:
        """An offer that ended on the console, or by its time: the phone need not ring on."""
        for event in events:
            if (
                event.noun == "reservation"
                and (rings := self._ringing.pop(event.data["reservation"], None)) is not None
            ):
                self._news.put_nowait(rings)

    async def run(self) -> None:
        while True:
            with suppress(*TRY_AGAIN):
                now = self._now()
                await callbacks.run_due(self._log, self._directory, now=now)
                for switch in self._switches.values():
                    if switch.connected:
                        await self._look_after(switch, now)
            until = asyncio.get_running_loop().time() + _EVERY
            while (news := await self._told(until)) is not None:
                # Outside of the time: what is told once is not dropped half-way.
                try:
                    await self._take(*news)
                except TRY_AGAIN:
                    self._news.put_nowait(news)
                    raise

    async def _told(self, until: float) -> tuple[int, str] | tuple[Switch, str] | None:
        """The next of the news; None when there is none until that time of the loop."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                return await self._news.get()
        return None

    async def _take(self, what: int | Switch, more: str) -> None:
        if isinstance(what, Switch):
            channel = what.legs.channels.get(more)
            if channel is not None:
                await what.hang_up(channel)
            return
        call = await outcalls.get(self._log, what)
        if call is not None and call.ended_at is None and call.state is State.OFFERED:
            state, reason = _FAILURES.get(more, (ReservationState.FAILED, "unreachable"))
            await self._unanswered(call, state, reason)

    async def _unanswered(self, call: Outcall, state: ReservationState, reason: str) -> None:
        self._ringing.pop(call.reservation, None)
        await outcalls.unanswered(self._log, call, state=state, reason=reason, now=self._now())

    async def _look_after(self, switch: Switch, now: datetime) -> None:
        """Calls whose channels have gone while nobody listened."""
        found = await outcalls.underway(self._log, switch.name, before=now - _SURELY_GONE, now=now)
        gone = [call for call in found if call.id not in self._here and not self._has_channels(switch, call)]
        self._gone_since = {call.id: self._gone_since.get(call.id, now) for call in gone}
        late = [call for call in gone if now - self._gone_since[call.id] >= _SURELY_GONE]
        if late:
            await switch.show_channels()
        for call in late:
            if not self._has_channels(switch, call):
                log.warning("outcall.lost", call=call.id, interaction=call.interaction)
                await self._close_unseen(call)

    def _has_channels(self, switch: Switch, call: Outcall) -> bool:
        return call.agent_leg in switch.legs.channels or (call.customer_leg or "") in switch.legs.channels

    async def _close_unseen(self, call: Outcall) -> None:
        if call.state is State.OFFERED:
            await self._unanswered(call, ReservationState.FAILED, "unreachable")
        elif call.answered_at is None:
            await self._not_reached(call, "unknown")
        else:
            await outcalls.over(self._log, call, cause="unknown", now=self._now())
