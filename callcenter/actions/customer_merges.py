"""Two records of one customer become one, and two again: nothing is destroyed, and what was whose is remembered."""

from collections.abc import Sequence
from datetime import datetime

from callcenter.actions import customers, duplicates
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import customers as store
from callcenter.store.contracts import SQL as CONTRACTS
from callcenter.store.customer_merges import SQL
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.value import SQL as VALUE

# What the target may take over of the source's record.
TAKEABLE = ("name", "company", "tier", "language", "note", "owner")


async def merge(
    log: ContactLog, source: int, *, into: int, take: Sequence[str] = (), actor: int | None, now: datetime
) -> int:
    """The merge's id. All that is the source's becomes the other's, whose record also takes over the fields `take`.

    Raises Invalid, NotFound, and Conflict where one of the two was merged already.
    """
    if source == into:
        raise Invalid("A customer cannot be merged into themselves.", field="source")
    if unknown := set(take) - set(TAKEABLE):
        raise Invalid(f"A customer has no {', '.join(sorted(unknown))} to take.", field="take")
    async with log.transaction() as tx:
        await _lock(tx, source, into)
        for one, elsewhere in (await _states(tx, source, into)).items():
            if elsewhere is not None:
                raise Conflict(f"Customer {one} was merged into {elsewhere} already.")
        before, other = await store.get(tx.connection, into), await store.get(tx.connection, source)
        taken = {field: (getattr(before, field), getattr(other, field)) for field in take}
        taken = {field: both for field, both in taken.items() if both[0] != both[1]}
        moved = await tx.connection.fetchval(SQL.move, source, into)
        standing = await tx.connection.fetchval(VALUE.standing_by_hand, source, now)
        at_rest = await tx.connection.fetchval(SQL.rest, source, into)
        ident: int = await tx.connection.fetchval(SQL.keep, source, into, now, actor, moved, taken)
        changes = {field: both[1] for field, both in taken.items()}
        await customers.change(tx, into, changes=changes, version=None, actor=actor, now=now)
        if "tier" in changes and standing is not None:
            await tx.connection.execute(VALUE.put_by_hand, into, standing)
        await _review(tx, source, into, now)
        data = {"merge": ident, "into": into, "taken": sorted(taken)}
        await tx.append("customer.merged", customer=source, actor=actor, version=at_rest, data=data, now=now)
        return ident


async def undo(log: ContactLog, merge: int, *, into: int, actor: int | None, now: datetime) -> int:
    """The id of the customer who is there again, with all that was theirs and what came from their addresses since.

    Raises NotFound, and Conflict where it is undone already or the other was merged further.
    """
    async with log.transaction() as tx:
        row = await tx.connection.fetchrow(SQL.merge, merge)
        if row is None or row["target_id"] != into:
            raise NotFound(f"Nothing was merged into customer {into} as number {merge}.")
        if row["undone_at"] is not None:
            raise Conflict("This merge is undone already.")
        source: int = row["source_id"]
        await _lock(tx, source, into)
        if (elsewhere := (await _states(tx, source, into))[into]) is not None:
            raise Conflict(f"Customer {into} was merged into {elsewhere} meanwhile: undo that first.")
        version = await tx.connection.fetchval(SQL.give_back, source, into, row["moved"], row["at"], merge)
        await tx.connection.execute(SQL.inherit, into, source)
        record = await store.get(tx.connection, into)
        back = {field: was for field, (was, became) in row["taken"].items() if getattr(record, field) == became}
        await customers.change(tx, into, changes=back, version=None, actor=actor, now=now)
        if "tier" in back and "standing" in row["moved"]:
            await tx.connection.execute(VALUE.put_by_hand, into, row["moved"]["standing"])
        await tx.connection.execute(SQL.undone, merge, now, actor)
        await duplicates.tell_apart(tx, source, into, actor=actor, now=now)
        await _review(tx, source, into, now)
        data = {"merge": merge, "out_of": into}
        await tx.append("customer.unmerged", customer=source, actor=actor, version=version, data=data, now=now)
        return source


async def _lock(tx: Transaction, source: int, into: int) -> None:
    for row in await tx.connection.fetch(SQL.tickets, [source, into]):
        await tx.lock_ticket(row["id"])
    for ident in sorted((source, into)):
        await tx.lock_customer(ident)


async def _states(tx: Transaction, source: int, into: int) -> dict[int, int | None]:
    """What each was merged into. Raises NotFound."""
    rows = await tx.connection.fetch(SQL.states, [source, into])
    if any(row["erased_at"] is not None for row in rows):
        raise Conflict("Who was erased is not known any more, and is merged with nobody.")
    found: dict[int, int | None] = {row["id"]: row["merged_into"] for row in rows}
    for ident in (source, into):
        if ident not in found:
            raise NotFound(f"There is no customer {ident}.")
    return found


async def _review(tx: Transaction, source: int, into: int, now: datetime) -> None:
    """What open tickets are promised and what each of the two is worth follows from what they have now."""
    await tx.connection.execute(CONTRACTS.ask_review, [source, into])
    await tx.connection.execute(VALUE.ask, [source, into], now)
