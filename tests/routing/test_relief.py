"""Overflow rules are carried out by the leader, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, Outcome
from callcenter.domain.overflow import Treatment
from callcenter.store.pool import Pool
from routing import snapshot
from routing.decide import decide
from routing.relief import Relief
from routing.state import RouterState
from tests.builders import NOW, arrive, ident_of, later, make_queue, make_user, on_queue, reserve
from tests.routing.test_waits import Office, an_office

SUPPORT = [
    {"after": "30s", "lend": "sales"},
    {"expected": "5m", "treatment": "voicemail"},
    {"after": "45s", "treatment": "callback"},
    {"after": "60s", "to": "sales"},
]


_numbers = count(1)


@dataclass
class Desk:
    office: Office
    relief: Relief
    sales: int
    state: RouterState
    seen: list[Event]
    woken: list[datetime]  # when the router was told to look again

    async def at(self, seconds: float) -> None:
        self.office.clock.now = later(seconds)
        await self.relief.sweep(later(seconds))

    async def chat(self, second: float, *, language: str | None = None) -> int:
        """One who comes to support and waits."""
        asks = None if language is None else {"language": language}
        arrival = Arrival(Channel.CHAT, f"chat/{next(_numbers)}", None, None, asks=asks)
        floor = self.office.floor
        return ident_of(
            await interactions.arrive(floor.log, arrival, queue=floor.queue, queued=True, node=None, now=later(second))
        )

    async def own_agent_is_busy(self) -> None:
        floor = self.office.floor
        await reserve(floor.log, await arrive(floor.log, queue=floor.queue), floor.agent)

    async def lent(self, second: float, *, channel: str = Channel.PHONE) -> int:
        """How many agents of sales may take what waits in support."""
        await self.at(second)
        self.state.settle(later(second))
        helped = self.state.pools[self.office.floor.queue, channel, None]
        own = self.office.floor.agent
        return sum(agent != own for line in helped.idle for *_, agent in line)

    async def what(self, ident: int) -> list[Any]:
        """The rules that were carried out on it, and how, by the log."""
        rows = await self.office.floor.log.pool.fetch(
            "select kind, data from contact_log where interaction_id = $1 and data ? 'rule' order by seq", ident
        )
        return [(row["kind"].partition(".")[2], row["data"]["rule"]) for row in rows]


async def a_desk(
    pool: Pool, *, rules: Any = SUPPORT, language: int = 0, helpers: Sequence[str] = ("bo",), **sales: Any
) -> Desk:
    """Support, whose only agent speaks Chinese, with these rules; sales with the helpers."""
    office = await an_office(pool)
    await pool.execute("update queue set overflow = $1, language = $2", rules, language)
    await pool.execute("update users set skills = $1", {"lang:zh": 5})
    members = [await make_user(pool, name) for name in helpers]
    ident = await make_queue(pool, "sales", members=members, **sales)
    for agent in members:
        await on_queue(office.floor.log, agent)
    await office.waits._directory.load()
    state = await snapshot.load(pool, require_console=False, day_began=NOW)
    seen: list[Event] = []
    woken: list[datetime] = []

    def apply(events: Any) -> None:
        seen.extend(events)
        for event in events:
            state.apply(event)

    log = office.floor.log
    log._listeners.insert(0, apply)
    office.waits._state = lambda: state
    relief = Relief(
        log,
        office.waits._directory,
        office.leadership,
        office.waits,
        state=lambda: state,
        wake=lambda: woken.append(office.clock.now),
        clock=office.clock,
    )
    log.listen(relief.note)
    return Desk(office, relief, ident, state, seen, woken)


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
    await desk.own_agent_is_busy()
    ident = await arrive(floor.log, queue=floor.queue)
    told = desk.office.waits.of(ident)
    assert told is not None
    assert told.due is not None
    assert (told.due.action, told.due.queue, told.due.in_seconds) == ("lend", "sales", 30)

    assert await desk.lent(31) == 1
    desk.office.waits.held = {desk.sales: 0.5}
    assert await desk.lent(32) == 0
    desk.office.waits.held = {desk.sales: 0.9}
    assert await desk.lent(33) == 1
    await arrive(floor.log, queue=desk.sales, now=later(12))
    assert await desk.lent(34) == 0


async def test_a_loan_for_a_long_expected_wait_stays_until_somebody_has_taken_the_work(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"expected": "2m", "lend": "sales"}], helpers=("bo", "cy"))
    floor = desk.office.floor
    await desk.own_agent_is_busy()
    ident = await arrive(floor.log, queue=floor.queue)
    # One agent, 90 seconds each: whoever comes next waits 180 seconds.
    assert [await desk.lent(second) for second in (0, 0.5, 1.0)] == [2, 2, 2]
    assert desk.woken == [NOW]
    decision = next(decide(desk.state, later(1.25)))
    assert decision.interaction == ident
    assert decision.agent != floor.agent
    await reserve(floor.log, ident, decision.agent, now=later(1.25))
    assert await desk.lent(1.5) == 0
    assert desk.woken == [NOW, later(1.5)]


async def test_nobody_is_lent_for_a_long_expected_wait_that_nobody_has(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"expected": "80s", "lend": "sales"}])
    await desk.own_agent_is_busy()
    assert await desk.lent(1) == 0
    await arrive(desk.office.floor.log, queue=desk.office.floor.queue)
    assert await desk.lent(2) == 1


async def test_agents_are_lent_for_the_channel_on_which_the_wait_is_long(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"expected": "100s", "lend": "sales"}])
    await desk.own_agent_is_busy()
    for _ in range(3):
        await desk.chat(0)
    # One agent, four chats at once, 90 seconds each: whoever comes next waits 4/4 of that, then 5/4.
    assert await desk.lent(1, channel=Channel.CHAT) == 0
    await desk.chat(1)
    assert await desk.lent(2, channel=Channel.CHAT) == 1


async def test_nobody_is_lent_because_mail_waits_for_long_as_it_does(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"expected": "100s", "lend": "sales"}])
    await desk.own_agent_is_busy()
    floor = desk.office.floor
    for number in range(10):
        mail = Arrival(Channel.EMAIL, f"mail/{number}", None, None)
        await interactions.arrive(floor.log, mail, queue=floor.queue, queued=True, node=None, now=NOW)
    assert await desk.lent(1) == 0
    assert await desk.lent(1, channel=Channel.EMAIL) == 0
    for _ in range(2):
        await arrive(floor.log, queue=floor.queue)
    assert await desk.lent(2) == 1


async def test_what_is_no_call_overflows_too(pool: Pool) -> None:
    desk = await a_desk(pool)
    ident = await desk.chat(0)
    for second in (1, 45, 60, 61):
        await desk.at(second)
    assert [kind for kind, _ in await desk.what(ident)] == ["treatment", "moved"]
    assert desk.state.waiting[ident].queue == desk.sales


async def test_a_channel_on_which_all_have_come_in_one_language_has_an_expected_wait(pool: Pool) -> None:
    desk = await a_desk(pool, rules=[{"expected": "20s", "treatment": "voicemail"}], language=2)
    await desk.own_agent_is_busy()
    ident = await desk.chat(0, language="zh")
    await desk.at(1)
    # Of four chats at once, 90 seconds each, it is the first, and the next would be the second.
    assert desk.office.waits.for_next(desk.office.floor.queue, Channel.CHAT) == 45
    assert await desk.what(ident) == [("treatment", "support: expected over 20s: voicemail")]


async def test_a_long_expected_wait_lends_at_once_what_another_rule_lends_later(pool: Pool) -> None:
    rules = [{"after": "60s", "lend": "sales"}, {"expected": "80s", "lend": "sales"}]
    desk = await a_desk(pool, rules=rules)
    floor = desk.office.floor
    await desk.own_agent_is_busy()
    assert await desk.lent(1) == 1  # by the first rule, for what has waited a minute
    ident = await arrive(floor.log, queue=floor.queue, now=later(1))
    assert list(decide(desk.state, later(1.5))) == []
    assert await desk.lent(2) == 1
    assert next(decide(desk.state, later(2))).interaction == ident
