"""Migrations: once each, in order, by one program at a time, and never with a file that was changed."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from callcenter.errors import Invalid
from callcenter.store.db import connect
from callcenter.store.migrate import Source, dump_schema, migrate, our_source, pending
from callcenter.store.queries import ROOT


@pytest.fixture
def source(tmp_path):
    source = Source(migrations=tmp_path / "migrations", functions=tmp_path / "functions")
    source.migrations.mkdir()
    source.functions.mkdir()
    return source


@pytest.fixture
async def conn(empty_database):
    conn = await connect(empty_database)
    yield conn
    await conn.close()


def write(folder: Path, name: str, sql: str) -> None:
    (folder / name).write_text(sql, encoding="utf-8")


async def test_nothing_to_do_is_no_error(conn, source):
    assert await migrate(conn, source) == ["functions"]
    assert await migrate(conn, source) == []


async def test_pending_names_what_migrate_then_applies_in_order(conn, source):
    write(source.migrations, "0002_more.sql", "alter table thing add column colour text;")
    write(source.migrations, "0001_thing.sql", "create table thing (id bigint); insert into thing values (1);")
    write(source.migrations, "schema.sql", "this is not a migration")
    write(
        source.functions,
        "10_paint.sql",
        "create or replace function hue() returns text language sql as $$select colour from thing$$;",
    )
    names = ["0001_thing", "0002_more", "functions"]
    assert await pending(conn, source) == names
    assert await migrate(conn, source) == names
    assert await pending(conn, source) == []
    assert await conn.fetchval("select hue()") is None


async def test_a_file_that_fails_leaves_nothing_behind_and_names_its_line(conn, source):
    write(source.migrations, "0001_bad.sql", "create table thing (id bigint);\n\nselect no_such_column;\n")
    with pytest.raises(Invalid, match=r"0001_bad\.sql line 3: .*no_such_column"):
        await migrate(conn, source)
    assert await conn.fetchval("select to_regclass('thing')") is None
    assert await pending(conn, source) == ["0001_bad", "functions"]


async def test_a_changed_file_is_refused(conn, source):
    write(source.migrations, "0001_thing.sql", "create table thing (id bigint);")
    await migrate(conn, source)
    write(source.migrations, "0001_thing.sql", "create table thing (id integer);")
    with pytest.raises(Invalid, match="0001_thing was changed after it was applied"):
        await migrate(conn, source)
    with pytest.raises(Invalid, match="was changed"):
        await pending(conn, source)


async def test_a_database_newer_than_the_program_is_refused(conn, source):
    write(source.migrations, "0001_thing.sql", "create table thing (id bigint);")
    write(source.migrations, "0002_later.sql", "alter table thing add column later text;")
    await migrate(conn, source)
    (source.migrations / "0002_later.sql").unlink()
    with pytest.raises(Invalid, match=r"newer than this program.*0002_later"):
        await pending(conn, source)


async def test_a_marked_file_builds_its_index_outside_a_transaction(conn, source):
    write(source.migrations, "0001_thing.sql", "create table thing (id bigint);")
    write(
        source.migrations,
        "0002_index.sql",
        "-- migrate: concurrently\ncreate index concurrently thing_id on thing (id);",
    )
    assert await migrate(conn, source) == ["0001_thing", "0002_index", "functions"]
    assert await conn.fetchval("select indisvalid from pg_index where indexrelid = 'thing_id'::regclass")


async def test_programs_that_migrate_at_once_apply_each_file_once(empty_database, source):
    write(source.migrations, "0001_thing.sql", "create table thing (id bigint); insert into thing values (1);")
    write(
        source.migrations,
        "0002_index.sql",
        "-- migrate: concurrently\ncreate index concurrently thing_id on thing (id);",
    )
    conns = [await connect(empty_database) for _ in range(4)]
    try:
        done = await asyncio.gather(*(migrate(conn, source) for conn in conns))
        assert sorted(done) == [[], [], [], ["0001_thing", "0002_index", "functions"]]
        assert await conns[0].fetchval("select count(*) from thing") == 1
    finally:
        await asyncio.gather(*(conn.close() for conn in conns))


async def test_changed_functions_replace_the_old_ones_with_their_types_and_none_is_left_over(conn, source):
    write(source.functions, "10_a.sql", "create or replace function a() returns integer language sql as 'select 1';")
    write(source.functions, "20_b.sql", "create or replace function b() returns integer language sql as 'select a()';")
    await migrate(conn, source)
    write(source.functions, "10_a.sql", "create or replace function a() returns text language sql as $$select 'one'$$;")
    (source.functions / "20_b.sql").unlink()
    assert await pending(conn, source) == ["functions"]
    assert await migrate(conn, source) == ["functions"]
    assert await conn.fetchval("select a()") == "one"
    assert await conn.fetchval("select to_regprocedure('b()')") is None


async def test_a_function_that_a_default_leans_on_is_replaced_in_place(conn, source):
    write(source.migrations, "0001_word.sql", "create function word() returns text language sql as $$select 'old'$$;")
    write(
        source.functions,
        "10_word.sql",
        "create or replace function word() returns text language sql as $$select 'new'$$;",
    )
    await migrate(conn, source)
    write(source.migrations, "0002_said.sql", "create table said (word text default word());")
    write(
        source.functions,
        "10_word.sql",
        "create or replace function word() returns text language sql as $$select 'newer'$$;",
    )
    await migrate(conn, source)
    assert await conn.fetchval("insert into said default values returning word") == "newer"


async def test_functions_without_a_migration_keep_the_sessions_limits(conn, source):
    before = await conn.fetchval("show statement_timeout")
    await migrate(conn, source)
    assert await conn.fetchval("show statement_timeout") == before


def test_every_migration_of_ours_has_a_number_of_its_own():
    numbers = [path.name[:4] for path in our_source().numbered()]
    assert len(numbers) == len(set(numbers))
    assert all(
        path.name == "schema.sql" or path in our_source().numbered() for path in (ROOT / "migrations").glob("*.sql")
    )


async def test_schema_sql_is_what_the_migrations_make(db: asyncpg.Connection):
    assert (ROOT / "migrations" / "schema.sql").read_text(encoding="utf-8") == await dump_schema(db), (
        "run `make schema` and read the difference"
    )


async def test_a_dump_reads_like_sql_and_leaves_months_out(conn, source):
    write(
        source.migrations,
        "0001_thing.sql",
        "create table thing (id bigint generated always as identity primary key,"
        " word text not null default 'x', at timestamptz);"
        "create table part (at timestamptz not null) partition by range (at);"
        "create table part_2026_01 partition of part for values from ('2026-01-01') to ('2026-02-01');"
        "create index thing_word on thing (word) where word <> '';",
    )
    await migrate(conn, source)
    assert await dump_schema(conn) == (
        "-- Generated from the migrations: read this, change those.\n\n"
        "create table part (\n    at timestamptz not null\n) partition by RANGE (at);\n\n"
        "create table thing (\n    id bigint generated always as identity,\n    word text default 'x' not null,\n"
        "    at timestamptz,\n"
        "    constraint thing_pkey PRIMARY KEY (id)\n);\n"
        "CREATE INDEX thing_word ON thing USING btree (word) WHERE (word <> '');\n"
    )
