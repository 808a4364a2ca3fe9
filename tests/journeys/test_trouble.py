"""What becomes of calls while the database is away, and of those that two parties decide about at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from callcenter.actions import interactions
from callcenter.store.db import retrying
from callcenter.store.pool import Pool
from channels.telephony.fakepbx import FakeCall
from routing import due
from tests.builders import NOW, arrive, eventually, later, make_floor, reserve
from tests.journeys.world import World, a_world, kinds_of


class Wire:
    """The way to the database, which a test may cut: a port that passes bytes on to the server's socket."""

    def __init__(self, dsn: str) -> None:
        there = urlsplit(dsn)
        self._socket = parse_qs(there.query)["host"][0] + "/.s.PGSQL.5432"
        self._there = there
        self._server: asyncio.Server | None = None
        self._port = 0
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def dsn(self) -> str:
        return self._there._replace(netloc=f"{self._there.username}@127.0.0.1:{self._port}", query="").geturl()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_unix_connection(self._socket)
        self._ends |= {writer, back_writer}
        await asyncio.gather(self._pump(reader, back_writer), self._pump(back_reader, writer))
        self._ends -= {writer, back_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()


@dataclass(frozen=True, slots=True)
class Trouble:
    world: World
    wire: Wire

    @asynccontextmanager
    async def no_database(self) -> AsyncIterator[None]:
        self.wire.cut()
        try:
            yield
        finally:
            await self.wire.open()


@pytest.fixture
async def trouble(database: str) -> AsyncIterator[Trouble]:
    wire = Wire(database)
    await wire.open()
    try:
        # Not printed: the tracebacks of a lost database take a test's renderer seconds.
        with capture_logs():
            async with a_world(wire.dsn) as world:
                yield Trouble(world, wire)
    finally:
        wire.cut()


@pytest.fixture
def world(trouble: Trouble) -> World:
    return trouble.world


async def _arrived(world: World, call: FakeCall) -> int:
    ident: int = (await world.until("interaction.arrived", external_id=f"default/{call.uniqueid}"))["interaction"]
    return ident


async def _state(world: World, ident: int) -> tuple[str, str | None, str | None]:
    query = "select state, outcome, end_cause from interaction where id = $1"
    # A connection that was cut is found out by whoever uses it first, which may be the test.
    row = await retrying(lambda: world.pool.fetchrow(query, ident), within=timedelta(seconds=15))
    assert row is not None
    return row["state"], row["outcome"], row["end_cause"]


async def test_a_caller_who_gives_up_while_the_database_is_away_is_abandoned_at_that_moment(
    trouble: Trouble, world: World
) -> None:
    call = await world.call()
    await call.until("waiting")
    ident = await _arrived(world, call)
    async with trouble.no_database():
        call.hangup()
        await call.until("ended")
        gone_at = datetime.now(UTC)

    async def over() -> bool:
        return (await _state(world, ident))[0] == "closed"

    await eventually(over, within=10)
    assert await _state(world, ident) == ("closed", "short_abandoned", "customer_hangup")
    ended_at = await world.pool.fetchval("select ended_at from interaction where id = $1", ident)
    assert ended_at - gone_at < timedelta(seconds=0.5)


async def test_a_caller_who_leaves_before_the_database_has_heard_of_them_is_no_transfer(
    trouble: Trouble, world: World
) -> None:
    async with trouble.no_database():
        call = await world.call()
        call.hangup()
        await call.until("ended")
    ident = await _arrived(world, call)
    await world.until("interaction.abandoned", interaction=ident, cause="customer_hangup")


async def test_ami_that_comes_back_before_the_database_does_stays(trouble: Trouble, world: World) -> None:
    async def lost() -> bool:
        return not world.pbx.peers

    async def back() -> bool:
        return bool(world.pbx.peers)

    call = await world.call()
    await call.until("waiting")
    ident = await _arrived(world, call)
    async with trouble.no_database():
        world.pbx.drop_ami()
        await eventually(lost)
        await eventually(back)
        peers = set(world.pbx.peers)
    call.hangup()
    await world.until("interaction.abandoned", interaction=ident)
    assert world.pbx.peers == peers


async def test_a_call_answered_and_ended_while_the_database_is_away_is_written_down(
    trouble: Trouble, world: World
) -> None:
    world.pbx.phone("PJSIP/1001", answers_after=0.5)
    await world.on_queue("amy")
    call = await world.call()
    await call.until("ringing")
    ident = await _arrived(world, call)
    async with trouble.no_database():
        await call.until("talking")
        call.agent_hangs_up()

    async def over() -> bool:
        return (await _state(world, ident))[0] == "wrapping"

    await eventually(over, within=15)
    assert await _state(world, ident) == ("wrapping", "handled", "agent_hangup")
    assert await world.status("amy") == "wrap_up"


async def test_what_ends_after_the_lease_ran_out_in_an_outage_keeps_its_outcome_and_moment(
    trouble: Trouble, world: World
) -> None:
    await world.on_queue("amy")
    talking = await world.call()
    await talking.until("talking")
    waiting = await world.call(caller="+8613911112222")
    await waiting.until("waiting")
    talked, waited = await _arrived(world, talking), await _arrived(world, waiting)
    await world.until("interaction.answered", interaction=talked)
    async with trouble.no_database():
        world.server.node.lease_until = datetime.now(UTC) - timedelta(seconds=1)
        waiting.hangup()
        talking.agent_hangs_up()
        await waiting.until("ended")
        gone_at = datetime.now(UTC)

    async def over() -> bool:
        return {(await _state(world, ident))[0] for ident in (talked, waited)} == {"wrapping", "closed"}

    await eventually(over, within=15)
    assert await _state(world, waited) == ("closed", "short_abandoned", "customer_hangup")
    assert await _state(world, talked) == ("wrapping", "handled", "agent_hangup")
    for ident in (talked, waited):
        ended_at = await world.pool.fetchval("select ended_at from interaction where id = $1", ident)
        assert ended_at - gone_at < timedelta(seconds=0.5)


async def test_a_transferred_caller_who_hangs_up_while_the_database_is_away_is_not_left_talking(
    trouble: Trouble, world: World
) -> None:
    await world.on_queue("amy", "bo")
    call = await world.call()
    await call.until("talking")
    ident = await _arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    call.blind_transfer("1003")
    await world.until("interaction.transferred", interaction=ident, agent="cy")
    async with trouble.no_database():
        call.hangup()
        await call.until("ended")

    async def over() -> bool:
        return (await _state(world, ident))[0] == "wrapping"

    await eventually(over, within=15)
    assert await _state(world, ident) == ("wrapping", "handled", "customer_hangup")


async def test_a_phone_picked_up_after_its_offer_ended_is_hung_up_and_the_caller_waits_again(world: World) -> None:
    world.pbx.phone("PJSIP/1001", answers_after=None)
    await world.on_queue("amy")
    call = await world.call()
    await call.until("ringing")
    ident = await _arrived(world, call)
    await world.until("interaction.offered", interaction=ident)
    # The other half of the race: the reservation ends, and nobody has told this node yet.
    reservation = await world.pool.fetchval("select id from reservation where interaction_id = $1", ident)
    await world.pool.execute("update reservation set state = 'rejected', ended_at = now() where id = $1", reservation)
    await world.pool.execute("update interaction set state = 'queued' where id = $1", ident)
    world.pbx.phones["PJSIP/1001"].pick_up()
    await call.until("waiting")
    assert (await _state(world, ident))[0] == "queued"
    assert "interaction.ended" not in kinds_of(world.events, ident)


async def test_an_agent_who_gave_the_caller_away_while_ami_was_lost_wraps_up(world: World) -> None:
    async def lost() -> bool:
        return not world.pbx.peers

    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    ident = await _arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    secret, world.pbx.secret = world.pbx.secret, "another"
    world.pbx.drop_ami()
    await eventually(lost)
    assert await call.attended_transfer("1003", consult_seconds=0)
    world.pbx.secret = secret
    await world.until("interaction.left", interaction=ident, agent="amy")
    await world.until("interaction.transferred", interaction=ident, agent="cy")
    await world.settled("amy", "wrap_up")
    call.hangup()
    await world.until("interaction.ended", interaction=ident, cause="customer_hangup")


@pytest.mark.parametrize("picked_up", [False, True])
async def test_the_phone_of_a_declined_offer_is_hung_up_though_the_next_offer_is_there_already(
    world: World, picked_up: bool
) -> None:
    for phone in ("PJSIP/1001", "PJSIP/1002"):
        world.pbx.phone(phone, answers_after=None)
    idents, calls = {}, {}
    for name in ("amy", "bo"):
        await world.on_queue(name)
        calls[name] = await world.call()
        await calls[name].until("ringing")
        idents[name] = await _arrived(world, calls[name])
        await world.until("interaction.offered", interaction=idents[name])
    # The PBX is slow to hang up bo's phone; what follows waits in line behind that.
    world.pbx.freeze()
    for name in ("bo", "amy"):
        await world.ask("POST", f"/interactions/{idents[name]}/reject", who=name)
        await world.until("reservation.rejected", interaction=idents[name])
    await world.on_queue("cy")
    await world.until("interaction.reserved", interaction=idents["amy"], agent="cy")
    if picked_up:
        world.pbx.phones["PJSIP/1001"].pick_up()
        await calls["amy"].until("talking")
    world.pbx.thaw()
    await world.until("interaction.answered", interaction=idents["amy"], agent="cy")
    assert not world.pbx.phones["PJSIP/1001"].legs
    assert not world.pbx.phones["PJSIP/1002"].legs


@pytest.mark.parametrize("ami", [True, False])
async def test_a_caller_transferred_to_a_number_of_ours_waits_anew(database: str, ami: bool) -> None:
    async with a_world(database, ami=ami) as world:
        await world.on_queue("amy")
        call = await world.call()
        await call.until("talking")
        ident = await _arrived(world, call)
        await world.until("interaction.answered", interaction=ident)
        call.blind_transfer("95500")
        again = await world.until("interaction.arrived", external_id=f"default/{call.uniqueid}#2")
        await call.until("waiting")
        await world.until("interaction.ended", interaction=ident)
        call.hangup()
        await world.until("interaction.abandoned", interaction=again["interaction"])
        assert "interaction.abandoned" not in kinds_of(world.events, ident)


async def test_a_phone_that_rings_is_left_to_its_node_while_that_may_still_write_its_answer_down(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue, node=floor.node)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.offer(floor.log, reservation, due=later(20), now=NOW)
    assert await due.sweep(floor.log, later(20 + 300)) == 0
    await interactions.answer(floor.log, reservation, now=later(2))
    assert await due.sweep(floor.log, later(1000)) == 0


async def test_a_phone_that_no_node_has_dialled_for_long_is_given_up(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue, node=floor.node)
    await interactions.offer(floor.log, await reserve(floor.log, ident, floor.agent), due=later(20), now=NOW)
    assert await due.sweep(floor.log, later(20 + 360)) == 1
