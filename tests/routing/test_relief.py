"""Overflow rules are carried out by the leader, each once."""

from dataclasses import dataclass
from typing import Any

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Outcome
from callcenter.domain.overflow import Treatment
from callcenter.store.pool import Pool
from routing import snapshot
from routing.relief import Relief
from routing.state import RouterState
from tests.builders import NOW, arrive, later, make_queue, make_user, on_queue, reserve
from tests.routing.test_waits import Office, an_office

SUPPORT = [
    {"after": "30s", "lend": "sales"},
    {"expected": "5m", "treatment": "voicemail"},
    {"after": "45s", "treatment": "callback"},
    {"after": "60s", "to": "sales"},
]


@dataclass
class Desk:
    office: Office
    relief: Relief
    sales: int
    state: RouterState
    seen: list[Event]

    async def at(self, seconds: float) -> None:
        self.office.clock.now = later(seconds)
        await self.relief.sweep(later(seconds))

    async def what(self, ident: int) -> list[Any]:
        """The rules that were carried out on it, and how, by the log."""
        rows = await self.office.floor.log.pool.fetch(
            "select kind, data from contact_log where interaction_id = $1 and data ? 'rule' order by seq", ident
        )
        return [(row["kind"].partition(".")[2], row["data"]["rule"]) for row in rows]


async def a_desk(pool: Pool, *, rules: Any = SUPPORT, **sales: Any) -> Desk:
    office = await an_office(pool)
    await pool.execute("update queue set overflow = $1", rules)
    bo = await make_user(pool, "bo")
    ident = await make_queue(pool, "sales", members=[bo], **sales)
    await on_queue(office.floor.log, bo)
    await office.waits._directory.load()
    state = await snapshot.load(pool, require_console=False, day_began=NOW)
    seen: list[Event] = []

    def apply(events: Any) -> None:
        seen.extend(events)
        for event in events:
            state.apply(event)

    log = office.floor.log
    log._listeners.insert(0, apply)
    office.waits._state = lambda: state
    relief = Relief(
        log, office.waits._directory, office.leadership, office.waits, state=lambda: state, clock=office.clock
    )
    log.listen(relief.note)
    return Desk(office, relief, ident, state, seen)


async def test_what_waits_too_long_is_treated_and_then_moved_once_and_keeps_its_time(pool: Pool) -> None:
    desk = await a_desk(pool)
    await desk.at(0)
    ident = await arrive(desk.office.floor.log, queue=desk.office.floor.queue)
    for second in (1, 44, 45, 46, 59, 60, 61, 130, 500):
        await desk.at(second)
    assert await desk.what(ident) == [
        ("treatment", "support: after 45s: callback"),
        ("moved", "support: after 1m: to sales"),
    ]
    work = desk.state.waiting[ident]
    assert (work.queue, work.queued_at, work.entered_at) == (desk.sales, NOW, later(60))
    fresh = await snapshot.load(pool, require_console=False, day_began=NOW)
    assert fresh.waiting[ident] == work


async def test_what_waited_while_nobody_led_is_looked_at_by_the_next_leader(pool: Pool) -> None:
    desk = await a_desk(pool)
    desk.office.leadership.leads = False
    ident = await arrive(desk.office.floor.log, queue=desk.office.floor.queue)
    await desk.at(100)
    assert await desk.what(ident) == []
    desk.office.leadership.leads = True
    await desk.at(101)
    await desk.at(102)
    assert [kind for kind, _ in await desk.what(ident)] == ["treatment", "moved"]


async def test_two_leaders_do_it_once(pool: Pool) -> None:
    desk = await a_desk(pool)
    floor = desk.office.floor
    ident = await arrive(floor.log, queue=floor.queue)
    rule, now = "support: after 45s: callback", later(45)
    for _ in range(2):
        await interactions.treat(floor.log, ident, queue=floor.queue, treatment=Treatment.CALLBACK, rule=rule, now=now)
    for _ in range(2):
        await interactions.overflow(floor.log, ident, queue=floor.queue, to=desk.sales, rule=rule, now=now)
    assert [kind for kind, _ in await desk.what(ident)] == ["treatment", "moved"]


async def test_nothing_moves_while_it_is_offered_nor_into_a_closed_queue(pool: Pool) -> None:
    sundays = {"sun": ["09:00-10:00"]}
    hours = await pool.fetchval(
        "insert into hours (name, timezone, weekly) values ('sundays', 'UTC', $1) returning id",
        sundays,
    )
    desk = await a_desk(pool, rules=[{"after": "60s", "to": "sales"}], hours_id=hours)
    log, floor = desk.office.floor.log, desk.office.floor
    closed = await arrive(log, queue=floor.queue)
    await desk.at(61)
    assert await desk.what(closed) == []
    await pool.execute("update queue set hours_id = null")
    await desk.office.waits._directory.load()
    offered = await arrive(log, queue=floor.queue)
    await reserve(log, offered, floor.agent)
    await desk.at(70)
    assert [len(await desk.what(ident)) for ident in (closed, offered)] == [1, 0]


async def test_a_long_expected_wait_is_answered_as_soon_as_it_is_long(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"expected": "5m", "treatment": "voicemail"}])
    log, floor = desk.office.floor.log, desk.office.floor
    await reserve(log, await arrive(log, queue=floor.queue), floor.agent)
    waiting = [await arrive(log, queue=floor.queue) for _ in range(4)]
    await desk.at(1)
    # One agent, 90 seconds each: the fourth in line waits 360 seconds.
    assert [len(await desk.what(ident)) for ident in waiting] == [0, 0, 0, 1]
    await interactions.leave_unserved(log, waiting[0], outcome=Outcome.ABANDONED, cause="", node=None, now=later(2))
    await arrive(log, queue=floor.queue)
    await desk.at(3)
    assert [len(await desk.what(ident)) for ident in waiting] == [0, 0, 0, 1]
    told = desk.office.waits.of(waiting[1])
    assert told is not None
    assert told.due is not None
    assert (told.due.action, told.due.in_seconds, told.due.longer_than_seconds) == ("voicemail", None, 300)


async def test_agents_are_lent_while_their_queue_keeps_its_promise(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"after": "30s", "lend": "sales"}])
    floor = desk.office.floor
    await reserve(floor.log, await arrive(floor.log, queue=floor.queue), floor.agent)
    ident = await arrive(floor.log, queue=floor.queue)
    helped = desk.state.pools[floor.queue, "phone", None]
    told = desk.office.waits.of(ident)
    assert told is not None
    assert told.due is not None
    assert (told.due.action, told.due.queue, told.due.in_seconds) == ("lend", "sales", 30)

    async def lent(second: float) -> int:
        await desk.at(second)
        desk.state.settle(later(second))
        return sum(map(len, helped.idle))

    assert await lent(31) == 1
    desk.office.waits.held = {desk.sales: 0.5}
    assert await lent(32) == 0
    desk.office.waits.held = {desk.sales: 0.9}
    assert await lent(33) == 1
    await arrive(floor.log, queue=desk.sales, now=later(12))
    assert await lent(34) == 0
