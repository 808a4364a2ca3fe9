"""What customers are worth: rows in, rows out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from callcenter.domain.value import Assessment, Cuts, Figures, Method, Points, Stage, ValueRules
from callcenter.store.contract_kinds import rules_of
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)

_FIGURES = tuple(each.name for each in fields(Figures))


@dataclass(frozen=True, slots=True)
class Order:
    """`number` is another system's; `customer` an id, `record` that of the record it named, perhaps merged since."""

    number: str
    customer: int
    ordered_on: date
    amount: Decimal
    currency: str
    record: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer with what was known of their value until now. `tier`: the one in force."""

    customer: int
    version: int
    tier: str | None
    due_at: datetime | None
    revision: int
    hand_tier: str | None
    hand_until: datetime | None
    stage: Stage | None
    stage_at: datetime | None
    figures: Figures

    def is_due(self, revision: int, now: datetime) -> bool:
        return self.revision < revision or (self.due_at is not None and self.due_at <= now)


async def standing(connection: Connection, customers: Sequence[int], rules: ValueRules, today: date) -> list[Standing]:
    """In the order of their ids."""
    lately = today - rules.churn.within
    rows = await connection.fetch(
        SQL.standing, customers, today, today - rules.within, lately, lately - rules.churn.within,
        rules.lapsed_after.days, rules.all_rates(), list(rules.churn.categories),
    )  # fmt: skip
    return [_standing(row) for row in rows]


def _standing(row: asyncpg.Record) -> Standing:
    return Standing(
        customer=row["id"],
        version=row["version"],
        tier=row["tier"],
        due_at=row["due_at"],
        revision=row["revision"],
        hand_tier=row["hand_tier"],
        hand_until=row["hand_until"],
        stage=None if row["stage"] is None else Stage(row["stage"]),
        stage_at=row["stage_at"],
        figures=Figures(**{name: row[name] for name in _FIGURES}),
    )


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a customer. `found` None: there are no rules. `due_at`: when they are to be looked at again."""

    before: Standing
    found: Assessment | None
    tier: str | None
    due_at: datetime | None
    currency: str = ""

    @property
    def tells(self) -> bool:
        stage = None if self.found is None else self.found.stage
        return self.tier != self.before.tier or stage is not self.before.stage


def put_row(move: Move, *, revision: int, now: datetime) -> tuple[object, ...]:
    """The arguments of the query `put`."""
    before, found = move.before, move.found
    if found is None:
        return (before.customer, move.due_at, now, *(None,) * 6, {}, [], revision)
    kept = {name: value for name in _FIGURES if (value := getattr(before.figures, name))}
    since = before.stage_at if before.stage is found.stage else now
    if kept:
        kept["currency"] = move.currency
    earned = found.points
    return (
        before.customer, move.due_at, now, earned.recency, earned.frequency, earned.monetary, found.tier, found.stage,
        since, kept, [signal.value for signal in found.signals], revision,
    )  # fmt: skip


async def rules(connection: Connection | Pool) -> tuple[ValueRules | None, int]:
    """Those in force, and the count of their changes. None: tiers are set by hand alone."""
    row = await connection.fetchrow(SQL.rules)
    assert row is not None
    return rules_of(row["value"]), row["value_revision"]


async def cuts(connection: Connection, rules: ValueRules, today: date) -> Cuts:
    """The marks in force; of quantiles those of the last night, worked out by whoever comes first on a day."""
    if rules.method is Method.THRESHOLDS:
        return rules.cuts
    names = ("recency", "frequency", "monetary")
    kept = await connection.fetchval(SQL.cuts)
    if kept is None or kept["on"] != today.isoformat():
        row = await connection.fetchrow(SQL.fifths, today, today - rules.within, rules.all_rates())
        assert row is not None
        kept = {"on": today.isoformat(), **{name: list(row[name] or ()) for name in names}}
        await connection.execute(SQL.keep_cuts, kept)
    return Cuts(*(tuple(kept[name]) for name in names))


async def put_orders(connection: Connection, orders: Iterable[Order]) -> list[tuple[int, bool]]:
    """Of the orders that are new or changed: the customer, and whether it is new."""
    columns: tuple[list[Any], ...] = ([], [], [], [], [], [])
    for order in orders:
        values = (order.number, order.customer, order.record, order.ordered_on, order.amount, order.currency)
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    rows = await connection.fetch(SQL.put_orders, *columns)
    return [(row["customer_id"], row["added"]) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What is known of a customer's value. `hand_*`: who set the tier by hand, why, until when."""

    customer: int
    tier: str | None
    rule_tier: str | None = None
    hand_tier: str | None = None
    hand_reason: str | None = None
    hand_until: datetime | None = None
    hand_by: str | None = None
    hand_at: datetime | None = None
    points: Points | None = None
    stage: Stage | None = None
    stage_at: datetime | None = None
    figures: dict[str, Any]
    signals: Sequence[str] = ()
    assessed_at: datetime | None = None


async def get(pool: Pool, customer: int) -> Value | None:
    """None when nothing is known of it."""
    row = await pool.fetchrow(SQL.value, customer)
    if row is None:
        return None
    return Value(
        customer=customer,
        tier=row["tier"],
        rule_tier=row["rule_tier"],
        hand_tier=row["hand_tier"],
        hand_reason=row["hand_reason"],
        hand_until=row["hand_until"],
        hand_by=row["hand_by"],
        hand_at=row["hand_at"],
        points=None if row["recency"] is None else Points(row["recency"], row["frequency"], row["monetary"]),
        stage=None if row["stage"] is None else Stage(row["stage"]),
        stage_at=row["stage_at"],
        figures=row["figures"],
        signals=row["signals"],
        assessed_at=row["assessed_at"],
    )
