"""Which processes serve this database; each holds its calls under a lease."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from callcenter.errors import Conflict
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

_SQL = Queries(Path(__file__).with_suffix(".sql"))
# A frozen process's callers hear music for at most this long before a survivor takes them.
LEASE = timedelta(seconds=10)
RENEW_EVERY = 2.0


@dataclass(slots=True)
class Node:
    """This process. `lease_until` is what it may rely on; past it the node takes no call, and others may take its own.

    What it still sees of its calls then is written only where no other node has taken them.
    """

    id: int
    name: str
    epoch: int
    lease_until: datetime
    others: int = 0
    stopping: bool = False

    def alive(self, now: datetime) -> bool:
        return now < self.lease_until

    async def renew(self, pool: Pool, now: datetime) -> None:
        """Raises Conflict when a newer process runs under this name."""
        if self.stopping:
            return
        until = now + LEASE
        row = await pool.fetchrow(_SQL.renew, self.id, self.epoch, until, now)
        assert row is not None
        if not row["renewed"]:
            raise Conflict(f"Another process has started as node {self.name}.")
        self.lease_until = until
        self.others = row["others"]

    async def give_up(self, pool: Pool, now: datetime) -> None:
        """An orderly stop: what the node still sees of its calls is no longer its to write down."""
        self.stopping = True
        self.lease_until = now
        await pool.execute(_SQL.give_up, self.id, self.epoch, now)


async def register(pool: Pool, name: str, *, agi_host: str, agi_port: int, now: datetime) -> Node:
    until = now + LEASE
    row = await pool.fetchrow(_SQL.register, name, agi_host, agi_port, now, until)
    assert row is not None
    return Node(row["id"], name, row["epoch"], until)


async def expired(pool: Pool, now: datetime) -> list[asyncpg.Record]:
    """Those that still have desks."""
    return await pool.fetch(_SQL.expired, now)
