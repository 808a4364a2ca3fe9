"""One queue's line: in the router's order, with the reasons, and what supervisors do about it."""

import re
from collections.abc import Sequence
from datetime import datetime

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel
from routing import snapshot
from routing.wait import position
from tests.builders import (
    NOW,
    a_contract,
    a_wait,
    arrive,
    ident_of,
    later,
    make_customer,
    make_queue,
    on_queue,
    reserve,
)
from tests.screenpop.conftest import House


async def line(house: House) -> str:
    return await (await house.client.get(f"/queues/{house.queue}/line")).text()


def order(text: str) -> Sequence[int]:
    return [int(found) for found in re.findall(r'id="waits-(\d+)"', text)]


async def test_who_waits_stands_in_the_order_in_which_they_are_served(house: House):
    await make_customer(house.pool, "Li Na", phone="+8613800138001")
    first = await arrive(house.log, queue=house.queue, now=later(-30))
    second = await arrive(house.log, queue=house.queue, phone="+8613800138001", now=later(-20))
    await interactions.move(house.log, second, queue=None, priority=5, actor=house.users["sue"], now=NOW)
    await house.sign_in("sue")
    text = await line(house)
    assert order(text) == [second, first]
    assert "Li Na" in text
    assert "+5 min" in text


async def test_a_queue_with_steps_shows_how_many_were_taken_at_each(house: House):
    await house.sign_in("sue")
    assert "before the first step" not in await line(house)
    steps = [{"after": "20s", "needs": {}}]
    await house.pool.execute("update queue set steps = $2 where id = $1", house.queue, steps)
    await house.directory.load()
    await on_queue(house.log, house.users["amy"])
    reservation = await reserve(house.log, await arrive(house.log, queue=house.queue), house.users["amy"])
    await house.pool.execute("update reservation set decision = $1", {"waited_seconds": 25.0})
    await interactions.answer(house.log, reservation, now=later(1))
    shown = re.sub(r"<[^>]+>", "", await line(house))
    assert "before the first step 0 (0 %)" in shown
    assert "after 0:20 1 (100 %)" in shown


async def test_work_under_a_service_contract_stands_where_the_router_has_it(house: House):
    customer = await make_customer(house.pool, "Li Na", phone="+8613800138001")
    await a_contract(house.pool, customer)
    first = await arrive(house.log, queue=house.queue, now=later(-200))
    second = await arrive(house.log, queue=house.queue, now=later(-30))
    third = await arrive(house.log, queue=house.queue, phone="+8613800138001", now=later(-20))
    await house.sign_in("sue")
    assert order(await line(house)) == [first, third, second]


async def mail(house: House, number: int, *, now: datetime) -> int:
    arrival = Arrival(Channel.EMAIL, f"mail/{number}", "email", "li@example.org")
    return ident_of(await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=now))


async def test_whoever_is_served_first_is_seen_behind_two_hundred_who_came_before(house: House):
    customer = await make_customer(house.pool, "Li Na", phone="+8613800138001")
    await house.pool.execute("update customer set tier = 'gold' where id = $1", customer)
    await house.pool.execute("""update queue set tiers = '{"gold": "1h"}'""")
    await house.directory.load()
    await house.pool.execute(
        """insert into interaction (channel, state, queue_id, arrived_at, queued_at)
           select 'phone', 'queued', $1, $2, $2::timestamptz + n * interval '1 s'
           from generate_series(1, 250) as n""",
        house.queue, later(-1200),
    )  # fmt: skip
    valued = await arrive(house.log, queue=house.queue, phone="+8613800138001", now=later(-10))
    pressing = await arrive(house.log, queue=house.queue, now=later(-5))
    await interactions.move(house.log, pressing, queue=None, priority=59, actor=house.users["sue"], now=NOW)
    await house.sign_in("sue")
    text = await line(house)
    assert order(text)[:3] == [valued, pressing, 1]
    assert len(order(text)) == 200
    assert "More wait behind these." in text


async def test_places_are_those_that_the_router_counts_and_tells_each_channel_apart(house: House):
    customer = await make_customer(house.pool, "Li Na", phone="+8613800138001")
    await a_contract(house.pool, customer)
    await on_queue(house.log, house.users["amy"])
    offered = await arrive(house.log, queue=house.queue, now=later(-300))
    await reserve(house.log, offered, house.users["amy"])
    for number in range(4):
        await mail(house, number, now=later(-3600 - number))
        await arrive(house.log, queue=house.queue, now=later(-number))
    under_contract = await arrive(house.log, queue=house.queue, phone="+8613800138001", now=later(-2))
    same = [await arrive(house.log, queue=house.queue, now=later(-2)) for _ in range(2)]
    # As old as it looks, and waiting longer: before its equals.
    await interactions.move(house.log, same[1], queue=None, priority=2, actor=house.users["sue"], now=NOW)
    await house.sign_in("sue")
    text = await line(house)
    shown = dict(re.findall(r'id="waits-(\d+)".*?class="place">(?:<span[^>]*>)?([–\d]+)<', text, re.DOTALL))
    assert shown.pop(str(offered)) == "–"
    state = await snapshot.load(house.pool, require_console=True, day_began=NOW)
    assert {ident: str(position(state, work, NOW)) for ident, work in state.waiting.items()} == {
        int(ident): place for ident, place in shown.items()
    }
    assert shown[str(under_contract)] == "1"
    assert "Places are counted for calls" in text


