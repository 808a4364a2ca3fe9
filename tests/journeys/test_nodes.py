"""What becomes of calls when a server dies, freezes or starts again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import asyncpg
import pytest
import structlog

from callcenter.actions import interactions
from callcenter.app import clock, running
from callcenter.domain.interaction import Arrival, Channel, Outcome
from callcenter.domain.overflow import Treatment
from channels.telephony import agi
from channels.telephony.fakepbx import FakePbx
from channels.telephony.fastagi import AgiSession, serve_agi
from tests.builders import eventually, ident_of, make_queue, on_queue, reserve
from tests.journeys.world import World, a_world, settings_for


@asynccontextmanager
async def a_frozen_server() -> AsyncIterator[int]:
    """The port of a server that takes calls and says nothing: a stopped process."""
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in held:
            writer.close()


async def _held_elsewhere(world: World, uniqueid: str, *, queued_at: datetime) -> int:
    """A waiting call whose node's lease has run out."""
    node: int = await world.pool.fetchval(
        "insert into node (name, lease_until) values ('frozen', $1) returning id", clock() - timedelta(seconds=1)
    )
    arrival = Arrival(Channel.PHONE, f"default/{uniqueid}", "phone", "+8613800138000", None, "95500", pbx="default")
    events = await interactions.arrive(
        world.server.log, arrival, queue=world.queue, queued=True, node=node, now=queued_at
    )
    assert events[0].interaction is not None
    return events[0].interaction


async def test_a_frozen_nodes_caller_is_taken_over_with_the_original_time(database: str) -> None:
    async with a_world(database) as world, a_frozen_server() as port:
        world.pbx.nodes.insert(0, ("127.0.0.1", port))
        queued_at = clock() - timedelta(seconds=20)
        call = await world.call()
        ident = await _held_elsewhere(world, call.uniqueid, queued_at=queued_at)
        await world.on_queue("amy")
        await call.until("talking")
        item = await world.interaction(ident)
        assert datetime.fromisoformat(item["queued_at"]) == queued_at
        call.hangup()
        await world.until("interaction.ended", interaction=ident)


async def test_a_caller_who_was_to_hear_that_it_is_closed_from_a_node_that_died_hears_it_from_the_next(
    database: str,
) -> None:
    async with a_world(database) as world, a_frozen_server() as port:
        world.pbx.nodes.insert(0, ("127.0.0.1", port))
        call = await world.call()
        ident = await _held_elsewhere(world, call.uniqueid, queued_at=clock())
        await interactions.treat(
            world.server.log, ident, queue=world.queue, treatment=Treatment.CLOSED, rule="support", now=clock()
        )
        closed = await world.until("interaction.closed", interaction=ident)
        assert (closed["data"]["outcome"], closed["data"]["cause"]) == ("flow_out", "overflow")
        await call.until("ended")


@pytest.mark.parametrize("cause", ["overflow", "taken_out"])
async def test_a_caller_who_was_being_told_that_it_is_closed_when_the_server_died_does_not_wait_anew(
    database: str, cause: str
) -> None:
    queue = {"closed_announcement": "sorry", "greeting": "hello"}
    async with a_world(database, queue=queue) as world:
        async with a_frozen_server() as port:
            world.pbx.nodes.insert(0, ("127.0.0.1", port))
            call = await world.call()
            ident = await _held_elsewhere(world, call.uniqueid, queued_at=clock())
            await interactions.leave_unserved(
                world.server.log, ident, outcome=Outcome.FLOW_OUT, cause=cause, node=None, now=clock()
            )
        await call.until("ended")
        assert call.channel.variables["CC_DONE"] == "1"
        assert [line for _, way, line in call.history if way == ">" and "STREAM" in line] == ['STREAM FILE sorry ""']
        assert await world.pool.fetchval("select array_agg(id) from interaction") == [ident]


async def test_calls_of_a_node_that_died_with_their_callers_gone_are_closed(database: str) -> None:
    async with a_world(database) as world:
        ident = await _held_elsewhere(world, "1700000000.99", queued_at=clock())
        await world.until("interaction.closed", interaction=ident, outcome="unknown")


