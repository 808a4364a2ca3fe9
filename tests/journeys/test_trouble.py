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
    row = await world.pool.fetchrow("select state, outcome, end_cause from interaction where id = $1", ident)
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
