"""Since when an agent counts as idle, by the organisation's choice."""

import pytest

from callcenter.actions import agents, interactions
from callcenter.domain.interaction import ReservationState
from callcenter.store.pool import Pool
from tests.builders import NOW, Floor, arrive, later, make_floor, on_queue, reserve

ORDERS = pytest.mark.parametrize("order", ["last_contact", "available"])


async def a_floor(pool: Pool, order: str) -> Floor:
    await pool.execute("update organisation set idle_order = $1", order)
    return await make_floor(pool)


async def idle_since(floor: Floor) -> object:
    row = await floor.log.pool.fetchrow("select routing_status, idle_since from agent where user_id = $1", floor.agent)
    assert row is not None
    assert row["routing_status"] == "idle"
    return row["idle_since"]


async def choose(floor: Floor, presence: str, *, at: float) -> None:
    await agents.set_presence(floor.log, floor.agent, presence=presence, reason=None, actor=floor.agent, now=later(at))


@ORDERS
async def test_a_contact_that_is_over_begins_the_idle_time(pool: Pool, order: str) -> None:
    floor = await a_floor(pool, order)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(2))
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=later(60))
    await interactions.wrap_up(floor.log, reservation, queue=None, disposition=None, note=None, now=later(70))
    assert await idle_since(floor) == later(70)


@ORDERS
async def test_a_break_moves_nobody_back_unless_the_idle_time_counts_from_being_available(
    pool: Pool, order: str
) -> None:
    floor = await a_floor(pool, order)
    await choose(floor, "break", at=100)
    await choose(floor, "available", at=150)
    await choose(floor, "on_queue", at=200)
    assert await idle_since(floor) == (NOW if order == "last_contact" else later(200))


@ORDERS
async def test_choosing_on_queue_again_changes_nothing(pool: Pool, order: str) -> None:
    floor = await a_floor(pool, order)
    await choose(floor, "on_queue", at=200)
    assert await idle_since(floor) == NOW


@ORDERS
async def test_who_did_not_respond_is_available_from_when_they_are_back(pool: Pool, order: str) -> None:
    floor = await a_floor(pool, order)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.return_to_queue(
        floor.log, reservation, state=ReservationState.TIMED_OUT, reason="no_answer", now=later(15)
    )
    await on_queue(floor.log, floor.agent, now=later(30))
    assert await idle_since(floor) == (NOW if order == "last_contact" else later(30))


@ORDERS
async def test_an_offer_that_was_taken_back_costs_nobody_their_place(pool: Pool, order: str) -> None:
    floor = await a_floor(pool, order)
    ident = await arrive(floor.log, queue=floor.queue)
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.return_to_queue(
        floor.log, reservation, state=ReservationState.CANCELLED, reason="x", now=later(15)
    )
    assert await idle_since(floor) == NOW


async def test_the_log_tells_the_router_since_when(pool: Pool) -> None:
    floor = await a_floor(pool, "available")
    await choose(floor, "break", at=100)
    (event,) = await agents.set_presence(
        floor.log, floor.agent, presence="on_queue", reason=None, actor=floor.agent, now=later(200)
    )
    assert event.data["idle_since"] == later(200).isoformat()
