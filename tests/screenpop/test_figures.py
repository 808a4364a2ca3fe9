"""The figures of strip and wall are shared by many, and no page keeps those from before an event."""

import re
from math import inf

from callcenter.actions import interactions, tickets
from callcenter.domain.events import Cursor, Event
from callcenter.domain.interaction import Arrival, Channel
from screenpop.regions import stale
from screenpop.wallboard import BOARD
from tests.builders import NOW, arrive, ident_of, later, make_queue, on_queue, reserve
from tests.screenpop.conftest import House, frame, read_up


async def strip(house: House) -> str:
    return await (await house.client.get("/desk/queues")).text()


async def test_the_strip_that_a_hint_asks_for_has_what_happened(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    assert "<b>0</b>" in await strip(house)
    await arrive(house.log, queue=house.queue)
    assert (await frame(desk, "hint"))["regions"] == ["queue:support"]
    assert "<b>1</b>" in await strip(house)


async def test_a_page_with_figures_of_before_is_told_what_happened_since(house: House):
    await house.sign_in("amy")
    await strip(house)
    house.client.app[BOARD]._waiting._until = inf
    await arrive(house.log, queue=house.queue)
    await read_up(house)
    text = await (await house.client.get("/")).text()
    assert "<b>0</b>" in text
    found = re.search(r'data-cursor="([^"]+)"', text)
    assert found
    assert Cursor.parse(found[1]) < house.feed.cursor


async def test_a_new_member_of_a_queue_sees_it_when_told(house: House):
    await house.sign_in("sue")
    desk = await house.desk("sue")
    assert "You are a member of no queue yet." in await strip(house)
    await house.pool.execute(
        "insert into queue_member (queue_id, user_id) values ($1, $2)", house.queue, house.users["sue"]
    )
    async with house.log.transaction() as tx:
        await tx.append("organisation.applied", now=NOW)
    while (await frame(desk, "hint"))["regions"] == ["desk"]:
        continue
    assert "support" in await strip(house)


async def test_who_loses_a_ticket_is_told_too(house: House):
    amy, bo, sue = (house.users[name] for name in ("amy", "bo", "sue"))
    told: list[Event] = []
    ticket = await tickets.open_ticket(
        house.log, subject="Refund", customer=None, interaction=None, queue=None, priority="normal", text=None,
        actor=amy, owner=amy, now=NOW,
    )  # fmt: skip
    house.log.listen(told.extend)
    await tickets.change(house.log, ticket.id, changes={"owner": bo}, version=None, actor=sue, now=NOW)
    assert stale(told).desks == {amy, bo, sue}


async def test_the_wall_measures_a_queue_by_the_time_that_callers_spend_in_it(house: House):
    amy, sales = house.users["amy"], await make_queue(house.pool, "sales")
    await on_queue(house.log, amy)
    idents = [await arrive(house.log, queue=house.queue, now=later(-100)) for _ in range(3)]
    for ident, entered in zip(idents, (-10, -10, -30), strict=True):
        await interactions.overflow(house.log, ident, queue=house.queue, to=sales, rule="after", now=later(entered))
    offer = await reserve(house.log, idents[2], amy, now=later(-20))
    await interactions.answer(house.log, offer, now=later(-15))
    today = (await house.client.app[BOARD].today())[sales]
    assert (today.answered, today.in_time, today.late) == (1, 1, 0)


async def test_mail_that_waits_for_hours_is_neither_late_nor_the_longest_wait_of_a_queue(house: House):
    mail = Arrival(Channel.EMAIL, "mail/1", "email", "li@example.org")
    await interactions.arrive(house.log, mail, queue=house.queue, queued=True, node=None, now=later(-7200))
    await house.sign_in("sue")
    wall = await (await house.client.get("/wall")).text()
    assert 'class="tile is-calm"' in wall
    assert "1 of mail, tickets and the like, the oldest 2:00:00" in wall
    assert 'class="alerts"' not in wall
    await house.sign_in("amy")
    text = await strip(house)
    assert "<b>0</b>" in text
    assert "+1</span>" in text
    assert "Nobody waits. · 1 of mail, tickets and the like, the oldest 2:00:00" in text
    today = (await house.client.app[BOARD].today())[house.queue]
    assert (today.late, today.promised, today.service_level) == (0, 0, None)


async def test_mail_that_was_answered_counts_as_answered_and_in_no_service_level(house: House):
    amy = house.users["amy"]
    await on_queue(house.log, amy)
    mail = Arrival(Channel.EMAIL, "mail/1", "email", "li@example.org")
    events = await interactions.arrive(house.log, mail, queue=house.queue, queued=True, node=None, now=later(-7200))
    offer = await reserve(house.log, ident_of(events), amy, now=later(-60))
    await interactions.answer(house.log, offer, now=later(-50))
    await arrive(house.log, queue=house.queue, now=later(-30))
    today = (await house.client.app[BOARD].today())[house.queue]
    assert (today.answered, today.in_time, today.late, today.promised) == (1, 0, 1, 1)


async def test_who_overflows_is_moved_or_turned_away_has_flowed_out_of_the_queue_that_they_left(house: House):
    await house.sign_in("sue")
    sales = await make_queue(house.pool, "sales")
    await house.directory.load()
    idents = [await arrive(house.log, queue=house.queue, now=later(-100)) for _ in range(4)]
    await interactions.overflow(house.log, idents[0], queue=house.queue, to=sales, rule="after", now=later(-10))
    await interactions.move(house.log, idents[1], queue=sales, priority=None, actor=house.users["sue"], now=later(-10))
    await interactions.move(house.log, idents[2], queue=None, priority=5, actor=house.users["sue"], now=later(-10))
    await interactions.take_out(house.log, idents[3], reason=None, actor=house.users["sue"], now=later(-10))
    today = await house.client.app[BOARD].today()
    assert (today[house.queue].flow_out, today[sales].flow_out) == (3, 0)
    found = await (await house.client.get("/api/v1/queues")).json()
    assert {each["name"]: each["flow_out"] for each in found["items"]} == {"support": 3, "sales": 0}
    assert "3 flowed out" in await (await house.client.get("/wall")).text()


async def test_one_who_flowed_out_of_a_queue_yesterday_is_not_counted_today(house: House):
    sales = await make_queue(house.pool, "sales")
    ident = await arrive(house.log, queue=house.queue, now=later(-48 * 3600))
    await interactions.move(house.log, ident, queue=sales, priority=None, actor=1, now=later(-47 * 3600))
    await interactions.move(house.log, ident, queue=house.queue, priority=None, actor=1, now=later(-10))
    today = await house.client.app[BOARD].today()
    assert house.queue not in today
    assert sales not in today
