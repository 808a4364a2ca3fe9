"""An agent's answer to a customer who wrote from a web page: a letter to the address that they gave."""

from datetime import datetime

from callcenter.actions import mail_words, outbox
from callcenter.actions.outbox import NewLetter
from callcenter.domain.thread import answer_subject, tagged_address, tagged_subject
from callcenter.store.answers import SQL as ANSWERS
from callcenter.store.log import Transaction
from callcenter.store.mail_in import SQL as MAIL
from callcenter.store.tickets import Ticket
from callcenter.store.web_in import SQL


async def answer(
    tx: Transaction,
    ticket: Ticket,
    text: str,
    *,
    message: int,
    actor: int | None,
    due: datetime,
    now: datetime,
) -> int | None:
    """The letter's id; None where nobody gave a mail address. Its arguments are those of `mail_out.answer`."""
    asked = await tx.connection.fetchrow(SQL.latest_of_ticket, ticket.id)
    if asked is None:
        return None
    key = await tx.connection.fetchval(MAIL.key)
    reply_to = None if asked["mailbox"] is None else tagged_address(key, ticket.number, asked["mailbox"])
    letter = NewLetter(
        recipient=asked["address"],
        recipient_name=asked["address_name"],
        language=asked["language"],
        subject=tagged_subject(key, ticket.number, answer_subject(asked["subject"] or ticket.subject)),
        text=await mail_words.framed(tx, ticket, text, language=asked["language"], actor=actor),
        interaction=asked["interaction"],
        ticket=ticket.id,
        customer=asked["customer_id"],
        queue=ticket.queue,
        thread={"reply_to": reply_to, "auto": "no" if actor is not None else "auto-replied"},
    )
    ident = await outbox.put(tx, letter, now=now, due=due)
    await tx.connection.execute(ANSWERS.carry, ident, message)
    return ident
