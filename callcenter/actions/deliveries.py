"""Events for other systems: put on their way to webhooks, taken for an attempt, and what came of that."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from callcenter.domain.events import Event
from callcenter.errors import Conflict, NotFound
from callcenter.store.deliveries import SQL, Outgoing, outgoing
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog, Transaction, event_of

# A system that is away for longer than this has to read what it missed from the log.
GOOD_FOR = timedelta(days=3)
_KEPT = timedelta(days=30)
_PURGED_AT_ONCE = 10_000
# An open transaction holds back every reader of the log.
_PAGE = 200
# Where nothing is subscribed to, the cursor moves after so many transactions, for the sake of what lies between.
_STEP = 1000


def body_of(event: Event, directory: Directory) -> dict[str, Any]:
    """An event as the surface has it: queue, agent and actor by name, states and ids, nothing personal."""
    agent, actor = directory.users.get(event.agent or 0), directory.users.get(event.actor or 0)
    queue = directory.queues.get(event.queue or 0)
    return {
        "seq": event.seq,
        "at": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "kind": event.kind,
        "interaction": event.interaction,
        "customer": event.customer,
        "agent": agent.name if agent else None,
        "queue": queue.name if queue else None,
        "ticket": event.ticket,
        "actor": actor.name if actor else None,
        "version": event.version,
        "data": event.data,
    }


async def put(tx: Transaction, wanted: Sequence[tuple[str, Event]], *, directory: Directory, now: datetime) -> None:
    """Events for webhooks by name, sent once the transaction is committed; none twice to the same webhook."""
    events = [event for _, event in wanted]
    await tx.connection.execute(
        SQL.put,
        [webhook for webhook, _ in wanted],
        [event.seq for event in events],
        [event.kind for event in events],
        [body_of(event, directory) for event in events],
        now,
        now + GOOD_FOR,
    )


async def collect(log: ContactLog, directory: Directory, *, now: datetime) -> int:
    """Puts what webhooks subscribe to on its way, each event looked at exactly once; how many deliveries.

    The cursor moves in the same transaction. A second node finds it taken and does nothing.
    """
    found = 0
    if not await log.pool.fetchval(SQL.has_subscribers):
        return found
    while True:
        async with log.transaction() as tx:
            if not await tx.connection.fetchval(SQL.lock_reader):
                return found
            cursor = await tx.connection.fetchrow(SQL.reader)
            assert cursor is not None
            subscribed = await tx.connection.fetch(SQL.subscribed)
            kinds = sorted({kind for row in subscribed for kind in row["events"]})
            behind = cursor["epoch"], str(cursor["xid"]), cursor["seq"]
            rows = await tx.connection.fetch(SQL.events, *behind, _PAGE, kinds)
            events = [event_of(row) for row in rows if row["seq"] is not None]
            wanted = [(row["name"], each) for each in events for row in subscribed if _wants(row, each)]
            if wanted:
                await put(tx, wanted, directory=directory, now=now)
            found += len(wanted)
            last, full = rows[-1], len(events) == _PAGE
            if full:
                await tx.connection.execute(SQL.move_reader, last["epoch"], str(last["xid"]), last["seq"])
            elif events or last["to_epoch"] > cursor["epoch"] or last["to_xid"] - cursor["xid"] > _STEP:
                # Before the first event of the transaction that is not settled.
                await tx.connection.execute(SQL.move_reader, last["to_epoch"], str(last["to_xid"]), 0)
        if not full:
            return found


def _wants(webhook: asyncpg.Record, event: Event) -> bool:
    kinds: list[str] = webhook["events"]
    return bool(event.at >= webhook["since"]) and (event.kind in kinds or f"{event.noun}.*" in kinds)


async def take(log: ContactLog, webhook: int, *, most: int, lease: timedelta, now: datetime) -> list[Outgoing]:
    """What has been due for longest at one webhook, for one attempt each that ends within `lease`."""
    return [outgoing(row) for row in await log.pool.fetch(SQL.take, webhook, most, now + lease, now)]


async def waiting(log: ContactLog, *, now: datetime) -> list[int]:
    """The webhooks for which something is due."""
    return [row["id"] for row in await log.pool.fetch(SQL.waiting, now)]


async def sent(log: ContactLog, delivery: Outgoing, *, now: datetime) -> None:
    """Nothing happens when the lease was over and somebody else has it."""
    await log.pool.execute(SQL.sent, delivery.id, delivery.attempt, now)


async def put_off(log: ContactLog, delivery: Outgoing, *, error: str, due: datetime, now: datetime) -> bool:
    """Tried again when it is `due`; given up (False) when that is too late."""
    if due >= delivery.expires_at:
        await give_up(log, delivery, error=error, now=now)
        return False
    await log.pool.execute(SQL.put_off, delivery.id, delivery.attempt, error, due)
    return True


async def purge(log: ContactLog, *, now: datetime) -> None:
    """What was sent, and what was given up, is of use to nobody after a while."""
    await log.pool.execute(SQL.purge, now - _KEPT, _PURGED_AT_ONCE)


async def retry(log: ContactLog, delivery: int, *, now: datetime) -> None:
    """One that was given up is sent once more. Raises NotFound, Conflict when it was not given up."""
    if await log.pool.fetchval(SQL.retry, delivery, now, now + GOOD_FOR):
        return
    if await log.pool.fetchval(SQL.is_known, delivery):
        raise Conflict("This delivery was not given up.")
    raise NotFound(f"There is no delivery {delivery}.")


async def give_up(log: ContactLog, delivery: Outgoing, *, error: str, now: datetime) -> None:
    """It stays to be seen, and to be sent once more by hand."""
    await log.pool.execute(SQL.give_up, delivery.id, delivery.attempt, error, now)
