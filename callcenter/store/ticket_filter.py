"""Tickets that are looked for by what they are; a statement of only those conditions that are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from callcenter.store.pool import Pool
from callcenter.store.tickets import Ticket, ticket_of

# Conditions that an index finds rows by.
_BY_INDEX = {
    "customer": "(t.customer_id = {0} or (t.customers <> '{{}}' and t.customers @> array[{0}::bigint]))",
    # The number of a ticket that was merged finds the one in which its case goes on.
    "number": "t.id = (with recursive way as (select id, merged_into from ticket where number = {0} "
    "union all select n.id, n.merged_into from way join ticket n on n.id = way.merged_into) "
    "select id from way where merged_into is null)",
    "tag": "t.tags <> '{{}}' and t.tags @> array[{0}::text]",
    "follower": "t.followers <> '{{}}' and t.followers @> array[{0}::bigint]",
    "values": "t.fields <> '{{}}' and t.fields @> {0}::jsonb",
    "parent": "t.parent_id = {0}",
}
_BY_ROW = {
    "state": "t.state = {0}",
    "priority": "t.priority = {0}",
    "queue": "t.queue_id = {0}",
    "owner": "t.owner_id = {0}",
    "type": "t.type = {0}",
    "category": "(t.category = {0} or starts_with(t.category, {0} || '/'))",
}
_COLUMNS = """t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id,
    t.created_at, t.updated_at, t.closed_at, t.version, t.type, t.tags, t.followers, t.customers, t.fields, t.parent_id,
    t.merged_into, coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}')
    as interactions"""


@dataclass(frozen=True, slots=True)
class Filter:
    """None leaves a condition out. `customer`: who asked, or another one of the ticket; `category`: or one below it.

    `values`: of the organisation's own fields.
    """

    state: str | None = None
    priority: str | None = None
    queue: int | None = None
    owner: int | None = None
    customer: int | None = None
    number: int | None = None
    type: str | None = None
    category: str | None = None
    tag: str | None = None
    follower: int | None = None
    parent: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


async def find(pool: Pool, wanted: Filter, *, below: int, limit: int) -> Sequence[Ticket]:
    """The newest first, of those with ids below."""
    sql, arguments = statement(wanted)
    return [ticket_of(row) for row in await pool.fetch(sql, below, limit, *arguments)]


def statement(wanted: Filter) -> tuple[str, list[object]]:
    """Its first two arguments are the id to go on below and the limit; the others are answered with it."""
    arguments: list[object] = []
    rows = ["t.id < $1"]
    indexed = False
    for name in (each.name for each in fields(Filter)):
        value = getattr(wanted, name)
        if value is None or value == {}:
            continue
        arguments.append(value)
        indexed = indexed or name in _BY_INDEX
        rows.append((_BY_INDEX.get(name) or _BY_ROW[name]).format(f"${len(arguments) + 2}"))
    where, source, found = " and ".join(rows), "ticket t", ""
    if indexed:
        # Apart from order and limit: a plan is made once for all values (store/db.py), and for the sake of the limit it
        # would walk all tickets, the newest first, whatever is rare.
        found = f"with t as materialized (select t.* from ticket t where {where}) "  # noqa: S608
        source, where = "t", "true"
    return f"{found}select {_COLUMNS} from {source} where {where} order by t.id desc limit $2", arguments  # noqa: S608
