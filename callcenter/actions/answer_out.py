"""An answer on a ticket, on the way by which its customer wrote: a letter in their thread, or through a gateway."""

from datetime import datetime

from callcenter.actions import gateway_out, mail_words, outbox
from callcenter.actions.outbox import NewLetter
from callcenter.domain.interaction import Channel
from callcenter.domain.thread import answer_subject, tagged_subject
from callcenter.store import correspondents
from callcenter.store.answers import SQL as ANSWERS
from callcenter.store.correspondents import Correspondent
from callcenter.store.log import Transaction
from callcenter.store.mail_in import SQL
from callcenter.store.tickets import Ticket

_WITHHELD = (
    "not sent: this is no address of the ticket's customer, or a programme's, or got too many automatic letters "
    "within the hour"
)


async def send(
    tx: Transaction,
    ticket: Ticket,
    text: str,
    *,
    message: int,
    actor: int | None,
    due: datetime,
    now: datetime,
    contact: int | None = None,
    to: str | None = None,
) -> None:
    """Nothing goes where we know no way. Raises Invalid for `to` that is an address of our own.

    To the address `to`, else to the sender of `contact`, else to whom functions/26_correspondents.sql says. A letter
    goes when it is `due`, with what was uploaded with `message`. `actor` None: a rule wrote it. Where that could go
    round in a circle it is withheld, and the ticket says so.
    """
    if to is not None:
        whom: Correspondent | None = await correspondents.at_address(tx.connection, ticket.id, to)
    else:
        whom = await correspondents.answered(tx.connection, ticket.id, contact=contact)
    if whom is not None and whom.channel is Channel.MESSAGE and whom.contact is not None:
        if await gateway_out.put(tx, whom.contact, message=message, now=now) is not None:
            return
        whom = await correspondents.answered(tx.connection, ticket.id, by_mail_only=True)
    if whom is None:
        return
    letter = await _letter(tx, ticket, whom, text, actor=actor)
    if actor is None and not await mail_words.may_be_answered(tx, whom, now=now):
        await outbox.withhold(tx, letter, why=_WITHHELD, now=now)
        return
    ident = await outbox.put(tx, letter, now=now, due=due)
    await tx.connection.execute(ANSWERS.carry, ident, message)


async def _letter(tx: Transaction, ticket: Ticket, whom: Correspondent, text: str, *, actor: int | None) -> NewLetter:
    key = await tx.connection.fetchval(SQL.key)
    return NewLetter(
        recipient=whom.address,
        recipient_name=whom.name,
        language=whom.language,
        subject=tagged_subject(key, ticket.number, answer_subject(whom.subject or ticket.subject)),
        text=await mail_words.framed(tx, ticket, text, language=whom.language, actor=actor),
        interaction=whom.contact,
        ticket=ticket.id,
        customer=whom.customer,
        queue=ticket.queue,
        thread=mail_words.thread_of(whom, ticket, key, auto="no" if actor is not None else "auto-replied"),
    )
