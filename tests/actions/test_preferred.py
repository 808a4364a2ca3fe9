"""For whom a queue lets work wait first: decided when the work enters it, and told with its events."""

from datetime import timedelta

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel, ReservationState
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import Floor, arrive, later, make_customer, make_floor, make_queue, make_user, on_queue, reserve

CHEN = "+8613800138001"


async def talked(floor: Floor, agent: int, *, days_ago: float) -> None:
    """The customer's call, answered by an agent."""
    now = later(-days_ago * 86400)
    await on_queue(floor.log, agent, now=now)
    ident = await arrive(floor.log, queue=floor.queue, phone=CHEN, now=now)
    reservation = await reserve(floor.log, ident, agent, now=now)
    await interactions.answer(floor.log, reservation, now=now)
    await interactions.end_interaction(floor.log, ident, cause="customer_hangup", now=now)
    await interactions.wrap_up(floor.log, reservation, queue=None, disposition=None, note=None, now=now)


async def preferred(pool: Pool, ident: int) -> tuple[list[int] | None, str | None]:
    row = await pool.fetchrow("select preferred, preferred_as from interaction where id = $1", ident)
    assert row is not None
    return row["preferred"], row["preferred_as"]


async def test_the_last_agent_is_who_answered_last_within_the_time(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="last_agent", prefer_within=timedelta(days=7))
    bo = await make_user(pool, "bo")
    await make_customer(pool, phone=CHEN)
    expected = []
    for agent, days_ago in ((floor.agent, 9), (bo, 5), (floor.agent, 1)):
        await talked(floor, agent, days_ago=days_ago)
        ident = await arrive(floor.log, queue=floor.queue, phone=CHEN, asks={})
        expected.append(await preferred(pool, ident))
        await pool.execute("delete from interaction where id = $1", ident)
    assert expected == [(None, None), ([bo], "last_agent"), ([floor.agent], "last_agent")]


async def test_a_queue_that_prefers_nobody_does_not_look(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="last_agent")
    await make_customer(pool, phone=CHEN)
    await talked(floor, floor.agent, days_ago=1)
    assert await preferred(pool, await arrive(floor.log, queue=floor.queue, phone=CHEN)) == (None, None)
    stranger = await arrive(floor.log, queue=floor.queue, phone="+8613800138009", asks={})
    assert await preferred(pool, stranger) == (None, None)


async def test_who_is_preferred_is_looked_up_where_work_is_queued_later_or_moved(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="owner")
    other = await make_queue(pool, "billing", prefer="last_agent")
    plain = await make_queue(pool, "plain")
    bo = await make_user(pool, "bo")
    customer = await make_customer(pool, phone=CHEN)
    await pool.execute("update customer set owner_id = $2 where id = $1", customer, bo)
    await talked(floor, floor.agent, days_ago=1)
    ident = await arrive(floor.log, queue=floor.queue, phone=CHEN, queued=False, asks={})
    assert await preferred(pool, ident) == (None, None)
    [event] = await interactions.enqueue(floor.log, ident, queue=floor.queue, now=later(5))
    assert (event.data["preferred"], event.data["preferred_as"]) == ([bo], "owner")
    for queue, found in ((other, ([floor.agent], "last_agent")), (plain, (None, None)), (floor.queue, ([bo], "owner"))):
        [event] = await interactions.move(floor.log, ident, queue=queue, priority=None, actor=bo, now=later(6))
        assert (event.data["preferred"], event.data["preferred_as"]) == found == await preferred(pool, ident)


async def test_those_who_are_named_stay_named_wherever_it_is_moved(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="named")
    other = await make_queue(pool, "billing", prefer="owner")
    log = ContactLog(pool)
    arrival = Arrival(Channel.VISIT, None, None, None, asks={"language": "zh_TW", "preferred": [floor.agent, 99]})
    arrived, queued = await interactions.arrive(log, arrival, queue=floor.queue, queued=True, node=None, now=later(0))
    assert arrived.data["preferred"] == queued.data["preferred"] == [floor.agent, 99]
    assert (queued.data["preferred_as"], queued.data["language"]) == ("named", "zh_TW")
    assert arrived.interaction is not None
    [moved] = await interactions.move(log, arrived.interaction, queue=other, priority=None, actor=1, now=later(1))
    assert (moved.data["preferred"], moved.data["preferred_as"]) == ([floor.agent, 99], "named")


async def test_who_is_preferred_follows_whom_a_person_says_it_is(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="owner")
    bo = await make_user(pool, "bo")
    customer = await make_customer(pool)
    await pool.execute("update customer set owner_id = $2, tier = 'gold', language = 'en' where id = $1", customer, bo)
    ident = await arrive(floor.log, queue=floor.queue, phone=CHEN, asks={})
    assert await preferred(pool, ident) == (None, None)
    for who, found, tier, language in ((customer, ([bo], "owner"), "gold", "en"), (None, (None, None), None, None)):
        [event] = await interactions.identify(floor.log, ident, customer=who, actor=bo, now=later(1))
        assert (event.data["preferred"], event.data["preferred_as"]) == found == await preferred(pool, ident)
        assert (event.data["tier"], event.data["language"]) == (tier, language)


async def test_what_is_offered_goes_back_to_whom_the_customer_prefers(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="owner")
    bo = await make_user(pool, "bo")
    customer = await make_customer(pool)
    await pool.execute("update customer set owner_id = $2 where id = $1", customer, bo)
    ident = await arrive(floor.log, queue=floor.queue, phone=CHEN, asks={})
    reservation = await reserve(floor.log, ident, floor.agent)
    await interactions.identify(floor.log, ident, customer=customer, actor=floor.agent, now=later(1))
    *_, queued = await interactions.return_to_queue(
        floor.log, reservation, state=ReservationState.REJECTED, reason="declined", now=later(2)
    )
    assert (queued.data["preferred"], queued.data["preferred_as"]) == ([bo], "owner")


async def test_those_who_are_named_stay_named_whoever_it_is(pool: Pool) -> None:
    floor = await make_floor(pool, prefer="owner")
    bo = await make_user(pool, "bo")
    customer = await make_customer(pool)
    await pool.execute("update customer set owner_id = $2 where id = $1", customer, bo)
    ident = await arrive(floor.log, queue=floor.queue, phone=CHEN, asks={"preferred": [floor.agent]})
    await interactions.identify(floor.log, ident, customer=customer, actor=bo, now=later(1))
    assert await preferred(pool, ident) == ([floor.agent], "named")
