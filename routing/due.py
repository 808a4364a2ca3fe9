"""What ends by itself: wrap-ups at their limit, offers nobody took, and the log's months made ahead."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from callcenter.actions import agents, interactions
from callcenter.domain.interaction import ReservationState
from callcenter.store import nodes
from callcenter.store.log import ContactLog
from callcenter.store.queries import Queries
from routing.leadership import Leadership

_SQL = Queries(Path(__file__).with_suffix(".sql"))
_EVERY = 0.5
_SURELY_DEAD = timedelta(seconds=5)


async def sweep(log: ContactLog, now: datetime) -> int:
    """Ends all that is due; how many. Each by compare-and-set: a second sweeper finds nothing left."""
    ended = 0
    for row in await log.pool.fetch(_SQL.wrap_ups, now):
        ended += bool(await interactions.close_time_box(log, row["id"], note=row["note"], now=now))
    for row in await log.pool.fetch(_SQL.offers, now):
        # An offer that never went out is no fault of the agent.
        state = ReservationState.CANCELLED if row["blameless"] else ReservationState.TIMED_OUT
        ended += bool(await interactions.return_to_queue(log, row["id"], state=state, reason="timed_out", now=now))
    return ended


async def lose_desks_of_the_dead(
    log: ContactLog, expired: Mapping[int, datetime], now: datetime
) -> dict[int, datetime]:
    """Desks of nodes that are gone for good; answers which nodes' leases have run out, and since when that is known.

    By our own watch: after a pause of the database all leases have run out, and living nodes renew theirs at once.
    """
    rows = await nodes.expired(log.pool, now)
    found = {row["id"]: expired.get(row["id"], now) for row in rows}
    for node, since in found.items():
        if now - since >= _SURELY_DEAD:
            await agents.lose_desks(log, node=node, now=now)
    return found


async def _months(log: ContactLog, now: datetime) -> timedelta:
    """Makes the log's months ahead; when to do so again."""
    try:
        await log.pool.execute(_SQL.months, now)
    except asyncpg.LockNotAvailableError:
        return timedelta(minutes=1)
    return timedelta(hours=6)


async def run(log: ContactLog, leadership: Leadership, clock: Callable[[], datetime]) -> None:
    """Supervised, on every node; only the leader's does anything."""
    months_at = clock()
    expired: dict[int, datetime] = {}
    while True:
        await leadership.gained.wait()
        now = clock()
        if now >= months_at:
            months_at = now + await _months(log, now)
        await sweep(log, now)
        expired = await lose_desks_of_the_dead(log, expired, now)
        await asyncio.sleep(_EVERY)
