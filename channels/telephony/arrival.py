"""A call arrives: who calls, where to, and whether we have seen it before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, Outcome, ReservationState, State
from callcenter.domain.phone import parse_number
from callcenter.errors import Conflict
from callcenter.ports import Assigner, Pops
from callcenter.store.db import retrying
from callcenter.store.directory import Directory, Queue
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.queries import Queries
from channels.telephony.call import Call, Calls, text
from channels.telephony.fastagi import AgiSession
from channels.telephony.switch import Switch

_SQL = Queries(Path(__file__).with_name("voice.sql"))
log = structlog.get_logger()

# Longer than any transaction of ours, shorter than a caller's patience with silence.
DATABASE_PATIENCE = timedelta(seconds=3)
# A call that is transferred back into our dialplan counts as a new interaction; more often than this it is a loop.
_MAX_RETURNS = 9
_SAME_MOMENT = timedelta(seconds=5)
# What a caller was told who was not served; who asks again so soon after it was told by a server that died over it.
_TURNED_AWAY = frozenset(["overflow", "taken_out", "closed_hours", "no_queue"])
_TOLD_WITHIN = timedelta(minutes=2)


class Arrivals:
    """Opens interactions for calls, or finds the ones they had."""

    def __init__(
        self,
        contact_log: ContactLog,
        directory: Directory,
        node: Node,
        assigner: Assigner,
        pops: Pops,
        calls: Calls,
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._node = node
        self._assigner = assigner
        self._pops = pops
        self._calls = calls

    def queue(self, name: str | None, called: str) -> Queue | None:
        """The queue that the dialplan names, if it takes calls, else that of the called number, else the default."""
        if name is not None:
            for queue in self._directory.queues.values():
                if queue.name == name and queue.active:
                    return queue
            log.warning("call.queue_unknown", queue=name[:50], reason="there is no such queue, or it is retired")
        return self._directory.queue_for_number(called)

    async def arrive(
        self, session: AgiSession, switch: Switch, queue: Queue | None, called: str, now: datetime
    ) -> Call | None:
        environment = session.environment
        unique = environment.get("uniqueid", "")
        if not unique:
            log.warning("agi.no_uniqueid", peer=session.peer)
            return None
        first = text(f"{switch.name}/{unique}")
        keys = [first, *(f"{first}#{number}" for number in range(2, _MAX_RETURNS + 1))]
        number = 0
        while number < len(keys):
            events = await self._open(session, switch, queue, called, keys[number], now)
            if events:
                ident = events[0].interaction
                assert ident is not None
                queued_at = now if len(events) > 1 else None
                opened = self._calls.take(ident, session, switch, queue, queued_at)
                # An offer that came with it was told before the call was known here.
                self._calls.note(events)
                return opened
            # The latest of all it had: those before it are over, however they ended.
            known = await self._log.pool.fetchrow(_SQL.known, keys)
            assert known is not None
            number = keys.index(known["external_id"]) + 1
            if session.gone_reason is not None:
                # Asked of a server that was frozen, and taken over by another while nobody read it here.
                return None
            if State(known["state"]) in (State.NEW, State.QUEUED, State.OFFERED):
                if (call := await self._resume(known, session, switch, now)) is not None:
                    return call
            elif known["end_cause"] in _TURNED_AWAY and now - known["ended_at"] < _TOLD_WITHIN:
                return self._tell_again(known, session, switch)
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
        arrival = Arrival(
            channel=Channel.PHONE,
            external_id=key,
            address_kind="phone" if number.identifies else None,
            address=text(number.value),
            address_name=None if name.lower() in ("", "unknown") else text(name),
            called=text(called),
            pbx=switch.name,
            leg=text(environment.get("channel", "")),
            asks={} if queue is not None and queue.prefer else None,
        )
        waits = queue is not None and not greeted_first and is_open(queue, now)
        proposal = self._assigner.propose(queue.id, arrival.channel) if queue is not None and waits else None
        if proposal is not None:
            self._pops.expect(arrival, proposal)
        events: Sequence[Event] = ()
        try:
            events = await retrying(
                lambda: interactions.arrive(
                    self._log,
                    arrival,
                    queue=queue.id if queue else None,
                    queued=waits,
                    node=self._node.id,
                    now=now,
                    proposal=proposal,
                ),
                within=DATABASE_PATIENCE,
            )
        finally:
            if proposal is not None and not any(event.kind == "interaction.reserved" for event in events):
                self._assigner.withdraw(proposal)
        return events

    async def _begins_anew(self, known: asyncpg.Record, switch: Switch, unique: str, now: datetime) -> bool:
        """A call that talked before asks again.

        It is a new contact when it was transferred to a number of ours, or was given up wrongly; it is the end of the
        old one when its agent hung up while nobody served it.
        """
        if known["state"] != State.ACTIVE:
            # Without AMI a transfer to a number of ours looks like a hang-up until the caller asks.
            mistaken = known["end_cause"] in ("unknown", "customer_hangup") and now - known["ended_at"] < _SAME_MOMENT
            return known["outcome"] not in (None, Outcome.HANDLED) or bool(mistaken)
        before = self._calls.by_interaction.get(known["id"])
        # One whose dial is still ours to see the end of has been taken out of it, whether AMI has told us yet or not.
        dialled = before is not None and before.session is not None
        away = known["left_alone"] or dialled or switch.legs.transferring(unique)
        cause = "transferred" if away else "agent_hangup"
        await interactions.end_interaction(self._log, known["id"], cause=cause, now=now)
        if before is not None:
            self._calls.drop(before)
        return away

    def _tell_again(self, known: asyncpg.Record, session: AgiSession, switch: Switch) -> Call:
        """It is over, and nobody may have heard why: no new wait in line begins."""
        queue = self._directory.queues.get(known["queue_id"])
        call = self._calls.take(known["id"], session, switch, queue, known["queued_at"])
        call.closed = call.turned_away = True
        log.info("call.told_again", interaction=call.interaction, cause=known["end_cause"])
        return call

    async def _resume(self, known: asyncpg.Record, session: AgiSession, switch: Switch, now: datetime) -> Call | None:
        """A waiting call whose node died or gave it up keeps its place. None: it was answered or closed meanwhile."""
        ident = known["id"]
        call = self._calls.take(
            ident, session, switch, self._directory.queues.get(known["queue_id"]), known["queued_at"]
        )
        call.turned_away = known["turned_away"]
        adopted = False
        try:
            if known["pending"] is not None:
                await interactions.return_to_queue(
                    self._log, known["pending"], state=ReservationState.CANCELLED, reason="asked_again", now=now
                )
            await interactions.adopt(
                self._log, ident, node=self._node.id, leg=text(session.environment.get("channel", "")), now=now
            )
            adopted = True
        except Conflict:
            return None
        finally:
            if not adopted:
                self._calls.drop(call)
        log.info("call.resumed", interaction=ident)
        return call


def is_open(queue: Queue, now: datetime) -> bool:
    return queue.hours is None or queue.hours.is_open(now)
