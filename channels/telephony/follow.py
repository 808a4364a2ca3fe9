"""What AMI adds to calls: transfers, hold, the end of calls that left AGI, and reconciliation after an interruption."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog

from callcenter.actions import interactions
from callcenter.domain.interaction import Outcome, State
from callcenter.errors import ChannelError, Conflict, NotFound
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import LEASE, Node
from callcenter.store.queries import Queries
from channels.telephony.call import Call, written
from channels.telephony.calls import CallChange, Change, endpoint_of
from channels.telephony.switch import Switch
from channels.telephony.voice import Voice

_SQL = Queries(Path(__file__).with_name("voice.sql"))
log = structlog.get_logger()

# Seconds between looks for calls that nobody serves, and between comparisons of all channels.
_EVERY = 2.0
_ALL_EVERY = 60.0
# Seconds between looks for callers whom a node that froze has never read.
_UNREAD_EVERY = 6.0
# A call without AMI that nobody serves has this long to come back through the dialplan.
_RETURN_WITHIN = timedelta(seconds=60)
# A conversation that AMI alone can see is believed to go on for this long while AMI is away.
_TOLD_AGAIN_WITHIN = timedelta(minutes=10)
# Another node's calls are left to it for this long after its lease was seen to have run out.
_SURELY_DEAD = timedelta(seconds=1.5)


class Follower:
    """One PBX. `run` and `watch` are supervised."""

    def __init__(
        self,
        voice: Voice,
        switch: Switch,
        contact_log: ContactLog,
        directory: Directory,
        node: Node,
        *,
        leads: Callable[[], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._voice = voice
        self._switch = switch
        self._log = contact_log
        self._directory = directory
        self._node = node
        self._leads = leads
        self._clock = clock
        self._unserved: dict[int, datetime] = {}  # open calls that nobody serves, and since when we know
        self._to_pull: set[int] = set()  # taken over, but the PBX did not do it
        self._applying: int | None = None
        switch.seen = self._seen

    # -- changes, in order

    def _call(self, change: CallChange) -> Call | None:
        return self._voice.calls.by_unique.get((self._switch.name, change.caller))

    def _seen(self, change: CallChange) -> None:
        """At once: the call's own task may be waiting to hear whether the caller left or was transferred."""
        if change.change is Change.GONE and (call := self._call(change)) is not None:
            call.fate.set()

    async def run(self) -> None:
        while True:
            change, at = await self._switch.changes.get()
            if (call := self._call(change)) is not None:
                self._applying = call.interaction
                try:
                    await self._apply(call, change, at)
                except Conflict as error:
                    log.info("call.change_lost", interaction=call.interaction, change=change.change, reason=str(error))
                finally:
                    self._applying = None

    async def _apply(self, call: Call, change: CallChange, now: datetime) -> None:
        offer = call.dialling or call.offer
        if offer is not None and offer.answered:
            await offer.recorded.wait()
        match change.change:
            case Change.RINGING if call.dialling is not None and call.dialling.ended:
                await self._voice.stop_ringing(call)
            case Change.JOINED:
                await self._joined(call, change, now)
            case Change.TRANSFERRING:
                await self._given_away(call, change, now)
            case Change.HELD | Change.RESUMED:
                held = change.change is Change.HELD
                await written(lambda: interactions.hold(self._log, call.interaction, held=held, now=now))
            case Change.GONE:
                if call.session is None:
                    await written(
                        lambda: interactions.end_interaction(
                            self._log, call.interaction, cause="customer_hangup", node=self._node.id, now=now
                        )
                    )
                    self._voice.calls.drop(call)
            case Change.LEFT if self._switch.legs.talking(call.unique):
                await self._release_the_gone(call, now)
            case Change.RINGING | Change.LEFT:
                pass  # nothing yet: the dial's end tells, or the caller's

    async def _given_away(self, call: Call, change: CallChange, now: datetime) -> None:
        reservation = call.legs.pop(change.leg or "", None)
        offer = call.dialling or call.offer
        if reservation is None and offer is not None and offer.answered:
            reservation = offer.reservation
        if reservation is not None:
            await self._release(reservation, "transferred", now)

    async def _joined(self, call: Call, change: CallChange, now: datetime) -> None:
        assert change.leg is not None
        endpoint = endpoint_of(change.channel)
        user = self._directory.user_at(endpoint)
        offer = call.dialling or call.offer
        if change.leg in call.legs:
            return
        if offer is not None and not offer.answered and user is not None and user.id == offer.agent:
            await self._voice.answered(offer.reservation, leg=change.channel, unique=change.leg, now=now)
            return
        kind = "attended" if call.session is not None else "blind"
        events = await written(
            lambda: interactions.transfer(
                self._log,
                call.interaction,
                agent=user.id if user is not None else None,
                endpoint=endpoint,
                leg=change.channel,
                kind=kind,
                now=now,
            )
        )
        if events and (reservation := events[0].data["reservation"]) is not None:
            call.legs[change.leg] = reservation
        if self._switch.changes.empty():  # else what comes next may say that it was a transfer
            await self._release_the_gone(call, now)

    async def _release_the_gone(self, call: Call, now: datetime) -> None:
        """Agents whose leg has hung up while others talk on: nobody saw them give the caller away."""
        for leg in [leg for leg in call.legs if leg and leg not in self._switch.legs.channels]:
            await self._release(call.legs.pop(leg), "left", now)

    async def _release(self, reservation: int, cause: str, now: datetime) -> None:
        await written(lambda: interactions.release(self._log, reservation, cause=cause, now=now))

    # -- reconciliation

    async def watch(self) -> None:
        """Nothing is left talking for ever, whatever was missed."""
        looks = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY):
                    await self._switch.connected_again.wait()
            self._switch.connected_again.clear()
            looks += 1
            if self._switch.connected and looks % (_ALL_EVERY // _EVERY) == 0:
                await self._switch.show_channels()
            if self._switch.connected and looks % (_UNREAD_EVERY // _EVERY) == 0 and self._leads():
                await self._rescue(self._clock())
            await self.reconcile()

    async def _rescue(self, now: datetime) -> None:
        """Callers whom a frozen node never read: the kernel took the connection, nobody wrote them down.

        Their dialplan waits for a command; after a Redirect it asks the next node.
        """
        if not await self._log.pool.fetchval(_SQL.died_lately, now):
            return
        await self._switch.show_channels()
        unread = {
            f"{self._switch.name}/{asking.unique}": asking for asking in self._switch.asking if asking.since >= LEASE
        }
        known = {row["external_id"] for row in await self._log.pool.fetch(_SQL.written_down, list(unread))}
        for key in unread.keys() - known:
            log.warning("call.rescued", pbx=self._switch.name, uniqueid=unread[key].unique)
            await self._switch.take_over(unread[key].channel, unread[key].called)

    async def reconcile(self) -> None:
        """Compares the open calls of the log with the PBX's channels; without AMI only with our own sessions."""
        now = self._clock()
        # The calls first, then the channels: a call whose channel is not among those listed later is really over.
        names = list(self._voice.switches)
        first = names[0] == self._switch.name  # one of them looks after the calls of PBXs that the settings forgot
        found = await self._log.pool.fetch(_SQL.open, self._switch.name, now, first, names)
        rows = [row for row in found if self._is_ours(row)]
        self._unserved = {row["id"]: self._unserved.get(row["id"], now) for row in rows}
        known = self._switch.connected
        if known and rows:
            await self._switch.show_channels()
        for row in rows:
            if self._is_served(row["id"]):
                continue
            try:
                await self._reconcile_one(row, known and row["pbx"] == self._switch.name, now)
            except Conflict as error:
                log.info("call.change_lost", interaction=row["id"], change="reconciled", reason=str(error))

    async def _reconcile_one(self, row: asyncpg.Record, known: bool, now: datetime) -> None:
        unique, unserved_for = unique_of(row["external_id"]), now - self._unserved[row["id"]]
        if not known:
            followed = row["id"] in self._voice.calls.by_interaction
            if unserved_for > (_TOLD_AGAIN_WITHIN if followed else _RETURN_WITHIN):
                await self._close(row, now)
        elif row["node_id"] not in (None, self._node.id) and unserved_for < _SURELY_DEAD:
            pass  # after a pause of the database all leases have run out
        elif unique not in self._switch.legs.channels:
            await self._close(row, now)
        else:
            await self._adopt(row, unique, now)

    def _is_ours(self, row: asyncpg.Record) -> bool:
        """An open call that this node answers for and that none of its tasks serves."""
        ours = row["node_id"] in (None, self._node.id) or (row["orphan"] and self._leads())
        return ours and not self._is_served(row["id"])

    def _is_served(self, interaction: int) -> bool:
        """By its own task, or followed on a channel that lives."""
        call = self._voice.calls.by_interaction.get(interaction)
        if call is None:
            return False
        if interaction == self._applying:
            return True  # what happened to it is known, and about to be written down
        lives = self._switch.connected and call.unique in self._switch.legs.channels
        return call.session is not None or lives or not self._switch.changes.empty()

    async def _close(self, row: asyncpg.Record, now: datetime) -> None:
        """Its channel is gone, nobody saw how."""
        log.warning("call.lost", interaction=row["id"], state=row["state"])
        if (followed := self._voice.calls.by_interaction.get(row["id"])) is not None:
            self._voice.calls.drop(followed)
        if row["state"] == State.ACTIVE:
            await interactions.end_interaction(self._log, row["id"], cause="unknown", now=now)
        else:
            await interactions.leave_unserved(
                self._log, row["id"], outcome=Outcome.UNKNOWN, cause="unknown", node=None, now=now
            )

    async def _adopt(self, row: asyncpg.Record, unique: str, now: datetime) -> None:
        """A living call that no node serves: a conversation is followed, one who waits is pulled to a living node."""
        ident, channel = row["id"], self._switch.legs.channels[unique]
        if row["state"] == State.ACTIVE:
            await interactions.adopt(self._log, ident, node=self._node.id, leg=channel, now=now)
            await self._follow_again(row, unique, channel, now)
            return
        # First: whom a caller in the fallback talks with is none of our offers.
        if self._switch.is_elsewhere(unique):
            log.warning("call.in_fallback", interaction=ident)
            await interactions.leave_unserved(
                self._log, ident, outcome=Outcome.FLOW_OUT, cause="fallback", node=None, now=now
            )
            return
        if row["pending"] is not None and (talking_now := self._switch.legs.talking(unique)):
            # No server was there to hear the answer. From the next look on it is followed as a conversation.
            log.warning("call.answer_unheard", interaction=ident)
            await interactions.answer(self._log, row["pending"], now=now, leg=next(iter(talking_now.values())))
            return
        if not (row["orphan"] or ident in self._to_pull) or not row["called"]:
            return  # its dialplan has seen the connection end and asks again by itself
        log.warning("call.taken_over", interaction=ident)
        await interactions.adopt(self._log, ident, node=self._node.id, leg=channel, now=now)
        self._to_pull = {call for call in self._to_pull if call in self._unserved and call != ident}
        if not await self._switch.take_over(channel, row["called"]):
            self._to_pull.add(ident)

    async def _follow_again(self, row: asyncpg.Record, unique: str, channel: str, now: datetime) -> None:
        """Who talks is compared with what was written down: a transfer while nobody followed is told now."""
        here = self._switch.legs.talking(unique)
        by_name = {name: leg for leg, name in self._switch.legs.channels.items()}
        by_phone = {endpoint_of(name): leg for leg, name in here.items()}  # a leg's name may have changed
        talking: dict[str, int] = {}
        for segment in row["talking"]:
            name = segment["leg"]
            leg = by_name.get(name) or by_phone.get(endpoint_of(name)) if name else next(iter(here), None)
            if leg is not None:
                talking[leg] = segment["reservation"]
            elif here and segment["reservation"] is not None:
                await self._release(segment["reservation"], "left", now)
        queue = self._directory.queues.get(row["queue_id"])
        call = Call(row["id"], unique, channel, self._switch, queue, row["queued_at"], None)
        self._voice.calls.track(call, talking)
        self._switch.tell_who_joined(unique)


def unique_of(external_id: str) -> str:
    """pbx/1700000000.12#2 → 1700000000.12 (a PBX's name has no slash)."""
    return external_id.partition("/")[2].partition("#")[0]


class Telephone:
    """callcenter.ports.Phone, through the AMI connection that every node has to every PBX."""

    def __init__(self, contact_log: ContactLog, switches: Mapping[str, Switch]) -> None:
        self._log = contact_log
        self._switches = switches

    async def hang_up(self, interaction: int) -> None:
        row = await self._log.pool.fetchrow(_SQL.leg, interaction)
        if row is None:
            raise NotFound("There is no such call.")
        if row["state"] in (State.WRAPPING, State.CLOSED):
            raise Conflict("This call is over.")
        switch = self._switches.get(row["pbx"])
        if switch is None:
            raise Conflict(f"The PBX {row['pbx']} is no longer in the settings.")
        if not await switch.hang_up(row["leg"]):
            raise ChannelError("The PBX did not end this call: end it on the phone.", permanent=False)
