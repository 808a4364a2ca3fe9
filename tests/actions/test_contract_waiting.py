"""What waits looks older while its customer has a contract, and is seen with what the customer has become."""

from datetime import timedelta
from typing import Any

import pytest

from callcenter.actions import contracts, customers
from routing import snapshot
from tests.actions.test_contracts import DAY, TODAY, a_house
from tests.builders import NOW, arrive, later, make_customer


@pytest.fixture
async def house(log, pool):
    return await a_house(log, pool)


@pytest.mark.parametrize(("key", "value"), [("tier", "gold"), ("language", "fr")])
async def test_work_that_waits_is_seen_by_the_router_with_the_new_tier_and_language(house, key, value):
    customer = await make_customer(house.pool, phone="+8613800138000")
    queue = house.directory.queue_named("support").id
    interaction = await arrive(house.log, queue=queue)
    said: list[Any] = []
    house.log.listen(said.extend)
    await customers.update(house.log, customer, changes={key: value}, version=None, actor=None, now=later(1))
    await house.settle(1)
    [event] = [event for event in said if event.kind == "interaction.revalued"]
    assert (event.interaction, event.data[key], event.data["state"]) == (interaction, value, "queued")


async def test_work_that_waits_looks_older_while_a_contract_is_in_force(house):
    customer = await make_customer(house.pool, phone="+8613800138000")
    queue = house.directory.queue_named("support").id
    interaction = await arrive(house.log, queue=queue)
    said: list[Any] = []
    house.log.listen(said.extend)

    async def seen():
        """By the events, and by whoever loads what the router knows."""
        told = [event.data["contract"] for event in said if event.kind == "interaction.revalued"]
        state = await snapshot.load(house.pool, require_console=True, day_began=NOW)
        assert state.waiting[interaction].contract == timedelta(seconds=told[-1] or 0)
        return told[-1]

    care = await house.make(customer, kind="care", at=1)
    assert await seen() is None
    await house.make(customer, kind="kitchen", at=2, ends_on=TODAY)
    assert await seen() == 600
    rush = await house.make(customer, kind="rush", at=3)
    assert await seen() == 900
    await contracts.cancel(house.log, rush, version=None, actor=None, now=later(4))
    await house.settle(4)
    assert await seen() == 600
    await house.settle(2 * DAY)
    assert await seen() is None
    await house.change(care, 2 * DAY, kind="rush")
    assert await seen() == 900


async def test_work_of_a_customer_with_a_contract_arrives_older_and_a_coming_contract_counts_for_nothing(house):
    customer = await make_customer(house.pool, phone="+8613800138000")
    queue = house.directory.queue_named("support").id
    said: list[Any] = []
    house.log.listen(said.extend)
    await house.make(customer, kind="rush", starts_on=TODAY + timedelta(days=1))
    await arrive(house.log, queue=queue)
    assert "contract" not in said[-1].data
    await house.make(customer, kind="kitchen")
    interaction = await arrive(house.log, queue=queue)
    assert said[-1].data["contract"] == 600
    state = await snapshot.load(house.pool, require_console=True, day_began=NOW)
    assert state.waiting[interaction].contract == timedelta(minutes=10)
