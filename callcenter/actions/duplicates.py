"""Customers who may be one: found in the background, and told apart for good by people."""

from datetime import datetime

from callcenter.errors import Conflict, Invalid
from callcenter.store import customers
from callcenter.store.duplicates import SQL, search_on
from callcenter.store.log import ContactLog, Transaction

# A block is one statement of some tenths of a second at most, so that calls find the database free again.
_BLOCK = 100
_BLOCKS = 4


async def search(log: ContactLog, *, now: datetime) -> None:
    """A round of the search through all customers, which goes on where the last one stopped."""
    for _ in range(_BLOCKS):
        if not await search_on(log.pool, most=_BLOCK, now=now):
            break


async def decline(log: ContactLog, one: int, other: int, *, actor: int | None, now: datetime) -> None:
    """They are two: this pair is not suggested any more. Raises Invalid, NotFound, Conflict for a merged one."""
    if one == other:
        raise Invalid("A customer cannot be told apart from themselves.", field="other")
    async with log.transaction() as tx:
        for ident in sorted((one, other)):
            await tx.lock_customer(ident)
        for ident in (one, other):
            if (elsewhere := (await customers.get(tx.connection, ident)).merged_into) is not None:
                raise Conflict(f"Customer {ident} was merged into {elsewhere}.")
        await tell_apart(tx, one, other, actor=actor, now=now)
        await tx.append("customer.told_apart", customer=one, actor=actor, data={"from": other}, now=now)


async def tell_apart(tx: Transaction, one: int, other: int, *, actor: int | None, now: datetime) -> None:
    """`decline` of two locked customers inside a transaction of the caller's, without a word in the log."""
    await tx.connection.execute(SQL.decline, one, other, now, actor)
