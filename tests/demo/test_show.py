"""The demo from nothing: it makes what is missing once, calls are played to their end, and it stops in time."""

import asyncio
from datetime import timedelta

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from callcenter.demo.banner import banner
from callcenter.demo.company import read_file
from callcenter.demo.history import Size
from callcenter.demo.show import VISITOR, show
from callcenter.errors import Invalid
from callcenter.settings import Settings
from tests.builders import eventually, make_user

SMALL = Size(customers=30, interactions=120)


def settings_for(dsn: str, **more) -> Settings:
    return Settings(
        database_url=SecretStr(dsn), http_port=0, agi_port=0, smtp_port=0, node_name="demo", log_level="error", **more
    )


async def counts(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        tables = ("users", "queue", "customer", "interaction", "ticket")
        return {table: await connection.fetchval(f"select count(*) from {table}") for table in tables}
    finally:
        await connection.close()


async def test_a_first_start_makes_everything_and_a_second_one_finds_it(empty_database):
    told: list[str] = []
    settings = settings_for(empty_database)
    for _ in range(2):
        async with (
            show(settings, size=SMALL, traffic=False, speed=1, tell=told.append) as (server, _file),
            aiohttp.ClientSession() as session,
            session.get(f"{server.url}/readyz") as ready,
        ):
            assert ready.status == 200
        after = await counts(empty_database)
        assert (after["users"], after["queue"], after["customer"]) == (15, 5, 30)
        assert after["interaction"] > 60
    assert len(told) == 1, "the year is invented once"


async def test_callers_are_answered_by_the_agents_who_wrap_up_and_go_home_when_it_stops(empty_database):
    settings = settings_for(empty_database)
    async with show(settings, size=SMALL, traffic=True, speed=25, tell=lambda _: None) as (server, _file):

        async def somebody_was_served() -> object:
            return await server.pool.fetchval(
                "select exists (select 1 from interaction where pbx = 'demo' and outcome = 'handled' "
                "and closed_at is not null and disposition <> 'timed_out')"
            )

        async def somebody_chatted() -> object:
            return await server.pool.fetchval(
                "select exists (select 1 from interaction where channel = 'chat' and outcome = 'handled') "
                "and exists (select 1 from chat_line where not by_visitor)"
            )

        await eventually(somebody_was_served, within=60)
        await eventually(somebody_chatted, within=60)
    connection = await asyncpg.connect(empty_database)
    try:
        talking = "select count(*) from interaction where state in ('new', 'queued', 'offered', 'active')"
        assert await connection.fetchval(talking) == 0
        # Whoever still has something to wrap up goes when that is done.
        staying = "select count(*) from agent where 'offline' not in (presence, coalesce(next_presence, presence))"
        assert await connection.fetchval(staying) == 0
    finally:
        await connection.close()


async def test_a_visitor_who_goes_on_queue_gets_the_pop_of_a_call(empty_database):
    settings = settings_for(empty_database)
    async with show(settings, size=SMALL, traffic=True, speed=20, tell=lambda _: None) as (server, file):
        password = next(user.password for user in file.organisation.users if user.name == VISITOR)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(server.url, cookie_jar=jar) as session, asyncio.timeout(60):
            answer = await session.post("/api/v1/session", json={"name": VISITOR, "password": password})
            proof = {"X-CSRF-Token": (await answer.json())["csrf"]}
            async with session.ws_connect("/api/v1/desk", origin=server.url) as desk:
                path = f"/api/v1/agents/{VISITOR}/presence"
                chosen = await session.put(path, json={"presence": "on_queue"}, headers=proof)
                assert chosen.status == 200
                frame = await desk.receive_json()
                while frame["type"] != "pop":
                    frame = await desk.receive_json()
                assert frame["pop"]["interaction"]["queue"]


async def test_a_database_with_people_of_its_own_is_refused(database, pool):
    await make_user(pool, "real")
    with pytest.raises(Invalid, match="has users of its own"):
        async with show(settings_for(database), size=SMALL, traffic=False, speed=1, tell=lambda _: None):
            pass
    assert (await counts(database))["users"] == 1


async def test_stopping_while_the_year_is_invented_leaves_nothing_half_made(empty_database):
    settings = settings_for(empty_database)
    telling = asyncio.Event()

    async def start() -> None:
        big = Size(customers=2000, interactions=25_000)
        async with show(settings, size=big, traffic=False, speed=1, tell=lambda _: telling.set()):
            raise AssertionError("it was told to stop")

    starting = asyncio.create_task(start())
    async with asyncio.timeout(30):
        await telling.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    after = await counts(empty_database)
    assert (after["customer"], after["interaction"]) == (0, 0)


def test_the_banner_names_the_address_the_log_ins_and_how_to_stop():
    users = read_file().organisation.users
    address = "http://127.0.0.1:8080"
    shop = "http://127.0.0.1:8081"
    text = banner(
        name="Heronbay", url=address, shop=shop, users=users, visitor=VISITOR, traffic=True, command="cc", colour=False
    )
    for part in ("http://127.0.0.1:8080/wall", "amy", "sue", "ada", "blue-heron", "supervisor", "Ctrl-C"):
        assert part in text
    assert "\x1b" not in text
    assert "bo " not in text, "who is played is not offered as a log-in"
    assert max(len(line) for line in text.splitlines()) < 100


def test_the_demo_file_is_a_valid_organisation():
    organisation = read_file().organisation
    assert all(user.demo for user in organisation.users)
    assert {number for queue in organisation.queues for number in queue.numbers} >= {"95500"}
    assert all(queue.ring_timeout < timedelta(seconds=30) for queue in organisation.queues)
