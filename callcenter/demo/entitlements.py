"""What the demo's customers bought in three years, what it made of them, and the contracts that some of them have."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from callcenter.actions import contracts, value
from callcenter.actions.contracts import NewContract
from callcenter.actions.order_import import MOST_ORDERS
from callcenter.demo.people import Person
from callcenter.domain.agent import Role
from callcenter.domain.contract import Period, Quota, Unit
from callcenter.store.contracts import SQL as CONTRACTS
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.queries import Queries
from callcenter.store.value import Order

_SQL = Queries(Path(__file__).with_suffix(".sql"))

# From so many days before today until so many after it: in force, ending soon, over, and still to come.
_TERMS = ((300, 430), (340, 22), (420, 310), (365, -18), (150, 580), (-9, 739), (700, 12), (90, 275))
# How the regular, the occasional and the rest buy: how many orders, in how many days, the last at least so long ago.
_HABITS = {"gold": (9, 20, 364, 0), "silver": (3, 8, 364, 5), None: (1, 4, 1000, 20)}


def invent_orders(people: Sequence[Person], *, until: date, seed: int) -> Iterator[Order]:
    """Some buy all the time, some stopped lately, some came back after years; many never bought from us."""
    dice = Random(seed)  # noqa: S311 - a story, no secret
    numbers = count(1)
    for person in people:
        for ago in _days(person, dice):
            day = until - timedelta(days=ago)
            amount = Decimal(round(dice.lognormvariate(6.6, 0.8), 2)).quantize(Decimal("0.01"))
            yield Order(f"SO-{day:%y%m}-{next(numbers):06}", person.number, day, amount, "CNY")


def _days(person: Person, dice: Random) -> list[int]:
    fewest, most, back, last = _HABITS.get(person.tier, _HABITS[None])
    days = [dice.randrange(last, back) for _ in range(dice.randint(fewest, most))]
    if person.tier is not None:
        # Every eighth of the good ones is on the way out.
        return [ago for ago in days if ago > 95] + [dice.randrange(95, 180)] * 4 if dice.random() < 0.12 else days
    match dice.random():
        case chance if chance < 0.45:
            return []
        case chance if chance < 0.55:
            return [dice.randrange(40), *(dice.randrange(450, 1100) for _ in range(3))]
        case _:
            return days


async def make_entitlements(
    log: ContactLog, directory: Directory, people: Sequence[Person], *, seed: int, now: datetime
) -> None:
    """Orders, what the rules make of them, some tiers by hand, contracts of the kinds that the file declares."""
    zone = ZoneInfo(directory.organisation.timezone)
    today = now.astimezone(zone).date()
    orders = list(invent_orders(people, until=today, seed=seed))
    for begin in range(0, len(orders), MOST_ORDERS):
        await value.take_orders(log, orders[begin : begin + MOST_ORDERS], actor=None, now=now)
    boss = next((user.id for user in directory.users.values() if user.role is Role.SUPERVISOR), None)
    reasons = ("Opened our first shop abroad with us", "老板的中学老师", "A year of patience with model 3")
    for person, reason in zip((each for each in people[1:] if each.tier is None), reasons, strict=False):
        until = now + timedelta(days=180)
        await value.set_tier(log, person.number, tier="gold", reason=reason, until=until, actor=boss, now=now)
    while await value.assess_due(log, zone=zone, now=now):
        pass
    await _make_contracts(log, zone, today, now=now)


async def _make_contracts(log: ContactLog, zone: ZoneInfo, today: date, *, now: datetime) -> None:
    kinds = {row["name"] for row in await log.pool.fetch(CONTRACTS.kinds)}
    for kind, query in (("kitchen_care", _SQL.firms), ("home_plus", _SQL.homes)):
        if kind not in kinds:
            continue
        customers = await log.pool.fetch(query, len(_TERMS))
        for place, (row, (past, ahead)) in enumerate(zip(customers, _TERMS, strict=False)):
            given = NewContract(
                customer=row["id"],
                kind=kind,
                external_id=f"{kind[:1].upper()}C-{today.year}-{place + 1:03}",
                starts_on=today - timedelta(days=past),
                ends_on=today + timedelta(days=ahead),
                owner=row["owner"],
                # One in four has used up what it gives.
                quota=Quota(1, Unit.CASES, Period.YEAR) if place % 4 == 2 else None,
            )
            await contracts.create(log, given, zone=zone, actor=None, now=now)
    await log.pool.execute(_SQL.count_past_cases)
