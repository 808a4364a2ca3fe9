"""Service contracts: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from callcenter.domain.contract import Duties, Quota, Renewal, Visits, parse_quota, write_quota
from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.sla import ClockName
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """`kind` by name, customer and owner by id. What is None of targets, quota and scope is as the kind has it."""

    id: int
    external_id: str | None
    customer: int
    kind: str
    title: str
    name: str
    owner: int | None
    owner_name: str | None
    note: str | None
    starts_on: date
    ends_on: date | None
    starts_at: datetime
    ends_at: datetime | None
    targets: Mapping[ClockName, timedelta] | None
    quota: Quota | None
    queues: tuple[str, ...] | None
    categories: tuple[str, ...] | None
    products: tuple[str, ...] | None
    created_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    cancelled_at: datetime | None
    next_at: datetime | None
    version: int
    visits: Visits | None
    renewal: Renewal | None

    def duties(self, *, planned_to: date | None, reminded: bool) -> Duties:
        return Duties(
            starts_on=self.starts_on,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            since=max(self.created_at, self.starts_at),
            visits=self.visits,
            renewal=self.renewal if self.cancelled_at is None else None,
            planned_to=planned_to,
            begun=self.begun_at is not None,
            reminded=reminded,
            ended=self.ended_at is not None,
        )


def _contract(row: asyncpg.Record) -> Contract:
    targets = row["targets"]
    return Contract(
        id=row["id"],
        external_id=row["external_id"],
        customer=row["customer_id"],
        kind=row["kind"],
        title=row["title"],
        name=row["name"],
        owner=row["owner_id"],
        owner_name=row["owner"],
        note=row["note"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        targets=None if targets is None else {ClockName(name): parse_duration(each) for name, each in targets.items()},
        quota=parse_quota(row["quota"]),
        queues=_words(row["queues"]),
        categories=_words(row["categories"]),
        products=_words(row["products"]),
        created_at=row["created_at"],
        begun_at=row["begun_at"],
        ended_at=row["ended_at"],
        cancelled_at=row["cancelled_at"],
        next_at=row["next_at"],
        version=row["version"],
        visits=visits_of(row["kind_visits"]),
        renewal=renewal_of(row["kind_renewal"]),
    )


def _words(kept: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if kept is None else tuple(kept)


def visits_of(kept: Mapping[str, Any] | None) -> Visits | None:
    """As the table contract_kind has it."""
    if kept is None:
        return None
    return Visits(
        every=kept.get("every"),
        rule=kept.get("rule"),
        ahead=parse_duration(kept["ahead"]),
        subject=kept["subject"],
        queue=kept.get("queue"),
        category=kept.get("category"),
        priority=kept["priority"],
    )


def write_visits(visits: Visits | None) -> dict[str, str] | None:
    if visits is None:
        return None
    kept = {
        "every": visits.every,
        "rule": visits.rule,
        "ahead": format_duration(visits.ahead),
        "subject": visits.subject,
        "queue": visits.queue,
        "category": visits.category,
        "priority": visits.priority,
    }
    return {key: value for key, value in kept.items() if value is not None}


def renewal_of(kept: Mapping[str, Any] | None) -> Renewal | None:
    """As the table contract_kind has it."""
    return None if kept is None else Renewal(parse_duration(kept["before"]), kept["subject"], kept.get("queue"))


def write_renewal(renewal: Renewal | None) -> dict[str, str] | None:
    if renewal is None:
        return None
    kept = {"before": format_duration(renewal.before), "subject": renewal.subject, "queue": renewal.queue}
    return {key: value for key, value in kept.items() if value is not None}


async def get(connection: Connection | Pool, ident: int) -> Contract:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.contract, ident)
    if row is None:
        raise NotFound(f"There is no contract {ident}.")
    return _contract(row)


@dataclass(frozen=True, slots=True)
class Filter:
    """None leaves a condition out; `state` is the one at the moment that is asked about."""

    customer: int | None = None
    kind: str | None = None
    state: str | None = None
    ends_before: datetime | None = None


async def find(pool: Pool, wanted: Filter, *, now: datetime, below: int, limit: int) -> list[Contract]:
    """The newest first, of those with ids below."""
    rows = await pool.fetch(SQL.list, below, wanted.customer, wanted.kind, wanted.state, now, wanted.ends_before, limit)
    return [_contract(row) for row in rows]


async def cards(pool: Pool, customer: int, *, now: datetime) -> list[dict[str, Any]]:
    """A customer's contracts as whoever speaks with them sees them: those in force first."""
    found: list[dict[str, Any]] = orjson.loads(await pool.fetchval(SQL.cards, customer, now))
    return found


def terms_row(
    targets: Mapping[ClockName, timedelta] | None, quota: Quota | None, scope: Sequence[Sequence[str] | None]
) -> tuple[object, ...]:
    """Part of the arguments of the queries `add` and `change`; scope: queues, categories, products."""
    return (
        None if targets is None else {clock.value: format_duration(target) for clock, target in targets.items()},
        None if quota is None else write_quota(quota),
        *(None if words is None else list(words) for words in scope),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What a contract gives in the end. `used` of the quota in the period from `begins_on` until before `next_on`."""

    queues: Sequence[str]
    categories: Sequence[str]
    products: Sequence[str]
    hours: str | None
    quota: Quota | None
    used: int | None
    begins_on: date | None
    next_on: date | None


async def entitlements(pool: Pool, contracts: Sequence[int], *, now: datetime) -> dict[int, Entitlement]:
    """By contract."""
    return {
        row["id"]: Entitlement(
            queues=row["queues"],
            categories=row["categories"],
            products=row["products"],
            hours=row["hours"],
            quota=parse_quota(row["quota"]),
            used=row["used"],
            begins_on=row["begins_on"],
            next_on=row["next_on"],
        )
        for row in await pool.fetch(SQL.entitlements, contracts, now)
    }
