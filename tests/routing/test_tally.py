"""What counts for the strategies that share work out by what the day has brought."""

from datetime import timedelta
from typing import Any

import pytest

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import ReservationState
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from routing import snapshot
from routing.state import RouterState
from routing.tally import Horizon, Tally
from tests.builders import NOW, arrive, later, make_queue, make_user, on_queue, reserve

YESTERDAY = NOW - timedelta(hours=1)


class Day:
    """Two agents and two queues that share out; what a router heard of the day, and what one that begins now reads."""

    def __init__(self, pool: Pool, agents: list[int], queues: list[int]) -> None:
        self.pool, self.agents, self.queues = pool, agents, queues
        self.log = ContactLog(pool)
        self.heard: RouterState
        self.events: list[Event] = []

    async def begin(self) -> None:
        for agent in self.agents:
            await on_queue(self.log, agent, now=YESTERDAY)
        self.heard = await self.read()
        self.log.listen(self.events.extend)

    async def read(self) -> RouterState:
        return await snapshot.load(self.pool, require_console=False, day_began=NOW)

    async def tally(self) -> tuple[dict[int, int], dict[tuple[int, int], Any]]:
        """Both, which are the same: also when the events come twice, and in another order."""
        fresh = (await self.read()).tally
        for event in (*self.events, *reversed(self.events)):
            self.heard.apply(event)
        assert (+self.heard.tally.served, self.heard.tally.turns) == (+fresh.served, fresh.turns)
        return dict(+fresh.served), fresh.turns

    async def answered(self, ident: int, agent: int, at: float) -> int:
        offer = await reserve(self.log, ident, agent, now=later(at))
        await interactions.answer(self.log, offer, now=later(at))
        return offer


@pytest.fixture
async def day(pool: Pool) -> Day:
    agents = [await make_user(pool, name) for name in ("amy", "ben")]
    queues = [
        await make_queue(pool, name, members=agents, strategy=strategy)
        for name, strategy in (("support", "round_robin"), ("billing", "fewest"))
    ]
    found = Day(pool, agents, queues)
    await found.begin()
    return found


async def test_what_came_before_the_day_began_and_is_answered_in_it_counts(day: Day) -> None:
    amy, _ = day.agents
    ident = await arrive(day.log, queue=day.queues[0], now=YESTERDAY)
    await day.answered(ident, amy, 5)
    assert await day.tally() == ({amy: 1}, {(day.queues[0], amy): later(5)})


async def test_a_turn_stays_with_the_queue_that_had_the_work_when_it_was_offered(day: Day) -> None:
    amy, ben = day.agents
    ident = await arrive(day.log, queue=day.queues[1])
    offer = await reserve(day.log, ident, amy, now=later(1))
    await interactions.return_to_queue(day.log, offer, state=ReservationState.REJECTED, reason="", now=later(2))
    await interactions.move(day.log, ident, queue=day.queues[0], priority=None, actor=ben, now=later(3))
    await day.answered(ident, ben, 4)
    assert await day.tally() == ({ben: 1}, {(day.queues[1], amy): later(1), (day.queues[0], ben): later(4)})


async def test_a_contact_taken_over_from_a_colleague_counts_and_is_no_turn(day: Day) -> None:
    amy, ben = day.agents
    ident = await arrive(day.log, queue=day.queues[0])
    await day.answered(ident, amy, 1)
    await interactions.transfer(day.log, ident, agent=ben, endpoint="PJSIP/1", leg="x", kind="blind", now=later(2))
    assert await day.tally() == ({amy: 1, ben: 1}, {(day.queues[0], amy): later(1)})


def answered(*, at: float = 0, xid: int = 1, epoch: int = 1) -> Event:
    return Event(
        1,
        xid,
        epoch,
        later(at),
        "interaction.answered",
        4,
        None,
        1,
        1,
        None,
        None,
        3,
        {"segment": 1, "state": "active"},
    )


def test_what_was_before_the_day_began_does_not_count() -> None:
    tally = Tally(since=NOW)
    assert tally.note(answered(at=-1)) is None
    assert tally.note(answered()) == 1


@pytest.mark.parametrize(
    ("xid", "epoch", "shown"),
    [
        (9, 2, True),
        (10, 2, True),
        (12, 2, False),
        (13, 2, True),
        (15, 2, False),
        (16, 2, False),
        (99, 1, True),
        (1, 3, False),
    ],
)
def test_a_snapshot_shows_what_was_committed_before_it(xid: int, epoch: int, shown: bool) -> None:
    assert Horizon.parse(2, "10:15:12,14").shows(answered(xid=xid, epoch=epoch)) is shown


def test_an_event_that_a_snapshot_shows_changes_nothing() -> None:
    state = RouterState([], require_console=False, horizon=Horizon.parse(1, "10:10:"))
    state.apply(answered(xid=9))
    assert not state.tally.served
    state.apply(answered(xid=10))
    assert state.tally.served == {1: 1}
