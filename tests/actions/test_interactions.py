"""The life of an interaction, verb by verb, on the real database."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from callcenter.actions import agents, interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, Outcome, Proposal, ReservationState, WrapUpMode
from callcenter.errors import Conflict, Invalid
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import (
    NOW,
    arrive,
    later,
    make_customer,
    make_floor,
    make_queue,
    make_user,
    on_queue,
    reserve,
)


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events]


async def state_of(pool: Pool, interaction: int) -> tuple[str, str | None]:
    row = await pool.fetchrow("select state, outcome from interaction where id = $1", interaction)
    assert row is not None
    return row["state"], row["outcome"]


async def status_of(pool: Pool, agent: int) -> str:
    status: str = await pool.fetchval("select routing_status from agent where user_id = $1", agent)
    return status


async def test_a_call_goes_from_arrival_to_wrap_up(pool: Pool) -> None:
    floor = await make_floor(pool)
    log = floor.log
    customer = await make_customer(pool, phone="+8613800138000")
    ident = await arrive(log, queue=floor.queue)
    assert await pool.fetchval("select customer_id from interaction where id = $1", ident) == customer
    reservation = await reserve(log, ident, floor.agent, now=later(1))
    assert kinds(await interactions.offer(log, reservation, due=later(16), now=later(1.1))) == ["interaction.offered"]
    assert kinds(await interactions.answer(log, reservation, now=later(4), leg="PJSIP/1001-1")) == [
        "interaction.answered",
        "agent.status",
    ]
    assert await status_of(pool, floor.agent) == "interacting"
    ended = await interactions.end_interaction(log, ident, cause="customer_hangup", now=later(64))
    assert kinds(ended) == ["interaction.ended", "agent.status"]
    assert await state_of(pool, ident) == ("wrapping", "handled")
    wrapped = await interactions.wrap_up(
        log, reservation, queue=None, disposition="solved", note="Thanks", now=later(70)
    )
    assert kinds(wrapped) == ["interaction.wrapped", "agent.status", "interaction.closed"]
    row = await pool.fetchrow("select * from interaction where id = $1", ident)
    assert row is not None
    assert (row["state"], row["outcome"], row["disposition"], row["note"]) == ("closed", "handled", "solved", "Thanks")
    assert (row["queued_at"], row["answered_at"], row["ended_at"], row["closed_at"]) == (
        NOW,
        later(4),
        later(64),
        later(70),
    )
    agent = await pool.fetchrow("select * from agent where user_id = $1", floor.agent)
    assert agent is not None
    assert (agent["routing_status"], agent["idle_since"]) == ("idle", later(70))
    segment = await pool.fetchrow("select * from segment where interaction_id = $1", ident)
    assert segment is not None
    assert (segment["started_at"], segment["answered_at"], segment["ended_at"]) == (later(1.1), later(4), later(64))


@pytest.mark.parametrize(
    ("state", "status", "left_out"),
    [
        (ReservationState.TIMED_OUT, "not_responding", False),
        (ReservationState.REJECTED, "not_responding", False),
        (ReservationState.FAILED, "idle", True),
        (ReservationState.CANCELLED, "idle", False),
    ],
)
async def test_an_offer_that_came_to_nothing_goes_back_with_its_original_time(
    pool: Pool, state: ReservationState, status: str, left_out: bool
) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent, now=later(5))
    events = await interactions.return_to_queue(floor.log, reservation, state=state, reason="x", now=later(20))
    assert kinds(events) == [f"reservation.{state}", "agent.status", "interaction.queued"]
    row = await pool.fetchrow("select state, queued_at, agent_id from interaction where id = $1", ident)
    assert tuple(row or ()) == ("queued", NOW, None)
    agent = await pool.fetchrow("select routing_status, not_before from agent where user_id = $1", floor.agent)
    assert agent is not None
    assert agent["routing_status"] == status
    assert agent["not_before"] == (later(25) if left_out else None)


async def test_a_phone_that_fails_again_and_again_is_left_alone_for_longer_each_time_up_to_a_minute(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    pauses = []
    for _ in range(6):
        reservation = await reserve(floor.log, ident, floor.agent)
        await interactions.return_to_queue(
            floor.log, reservation, state=ReservationState.FAILED, reason="busy", now=NOW
        )
        pauses.append(await pool.fetchval("select not_before - $1::timestamptz from agent", NOW))
    assert pauses == [timedelta(seconds=s) for s in (5, 10, 20, 40, 60, 60)]


async def test_one_agent_is_never_reserved_twice_nor_one_call_for_two(pool: Pool) -> None:
    floor = await make_floor(pool)
    first, second = await arrive(floor.log, queue=floor.queue), await arrive(floor.log, queue=floor.queue)
    other = await make_user(pool, "bo")
    await on_queue(floor.log, other)
    await reserve(floor.log, first, floor.agent)

    async def again(interaction: int, agent: int) -> object:
        return await interactions.reserve(
            floor.log, interaction, agent=agent, agent_version=None, reason="", decision=None, due=NOW, now=NOW
        )

    assert await again(second, floor.agent) == ()
    assert await again(first, other) == ()


async def test_work_that_was_moved_meanwhile_is_not_given_to_whom_the_queue_before_chose(pool: Pool) -> None:
    floor = await make_floor(pool)
    other = await make_queue(pool, "billing")
    ident = await arrive(floor.log, queue=floor.queue)
    await interactions.move(floor.log, ident, queue=other, priority=None, actor=floor.agent, now=NOW)
    version = await pool.fetchval("select version from agent")
    proposals = {ident: Proposal(floor.queue, floor.agent, version, "longest_idle", {})}
    assert await interactions.reserve_all(floor.log, proposals, due=later(10), now=NOW) == ()
    proposals = {ident: Proposal(other, floor.agent, version, "longest_idle", {})}
    assert await interactions.reserve_all(floor.log, proposals, due=later(10), now=NOW)


async def test_what_overflows_waits_for_whom_the_new_queue_prefers(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="last_agent")
    other = await make_queue(pool, "billing", prefer="owner")
    owner = await make_user(pool, "bo")
    customer = await make_customer(pool, phone="+8613800138000")
    await pool.execute("update customer set owner_id = $1 where id = $2", owner, customer)
    ident = await arrive(floor.log, queue=floor.queue)
    await interactions.overflow(floor.log, ident, queue=floor.queue, to=other, rule="after 3m", now=later(180))
    row = await pool.fetchrow("select preferred, preferred_as, entered_at from interaction where id = $1", ident)
    assert tuple(row or ()) == ([owner], "owner", later(180))
    assert await interactions.overflow(floor.log, ident, queue=floor.queue, to=other, rule="", now=later(181)) == ()


async def test_a_caller_who_gives_up_while_the_phone_rings_frees_the_agent(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    events = await interactions.leave_unserved(
        floor.log, ident, outcome=Outcome.ABANDONED, cause="customer_hangup", node=None, now=later(9)
    )
    assert kinds(events) == [
        "reservation.cancelled",
        "agent.status",
        "interaction.abandoned",
        "interaction.closed",
    ]
    assert await state_of(pool, ident) == ("closed", "abandoned")
    assert await status_of(pool, floor.agent) == "idle"
    with pytest.raises(Conflict):
        await interactions.answer(floor.log, reservation, now=later(10))


async def test_a_node_that_no_longer_holds_a_call_cannot_abandon_it(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue, node=floor.node)
    survivor: int = await pool.fetchval("insert into node (name, lease_until) values ('b', now()) returning id")
    await interactions.adopt(floor.log, ident, node=survivor, leg=None, now=later(1))
    late = await interactions.leave_unserved(
        floor.log, ident, outcome=Outcome.ABANDONED, cause="customer_hangup", node=floor.node, now=later(2)
    )
    assert late == ()
    assert await state_of(pool, ident) == ("queued", None)


async def test_the_same_uniqueid_of_one_pbx_arrives_once_and_of_two_pbxs_twice(pool: Pool) -> None:
    log = ContactLog(pool)
    await arrive(log, external_id="paris/1700000000.1")
    arrival = Arrival(Channel.PHONE, "paris/1700000000.1", None, "", None)
    assert await interactions.arrive(log, arrival, queue=None, queued=False, node=None, now=NOW) == ()
    await arrive(log, external_id="berlin/1700000000.1")


async def test_a_break_chosen_during_a_call_begins_after_its_wrap_up(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(2))
    await agents.set_presence(floor.log, floor.agent, presence="break", reason="tea", actor=floor.agent, now=later(3))
    assert await status_of(pool, floor.agent) == "interacting"
    await interactions.end_interaction(floor.log, ident, cause="agent_hangup", now=later(60))
    await interactions.wrap_up(floor.log, reservation, queue=None, disposition=None, note=None, now=later(65))
    assert await status_of(pool, floor.agent) == "off_queue"


async def test_not_responding_ends_by_going_on_queue(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.return_to_queue(
        floor.log, reservation, state=ReservationState.TIMED_OUT, reason="no_answer", now=later(15)
    )
    await on_queue(floor.log, floor.agent, now=later(30))
    agent = await pool.fetchrow("select routing_status, idle_since from agent where user_id = $1", floor.agent)
    assert tuple(agent or ()) == ("idle", NOW)


async def test_a_transfer_gives_the_next_agent_the_interaction_and_lets_the_first_wrap_up(pool: Pool) -> None:
    floor = await make_floor(pool)
    bo = await make_user(pool, "bo", endpoint="PJSIP/1002")
    await on_queue(floor.log, bo)
    ident = await arrive(floor.log, queue=floor.queue)
    first = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, first, now=later(2))
    assert kinds(await interactions.release(floor.log, first, cause="transferred", now=later(30))) == [
        "interaction.left",
        "agent.status",
    ]
    events = await interactions.transfer(
        floor.log, ident, agent=bo, endpoint="PJSIP/1002", leg="PJSIP/1002-2", kind="blind", now=later(33)
    )
    assert kinds(events) == ["interaction.transferred", "agent.status"]
    second = events[0].data["reservation"]
    await interactions.wrap_up(floor.log, first, queue=None, disposition=None, note=None, now=later(40))
    assert await state_of(pool, ident) == ("active", None)
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=later(90))
    await interactions.wrap_up(floor.log, second, queue=None, disposition="solved", note=None, now=later(95))
    assert await state_of(pool, ident) == ("closed", "handled")
    rows = await pool.fetch("select agent_id, kind, ended_at from segment where interaction_id = $1 order by n", ident)
    assert [tuple(row) for row in rows] == [(floor.agent, "agent", later(30)), (bo, "transfer", later(90))]


async def test_a_transfer_back_takes_the_first_agent_out_of_wrap_up(pool: Pool) -> None:
    floor = await make_floor(pool, wrap_up_mode="time_boxed", wrap_up_limit=timedelta(seconds=30))
    log = floor.log
    second = await make_user(pool, "bo")
    ident = await arrive(log, queue=floor.queue)
    reservation = await reserve(log, ident, floor.agent)
    await interactions.answer(log, reservation, now=later(1))
    await interactions.release(log, reservation, cause="transferred", now=later(10))
    to = await interactions.transfer(log, ident, agent=second, endpoint="P/2", leg="P/2-1", kind="blind", now=later(11))
    await interactions.release(log, to[0].data["reservation"], cause="transferred", now=later(20))
    back = await interactions.transfer(
        log, ident, agent=floor.agent, endpoint="P/1", leg="P/1-2", kind="blind", now=later(21)
    )
    assert back[0].data["reservation"] == reservation
    assert await status_of(pool, floor.agent) == "interacting"
    assert await pool.fetchval("select due_at from reservation where id = $1", reservation) is None
    await interactions.end_interaction(log, ident, cause="customer_hangup", now=later(60))
    assert await status_of(pool, floor.agent) == "wrap_up"
    await interactions.wrap_up(log, reservation, queue=None, disposition=None, note=None, now=later(61))
    assert (await state_of(pool, ident))[0] == "wrapping"
    segments = await pool.fetch("select agent_id, ended_at from segment where interaction_id = $1 order by n", ident)
    assert [tuple(row) for row in segments] == [
        (floor.agent, later(10)), (second, later(20)), (floor.agent, later(60))
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["time_boxed", "time_boxed_fixed"])
async def test_a_wrap_up_of_mode_time_boxed_fixed_is_not_ended_before_its_limit(pool: Pool, mode: str) -> None:
    floor = await make_floor(pool, wrap_up_mode=mode, wrap_up_limit=timedelta(seconds=30))
    directory = Directory(pool)
    await directory.load()
    queue = directory.queues[floor.queue]
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(1))
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=later(60))
    early = interactions.wrap_up(
        floor.log, reservation, queue=queue, disposition=None, note=None, now=later(89), released_at=later(60)
    )
    if mode == "time_boxed":
        await early
    else:
        with pytest.raises(Conflict, match="lasts until its time is over"):
            await early
        assert await status_of(pool, floor.agent) == "wrap_up"
        await interactions.wrap_up(
            floor.log, reservation, queue=queue, disposition=None, note=None, now=later(90), released_at=later(60)
        )
    assert await state_of(pool, ident) == ("closed", "handled")


async def test_hold_time_is_booked_on_the_running_segment(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(2))
    await interactions.hold(floor.log, ident, held=True, now=later(10))
    assert await interactions.hold(floor.log, ident, held=True, now=later(11)) == ()
    await interactions.hold(floor.log, ident, held=False, now=later(25))
    await interactions.hold(floor.log, ident, held=True, now=later(30))
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=later(34))
    assert await pool.fetchval("select hold from segment") == timedelta(seconds=19)


@pytest.mark.parametrize("mode", list(WrapUpMode))
async def test_only_an_optional_wrap_up_ends_without_saying_what_came_of_it(pool: Pool, mode: WrapUpMode) -> None:
    limit = None if mode in (WrapUpMode.OPTIONAL, WrapUpMode.DISCRETIONARY) else timedelta(seconds=30)
    floor = await make_floor(pool, wrap_up_mode=mode, wrap_up_limit=limit, dispositions=["solved", "call_back"])
    directory = Directory(pool)
    await directory.load()
    queue = directory.queue(floor.queue)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(2))
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=later(3))

    async def wrap(disposition: str | None, *, at: float = 4) -> object:
        await interactions.wrap_up(
            floor.log, reservation, queue=queue, disposition=disposition, note=None, now=later(at), released_at=later(3)
        )
        return tuple(await pool.fetchrow("select state, disposition from interaction where id = $1", ident) or ())

    with pytest.raises(Invalid):
        await wrap("dunno", at=40)
    if mode is WrapUpMode.OPTIONAL:
        assert await wrap(None) == ("closed", None)
        return
    with pytest.raises(Invalid):
        await wrap(None, at=40)
    if mode is WrapUpMode.TIME_BOXED_FIXED:
        with pytest.raises(Conflict):
            await wrap("call_back")
    at = 33 if mode is WrapUpMode.TIME_BOXED_FIXED else 4
    assert await wrap("call_back", at=at) == ("closed", "call_back")


async def test_several_customers_with_one_number_are_not_guessed_until_a_person_chose(pool: Pool) -> None:
    floor = await make_floor(pool)
    await make_customer(pool, "Old Li", phone="+8613800138000")
    young = await make_customer(pool, "Young Li", phone="+8613800138000")
    ident = await arrive(floor.log, queue=floor.queue)
    assert await pool.fetchval("select customer_id from interaction where id = $1", ident) is None
    await interactions.identify(floor.log, ident, customer=young, actor=floor.agent, now=later(1))
    again = await arrive(floor.log, queue=floor.queue, now=later(100))
    assert await pool.fetchval("select customer_id from interaction where id = $1", again) == young


async def test_a_second_queue_does_not_see_the_calls_of_the_first(pool: Pool) -> None:
    floor = await make_floor(pool)
    other = await make_queue(pool, "billing")
    ident = await arrive(floor.log, queue=other)
    assert await pool.fetchval("select queue_id from interaction where id = $1", ident) == other
