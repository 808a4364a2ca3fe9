"""The pool: what it lends, to how many, and what it does not lend again."""

import asyncio

import asyncpg
import pytest

from callcenter.store.db import connect, connect_pool


async def test_a_returned_connection_is_the_next_one_that_is_lent(database):
    async with await connect_pool(database, min_size=1, max_size=4) as pool:
        sessions = {await pool.fetchval("select pg_backend_pid()") for _ in range(5)}
        assert len(sessions) == 1


async def test_more_users_than_connections_all_have_their_turn(database):
    async with await connect_pool(database, min_size=1, max_size=2) as pool:

        async def use(number):
            if number % 3 == 0:
                async with pool.acquire() as connection, connection.transaction():
                    return await connection.fetchval("select $1::int", number)
            return await pool.fetchval("select $1::int", number)

        async with asyncio.timeout(20):
            assert await asyncio.gather(*(use(number) for number in range(100))) == list(range(100))
        own = "datname = current_database() and application_name = 'callcenter'"
        assert await pool.fetchval(f"select count(*) from pg_stat_activity where {own}") <= 3


async def test_a_user_who_was_cancelled_leaves_room_for_the_next(database):
    async with await connect_pool(database, min_size=1, max_size=1) as pool:
        working = asyncio.create_task(pool.fetchval("select pg_sleep(60)"))
        waiting = asyncio.create_task(pool.fetchval("select 1"))
        await asyncio.wait([working], timeout=0.1)
        waiting.cancel()
        working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
        async with asyncio.timeout(20):
            assert await pool.fetchval("select 2") == 2


async def test_a_transaction_that_was_left_open_is_not_lent_on(database):
    async with await connect_pool(database, min_size=1, max_size=1) as pool:
        async with pool.acquire() as connection:
            await connection.execute("begin")
        async with pool.acquire() as connection:
            assert not connection.is_in_transaction()


async def test_what_failed_half_way_leaves_nothing_to_the_next(database):
    async with await connect_pool(database, min_size=1, max_size=1) as pool:
        await pool.execute("create table kept (n int)")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await _write_and_fail(pool)
        opening = asyncio.create_task(_open_a_transaction(pool))
        await asyncio.wait([opening], timeout=0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("insert into kept values (2)")
        other = await connect(database)
        assert [row["n"] for row in await other.fetch("select n from kept")] == [2]
        await other.close()


async def _write_and_fail(pool):
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("insert into kept values (1)")
        await connection.fetchval("select 1 / 0")


async def _open_a_transaction(pool):
    async with pool.acquire() as connection:
        await connection.transaction().start()
        await connection.fetchval("select pg_sleep(60)")


async def test_a_connection_that_was_closed_is_replaced(database):
    async with await connect_pool(database, min_size=1, max_size=1) as pool:
        await pool.fetchval("select 1")
        async with pool.acquire() as connection:
            await connection.close()
        assert await pool.fetchval("select 2") == 2


async def test_closing_waits_for_who_is_at_work_and_lends_no_more(database):
    pool = await connect_pool(database, min_size=1, max_size=2)
    working = asyncio.create_task(pool.fetchval("select 3 from pg_sleep(0.1)"))
    await asyncio.wait([working], timeout=0.02)
    await pool.close()
    assert await working == 3
    with pytest.raises(asyncpg.InterfaceError):
        await pool.fetchval("select 1")
