"""What the organisation says in letters to customers: acknowledgements, what stands around answers, closing notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.actions import outbox
from callcenter.actions.outbox import NewLetter
from callcenter.domain.letter_text import (
    BUILT_IN_ANSWER,
    LetterKind,
    choose,
    fill,
    fill_signature,
    languages_for,
)
from callcenter.domain.mail import Nature
from callcenter.domain.mail_rules import HOUR, is_robot, read_mail_rules
from callcenter.domain.thread import tagged_address
from callcenter.store import correspondents, letters
from callcenter.store.correspondents import Correspondent
from callcenter.store.letters import SQL
from callcenter.store.log import Transaction
from callcenter.store.mail_flow import SQL as FLOW
from callcenter.store.tickets import Ticket

ACKNOWLEDGEMENT = LetterKind.ACKNOWLEDGEMENT.value
CLOSING = LetterKind.CLOSING.value
MOST_REFERENCES = 20


async def framed(tx: Transaction, ticket: Ticket, text: str, *, language: str | None, actor: int | None) -> str:
    """An answer with the words of its queue around it, and the signature of whoever wrote it."""
    about = await _about(tx, ticket.id, actor=actor)
    chosen = choose(
        await letters.read(tx.connection),
        LetterKind.ANSWER,
        queue=about["queue"],
        languages=languages_for(about["language"] or language, about["languages"]),
    )
    template = BUILT_IN_ANSWER if chosen is None else chosen.text
    return fill(LetterKind.ANSWER, template, {**_values(about), "answer": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A message that is to be acknowledged, and where an answer to the letter goes."""

    address: str
    name: str | None
    language: str | None  # where the customer's is unknown
    ticket: int
    interaction: int
    queue: int
    mailbox: str | None  # None: answers reach nobody
    utc_offset: timedelta | None = None  # of its sender's clock
    references: Sequence[str] = ()  # the message itself the last


async def acknowledge(tx: Transaction, message: Acknowledged, *, now: datetime) -> None:
    """Not again for a while, and to nobody who cannot read it."""
    if is_robot(message.address):
        return
    about = await tx.connection.fetchrow(SQL.acknowledging, message.ticket, message.queue, message.address, now - HOUR)
    assert about is not None
    rules = read_mail_rules(about["mail_rules"])
    lately = about["told_at"] is not None and about["told_at"] > now - rules.acknowledge_every
    if lately or about["automatic"] >= rules.automatic_per_hour:
        return
    due, language = about["due_at"], about["language"] or message.language
    data = {
        "number": about["number"],
        "due": None if due is None else due.isoformat(),
        "interaction": message.interaction,
        "queue": message.queue,
        "offset": None if message.utc_offset is None else message.utc_offset.total_seconds(),
        **(await _words(tx, LetterKind.ACKNOWLEDGEMENT, about, language) if about["worded"] else {}),
    }
    box, number = message.mailbox, about["number"]
    letter = NewLetter(
        recipient=message.address,
        recipient_name=message.name,
        language=language,
        template=ACKNOWLEDGEMENT,
        data=data,
        interaction=message.interaction,
        ticket=message.ticket,
        customer=about["customer_id"],
        queue=message.queue,
        thread={
            "in_reply_to": message.references[-1] if message.references else None,
            "references": list(message.references[-MOST_REFERENCES - 1 :]),
            "reply_to": None if box is None else tagged_address(about["link_key"], number, box),
            "auto": "auto-replied",
        },
    )
    await outbox.put(tx, letter, now=now)


async def note_closing(tx: Transaction, ticket: Ticket, *, actor: int | None, now: datetime) -> None:
    """Where the mailbox says so: a letter to whoever wrote about it by mail, now that it is over."""
    if not await tx.connection.fetchval(correspondents.SQL.closing_note, ticket.id):
        return
    whom = await correspondents.answered(tx.connection, ticket.id, by_mail_only=True)
    if whom is None:
        return
    about = await _about(tx, ticket.id, actor=actor)
    if not await may_be_answered(tx, whom, now=now):
        return
    language = about["language"] or whom.language
    letter = NewLetter(
        recipient=whom.address,
        recipient_name=whom.name,
        language=language,
        template=CLOSING,
        data={"number": ticket.number, **await _words(tx, LetterKind.CLOSING, about, language)},
        interaction=whom.contact,
        ticket=ticket.id,
        customer=about["customer_id"],
        queue=ticket.queue,
        thread=thread_of(whom, ticket, about["link_key"], auto="auto-generated"),
    )
    await outbox.put(tx, letter, now=now)


def thread_of(whom: Correspondent, ticket: Ticket, key: bytes, *, auto: str) -> dict[str, Any]:
    """The fields that put a letter into the thread of what they wrote (RFC 5322 3.6.4); `auto`: Auto-Submitted."""
    ids = [*whom.refs, *([whom.message_id] if whom.message_id else [])]
    return {
        "in_reply_to": whom.message_id,
        "references": ids[-MOST_REFERENCES:],
        "reply_to": None if whom.mailbox is None else tagged_address(key, ticket.number, whom.mailbox),
        "auto": auto,
    }


async def may_be_answered(tx: Transaction, whom: Correspondent, *, now: datetime) -> bool:
    """Whether a letter that nobody wrote may go to them: to people, to the ticket's own, and not too often."""
    if whom.stranger or whom.nature is not Nature.PERSON or is_robot(whom.address):
        return False
    most = read_mail_rules(await tx.connection.fetchval(FLOW.rules)).automatic_per_hour
    return await may_write_by_itself(tx, whom.address, most, now=now)


async def may_write_by_itself(tx: Transaction, address: str, most: int, *, now: datetime) -> bool:
    """Two programmes that answer each other end here at the latest."""
    sent: int = await tx.connection.fetchval(SQL.automatic_since, address, now - HOUR)
    return sent < most


async def _about(tx: Transaction, ticket: int, *, actor: int | None) -> asyncpg.Record:
    row = await tx.connection.fetchrow(SQL.about, ticket, actor)
    assert row is not None
    return row


async def _words(tx: Transaction, kind: LetterKind, about: asyncpg.Record, language: str | None) -> dict[str, Any]:
    """Those of the organisation, and what they may name; they are filled in when the letter is written."""
    chosen = choose(
        await letters.read(tx.connection),
        kind,
        queue=about["queue"],
        languages=languages_for(language, about["languages"]),
    )
    if chosen is None:
        return {"values": {"signature": _values(about)["signature"]}} if kind is LetterKind.CLOSING else {}
    return {"subject": chosen.subject, "text": chosen.text, "values": _values(about)}


def _values(about: asyncpg.Record) -> dict[str, str]:
    values = {
        "ticket.number": str(about["number"]),
        "ticket.subject": about["subject"],
        "customer.name": about["customer"] or "",
        "customer.company": about["company"] or "",
        "queue.name": about["queue"] or "",
        "organisation.name": about["organisation"] or "",
        "agent.full_name": about["agent"] or "",
    }
    return {**values, "signature": fill_signature(about["agent_signature"] or about["queue_signature"], values)}
