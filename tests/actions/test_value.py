"""Tiers and stages by the rules of the organisation file, and by hand."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter import toml
from callcenter.actions import customers, organisation, tickets, value
from callcenter.domain.organisation_file import understand
from callcenter.domain.value import Stage
from callcenter.errors import Invalid, NotFound
from callcenter.store import value as store
from callcenter.store.value import Order
from callcenter.toml import BadFile
from tests.builders import NOW, eventually, later, make_customer, make_user

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = NOW.date()
DAY = 86_400
RULES = """
[organisation]
timezone = "Asia/Shanghai"
[value]
currency = "CNY"
rates = { USD = 7.0 }
recency = ["30d", "90d", "180d", "365d"]
frequency = [2, 4, 8, 12]
monetary = [500, 2000, 5000, 20000]
tiers = { gold = 12, silver = 9 }
churn = { categories = ["complaint"], complaints = 2, signals = 1 }
"""


class Shop:
    def __init__(self, log) -> None:
        self.log = log
        self.pool = log.pool
        self.numbers = iter(range(1, 10_000))

    async def apply(self, text: str = RULES, *, prune: bool = False) -> None:
        file = understand(toml.parse(text, "org.toml"), {})
        await organisation.apply(self.log, file, prune=prune, actor=None, now=NOW)

    async def buy(self, customer: int, *ago: int, amount: str = "1000", currency: str = "CNY", at: float = 0):
        today = later(at).date()
        orders = [
            Order(f"O-{next(self.numbers)}", customer, today - timedelta(days=days), Decimal(amount), currency)
            for days in ago
        ]
        return await value.take_orders(self.log, orders, actor=None, now=later(at))

    async def settle(self, at: float = 0) -> None:
        while await value.assess_due(self.log, zone=ZONE, now=later(at)):
            pass

    async def of(self, customer: int) -> store.Value:
        found = await store.get(self.pool, customer)
        assert found is not None
        return found

    async def told(self) -> list[tuple[int, object, object]]:
        rows = await self.pool.fetch(
            "select customer_id, data from contact_log where kind = 'customer.valued' order by seq"
        )
        return [(row["customer_id"], row["data"]["tier"], row["data"]["stage"]) for row in rows]


@pytest.fixture
async def shop(log):
    made = Shop(log)
    await made.apply()
    return made


async def test_orders_make_a_tier_and_a_stage_with_a_row_in_the_log(shop):
    customer = await make_customer(shop.pool)
    await shop.buy(customer, 5, 40, 80, 120, 200, 300, amount="2000")
    await shop.settle()
    found = await shop.of(customer)
    assert (found.tier, found.stage, found.points.total) == ("gold", Stage.ACTIVE, 12)
    assert found.figures["orders"] == 6
    assert await shop.told() == [(customer, "gold", "active")]
    await shop.settle(1)
    assert len(await shop.told()) == 1


async def test_an_order_that_comes_while_its_customer_is_looked_at_is_not_overlooked(shop):
    customer = await make_customer(shop.pool)
    await value.ask(shop.log, [customer], now=NOW)
    async with shop.pool.acquire() as buyer:
        async with buyer.transaction():
            await store.put_orders(buyer, [Order("O-1", customer, TODAY, Decimal(1000), "CNY")])
            await buyer.execute(store.SQL.ask, [customer], NOW)
            looking = asyncio.create_task(value.assess_due(shop.log, zone=ZONE, now=NOW))

            async def waits() -> bool:
                query = "select exists (select from pg_locks where not granted) as waits"
                return bool(await shop.pool.fetchval(query))

            await eventually(waits)
        assert await looking == 1
    assert (await shop.of(customer)).stage == Stage.NEW


async def test_an_order_counts_once_however_often_it_is_imported(shop):
    customer = await make_customer(shop.pool)
    order = Order("A-1", customer, TODAY, Decimal("99.50"), "CNY")
    assert await value.take_orders(shop.log, [order, order], actor=None, now=NOW) == (1, 0)
    assert await value.take_orders(shop.log, [order], actor=None, now=NOW) == (0, 0)
    dearer = Order("A-1", customer, TODAY, Decimal("199.50"), "CNY")
    assert await value.take_orders(shop.log, [dearer], actor=None, now=NOW) == (0, 1)
    await shop.settle()
    assert (await shop.of(customer)).figures["spent"] == 199.5


async def test_other_currencies_count_by_their_rate_and_unknown_ones_not_at_all(shop):
    customer = await make_customer(shop.pool)
    await shop.buy(customer, 1, amount="100", currency="USD")
    await shop.buy(customer, 1, amount="100", currency="EUR")
    await shop.settle()
    found = await shop.of(customer)
    assert (found.figures["spent"], found.figures["orders"]) == (700, 2)


async def test_what_is_set_by_hand_wins_with_its_reason_until_its_end(shop):
    customer, sue = await make_customer(shop.pool), await make_user(shop.pool, "sue", role="supervisor")
    until = later(2 * DAY)
    await value.set_tier(
        shop.log, customer, tier="gold", reason="The mayor", until=until, actor=sue, now=NOW
    )  # fmt: skip
    await shop.buy(customer, 10)
    await shop.settle()
    found = await shop.of(customer)
    assert (found.tier, found.rule_tier, found.hand_reason, found.hand_by) == ("gold", None, "The mayor", "sue")
    await shop.settle(2 * DAY - 1)
    assert (await shop.of(customer)).tier == "gold"
    await shop.settle(2 * DAY)
    found = await shop.of(customer)
    assert (found.tier, found.hand_tier) == (None, None)


async def test_a_tier_in_the_customers_record_is_by_hand_and_taking_it_away_lets_the_rules_decide(shop):
    customer = await make_customer(shop.pool)
    await shop.buy(customer, 5, 40, 80, 120, 200, 300, amount="2000")
    await customers.update(shop.log, customer, changes={"tier": "silver"}, version=None, actor=None, now=NOW)
    await shop.settle()
    assert (await shop.of(customer)).tier == "silver"
    await customers.update(shop.log, customer, changes={"tier": None}, version=None, actor=None, now=later(1))
    await shop.settle(1)
    assert (await shop.of(customer)).tier == "gold"


async def test_a_tier_by_hand_wants_a_reason_and_an_end_that_is_to_come(shop):
    customer = await make_customer(shop.pool)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"tier": "gold", "reason": None}, "reason"),
        ({"tier": "gold", "reason": "x", "until": NOW}, "until"),
        ({"tier": "g" * 60, "reason": "x"}, "tier"),
    ]
    for given, field in cases:
        with pytest.raises(Invalid) as caught:
            await value.set_tier(shop.log, customer, actor=None, now=NOW, **{"until": None, **given})
        assert caught.value.field == field
    with pytest.raises(NotFound):
        await value.set_tier(shop.log, 999, tier="gold", reason="x", until=None, actor=None, now=NOW)


async def test_complaints_put_a_customer_at_risk_and_the_tree_below_counts(shop):
    customer = await make_customer(shop.pool)
    await shop.buy(customer, 70, 20)
    for category in ("complaint", "complaint/delivery"):
        await tickets.open_ticket(
            shop.log, subject="No", customer=customer, interaction=None, queue=None, priority="normal", text=None,
            actor=None, now=NOW, category=category,
        )  # fmt: skip
    await shop.settle()
    found = await shop.of(customer)
    assert (found.stage, found.signals) == (Stage.AT_RISK, ["complaints"])


async def test_every_night_each_is_looked_at_again_and_stages_change_by_themselves(shop):
    customer = await make_customer(shop.pool)
    await shop.buy(customer, 10)
    await shop.settle()
    stages = [(await shop.of(customer)).stage]
    for days in (60, 175, 360):
        await shop.settle(days * DAY)
        stages.append((await shop.of(customer)).stage)
    assert stages == [Stage.NEW, Stage.ACTIVE, Stage.AT_RISK, Stage.LAPSED]
    await shop.buy(customer, 0, at=400 * DAY)
    await shop.settle(400 * DAY)
    assert (await shop.of(customer)).stage is Stage.WON_BACK


async def test_other_rules_look_at_everybody_anew_and_no_rules_leave_what_is_by_hand(shop):
    customer, other = await make_customer(shop.pool), await make_customer(shop.pool)
    await shop.buy(customer, 5)
    await value.set_tier(shop.log, other, tier="gold", reason="x", until=None, actor=None, now=NOW)
    await shop.settle()
    assert (await shop.of(customer)).tier is None
    await shop.apply(RULES.replace("silver = 9", "silver = 8"))
    await shop.settle()
    assert (await shop.of(customer)).tier == "silver"
    await shop.apply('[organisation]\ntimezone = "Asia/Shanghai"\n', prune=True)
    await shop.settle()
    assert [(await shop.of(each)).tier for each in (customer, other)] == [None, "gold"]
    assert (await shop.of(customer)).stage is None


async def test_quantiles_part_customers_into_fifths(shop):
    await shop.apply('[value]\nmethod = "quantiles"\ntiers = { gold = 14, silver = 9 }\n')
    people = [await make_customer(shop.pool) for _ in range(10)]
    for place, customer in enumerate(people, 1):
        await shop.buy(customer, *range(100 - place * 9, 100 - place * 9 + place), amount=str(place * 100))
    await shop.settle()
    tiers = [(await shop.of(customer)).tier for customer in people]
    assert tiers[-1] == "gold"
    assert tiers[0] is None
    assert tiers == sorted(tiers, key=[None, "silver", "gold"].index)


async def test_servers_at_once_work_each_customer_out_once(shop):
    people = [await make_customer(shop.pool) for _ in range(30)]
    for customer in people:
        await shop.buy(customer, 5, amount="100")

    async def server():
        for _ in range(20):
            await value.assess_due(shop.log, zone=ZONE, now=NOW, limit=7)

    async def shoppers():
        for customer in reversed(people):
            await customers.update(shop.log, customer, changes={"note": "!"}, version=None, actor=None, now=NOW)
            await shop.buy(customer, 6, amount="100")

    async with asyncio.timeout(60):
        await asyncio.gather(server(), server(), server(), shoppers())
    await shop.settle()
    assert sorted(await shop.told()) == [(customer, None, "new") for customer in people]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("frequency = [2, 4, 8, 12]", "frequency = [2, 2]", "above the one before"),
        ('recency = ["30d", "90d", "180d", "365d"]', 'recency = ["30d", "3d"]', "each longer than the one before"),
        ("tiers = { gold = 12, silver = 9 }", "tiers = { gold = 99 }", "15"),
        ("tiers = { gold = 12, silver = 9 }", 'method = "quantiles"', "leave recency, frequency and monetary out"),
        ('currency = "CNY"', 'currency = "yuan"', "currency"),
        ('currency = "CNY"', 'lapsed_after = "10d"', "lapsed_after must be longer"),
        ('currency = "CNY"', "colour = 1", "colour"),
    ],
)
async def test_bad_rules_are_refused_with_line_and_words(old, new, words):
    with pytest.raises(BadFile, match=words) as caught:
        understand(toml.parse(RULES.replace(old, new), "org.toml"), {})
    assert "line" in str(caught.value)


async def test_rules_read_back_as_they_were_written(shop, pool):
    async with pool.acquire() as connection:
        text = await organisation.export(connection)
        file = understand(toml.parse(text, "org.toml"), {})
        assert (await organisation.plan(connection, file, prune=True)).empty
