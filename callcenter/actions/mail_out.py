"""An agent's answer to a customer who wrote by mail: a letter in the thread of theirs."""

from datetime import datetime

from callcenter.actions import mail_words, outbox, web_out
from callcenter.actions.outbox import NewLetter
from callcenter.domain.thread import answer_subject, tagged_address, tagged_subject
from callcenter.store.answers import SQL as ANSWERS
from callcenter.store.log import Transaction
from callcenter.store.mail_in import SQL
from callcenter.store.tickets import Ticket

_MOST_REFERENCES = 20
_WITHHELD = "not sent: a programme reads this address, or got too many automatic letters within the hour"


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
    """The letter's id; None where we know no mail address. It goes to whoever wrote last by mail, else by a form.

    It goes when it is `due`, with what was uploaded with `message`. `actor` None: a rule wrote it. Where that could go
    round in a circle it is withheld, and the ticket says so.
    """
    asked = await tx.connection.fetchrow(SQL.latest_of_ticket, ticket.id)
    if asked is None:
        return await web_out.answer(tx, ticket, text, message=message, actor=actor, due=due, now=now)
    key = await tx.connection.fetchval(SQL.key)
    ids = [*asked["refs"], *([asked["message_id"]] if asked["message_id"] else [])]
    subject = asked["subject"] or ticket.subject
    reply_to = None if asked["mailbox"] is None else tagged_address(key, ticket.number, asked["mailbox"])
    letter = NewLetter(
        recipient=asked["sender"],
        recipient_name=asked["sender_name"],
        language=asked["language"],
        subject=tagged_subject(key, ticket.number, answer_subject(subject)),
        text=await mail_words.framed(tx, ticket, text, language=asked["language"], actor=actor),
        interaction=asked["interaction_id"],
        ticket=ticket.id,
        customer=asked["customer_id"],
        queue=ticket.queue,
        thread={
            "in_reply_to": asked["message_id"],
            "references": ids[-_MOST_REFERENCES:],
            "reply_to": reply_to,
            "auto": "no" if actor is not None else "auto-replied",
        },
    )
    if actor is None and not await mail_words.may_be_answered(tx, asked, now=now):
        return await outbox.withhold(tx, letter, why=_WITHHELD, now=now)
    ident = await outbox.put(tx, letter, now=now, due=due)
    await tx.connection.execute(ANSWERS.carry, ident, message)
    return ident
