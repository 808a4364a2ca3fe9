"""One queue's line: in the router's order, with the reasons, and what supervisors do about it."""

import re
from collections.abc import Sequence

from callcenter.actions import interactions
from tests.builders import NOW, a_contract, a_wait, arrive, later, make_customer, make_queue, on_queue, reserve
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
    assert "1 Idle" in text
    assert "Expected to wait" in text
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_CN"}, house.client.make_url("/"))
    text = await (await house.client.get(why)).text()
    assert "排在第一位。" in text
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
