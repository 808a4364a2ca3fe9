"""Service contracts: what they promise tickets, what is done for them by itself, and when they end."""

import asyncio
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter import toml
from callcenter.actions import contracts, customers, organisation, sla, tickets
from callcenter.actions.contracts import NewContract
from callcenter.domain.contract import Period, Quota, Unit
from callcenter.domain.organisation_file import understand
from callcenter.domain.sla import ClockName
from callcenter.errors import Conflict, Invalid
from callcenter.store import contracts as store
from callcenter.store import sla as clocks
from callcenter.store.directory import Directory
from tests.builders import NOW, later, make_customer

DAY = 86_400
TODAY = NOW.date()
ORGANISATION = """
[organisation]
timezone = "Asia/Shanghai"
[[hours]]
name = "office"
timezone = "Asia/Shanghai"
weekly = { tue = ["09:00-18:00"], wed = ["09:00-18:00"] }
[[users]]
name = "amy"
full_name = "Amy"
role = "agent"
endpoint = "PJSIP/1001"
[[users]]
name = "sue"
full_name = "Sue"
role = "supervisor"
[[queues]]
name = "support"
members = ["amy"]
[[queues]]
name = "service"
members = ["amy"]
[[sla_policies]]
name = "care"
when = { contract = "care" }
resolution = "4h"
[[sla_policies]]
name = "gold"
when = { tier = "gold" }
resolution = "10h"
[[sla_policies]]
name = "all"
resolution = "40h"
[[contracts]]
name = "care"
title = "Care plan"
quota = { cases = 2, per = "month" }
visits = { every = "3 months", ahead = "14d", subject = "Visit", queue = "service", category = "maintenance" }
renewal = { before = "30d", subject = "Renewal", queue = "support" }
[[contracts]]
name = "kitchen"
title = "Kitchens"
hours = "office"
queues = ["support"]
categories = ["hardware"]
age_shift = "10m"
[[contracts]]
name = "rush"
title = "Rush"
age_shift = "15m"
"""


class House:
    """The actions, and what is done by itself."""

    def __init__(self, log, directory) -> None:
        self.log = log
        self.directory = directory
        self.pool = log.pool

    @property
    def zone(self):
        return ZoneInfo(self.directory.organisation.timezone)

    async def make(self, customer, *, kind="care", starts_on=TODAY, ends_on=None, at=0, **more):
        given = NewContract(customer=customer, kind=kind, starts_on=starts_on, ends_on=ends_on, **more)
        ident = await contracts.create(self.log, given, zone=self.zone, actor=None, now=later(at))
        await self.settle(at)
        return ident

    async def change(self, contract, at, **changes):
        await contracts.change(
            self.log, contract, changes=changes, version=None, zone=self.zone, actor=None, now=later(at)
        )
        await self.settle(at)

    async def open(self, customer, at=0, **more):
        given: dict[str, Any] = {
            "subject": "No hot water",
            "interaction": None,
            "queue": None,
            "priority": "normal",
            "text": None,
        }
        given |= {"actor": None, "now": later(at), "customer": customer}
        return await tickets.open_ticket(self.log, **{**given, **more})

    async def settle(self, at):
        """All that is due, as the loops of a server do it."""
        now = later(at)
        while await contracts.perform_due(self.log, self.directory, now=now):
            pass
        async with asyncio.timeout(30):
            # Other tests' transactions may hold it back.
            while await contracts.review(self.log, now=now) >= 0:
                pass
        while await sla.sweep(self.log, self.directory, now=now):
            pass

    async def target(self, ticket):
        found = await clocks.clocks_of(self.pool, [ticket.id])
        [clock] = [clock for clock in found[ticket.id] if clock.clock is ClockName.RESOLUTION]
        return clock.target / timedelta(hours=1)

    async def card(self, customer, at=0):
        [card] = await store.cards(self.pool, customer, now=later(at))
        return card

    async def duties(self, contract):
        return [tuple(row) for row in await self.pool.fetch(
            "select what, day, late from contract_duty where contract_id = $1 order by what, day", contract
        )]  # fmt: skip

    async def kinds(self):
        rows = await self.pool.fetch("select kind from contact_log where kind like 'contract.%' order by seq")
        return [row["kind"] for row in rows]


