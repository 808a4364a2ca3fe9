"""A person who is not to be known any more."""

from datetime import datetime

from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store.erasures import SQL
from callcenter.store.log import ContactLog

LONGEST_REASON = 200


async def erase(log: ContactLog, customer: int, *, reason: str, actor: int | None, now: datetime) -> int:
    """The proof's id. Words, addresses, messages and files go; counts, times and scores stay, so do figures.

    Raises Invalid without a reason, NotFound, and Conflict while a contact with them goes on, or for a record that was
    merged into another.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Invalid(f"Say why, in at most {LONGEST_REASON} characters.", field="reason")
    async with log.transaction() as tx:
        ids = await tx.connection.fetchval(SQL.records, customer)
        if ids is None:
            raise NotFound(f"There is no customer {customer}.")
        if (elsewhere := await tx.connection.fetchval(SQL.merged_into, customer)) is not None:
            raise Conflict(f"Customer {customer} was merged into {elsewhere}: erase that one.")
        for row in await tx.connection.fetch(SQL.tickets, ids):
            await tx.lock_ticket(row["id"])
        for ident in sorted(ids):
            await tx.lock_customer(ident)
        if (contact := await tx.connection.fetchval(SQL.going_on, ids)) is not None:
            raise Conflict(f"Contact {contact} with this customer goes on: end it first.")
        emptied = await tx.connection.fetchval(SQL.empty, customer, now)
        proof: int = await tx.connection.fetchval(SQL.keep, customer, now, actor, reason, emptied)
        await tx.append("customer.erased", customer=customer, actor=actor, data={"erasure": proof, "of": ids}, now=now)
        return proof
