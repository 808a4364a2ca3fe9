"""Connections: the types they carry, the limits they set, the servers they refuse."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from callcenter.errors import Invalid
from callcenter.store.db import TRY_AGAIN, check_server, connect, connect_pool, retrying


async def test_json_values_go_in_and_come_out_as_python_values(db):
    value = {"word": "中文", "list": [1, 2.5, None, True]}
    assert await db.fetchval("select $1::jsonb", value) == value
    assert await db.fetchval("select $1::json", value) == value
    assert await db.fetchval("select null::jsonb") is None


async def test_transaction_ids_are_whole_numbers_both_ways(db):
    now = await db.fetchval("select pg_current_xact_id()")
    assert isinstance(now, int)
    assert await db.fetchval("select $1::xid8", 2**40) == 2**40


async def test_times_are_aware_and_in_utc(db):
    at = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
    assert await db.fetchval("select $1::timestamptz", at) == at
    assert await db.fetchval("show timezone") == "UTC"
    assert await db.fetchval("select interval '90 seconds'") == timedelta(seconds=90)


async def test_no_session_may_keep_a_transaction_open(database):
    pool = await connect_pool(database, min_size=1, max_size=2, application_name="limits")
    async with pool.acquire() as conn:
        assert await conn.fetchval("show idle_in_transaction_session_timeout") == "10s"
        assert await conn.fetchval("show statement_timeout") == "30s"
        assert await conn.fetchval("show application_name") == "limits"
        # Giving a connection back resets its settings; ours must be there for the next one too.
    async with pool.acquire() as conn:
        assert await conn.fetchval("show idle_in_transaction_session_timeout") == "10s"
        # Unknown to servers before 17.
        assert await conn.fetchval("select current_setting('transaction_timeout', true)") in ("1min", None)
    await pool.close()


async def test_a_database_that_is_not_utf8_is_refused_in_words(server, database):
    admin = await asyncpg.connect(server.dsn_of("postgres"))
    try:
        await admin.execute(
            "create database latin encoding 'LATIN1' locale 'C' template template0 locale_provider libc"
        )
        with pytest.raises(Invalid, match="encoding UTF8; it has LATIN1"):
            await check_server(server.dsn_of("latin"))
    finally:
        await admin.execute("drop database if exists latin with (force)")
        await admin.close()


async def test_a_server_out_of_reach_is_one_of_try_again(unused_tcp_port):
    with pytest.raises(TRY_AGAIN):
        await connect(f"postgresql://callcenter@127.0.0.1:{unused_tcp_port}/callcenter")
    with pytest.raises(TRY_AGAIN):
        await connect("postgresql://callcenter@/callcenter?host=/nowhere")


async def test_a_session_ended_by_the_server_is_one_of_try_again(database, db):
    conn = await connect(database)
    pid = conn.get_server_pid()
    waiting = asyncio.create_task(conn.fetchval("select pg_sleep(60)"))
    async with asyncio.timeout(20):
        while (
            await db.fetchval("select state from pg_stat_activity where pid = $1 and query like '%sleep%'", pid)
            != "active"
        ):
            pass
        await db.execute("select pg_terminate_backend($1)", pid)
        with pytest.raises(TRY_AGAIN):
            await waiting


async def test_an_idle_session_ended_by_the_server_is_one_of_try_again(database, db):
    pool = await connect_pool(database, min_size=1, max_size=1)
    async with pool.acquire() as conn:
        await db.execute("select pg_terminate_backend($1)", conn.get_server_pid())
        with pytest.raises(TRY_AGAIN):
            await conn.fetchval("select 1")
    assert await pool.fetchval("select 1") == 1
    await pool.close()


async def test_retrying_asks_again_until_it_is_answered():
    answers = [ConnectionRefusedError(), asyncpg.CannotConnectNowError(), 7]

    async def operation():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await retrying(operation, within=timedelta(seconds=5)) == 7
    assert not answers


async def test_retrying_gives_up_in_time_and_never_repeats_other_errors():
    calls = 0

    async def refused():
        nonlocal calls
        calls += 1
        raise ConnectionRefusedError

    async def wrong():
        nonlocal calls
        calls += 1
        raise asyncpg.DataError

    async with asyncio.timeout(20):
        with pytest.raises(ConnectionRefusedError):
            await retrying(refused, within=timedelta(seconds=0.2))
    assert calls == 3
    with pytest.raises(asyncpg.DataError):
        await retrying(wrong, within=timedelta(seconds=0.2))
    assert calls == 4
