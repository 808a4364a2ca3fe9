"""What a customer's stage does: promises and rules ask for it."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from callcenter.actions import contracts, sla, tickets, value
from callcenter.domain.value import Stage
from callcenter.store import sla as clocks
from callcenter.store import value as store
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.toml import BadFile
from tests.actions.shop import PEOPLE, Shop
from tests.builders import later, make_customer

RULES = """
[value]
currency = "CNY"
recency = ["30d", "90d", "180d", "365d"]
frequency = [2, 4, 8, 12]
monetary = [500, 2000, 5000, 20000]
tiers = { gold = 12 }
churn = { categories = ["complaint"], complaints = 2, signals = 1 }
[[sla_policies]]
name = "staying"
when = { stage = "at_risk" }
resolution = "2h"
[[sla_policies]]
name = "all"
resolution = "40h"
[[triggers]]
name = "care"
on = "noted"
when = { stage = ["at_risk", "lapsed"] }
then = [{ priority = "urgent" }]
"""


@pytest.fixture
async def shop(log: ContactLog, pool: Pool) -> Shop:
    made = Shop(log, Directory(pool))
    await made.apply(PEOPLE + RULES)
    return made


async def settle(shop: Shop, at: float) -> None:
    """All that is due, as the loops of a server do it."""
    while await value.assess_due(shop.log, zone=ZoneInfo("Asia/Shanghai"), now=later(at)):
        pass
    async with asyncio.timeout(30):
        while await contracts.review(shop.log, now=later(at)) >= 0:
            pass
    while await sla.sweep(shop.log, shop.directory, now=later(at)):
        pass


async def promised(shop: Shop, ticket: int) -> timedelta:
    [clock] = (await clocks.clocks_of(shop.log.pool, [ticket]))[ticket]
    assert clock.target is not None
    return clock.target


async def note(shop: Shop, ticket: int, text: str) -> None:
    await tickets.reply(shop.log, ticket, public=False, text=text, actor=shop.user("amy"), now=later(90))


async def test_who_may_leave_is_promised_more_and_a_rule_hears_of_it(shop: Shop):
    customer = await make_customer(shop.log.pool)
    today = later(0).date()
    orders = [
        store.Order(f"O-{days}", customer, today - timedelta(days=days), Decimal(1000), "CNY") for days in (5, 40)
    ]
    await value.take_orders(shop.log, orders, actor=None, now=later(0))
    await settle(shop, 0)
    ticket = await shop.open(customer=customer)
    await note(shop, ticket.id, "Asked again.")
    assert (await promised(shop, ticket.id), (await shop.now(ticket)).priority) == (timedelta(hours=40), "normal")
    for _ in range(2):
        await shop.open(60, customer=customer, category="complaint")
    await value.ask(shop.log, [customer], now=later(60))
    await settle(shop, 60)
    found = await store.get(shop.log.pool, customer)
    assert found is not None
    assert found.stage == Stage.AT_RISK
    assert await promised(shop, ticket.id) == timedelta(hours=2)
    await note(shop, ticket.id, "Asked once more.")
    assert (await shop.now(ticket)).priority == "urgent"


@pytest.mark.parametrize("kind", ["sla_policies", "triggers"])
async def test_a_stage_that_there_is_not_is_refused_with_its_line(shop: Shop, kind: str):
    more = {"sla_policies": 'resolution = "1h"', "triggers": 'on = "noted"\nthen = [{ priority = "high" }]'}[kind]
    with pytest.raises(BadFile, match=r"line \d+.*at_risk"):
        await shop.apply(f'[[{kind}]]\nname = "odd"\nwhen = {{ stage = "gone" }}\n{more}')
