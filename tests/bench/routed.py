"""A router that leads, in the process that measures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from callcenter.feed import Feed
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from routing.leadership import Leadership
from routing.router import Router


@asynccontextmanager
async def leading(dsn: str, log: ContactLog) -> AsyncIterator[Router]:
    """From the moment that it leads; as a standby before it has loaded its state."""
    feed, directory, leadership = Feed(log.pool, log, dsn=dsn), Directory(log.pool), Leadership(dsn, node=1)
    await feed.start()
    await directory.load()
    router = Router(log, feed, directory, leadership, require_console=False, clock=lambda: datetime.now(UTC))
    tasks = [asyncio.create_task(router.run()), asyncio.create_task(feed.run())]
    try:
        while router.state is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # a load tells nobody when it is over
        tasks.append(asyncio.create_task(leadership.run()))
        await leadership.gained.wait()
        yield router
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