async def test_a_queues_promise_is_for_those_who_wait_at_the_other_end_from_when_they_came_into_it(house: House):
    other = await make_queue(house.pool, "billing")
    slow = await mail(house, 1, now=later(-3600))
    late = await arrive(house.log, queue=house.queue, now=later(-30))
    moved = await arrive(house.log, queue=other, now=later(-30))
    await interactions.move(house.log, moved, queue=house.queue, priority=None, actor=1, now=later(-10))
    await house.sign_in("sue")
    text = await line(house)
    for ident, expected in ((slow, ""), (late, ' class="is-late"'), (moved, "")):
        assert f'<tr id="waits-{ident}"{expected}>' in text


async def test_a_supervisor_moves_assigns_and_takes_out(house: House):
    other = await make_queue(house.pool, "billing")
    await house.directory.load()
    waiting = [await arrive(house.log, queue=house.queue, now=later(n)) for n in range(3)]
    await on_queue(house.log, house.users["amy"])
    await house.sign_in("sue")
    at = f"/queues/{house.queue}"
    moved = await house.act("sue", f"{at}/move", interaction=str(waiting[0]), queue=str(other))
    assert order(await moved.text()) == waiting[1:]
    ahead = await house.act("sue", f"{at}/priority", interaction=str(waiting[2]), priority="5")
    assert order(await ahead.text()) == [waiting[2], waiting[1]]
    given = await house.act("sue", f"{at}/assign", interaction=str(waiting[1]), agent=str(house.users["amy"]))
    assert "offered to Amy" in await given.text()
    gone = await house.act("sue", f"{at}/take-out", interaction=str(waiting[2]), reason="a test call")
    assert order(await gone.text()) == [waiting[1]]
    rows = await house.pool.fetch("select state, queue_id, agent_id, outcome from interaction order by id")
    assert [tuple(row) for row in rows] == [
        ("queued", other, None, None),
        ("offered", house.queue, house.users["amy"], None),
        ("closed", house.queue, None, "flow_out"),
    ]


async def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing(house: House):
    waiting = await arrive(house.log, queue=house.queue)
    await house.sign_in("sue")
    at = f"/queues/{house.queue}"
    offered = await house.act("sue", f"{at}/assign", interaction=str(waiting), agent=str(house.users["bo"]))
    assert offered.status == 409
    assert "takes none" in await offered.text()
    for act, fields in (
        ("move", {"queue": "x"}),
        ("priority", {"priority": "99999"}),
        ("take-out", {"interaction": ""}),
    ):
        refused = await house.act("sue", f"{at}/{act}", **{"interaction": str(waiting), **fields})
        assert refused.status == 422, act
    assert order(await line(house)) == [waiting]


async def test_why_somebody_still_waits_is_said_in_the_readers_language(house: House):
    waiting = await arrive(house.log, queue=house.queue)
    house.waits.waits[waiting] = a_wait()
    await on_queue(house.log, house.users["amy"])
    await house.sign_in("sue")
    why = f"/queues/{house.queue}/why?interaction={waiting}"
    text = await (await house.client.get(why)).text()
    assert "It is the first in line." in text
    assert "amy is free and has no console open." in text
    assert "1 Idle" in text
    assert "Expected to wait" in text
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_CN"}, house.client.make_url("/"))
    text = await (await house.client.get(why)).text()
    assert "排在第一位。" in text
    assert "amy 空闲，但未打开工作台。" in text
    assert "空闲 1 人" in text


async def test_a_line_is_for_supervisors_and_of_a_queue_that_is_there(house: House):
    await house.sign_in("amy")
    assert (await house.client.get(f"/queues/{house.queue}")).status == 403
    assert (await house.act("amy", f"/queues/{house.queue}/take-out", interaction="1", reason="x")).status == 403
    await house.sign_in("sue")
    page = await house.client.get(f"/queues/{house.queue}")
    assert page.status == 200
    assert "Nobody waits." in await page.text()
    assert (await house.client.get("/queues/404")).status == 404
