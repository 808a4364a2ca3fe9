"""Two servers as processes of their own: the one that leads is killed, or sleeps and wakes up again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callcenter.actions import interactions
from callcenter.app import clock
from callcenter.domain.interaction import ReservationState
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.bench.process import Program
from tests.bench.servers import serving
from tests.builders import arrive, eventually, make_queue, make_user, on_queue
from tests.routing.replay import replay, whole_log


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, and work that is offered, comes back and is offered again as long as somebody decides."""

    log: ContactLog
    servers: dict[str, Program]

    async def leader(self) -> str:
        name: str = await self.log.pool.fetchval("select n.name from leader l join node n on n.id = l.node_id")
        return name

    async def goes_on(self) -> None:
        """Somebody decides from now on."""
        newest = await self.log.pool.fetchval("select coalesce(max(id), 0) from reservation")

        async def decided() -> bool:
            found: bool = await self.log.pool.fetchval(
                "select exists (select from reservation where id > $1 + 5)", newest
            )
            return found

        await eventually(decided)

    async def led_by_another(self, name: str) -> None:
        async def replaced() -> bool:
            return await self.leader() != name

        await eventually(replaced)


async def _come_and_go(log: ContactLog) -> None:
    while True:
        for row in await log.pool.fetch("select id from reservation where state = 'pending'"):
            state = ReservationState.CANCELLED
            await interactions.return_to_queue(log, row["id"], state=state, reason="test", now=clock())
        await asyncio.sleep(0.02)  # the pace


@asynccontextmanager
async def a_pair(pool: Pool, database: str, folder: Path) -> AsyncIterator[Pair]:
    log = ContactLog(pool)
    agents = [await make_user(pool, f"a{n}") for n in range(3)]
    queue = await make_queue(pool, members=agents)
    for agent in agents:
        await on_queue(log, agent, now=clock())
    for _ in range(5):
        await arrive(log, queue=queue, now=clock())
    async with AsyncExitStack() as stack:
        servers = {}
        for name in ("one", "two"):
            running = serving(database, folder, node=name, require_console=False)
            servers[name], _, _ = await stack.enter_async_context(running)
        work = asyncio.create_task(_come_and_go(log))
        stack.callback(work.cancel)
        yield Pair(log, servers)


async def test_when_the_leader_is_killed_another_one_decides(pool: Pool, database: str, tmp_path: Path) -> None:
    async with a_pair(pool, database, tmp_path) as pair:
        await pair.goes_on()
        name = await pair.leader()
        pair.servers[name].kill()
        await pair.led_by_another(name)
        await pair.goes_on()
        replay(await whole_log(pool), ended=False)


async def test_a_leader_that_slept_is_replaced_and_does_no_harm_when_it_wakes_up(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    async with a_pair(pool, database, tmp_path) as pair:
        await pair.goes_on()
        name = await pair.leader()
        os.kill(pair.servers[name].pid, signal.SIGSTOP)
        try:
            await pair.led_by_another(name)
            await pair.goes_on()
        finally:
            os.kill(pair.servers[name].pid, signal.SIGCONT)

        async def awake() -> bool:
            return "leadership" in pair.servers[name].last_words()

        await eventually(awake)
        await pair.goes_on()
        assert await pair.leader() != name
        replay(await whole_log(pool), ended=False)