async def test_a_server_that_starts_again_serves_those_who_wait_at_their_old_places(database: str) -> None:
    pbx = FakePbx(agi=("127.0.0.1", 1), retry_after=0.05)
    await pbx.start()
    try:
        async with running(settings_for(pbx), database) as first:
            await make_queue(first.pool, numbers=["95500"])
            await first.directory.load()
            pbx.nodes[:] = [("127.0.0.1", first.agi_port)]
            call = await pbx.call(caller="+8613800138000", to="95500")
            await call.until("waiting")
        async with running(settings_for(pbx), database) as second:
            pbx.nodes[:] = [("127.0.0.1", second.agi_port)]
            asked = call.asked
            adopted = "select exists (select 1 from contact_log where kind = 'interaction.adopted')"
            await eventually(lambda: second.pool.fetchval(adopted))
            row = await second.pool.fetchrow("select state, queued_at, arrived_at from interaction")
            assert row is not None
            assert (row["state"], row["queued_at"]) == ("queued", row["arrived_at"])
            assert call.asked >= asked
            call.hangup()
            await call.until("ended")
    finally:
        await pbx.stop()


async def _written_down(world: World, external_id: str, *, node: int) -> int:
    """A waiting call as its server left it."""
    arrival = Arrival(
        Channel.PHONE, external_id, "phone", "+8613800138000", None, "95500", pbx="default", leg="PJSIP/trunk-0"
    )
    return ident_of(
        await interactions.arrive(world.server.log, arrival, queue=world.queue, queued=True, node=node, now=clock())
    )


async def _answered(world: World, ident: int, who: str, *, leg: str) -> int:
    await on_queue(world.server.log, world.agents[who], now=clock())  # without a desk: the router offers nothing
    reservation = await reserve(world.server.log, ident, world.agents[who], now=clock())
    await interactions.answer(world.server.log, reservation, now=clock(), leg=leg)
    return reservation


@asynccontextmanager
async def _no_server(world: World) -> AsyncIterator[None]:
    """Whoever calls meanwhile finds nobody, and asks until the server is there again."""
    there = list(world.pbx.nodes)
    world.pbx.nodes[:], world.pbx.retry_after = [("127.0.0.1", 1)], 0.05
    yield
    world.pbx.nodes[:] = there


async def test_who_was_transferred_back_to_us_keeps_that_place_when_the_server_starts_again(database: str) -> None:
    async with a_world(database) as world:
        async with _no_server(world):
            call = await world.call()
            log, key, node = world.server.log, f"default/{call.uniqueid}", world.server.node.id
            first = await _written_down(world, key, node=node)
            await _answered(world, first, "amy", leg="PJSIP/1001-0")
            await interactions.end_interaction(log, first, cause="transferred", now=clock())
            second = await _written_down(world, f"{key}#2", node=node)
        await world.until("interaction.adopted", interaction=second)
        await call.until("waiting")
        call.hangup()
        await world.until("interaction.abandoned", interaction=second)


@asynccontextmanager
async def _a_server_that_dials(endpoint: str) -> AsyncIterator[int]:
    """The port of a server that rings one phone for whoever calls, and hears of nothing."""

    async def handle(session: AgiSession) -> None:
        if session.path == "/inbound":
            await session.command(agi.answer())
            await session.command(agi.dial(endpoint, timeout=timedelta(seconds=20), options="tg", answered="1"))

    server = await serve_agi(
        handle, host="127.0.0.1", port=0, allowed=lambda peer: True, max_connections=5, logger=structlog.get_logger()
    )
    try:
        yield server.port
    finally:
        await server.stop()


