"""A whole server keeps contracts and the value of customers by itself, and tickets follow."""

import asyncio
from datetime import timedelta
from typing import Any

from callcenter import toml
from callcenter.actions import organisation
from callcenter.app import clock
from callcenter.domain.organisation_file import understand
from tests.builders import eventually
from tests.journeys.world import World, a_world

RULES = """
[value]
recency = ["30d", "90d", "180d", "365d"]
frequency = [2, 4, 8, 12]
monetary = [500, 2000, 5000, 20000]
tiers = { gold = 7 }
[[contracts]]
name = "care"
title = "Care plan"
age_shift = "10m"
[[sla_policies]]
name = "care"
when = { contract = "care" }
resolution = "2h"
[[sla_policies]]
name = "gold"
when = { tier = "gold" }
resolution = "4h"
[[sla_policies]]
name = "all"
resolution = "8h"
"""


async def test_orders_make_a_tier_and_a_contract_a_promise_for_tickets_that_are_open(database: str):
    async with a_world(database) as world:
        file = understand(toml.parse(RULES, "org.toml"), {})
        await organisation.apply(world.server.log, file, prune=False, actor=None, now=clock())
        customer = await world.ask("POST", "/customers", name="Ann", external_id="HB-1")
        ticket = await world.ask("POST", "/tickets", subject="No hot water", customer=customer["id"])
        today = clock().date().isoformat()
        order = {"number": "1", "external_id": "HB-1", "amount": "99", "currency": "CNY", "ordered_on": today}
        await world.ask("POST", "/orders", who="sue", items=[order])
        valued = await world.until("customer.valued", customer=customer["id"], stage="new")
        assert valued["data"]["tier"] == "gold"
        await _until_promised(world, ticket, 4)
        await world.ask("POST", "/contracts", who="sue", customer=customer["id"], kind="care", starts_on=today)
        await world.until("contract.began", customer=customer["id"])
        await _until_promised(world, ticket, 2)


async def test_who_waits_comes_first_once_a_service_contract_begins(database: str):
    async with a_world(database) as world:
        file = understand(toml.parse(RULES, "org.toml"), {})
        await organisation.apply(world.server.log, file, prune=False, actor=None, now=clock())
        ann = await world.ask(
            "POST", "/customers", name="Ann", addresses=[{"kind": "phone", "value": "+8613800138001"}]
        )
        await world.call(caller="+8613800138000")
        await world.until("interaction.queued")
        await world.call(caller="+8613800138001")
        waiting = (await world.until("interaction.queued", customer=ann["id"]))["interaction"]
        assert (await world.wait_of(waiting))["position"] == 2
        today = clock().date().isoformat()
        await world.ask("POST", "/contracts", who="sue", customer=ann["id"], kind="care", starts_on=today)
        told = await world.until("interaction.revalued", customer=ann["id"], contract=600)
        assert told["interaction"] == waiting

        async def is_first() -> bool:
            return bool((await world.wait_of(waiting))["position"] == 1)

        await eventually(is_first)


async def _until_promised(world: World, ticket: dict[str, Any], hours: int) -> None:
    """No event says that a clock runs on under another target."""
    query, target = "select target from sla_clock where ticket_id = $1 and clock = 'resolution'", None
    async with asyncio.timeout(20):
        while target != timedelta(hours=hours):
            target = await world.pool.fetchval(query, ticket["id"])
