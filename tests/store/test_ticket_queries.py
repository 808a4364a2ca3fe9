"""Tickets are found by an index by all that they may be, however many there are."""

import json

import asyncpg

from callcenter.store.ticket_family import SQL
from callcenter.store.ticket_filter import Filter, statement

TICKETS = """
insert into users (name, full_name, role) values ('amy', 'Amy', 'agent');
insert into customer (name) select 'c' || n from generate_series(1, 2000) n;
insert into ticket (number, subject, created_at, updated_at, customer_id, customers, tags, followers, fields,
    merged_into, parent_id)
select n, 'x', now(), now(), 1 + n % 2000,
       case when n % 50 = 0 then array[(n % 1999) + 1]::bigint[] else '{}' end,
       case when n % 10 = 0 then array['t' || n % 300] else '{}' end,
       case when n % 20 = 0 then array[1]::bigint[] else '{}' end,
       case when n % 5 = 0 then jsonb_build_object('serial', 'A' || n) else '{}' end,
       case when n % 100 = 0 then n - 1 end, case when n % 100 = 1 and n > 1 then n - 1 end
from generate_series(1, 20000) n;
insert into ticket_history (ticket_id, version, field, before, after, at)
select id, v, 'subject', '"x"', '"y"', now() from ticket, generate_series(2, 4) v where id % 10 = 0;
insert into ticket_relation (low_id, high_id, kind, created_at)
select n, n + 1, 'related', now() from generate_series(1, 19999) n;
"""
BIG = ("ticket", "ticket_history", "ticket_relation")


def look(node: dict[str, object], indexes: set[str]) -> None:
    whole = node["Node Type"] == "Seq Scan" and node.get("Relation Name") in BIG
    assert not whole, f"reads the whole table: {node}"
    if "Index Name" in node:
        indexes.add(str(node["Index Name"]))
    for child in node.get("Plans", ()):  # type: ignore[attr-defined]
        look(child, indexes)


async def plan(db: asyncpg.Connection, sql: str, *args: object) -> set[str]:
    found = await db.fetchval(f"explain (format json) {sql}", *args)
    indexes: set[str] = set()
    look((json.loads(found) if isinstance(found, str) else found)[0]["Plan"], indexes)
    return indexes


async def test_each_condition_and_each_query_of_a_tickets_kin_finds_its_rows_by_an_index(db: asyncpg.Connection):
    await db.execute(TICKETS)
    await db.execute("analyze")
    for wanted, index in [
        (Filter(tag="t10"), "ticket_tags"),
        (Filter(follower=1), "ticket_followers"),
        (Filter(customer=7), "ticket_customers"),
        (Filter(values={"serial": "A5"}), "ticket_fields"),
        (Filter(parent=100), "ticket_parent"),
        (Filter(number=100), "ticket_number_key"),
        (Filter(state="open", tag="t10", values={"serial": "A10"}), "ticket_fields"),
        (Filter(), "ticket_pkey"),
    ]:
        sql, arguments = statement(wanted)
        assert index in await plan(db, sql, 10**9, 50, *arguments), wanted
    for sql, given, index in [
        (SQL.family, (500,), "ticket_relation_high"),
        (SQL.family, (500,), "ticket_merged"),
        (SQL.history, (500, 100, 50), "ticket_history_pkey"),
        (SQL.above, (101,), "ticket_pkey"),
        (SQL.open_below, (100,), "ticket_parent"),
        (SQL.with_number, (100,), "ticket_number_key"),
    ]:
        assert index in await plan(db, sql, *given), sql
