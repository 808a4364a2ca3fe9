"""Offered tickets and tasks wait by their customer's tier, contracts, language and agents, and by what these become."""

from datetime import timedelta
from typing import Any

import pytest

from callcenter.actions import customers, interactions, offered_work, tasks, tickets
from callcenter.domain.events import Event
from callcenter.store.rules import TaskPlan
from routing import snapshot
from tests.actions.test_contracts import a_house
from tests.builders import NOW, later, make_customer

TEN_MINUTES = timedelta(minutes=10)


class Offers:
    """A house whose queues offer what nobody has, and what the router hears of that."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.heard: list[Event] = []
        house.log.listen(self.heard.extend)

    async def settle(self, at: float) -> None:
        await self.house.settle(at)
        while await offered_work.reconcile_all(self.house.log, now=later(at)):
            pass

    async def open(self, customer: int | None, **more: Any) -> Any:
        ticket = await self.house.open(customer, queue=self.queue, **more)
        await self.settle(1)
        return ticket

    @property
    def queue(self) -> int:
        queue: int = self.house.directory.queue_named("support").id
        return queue

    async def waits(self) -> Any:
        """The only work there is, as its events tell it and as a router that begins now reads it: the same."""
        state = await snapshot.load(self.house.pool, require_console=True, day_began=NOW)
        [work] = state.waiting.values()
        told = [event for event in self.heard if event.interaction == work.interaction][-1]
        read = (work.tier, work.language, list(work.preferred), work.contract.total_seconds(), told.version)
        data = told.data
        told_so = (data["tier"], data["language"], data["preferred"] or [], data["contract"] or 0, work.version)
        assert read == told_so
        return work


@pytest.fixture
async def offers(log, pool):
    house = await a_house(log, pool)
    await pool.execute("update queue set offers_tickets = true, offers_tasks = true")
    await house.directory.load()
    return Offers(house)


async def test_an_offered_ticket_waits_by_its_customers_tier_contract_and_language(offers):
    customer = await make_customer(offers.house.pool)
    await offers.house.pool.execute("update customer set tier = 'gold', language = 'fr'")
    await offers.house.make(customer, kind="kitchen")
    await offers.open(customer)
    work = await offers.waits()
    assert (work.channel, work.tier, work.language, work.contract) == ("ticket", "gold", "fr", TEN_MINUTES)


async def test_an_offered_ticket_of_nobodys_waits_by_its_time(offers):
    await offers.open(None)
    work = await offers.waits()
    assert (work.tier, work.language, work.contract, work.preferred) == (None, None, timedelta(), ())


async def test_an_offered_task_waits_by_the_customer_of_its_ticket(offers, pool):
    customer = await make_customer(pool)
    await pool.execute("update customer set tier = 'gold'")
    ticket = await offers.house.open(customer)
    plan = TaskPlan(title="Send the cheque", assignee="queue:support")
    await tasks.open_task(
        offers.house.log, offers.house.directory, plan=plan, ticket=ticket.id, actor=None, now=later(0)
    )
    await offers.settle(1)
    work = await offers.waits()
    assert (work.channel, work.tier) == ("task", "gold")


async def test_what_becomes_of_the_customer_becomes_of_what_waits(offers, pool):
    customer = await make_customer(pool)
    await offers.open(customer)
    assert ((await offers.waits()).tier, (await offers.waits()).contract) == (None, timedelta())
    await customers.update(offers.house.log, customer, changes={"tier": "gold"}, version=None, actor=None, now=later(2))
    await offers.settle(2)
    assert (await offers.waits()).tier == "gold"
    await offers.house.make(customer, kind="kitchen", at=3)
    assert (await offers.waits()).contract == TEN_MINUTES


async def test_a_ticket_that_gets_another_customer_waits_by_that_one(offers, pool):
    owner = offers.house.directory.user_named("amy").id
    await pool.execute("update queue set prefer = 'owner'")
    await offers.house.directory.load()
    someone = await make_customer(pool)
    await pool.execute("update customer set tier = 'gold', owner_id = $1", owner)
    ticket = await offers.open(None)
    assert (await offers.waits()).tier is None
    async with offers.house.log.transaction() as tx:
        await tx.lock_ticket(ticket.id)
        await tickets.change(tx, ticket.id, changes={"customer": someone}, version=None, actor=None, now=later(2))
    await offers.settle(2)
    work = await offers.waits()
    assert (work.tier, work.preferred, work.preferred_as) == ("gold", (owner,), "owner")
    assert [event.kind for event in offers.heard if event.interaction == work.interaction][-1] == "interaction.revalued"


async def test_a_task_follows_its_ticket_when_only_the_ticket_is_looked_at(offers, pool):
    ticket = await offers.house.open(None)
    plan = TaskPlan(title="Send the cheque", assignee="queue:support")
    await tasks.open_task(
        offers.house.log, offers.house.directory, plan=plan, ticket=ticket.id, actor=None, now=later(0)
    )
    await offers.settle(1)
    async with offers.house.log.transaction() as tx:
        await tx.lock_ticket(ticket.id)
        await tickets.change(tx, ticket.id, changes={"priority": "urgent"}, version=None, actor=None, now=later(2))
    await offered_work.reconcile(offers.house.log, tickets=[ticket.id], tasks=[], now=later(2))
    assert (await offers.waits()).priority == 240


async def test_an_offered_ticket_waits_for_its_customers_owner_though_nobody_is_named_as_its_own(offers, pool):
    owner = offers.house.directory.user_named("amy").id
    await pool.execute("update queue set prefer = 'owner'")
    await offers.house.directory.load()
    someone = await make_customer(pool)
    await pool.execute("update customer set owner_id = $1", owner)
    await offers.open(someone)
    work = await offers.waits()
    await interactions.identify(offers.house.log, work.interaction, customer=None, actor=owner, now=later(2))
    assert (await offers.waits()).preferred == (owner,)
