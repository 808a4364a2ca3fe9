"""A database that tests use one after the other is as new for each of them."""

import pytest

from callcenter.store.db import connect
from tests.databases import LARGEST, Databases


@pytest.fixture
def own(databases: Databases) -> Databases:
    """Give databases that no other test has used."""
    return Databases(databases.dsn_of, databases.template, databases.pristine)


async def leave(databases: Databases, statement: str) -> str:
    async with databases.one() as dsn:
        conn = await connect(dsn)
        await conn.execute(statement)
        await conn.close()
    return dsn


async def test_rows_sequences_and_what_the_migrations_wrote_are_put_back(own: Databases) -> None:
    used = await leave(
        own,
        "insert into customer (name) values ('Mei');"
        "update organisation set name = 'Another'; delete from schema_migration",
    )
    try:
        async with own.one() as dsn:
            assert dsn == used
            conn = await connect(dsn)
            assert await conn.fetchval("select count(*) from customer") == 0
            assert await conn.fetchval("select name from organisation") != "Another"
            assert await conn.fetchval("select count(*) from schema_migration") > 0
            assert await conn.fetchval("insert into customer (name) values ('Bo') returning id") == 1
            await conn.close()
    finally:
        await own.close()


@pytest.mark.parametrize(
    "statement",
    [
        "create table kept (n int)",
        "alter table customer alter column name set default 'x'",
        "alter table customer rename to people",
        "drop index interaction_open",
        "create function one() returns integer language sql as 'select 1'",
        "insert into customer (name) select 'x' from generate_series(1, 100); analyze customer",
        f"insert into customer (name, note) select 'x', repeat('x', 1500) from generate_series(1, {LARGEST // 1500})",
    ],
    ids=["table", "default", "name", "index", "function", "statistics", "size"],
)
async def test_what_cannot_be_put_back_is_dropped(own: Databases, statement: str) -> None:
    await leave(own, statement)
    assert own.clean == []


async def test_a_connection_that_was_left_open_is_ended(own: Databases) -> None:
    async with own.one() as dsn:
        left = await connect(dsn)
        await left.execute("begin; lock table customer")
    assert len(own.clean) == 1
    left.terminate()
    await own.close()
