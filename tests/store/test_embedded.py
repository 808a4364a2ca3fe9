"""The database of our own: started by the first user, stopped by the last, safe through a kill."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from callcenter.errors import Invalid
from callcenter.store.db import retrying
from callcenter.store.embedded import Embedded, Runner, embedded, refuse_unreachable


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a folder that any system user may enter."""
    with TemporaryDirectory(prefix="callcenter-embedded-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def ask(dsn: str, query: str) -> object:
    conn = await asyncpg.connect(dsn)
    try:
        return await conn.fetchval(query)
    finally:
        await conn.close()


async def test_a_first_start_makes_a_database_in_utf8_reachable_by_socket_only(home):
    async with embedded(home, durable=False) as dsn:
        assert await ask(dsn, "show server_encoding") == "UTF8"
        assert await ask(dsn, "show listen_addresses") == ""
        assert await ask(dsn, "select lower('ÄÖ')") == "äö"
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
    assert not (home / "postgres" / "postmaster.pid").exists()


async def test_what_was_committed_is_there_at_the_next_start(home):
    async with embedded(home) as dsn:
        await ask(dsn, "create table kept as select 7 as n")
    async with embedded(home) as dsn:
        assert await ask(dsn, "select n from kept") == 7


async def test_a_second_user_joins_the_running_server_and_does_not_stop_it(home):
    async with embedded(home, durable=False) as dsn:
        started = await ask(dsn, "select pg_postmaster_start_time()")
        async with embedded(home, durable=False) as same:
            assert await ask(same, "select pg_postmaster_start_time()") == started
        assert await ask(dsn, "select pg_postmaster_start_time()") == started


async def test_the_one_who_started_it_may_leave_first(home):
    first, second = Embedded(home, durable=False), Embedded(home, durable=False)
    await first.start()
    await second.start()
    await first.stop()
    assert await ask(second.dsn, "select 1") == 1
    await second.stop()
    assert not (home / "postgres" / "postmaster.pid").exists()


async def test_two_who_start_at_once_share_one_server(home):
    servers = [Embedded(home, durable=False) for _ in range(4)]
    await asyncio.gather(*(server.start() for server in servers))
    starts = {await ask(server.dsn, "select pg_postmaster_start_time()") for server in servers}
    await asyncio.gather(*(server.stop() for server in servers))
    assert len(starts) == 1
    assert not (home / "postgres" / "postmaster.pid").exists()


async def test_a_killed_user_takes_the_server_along_and_nothing_committed_is_lost(home):
    program = (
        "import asyncio, asyncpg, sys; from pathlib import Path; from callcenter.store.embedded import embedded\n"
        "async def main():\n"
        "    async with embedded(Path(sys.argv[1])) as dsn:\n"
        "        conn = await asyncpg.connect(dsn)\n"
        "        await conn.execute('create table kept as select 7 as n')\n"
        "        print('committed', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    user = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(home), stdout=subprocess.PIPE)
    assert user.stdout is not None
    assert await user.stdout.readline() == b"committed\n"
    user.send_signal(signal.SIGKILL)
    await user.wait()
    # Waits for the keeper, which is stopping the server now.
    async with embedded(home) as dsn:
        assert await ask(dsn, "select n from kept") == 7
        assert await ask(dsn, "select count(*) from pg_stat_activity where backend_type = 'client backend'") == 1


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


async def connect_again(dsn: str) -> asyncpg.Connection:
    return await retrying(lambda: asyncpg.connect(dsn), within=timedelta(seconds=10))


async def test_a_killed_server_comes_back_by_itself_with_all_that_was_committed(home):
    async with embedded(home) as dsn:
        await ask(dsn, "create table kept as select 7 as n")
        before = postmaster(home)
        os.kill(before, signal.SIGKILL)
        conn = await connect_again(dsn)
        assert await conn.fetchval("select n from kept") == 7
        await conn.close()
        assert postmaster(home) != before


@pytest.mark.skipif(sys.platform != "linux", reason="the keeper is found by Linux's list of locks")
async def test_a_start_right_after_everything_was_killed_succeeds(home):
    first = Embedded(home)
    await first.start()
    await ask(first.dsn, "create table kept as select 7 as n")
    inode = (home / "keeper.lock").stat().st_ino
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    keepers = [int(lock[4]) for lock in locks if lock[5].endswith(f":{inode}")]
    assert len(keepers) == 1
    for pid in [*keepers, postmaster(home)]:
        os.kill(pid, signal.SIGKILL)
    async with embedded(home) as dsn:
        assert await ask(dsn, "select n from kept") == 7
    await first.stop()


async def test_a_data_directory_with_a_long_name_gets_its_socket_elsewhere(home):
    deep = home / ("long" * 25)
    async with embedded(deep, durable=False) as dsn:
        assert await ask(dsn, "select 1") == 1
        assert "/callcenter-" in dsn


async def test_data_of_another_version_is_refused_in_words(home):
    async with embedded(home, durable=False):
        pass
    (home / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Invalid, match="made by PostgreSQL 9"):
        await Embedded(home).start()


async def test_a_server_that_does_not_start_says_why(home):
    async with embedded(home, durable=False):
        pass
    (home / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(Invalid, match="no_such_setting"):
        await Embedded(home).start()


async def test_a_data_directory_that_cannot_be_made_is_refused_in_words(home):
    (home / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        await Embedded(home / "file" / "below").start()


def test_a_folder_that_the_servers_user_may_not_enter_is_named(home):
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    stranger = Runner(uid=os.getuid() + 12345, gid=os.getgid() + 12345, name="nobody")
    with pytest.raises(Invalid, match=f"nobody, who may not enter {closed}"):
        refuse_unreachable(stranger, [closed / "data"])