@pytest.mark.parametrize("orphan", [False, True])
async def test_an_answer_that_no_server_heard_is_found_and_the_conversation_goes_on(
    database: str, orphan: bool
) -> None:
    async with a_world(database) as world, _a_server_that_dials("PJSIP/1001") as port:
        nodes, world.pbx.nodes[:] = list(world.pbx.nodes), [("127.0.0.1", port)]
        call = await world.call()
        await call.until("talking")
        dead = await world.pool.fetchval(
            "insert into node (name, lease_until) values ('dead', $1) returning id", clock() - timedelta(seconds=1)
        )
        log, key = world.server.log, f"default/{call.uniqueid}"
        ident = await _written_down(world, key, node=dead if orphan else world.server.node.id)
        await on_queue(log, world.agents["amy"], now=clock())
        reservation = await reserve(log, ident, world.agents["amy"], now=clock())
        await interactions.offer(log, reservation, due=clock() + timedelta(seconds=20), now=clock())
        await world.until("interaction.answered", interaction=ident, agent="amy")
        await world.until("interaction.adopted", interaction=ident)
        assert call.state == "talking"
        world.pbx.nodes[:] = nodes
        call.agent_hangs_up()
        await world.until("interaction.ended", interaction=ident, cause="agent_hangup")
        assert await world.status("amy") == "wrap_up"


async def test_a_transfer_that_no_server_saw_is_found(database: str) -> None:
    async with a_world(database) as world, _a_server_that_dials("PJSIP/1001") as port:
        world.pbx.nodes[:] = [("127.0.0.1", port)]
        call = await world.call()
        await call.until("talking")
        agent = call.agent
        assert agent is not None
        assert await call.attended_transfer("1003")
        ident = await _written_down(world, f"default/{call.uniqueid}", node=world.server.node.id)
        await _answered(world, ident, "amy", leg=agent.name)
        await world.until("interaction.left", interaction=ident, agent="amy")
        await world.until("interaction.transferred", interaction=ident, agent="cy")
        await world.settled("amy", "wrap_up")
        await world.settled("cy", "interacting")
        call.hangup()
        await world.until("interaction.ended", interaction=ident, cause="customer_hangup")


async def test_callers_whom_the_fallback_has_are_offered_to_nobody(database: str) -> None:
    async with a_world(database) as world:
        world.pbx.patience = 0.0
        async with _no_server(world):
            call = await world.call()
            await call.until("fallback")
        ident = await _written_down(world, f"default/{call.uniqueid}", node=world.server.node.id)
        await world.until("interaction.closed", interaction=ident, outcome="flow_out", cause="fallback")
        assert call.state == "fallback"


async def test_the_end_of_a_call_that_is_being_written_when_the_server_stops_is_kept(database: str) -> None:
    pbx = FakePbx(agi=("127.0.0.1", 1))
    await pbx.start()
    try:
        async with running(settings_for(pbx), database) as server:
            await make_queue(server.pool, numbers=["95500"])
            await server.directory.load()
            pbx.nodes[:] = [("127.0.0.1", server.agi_port)]
            call = await pbx.call(caller="+8613800138000", to="95500")
            await call.until("waiting")
            call.hangup()
            await call.until("ended")
        connection = await asyncpg.connect(database)
        try:
            row = await connection.fetchrow("select state, outcome from interaction")
        finally:
            await connection.close()
        assert row is not None
        assert (row["state"], row["outcome"]) == ("closed", "short_abandoned")
    finally:
        await pbx.stop()


async def test_a_request_that_is_read_too_late_ends_no_conversation(database: str) -> None:
    async with a_world(database) as world:
        await world.on_queue("amy")
        call = await world.call()
        await call.until("talking")
        ident = (await world.until("interaction.answered"))["interaction"]
        reader, writer = await asyncio.open_connection("127.0.0.1", world.server.agi_port)
        lines = ("network_script: inbound", f"uniqueid: {call.uniqueid}", "channel: PJSIP/trunk-1", "extension: 95500")
        writer.write("".join(f"agi_{line}\n" for line in lines).encode() + b"\nHANGUP\n")
        async with asyncio.timeout(20):
            await reader.read()
        writer.close()
        assert (await world.interaction(ident))["state"] == "active"
        call.hangup()
        await world.until("interaction.ended", interaction=ident)
