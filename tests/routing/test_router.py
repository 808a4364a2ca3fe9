"""The loop: waiting work is reserved by the leader, and what is due ends by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from callcenter.actions import agents, interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, Proposal
from callcenter.feed import Feed
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.organisation import SQL as ORGANISATION
from callcenter.store.pool import Pool
from routing import due
from routing.leadership import LOCK, Leadership
from routing.router import Router
from tests.builders import (
    NOW,
    arrive,
    eventually,
    ident_of,
    later,
    make_floor,
    make_node,
    make_user,
    on_queue,
    reserve,
)


@asynccontextmanager
async def a_router(
    pool: Pool, dsn: str, log: ContactLog, *, node: int, clock: Callable[[], datetime]
) -> AsyncIterator[tuple[Router, Leadership]]:
    feed = Feed(pool, log, dsn=dsn)
    await feed.start()
    directory = Directory(pool)
    await directory.load()
    leadership = Leadership(dsn, node=node)
    router = Router(log, feed, directory, leadership, require_console=True, clock=clock)
    tasks = [asyncio.create_task(work) for work in (feed.run(), leadership.run(), router.run())]
    try:
        yield router, leadership
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_calls_that_wait_are_reserved_as_agents_become_free(pool: Pool, database: str) -> None:
    floor = await make_floor(pool)
    first = await arrive(floor.log, queue=floor.queue)
    second = await arrive(floor.log, queue=floor.queue)
    reserved: asyncio.Queue[tuple[int | None, int]] = asyncio.Queue()

    def note(events: Sequence[Event]) -> None:
        for event in events:
            if event.kind == "interaction.reserved":
                reserved.put_nowait((event.interaction, event.data["reservation"]))

    floor.log.listen(note)
    async with asyncio.timeout(20), a_router(pool, database, floor.log, node=floor.node, clock=lambda: later(30)):
        interaction, reservation = await reserved.get()
        assert interaction == first
        await interactions.answer(floor.log, reservation, now=later(31))
        await interactions.end_interaction(floor.log, first, cause="customer_hangup", now=later(60))
        await interactions.wrap_up(floor.log, reservation, queue=None, disposition=None, note=None, now=later(70))
        interaction, _ = await reserved.get()
        assert interaction == second


async def test_two_nodes_share_the_work_of_one_leader_and_the_second_takes_over_when_it_dies(
    pool: Pool, database: str
) -> None:
    floor = await make_floor(pool)
    other = await make_node(pool, "other")
    gone = asyncio.Event()
    async with asyncio.timeout(20):
        async with a_router(pool, database, floor.log, node=floor.node, clock=lambda: datetime.now(UTC)) as (_, first):
            await first.gained.wait()
            second_log = ContactLog(pool)
            async with a_router(pool, database, second_log, node=other, clock=lambda: datetime.now(UTC)) as (_, second):
                assert not second.leads
                killer = await asyncpg.connect(database)
                await killer.execute("select pg_terminate_backend(backend_pid) from leader")
                await killer.close()
                await second.gained.wait()
                call = await arrive(second_log, queue=floor.queue)

                def note(events: Sequence[Event]) -> None:
                    if any(event.kind == "interaction.reserved" for event in events):
                        gone.set()

                second_log.listen(note)
                if await pool.fetchval("select state from interaction where id = $1", call) == "queued":
                    await gone.wait()
    assert await pool.fetchval("select count(*) from reservation where interaction_id = $1", call) == 1


async def test_a_leader_that_no_longer_beats_is_deposed(pool: Pool, database: str) -> None:
    node = await make_node(pool)
    frozen = await asyncpg.connect(database)
    await frozen.execute("select pg_advisory_lock($1)", LOCK)
    await pool.execute(
        "insert into leader (node_id, backend_pid, beat_at) values ($1, $2, now() - interval '4 seconds')",
        node,
        frozen.get_server_pid(),
    )
    leadership = Leadership(database, node=node)
    task = asyncio.create_task(leadership.run())
    async with asyncio.timeout(20):
        await leadership.gained.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    frozen.terminate()


async def test_who_resigns_leaves_the_lead_to_another_and_does_not_come_back(pool: Pool, database: str) -> None:
    first = Leadership(database, node=await make_node(pool, "one"))
    second = Leadership(database, node=await make_node(pool, "two"))
    leading = asyncio.create_task(first.run())
    async with asyncio.timeout(20):
        await first.gained.wait()
        waiting = asyncio.create_task(second.run())
        first.resign()
        await leading
        await second.gained.wait()
    assert (first.leads, second.leads) == (False, True)
    await first.run()
    assert not first.leads
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_wrap_up_ends_at_its_limit_and_keeps_what_was_typed(pool: Pool) -> None:
    floor = await make_floor(pool, wrap_up_mode="time_boxed", wrap_up_limit=timedelta(seconds=30))
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(2))
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=later(60))
    await pool.execute(
        "insert into draft (user_id, interaction_id, note, updated_at) values ($1, $2, 'half a sen', $3)",
        floor.agent, ident, NOW,
    )  # fmt: skip
    assert await due.sweep(floor.log, later(89)) == 0
    assert await due.sweep(floor.log, later(90)) == 1
    assert await due.sweep(floor.log, later(90)) == 0
    row = await pool.fetchrow("select state, disposition, note from interaction where id = $1", ident)
    assert tuple(row or ()) == ("closed", "timed_out", "half a sen")


async def test_an_offer_that_never_went_out_is_taken_back_without_blame(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    await reserve(floor.log, ident, floor.agent)
    assert await due.sweep(floor.log, later(19)) == 0
    assert await due.sweep(floor.log, later(21)) == 1
    assert await pool.fetchval("select routing_status from agent where user_id = $1", floor.agent) == "idle"
    await on_queue(floor.log, floor.agent)


def _reserved(log: ContactLog) -> asyncio.Event:
    reserved = asyncio.Event()

    def note(events: Sequence[Event]) -> None:
        if any(event.kind == "interaction.reserved" for event in events):
            reserved.set()

    log.listen(note)
    return reserved


async def test_work_that_could_not_be_reserved_is_tried_again_and_not_at_every_turn_of_the_loop(
    pool: Pool, database: str
) -> None:
    floor = await make_floor(pool)
    reserved = _reserved(floor.log)
    await pool.execute("alter table reservation rename to elsewhere")
    await arrive(floor.log, queue=floor.queue)
    async with asyncio.timeout(20), a_router(pool, database, floor.log, node=floor.node, clock=lambda: later(30)):
        with capture_logs() as logged:

            async def failed() -> bool:
                return any(line["event"] == "router.database" for line in logged)

            await eventually(failed, within=10)
        assert len(logged) < 5
        await pool.execute("alter table elsewhere rename to reservation")
        await reserved.wait()


async def test_a_standby_decides_by_the_organisation_as_it_is_when_it_leads(pool: Pool, database: str) -> None:
    floor = await make_floor(pool)
    second = await make_user(pool, "bo")
    await on_queue(floor.log, second, node=floor.node, now=later(-10))
    reserved = _reserved(floor.log)
    leader = await asyncpg.connect(database)
    await leader.execute("select pg_advisory_lock($1)", LOCK)
    try:
        async with (
            asyncio.timeout(20),
            a_router(pool, database, floor.log, node=floor.node, clock=lambda: later(30)) as (
                router,
                _,
            ),
        ):

            async def warm() -> bool:
                return router.state is not None

            await eventually(warm, within=10)
            await pool.execute("update queue_member set user_id = $1", second)
            async with floor.log.transaction() as tx:
                await tx.append("organisation.applied", now=NOW)
            await leader.close()
            ident = await arrive(floor.log, queue=floor.queue)
            await reserved.wait()
            assert await pool.fetchval("select agent_id from reservation where interaction_id = $1", ident) == second
    finally:
        leader.terminate()


async def test_a_leader_that_has_not_heard_of_another_organisation_gives_nothing_to_who_left_it(
    pool: Pool, database: str
) -> None:
    floor = await make_floor(pool)
    second = await make_user(pool, "bo")
    await on_queue(floor.log, second, node=floor.node)
    reserved = _reserved(floor.log)
    async with (
        asyncio.timeout(20),
        a_router(pool, database, floor.log, node=floor.node, clock=lambda: later(30)) as (router, leadership),
    ):

        async def leads() -> bool:
            return router.state is not None and leadership.leads

        await eventually(leads, within=10)
        # As an apply writes it, but for the event: the leader sleeps through that one.
        async with floor.log.transaction() as tx:
            await tx.connection.execute("update queue_member set user_id = $1", second)
            await tx.connection.execute(ORGANISATION.revise)
        ident = await arrive(floor.log, queue=floor.queue)
        await reserved.wait()
        assert await pool.fetchval("select agent_id from reservation where interaction_id = $1", ident) == second
        assert router.decided["refused"] == 1


async def test_a_call_that_comes_while_another_organisation_is_applied_waits_for_a_new_decision(pool: Pool) -> None:
    floor = await make_floor(pool)
    revision = await pool.fetchval("select revision from organisation")
    version = await pool.fetchval("select version from agent")
    proposal = Proposal(floor.queue, floor.agent, version, "longest_idle", {}, revision=revision - 1)
    calls = [Arrival(Channel.PHONE, f"call {n}", "phone", "+8613800138000") for n in range(2)]
    for call, offer in zip(calls, (proposal, replace(proposal, revision=revision)), strict=True):
        await interactions.arrive(floor.log, call, queue=floor.queue, queued=True, node=None, now=NOW, proposal=offer)
    rows = await pool.fetch("select state from interaction order by id")
    assert [row["state"] for row in rows] == ["queued", "offered"]


async def test_who_has_work_in_hand_gets_nothing_either_by_an_organisation_of_before(pool: Pool) -> None:
    floor = await make_floor(pool)
    revision = await pool.fetchval("select revision from organisation")
    mails = [
        ident_of(
            await interactions.arrive(
                floor.log,
                Arrival(channel, f"{channel}", None, None),
                queue=floor.queue,
                queued=True,
                node=None,
                now=NOW,
            )
        )
        for channel in (Channel.EMAIL, Channel.CHAT)
    ]
    await interactions.answer(floor.log, await reserve(floor.log, mails[0], floor.agent), now=later(1))
    version = await pool.fetchval("select version from agent")
    proposals = {mails[1]: Proposal(floor.queue, floor.agent, version, "longest_idle", {})}
    for asked, reserved in ((revision - 1, 0), (revision, 1)):
        events = await interactions.reserve_all(floor.log, proposals, due=later(10), now=later(2), revision=asked)
        assert sum(event.kind == "interaction.reserved" for event in events) == reserved


async def test_a_fault_in_what_is_carried_out_ends_the_router_so_that_it_begins_anew(pool: Pool, database: str) -> None:
    floor = await make_floor(pool)
    await arrive(floor.log, queue=floor.queue)

    def told(_interaction: int) -> float | None:
        raise ZeroDivisionError

    feed, directory = Feed(pool, floor.log, dsn=database), Directory(pool)
    await feed.start()
    await directory.load()
    leadership = Leadership(database, node=floor.node)
    clock = later(30)
    router = Router(floor.log, feed, directory, leadership, require_console=True, clock=lambda: clock, told=told)
    leading = asyncio.create_task(leadership.run())
    try:
        async with asyncio.timeout(20):
            with pytest.raises(ZeroDivisionError):
                await router.run()
    finally:
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)


async def test_a_card_that_no_desk_could_show_is_no_fault_of_the_agent(pool: Pool) -> None:
    floor = await make_floor(pool)
    for n, lost in enumerate((True, False)):
        call = Arrival(Channel.CHAT, f"chat {n}", None, None)
        ident = ident_of(await interactions.arrive(floor.log, call, queue=floor.queue, queued=True, node=None, now=NOW))
        await reserve(floor.log, ident, floor.agent)
        if lost:
            await agents.lose_desk(floor.log, floor.agent, node=floor.node, now=later(5))
        assert await due.sweep(floor.log, later(60)) == 1
        status = await pool.fetchval("select routing_status from agent")
        assert status == ("idle" if lost else "not_responding")
        await interactions.take_out(floor.log, ident, reason=None, actor=floor.agent, now=later(60))
        await agents.open_desk(floor.log, floor.agent, node=floor.node, now=later(61))


async def test_the_desks_of_a_dead_node_are_lost_and_those_of_one_that_comes_back_are_not(pool: Pool) -> None:
    floor = await make_floor(pool)

    async def lease(seconds: float) -> None:
        await pool.execute("update node set lease_until = $1", later(seconds))

    async def desk() -> bool:
        return bool(await pool.fetchval("select desk_lost_at is null from agent where user_id = $1", floor.agent))

    await lease(-1)
    expired = await due.lose_desks_of_the_dead(floor.log, {}, NOW)
    assert list(expired) == [floor.node]
    await lease(10)
    expired = await due.lose_desks_of_the_dead(floor.log, expired, later(5))
    assert not expired
    assert await desk()
    await lease(4)
    expired = await due.lose_desks_of_the_dead(floor.log, expired, later(5))
    await due.lose_desks_of_the_dead(floor.log, expired, later(11))
    assert not await desk()
