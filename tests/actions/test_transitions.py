"""The SQL verbs move from exactly the states that the tables in callcenter.domain name, to the states they name."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product

import pytest

from callcenter.actions import agents, interactions
from callcenter.domain.agent import Hand, Presence, RoutingStatus, chosen, routing_status
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY, may_take
from callcenter.domain.interaction import (
    RESERVATION_TRANSITIONS,
    TRANSITIONS,
    Channel,
    Outcome,
    ReservationState,
    ReservationVerb,
    State,
    Verb,
)
from callcenter.domain.overflow import Treatment
from callcenter.errors import Conflict
from callcenter.store.pool import Pool
from tests.builders import NOW, Floor, arrive, later, make_floor

Act = Callable[[Floor, int, int], Awaitable[object]]

# An interaction with its reservation and agent, put into each state by force.
_AROUND: dict[State, tuple[str | None, str]] = {
    State.NEW: (None, "idle"),
    State.QUEUED: (None, "idle"),
    State.OFFERED: ("pending", "offered"),
    State.ACTIVE: ("accepted", "interacting"),
    State.WRAPPING: ("accepted", "wrap_up"),
    State.CLOSED: (None, "idle"),
}


async def put(pool: Pool, floor: Floor, state: State) -> tuple[int, int]:
    ident = await arrive(floor.log, queue=floor.queue)
    reservation_state, status = _AROUND[state]
    await pool.execute("update interaction set state = $2, segments = 1 where id = $1", ident, state)
    await pool.execute(
        "update agent set routing_status = $2, load = $3, offer = $4, live = $5 where user_id = $1",
        floor.agent,
        status,
        {"phone": 1} if reservation_state else {},
        state is State.OFFERED,
        int(state is State.ACTIVE),
    )
    reservation = 0
    if reservation_state is not None:
        reservation = await pool.fetchval(
            "insert into reservation (interaction_id, agent_id, segment, channel, state, created_at, released_at) "
            "values ($1, $2, 1, 'phone', $3, $4, $5) returning id",
            ident, floor.agent, reservation_state, NOW, NOW if state is State.WRAPPING else None,
        )  # fmt: skip
        await pool.execute(
            "insert into segment (interaction_id, n, agent_id, reservation_id, started_at, answered_at) "
            "values ($1, 1, $2, $3, $4, $4)", ident, floor.agent, reservation, NOW,
        )  # fmt: skip
        if state is State.OFFERED:
            await pool.execute("update segment set answered_at = null")
    return ident, reservation


async def _cancel(floor: Floor, reservation: int) -> object:
    return await interactions.return_to_queue(
        floor.log, reservation, state=ReservationState.CANCELLED, reason="x", now=later(1)
    )


ACTS: dict[Verb, Act] = {
    Verb.ENQUEUE: lambda f, i, r: interactions.enqueue(f.log, i, queue=f.queue, now=later(1)),
    Verb.ADOPT: lambda f, i, r: interactions.adopt(f.log, i, node=f.node, leg=None, now=later(1)),
    Verb.MOVE: lambda f, i, r: interactions.move(f.log, i, queue=None, priority=5, actor=f.agent, now=later(1)),
    Verb.TAKE_OUT: lambda f, i, r: interactions.take_out(f.log, i, reason=None, actor=f.agent, now=later(1)),
    Verb.OVERFLOW: lambda f, i, r: interactions.overflow(f.log, i, queue=f.queue, to=f.queue, rule="", now=later(1)),
    Verb.TREAT: lambda f, i, r: interactions.treat(
        f.log, i, queue=f.queue, treatment=Treatment.CALLBACK, rule="", now=later(1)
    ),
    Verb.RESERVE: lambda f, i, r: interactions.reserve(
        f.log, i, agent=f.agent, agent_version=None, reason="", decision=None, due=later(9), now=later(1)
    ),
    Verb.PUT_OFF: lambda f, i, r: f.log.write("put_off", i, later(9), later(1)),
    Verb.GIVE: lambda f, i, r: f.log.write("give_to_agent", i, f.agent, "outbound", later(1)),
    Verb.CONNECT: lambda f, i, r: f.log.write("connect_call", i, None, None, later(1)),
    Verb.ANSWER: lambda f, i, r: interactions.answer(f.log, r, now=later(1)),
    Verb.RETURN: lambda f, i, r: _cancel(f, r),
    Verb.LEAVE_UNSERVED: lambda f, i, r: interactions.leave_unserved(
        f.log, i, outcome=Outcome.ABANDONED, cause="x", node=None, now=later(1)
    ),
    Verb.TRANSFER: lambda f, i, r: interactions.transfer(
        f.log, i, agent=None, endpoint="PJSIP/9", leg=None, kind="blind", now=later(1)
    ),
    Verb.RELEASE: lambda f, i, r: interactions.release(f.log, r, cause="x", now=later(1)),
    Verb.HOLD: lambda f, i, r: interactions.hold(f.log, i, held=True, now=later(1)),
    Verb.HAND_OVER: lambda f, i, r: f.log.write("hand_over", r, f.queue, None, f.agent, timedelta(0), None, later(1)),
    Verb.END: lambda f, i, r: interactions.end_interaction(f.log, i, cause="x", now=later(1)),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", ACTS)
async def test_a_verb_moves_an_interaction_as_the_table_says(pool: Pool, state: State, verb: Verb) -> None:
    floor = await make_floor(pool)
    ident, reservation = await put(pool, floor, state)
    try:
        moved = bool(await ACTS[verb](floor, ident, reservation))
    except Conflict:
        moved = False
    after: str = await pool.fetchval("select state from interaction where id = $1", ident)
    expected = TRANSITIONS.get((state, verb))
    assert moved == (expected is not None)
    assert after == (state if expected is None else expected)


@pytest.mark.parametrize("presence", Presence)
async def test_the_routing_status_in_the_database_follows_as_the_rule_says(pool: Pool, presence: Presence) -> None:
    for was in RoutingStatus:
        for hand in Hand:
            after = await pool.fetchval("select routing_status($1, $2, $3)", was, presence, hand)
            assert after == routing_status(was, presence, hand)


@pytest.mark.parametrize("status", RoutingStatus)
@pytest.mark.parametrize("presence", [Presence.ON_QUEUE, Presence.BREAK])
async def test_a_presence_chosen_with_nothing_in_hand_counts_at_once(
    pool: Pool, status: RoutingStatus, presence: Presence
) -> None:
    floor = await make_floor(pool)
    await pool.execute("update agent set routing_status = $1", status)
    await agents.set_presence(floor.log, floor.agent, presence=presence, reason=None, actor=floor.agent, now=later(1))
    after = await pool.fetchval("select routing_status from agent where user_id = $1", floor.agent)
    assert after == routing_status(chosen(status, presence), presence, Hand.NOTHING)


async def test_the_database_finds_a_slot_exactly_where_the_rule_of_capacity_allows_it(pool: Pool) -> None:
    floor = await make_floor(pool)
    await pool.execute("""update users set capacity = '{"chat": 2, "callback": 0}'""")
    capacity = {**CAPACITY, "chat": 2, "callback": 0}
    held = ("phone", "chat", "email", "callback", "visit")
    loads = [
        {channel: number for channel, number in zip(held, numbers, strict=True) if number}
        for numbers in product((0, 1), (0, 1, 2), (0, 1), (0, 1), (0, 1))
    ]
    for load in loads:
        await pool.execute("update agent set load = $1", load)
        rows = await pool.fetch("select c, free_slot(a, c) as slot from agent a, unnest($1::text[]) c", list(Channel))
        found = {row["c"]: row["slot"] is not None for row in rows}
        assert found == {
            channel: may_take(channel, load, capacity=capacity, interrupted_by=INTERRUPTED_BY) for channel in Channel
        }
    assert floor.agent


@pytest.mark.parametrize("state", ReservationState)
@pytest.mark.parametrize("verb", ReservationVerb)
async def test_a_verb_moves_a_reservation_as_the_table_says(
    pool: Pool, state: ReservationState, verb: ReservationVerb
) -> None:
    floor = await make_floor(pool)
    ident, reservation = await put(pool, floor, State.OFFERED)
    await pool.execute(
        "update reservation set state = $1, released_at = $2", state, NOW if verb is ReservationVerb.WRAP_UP else None
    )
    try:
        match verb:
            case ReservationVerb.ANSWER:
                await interactions.answer(floor.log, reservation, now=later(1))
            case ReservationVerb.WRAP_UP:
                await interactions.wrap_up(
                    floor.log, reservation, queue=None, disposition=None, note=None, now=later(1)
                )
            case _:
                await interactions.return_to_queue(
                    floor.log, reservation, state=ReservationState(verb), reason="x", now=later(1)
                )
    except Conflict:
        pass
    after = await pool.fetchval("select state from reservation where id = $1", reservation)
    assert after == RESERVATION_TRANSITIONS.get((state, verb), state)
    assert ident
