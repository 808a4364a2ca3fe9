"""Taking back an answer whose letter has not gone out yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.actions import sla
from callcenter.errors import Conflict, Forbidden, NotFound
from callcenter.store import correspondents
from callcenter.store import tickets as store
from callcenter.store.answers import SQL
from callcenter.store.log import ContactLog


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was to be sent: `files` are uploads, and its writer's again.

    `elsewhere`: it was to go to another address than the ticket's answers do.
    """

    ticket: int
    author: int
    text: str
    files: Sequence[int]
    elsewhere: bool


async def withdraw(log: ContactLog, message: int, *, actor: int, now: datetime, of_others: bool = False) -> Withdrawn:
    """Its letter stays here and its text is gone from the ticket; clocks that it had stopped run on.

    What else followed from it stays: a new ticket stays open, and rules that it set off have done what they do.
    `of_others`: a supervisor may. Raises NotFound, Forbidden, and Conflict once the letter is on its way.
    """
    async with log.transaction() as tx:
        row = await tx.connection.fetchrow(SQL.answer, message)
        if row is None:
            raise NotFound(f"There is no answer {message}.")
        if row["author_id"] is None or (row["author_id"] != actor and not of_others):
            raise Forbidden("This is the work of somebody else.")
        await tx.lock_ticket(row["ticket_id"])
        letter = await tx.connection.fetchrow(SQL.hold_back, message, now)
        if letter is None:
            raise Conflict("It has gone out already.")
        files = [
            each["id"] for each in await tx.connection.fetch(SQL.give_back, message, f"user:{row['author_id']}", now)
        ]
        other = await tx.connection.fetchval(SQL.other_answer, row["ticket_id"], message, row["at"])
        await tx.connection.execute(SQL.take_back, message)
        ticket = await store.get(tx.connection, row["ticket_id"])
        await tx.append(
            "message.withdrawn",
            interaction=letter["interaction_id"],
            ticket=ticket.id,
            customer=letter["customer_id"],
            agent=row["author_id"],
            queue=letter["queue_id"],
            actor=actor,
            data={"message": message, "letter": letter["id"]},
            now=now,
        )
        whom = await correspondents.answered(tx.connection, ticket.id)
        await sla.unanswer(tx, ticket, at=row["at"], other=other, actor=actor, now=now)
    elsewhere = whom is None or whom.address != letter["recipient"]
    return Withdrawn(row["ticket_id"], row["author_id"], row["text"], files, elsewhere)
