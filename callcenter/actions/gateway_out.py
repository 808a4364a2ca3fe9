"""Answers through a gateway: written with what is said, taken for an attempt, and what came of that."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from callcenter.store.gateways import SQL, Outgoing, outgoing, table_of
from callcenter.store.log import ContactLog, Transaction


async def put(tx: Transaction, interaction: int, *, message: int, now: datetime) -> int | None:
    """Goes out once the transaction is committed. None where no answers can be written through a gateway."""
    row = await tx.connection.fetchrow(SQL.thread, interaction)
    outbound = table_of(row["name"], row["body"]).outbound if row is not None and row["active"] else None
    if row is None or outbound is None:
        return None
    await tx.connection.execute(SQL.bind_message, message, interaction)
    expires = now + outbound.give_up
    ident: int = await tx.connection.fetchval(SQL.add_outbound, row["gateway_id"], interaction, message, now, expires)
    return ident


async def waiting(log: ContactLog, *, now: datetime) -> list[int]:
    """The gateways for which something is due."""
    return [row["id"] for row in await log.pool.fetch(SQL.waiting, now)]


async def take(log: ContactLog, gateway: int, *, most: int, lease: timedelta, now: datetime) -> list[Outgoing]:
    """What has been due for longest at one gateway, for one attempt each that ends within `lease`."""
    return [outgoing(row) for row in await log.pool.fetch(SQL.take, gateway, most, now + lease, now)]


async def sent(log: ContactLog, taken: Outgoing, *, external_id: str | None, now: datetime) -> None:
    """The gateway took it. Nothing happens when the lease was over and somebody else has it."""
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.sent, taken.id, taken.attempt, now, external_id):
            await _tell(tx, "message.sent", taken, {"state": "sent"}, now=now)


async def put_off(log: ContactLog, taken: Outgoing, *, error: str, due: datetime, now: datetime) -> bool:
    """Tried again when it is `due`; given up (False) when that is too late."""
    if due >= taken.expires_at:
        await give_up(log, taken, error=error, reason="expired", now=now)
        return False
    await log.pool.execute(SQL.put_off, taken.id, taken.attempt, error, due)
    return True


async def give_up(log: ContactLog, taken: Outgoing, *, error: str, reason: str, now: datetime) -> None:
    """`reason`: refused or expired. The gateway's words stay in the row, since they may name the customer."""
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.give_up, taken.id, taken.attempt, error, now):
            await _tell(tx, "message.failed", taken, {"state": "failed", "reason": reason}, now=now)


async def _tell(tx: Transaction, kind: str, taken: Outgoing, data: Mapping[str, Any], *, now: datetime) -> None:
    await tx.append(
        kind,
        interaction=taken.interaction,
        ticket=taken.ticket,
        customer=taken.customer,
        queue=taken.queue,
        agent=taken.agent,
        data={"message": taken.message, "attempt": taken.attempt, **data},
        now=now,
    )