async def a_house(log, pool):
    house = House(log, Directory(pool))
    file = understand(toml.parse(ORGANISATION, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=NOW)
    await house.directory.load()
    return house


@pytest.fixture
async def house(log, pool):
    return await a_house(log, pool)


async def test_a_ticket_is_promised_what_its_customers_contract_says(house):
    customer, other = await make_customer(house.pool), await make_customer(house.pool)
    await house.make(customer)
    assert await house.target(await house.open(customer)) == 4
    assert await house.target(await house.open(other)) == 40


async def test_a_contract_made_or_changed_recomputes_the_open_tickets_at_once(house):
    customer = await make_customer(house.pool)
    ticket = await house.open(customer)
    assert await house.target(ticket) == 40
    contract = await house.make(customer, at=60)
    assert await house.target(ticket) == 4
    await house.change(contract, 120, targets={ClockName.RESOLUTION: timedelta(hours=2)})
    assert await house.target(ticket) == 2
    await contracts.cancel(house.log, contract, version=None, actor=None, now=later(180))
    await house.settle(180)
    assert await house.target(ticket) == 40
    assert (await house.card(customer, 180))["state"] == "cancelled"


async def test_the_end_of_a_contract_recomputes_what_is_running_and_its_beginning_too(house):
    customer = await make_customer(house.pool)
    ticket = await house.open(customer)
    tomorrow = TODAY + timedelta(days=1)
    await house.make(customer, starts_on=tomorrow, ends_on=tomorrow)
    assert await house.target(ticket) == 40
    # Midnight in Shanghai is 16:00 UTC: half past eight and seven and a half hours.
    await house.settle(7.5 * 3600 - 1)
    assert await house.target(ticket) == 40
    await house.settle(7.5 * 3600)
    assert await house.target(ticket) == 4
    await house.settle(31.5 * 3600)
    assert await house.target(ticket) == 40
    assert await house.kinds() == ["contract.made", "contract.began", "contract.renewal_due", "contract.ended"]


async def test_a_change_of_tier_recomputes_open_tickets_and_leaves_others_alone(house):
    customer, other = await make_customer(house.pool), await make_customer(house.pool)
    ticket, stranger = await house.open(customer), await house.open(other)
    await customers.update(house.log, customer, changes={"tier": "gold"}, version=None, actor=None, now=later(60))
    await house.settle(60)
    assert await house.target(ticket) == 10
    assert await house.target(stranger) == 40
    written = await house.pool.fetchval("select count(*) from contact_log where kind like 'sla.%'")
    await house.settle(61)
    assert await house.pool.fetchval("select count(*) from contact_log where kind like 'sla.%'") == written


async def test_a_ticket_opened_while_the_tier_changes_gets_the_new_one(house):
    customer = await make_customer(house.pool)
    async with house.log.transaction() as slow:
        ticket = await tickets.open_ticket(
            slow, subject="Slow", customer=customer, interaction=None, queue=None, priority="normal", text=None,
            actor=None, now=NOW,
        )  # fmt: skip
        # It has read the old tier, and nobody sees it yet.
        await customers.update(house.log, customer, changes={"tier": "gold"}, version=None, actor=None, now=later(1))
        assert await contracts.review(house.log, now=later(1)) == 0
        assert await contracts.review(house.log, now=later(1)) == 0
    await house.settle(2)
    assert await house.target(ticket) == 10


async def test_a_ticket_in_somebodys_hands_waits_for_its_turn_without_holding_up_anybody(house):
    customer = await make_customer(house.pool)
    first, second = await house.open(customer), await house.open(customer)
    await customers.update(house.log, customer, changes={"tier": "gold"}, version=None, actor=None, now=later(1))
    async with house.log.transaction() as tx:
        await tx.lock_ticket(first.id)
        async with asyncio.timeout(20):
            await contracts.review(house.log, now=later(1))
            assert await contracts.review(house.log, now=later(1)) == 0
    await house.settle(2)
    assert [await house.target(each) for each in (first, second)] == [10, 10]


async def test_servers_that_review_and_sweep_at_once_do_it_once_and_without_deadlocks(house):
    people = [await make_customer(house.pool) for _ in range(8)]
    opened = [await house.open(customer) for customer in people for _ in range(3)]

    async def server():
        for _ in range(30):
            await contracts.review(house.log, now=later(5))
            await sla.sweep(house.log, house.directory, now=later(5), limit=3)

    async def people_change():
        for customer in people:
            for tier in ("silver", "gold"):
                await customers.update(
                    house.log, customer, changes={"tier": tier}, version=None, actor=None, now=later(5)
                )

    async def agents_act():
        for ticket in reversed(opened):
            await tickets.reply(house.log, ticket.id, text="…", public=False, actor=None, now=later(5))

    async with asyncio.timeout(60):
        await asyncio.gather(server(), server(), server(), people_change(), agents_act())
    await house.settle(6)
    assert {await house.target(ticket) for ticket in opened} == {10}
    assert await house.pool.fetchval("select count(*) from promise_review") == 0


async def test_scope_and_hours_decide_which_tickets_a_contract_is_about(house):
    customer = await make_customer(house.pool)
    await house.make(customer, kind="kitchen", targets={ClockName.RESOLUTION: timedelta(hours=9)})
    queue = house.directory.queue_named("support").id
    covered = await house.open(customer, queue=queue, category="hardware/kettle")
    assert await house.target(covered) == 9
    assert await house.target(await house.open(customer, queue=queue, category="billing")) == 40
    assert await house.target(await house.open(customer, category="hardware")) == 40
    found = (await clocks.clocks_of(house.pool, [covered.id]))[covered.id][-1]
    # 16:30 in Shanghai: an hour and a half are left of today's office hours, and seven and a half of tomorrow's.
    assert found.due_at == later(DAY)


async def test_cases_count_once_in_the_period_in_which_they_were_opened(house):
    customer = await make_customer(house.pool)
    before = await house.open(customer)
    contract = await house.make(customer, starts_on=TODAY, at=60)
    assert (await house.card(customer))["used"] == 1  # opened on the contract's first day
    one = await house.open(customer, 120)
    await tickets.change(house.log, one.id, changes={"priority": "high"}, version=None, actor=None, now=later(130))
    await tickets.change(house.log, before.id, changes={"state": "resolved"}, version=None, actor=None, now=later(140))
    card = await house.card(customer, 200)
    assert (card["used"], card["quota"], card["state"]) == (2, {"cases": 2, "per": "month"}, "in_force")
    assert (await house.card(customer, 31 * DAY))["used"] == 0
    await house.change(contract, 300, quota=Quota(9, Unit.CASES, Period.TERM))
    assert (await house.card(customer, 31 * DAY))["used"] == 2


async def test_visits_are_planned_once_however_many_servers_run_and_late_after_a_pause(house):
    customer = await make_customer(house.pool)
    contract = await house.make(customer, ends_on=TODAY + timedelta(days=400))
    assert await house.duties(contract) == []
    at = 200 * DAY  # nobody was here for half a year
    done = await asyncio.gather(*(contracts.perform_due(house.log, house.directory, now=later(at)) for _ in range(4)))
    assert sum(done) == 1
    visits = [("visit", date(2026, 6, 10), True), ("visit", date(2026, 9, 10), True)]
    assert await house.duties(contract) == visits
    await house.settle(at)
    assert await house.duties(contract) == visits
    rows = await house.pool.fetch("select subject, category, (select name from queue where id = queue_id) from ticket")
    assert [tuple(row) for row in rows] == [
        ("Visit: Care plan (2026-06-10)", "maintenance", "service"),
        ("Visit: Care plan (2026-09-10)", "maintenance", "service"),
    ]
    # A visit that we plan is no case of theirs.
    assert (await house.card(customer, at))["used"] == 0
    await house.settle(261 * DAY)
    assert (await house.duties(contract))[-1] == ("visit", date(2026, 12, 10), True)


async def test_who_owns_a_contract_is_reminded_once_before_each_end(house):
    customer = await make_customer(house.pool)
    amy = house.directory.user_named("amy").id
    ends = TODAY + timedelta(days=60)
    contract = await house.make(customer, ends_on=ends, owner=amy)
    for at in (29, 31, 31, 32):
        await house.settle(at * DAY)
    assert await house.duties(contract) == [("renewal", ends, True)]
    [notice] = await house.pool.fetch("select user_id, kind from notice")
    assert tuple(notice) == (amy, "task_assigned")
    [owner] = await house.pool.fetch("select owner_id from ticket")
    assert owner["owner_id"] == amy
    await house.change(contract, 33 * DAY, ends_on=ends + timedelta(days=60))
    await house.settle(95 * DAY)
    assert [day for what, day, _ in await house.duties(contract) if what == "renewal"] == [
        ends, ends + timedelta(days=60),
    ]  # fmt: skip


async def test_a_contract_entered_after_its_end_does_nothing_by_itself(house):
    customer = await make_customer(house.pool)
    contract = await house.make(customer, starts_on=date(2024, 1, 1), ends_on=date(2025, 1, 1))
    assert await house.duties(contract) == []
    assert await house.pool.fetchval("select next_at from contract") is None


async def test_bad_terms_are_refused_with_words(house):
    customer = await make_customer(house.pool)
    with pytest.raises(Invalid, match="its first day or later"):
        await house.make(customer, ends_on=TODAY - timedelta(days=1))
    with pytest.raises(Invalid, match="no kind of contract named plus"):
        await house.make(customer, kind="plus")
    with pytest.raises(Invalid, match="own is longer than resolution"):
        await house.make(
            customer, targets={ClockName.OWN: timedelta(hours=2), ClockName.RESOLUTION: timedelta(hours=1)}
        )
    with pytest.raises(Invalid, match="no customer 999"):
        await house.make(999)
    await house.make(customer, external_id="C-1")
    with pytest.raises(Conflict, match="C-1"):
        await house.make(customer, external_id="C-1")
