"""Kinds of contracts and the rules for value, as an organisation file declares them: rows in, rows out."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from callcenter.domain.contract import parse_quota, write_quota
from callcenter.domain.contract_keys import ValueTable
from callcenter.domain.contract_text import value_table
from callcenter.domain.organisation import ContractKind
from callcenter.domain.value import ValueRules
from callcenter.store.contracts import renewal_of, visits_of, write_renewal, write_visits
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read(connection: Connection) -> tuple[ContractKind, ...]:
    return tuple(_kind(row) for row in await connection.fetch(SQL.kinds))


def _kind(row: asyncpg.Record) -> ContractKind:
    return ContractKind(
        name=row["name"],
        title=row["title"],
        hours=row["hours"],
        quota=parse_quota(row["quota"]),
        visits=visits_of(row["visits"]),
        renewal=renewal_of(row["renewal"]),
        queues=tuple(row["queues"]),
        categories=tuple(row["categories"]),
        products=tuple(row["products"]),
        age_shift=row["age_shift"],
    )


async def put(connection: Connection, kinds: Sequence[ContractKind]) -> None:
    for kind in kinds:
        await connection.execute(
            SQL.put,
            kind.name,
            kind.title,
            kind.hours,
            None if kind.quota is None else write_quota(kind.quota),
            write_visits(kind.visits),
            write_renewal(kind.renewal),
            list(kind.queues),
            list(kind.categories),
            list(kind.products),
            kind.age_shift,
        )


async def read_value(connection: Connection) -> ValueRules | None:
    """None: tiers are set by hand alone."""
    return rules_of(await connection.fetchval(SQL.value))


def rules_of(kept: Mapping[str, Any] | None) -> ValueRules | None:
    """As the table organisation has them."""
    return None if kept is None else ValueTable.model_validate(kept).rules()


async def put_value(connection: Connection, rules: ValueRules | None) -> None:
    await connection.execute(SQL.put_value, None if rules is None else value_table(rules))
