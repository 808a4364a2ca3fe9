"""What customers send from web pages: each message becomes one interaction with its case, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callcenter.actions import mail_words, ticket_values, tickets, uploads
from callcenter.domain.customer import AddressKind
from callcenter.domain.interaction import Channel, State
from callcenter.domain.thread import number_of
from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.domain.ticket_rules import TicketRules
from callcenter.errors import Invalid
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.mail_in import SQL as MAIL
from callcenter.store.web_in import SQL


@dataclass(frozen=True, slots=True)
class NewFile:
    """`declared`: the type that its sender says it has."""

    name: str
    declared: str | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WebMessage:
    """`external_id`: the same one sent again changes nothing. `called`: the form by which it came.

    `uploads` were kept before, for `owner`; `files` come with it. `language`: of the page, by its code. `reference`:
    what the customer says is the number of their case; it counts with the token that our letters put behind it.
    """

    external_id: str | None
    called: str
    subject: str
    text: str
    address_kind: AddressKind | None = None
    address: str | None = None
    name: str | None = None
    language: str | None = None
    category: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    reference: str | None = None
    files: Sequence[NewFile] = ()
    uploads: Sequence[int] = ()
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes, of a file and of all files of a message."""

    file: int = uploads.LARGEST
    message: int = uploads.LARGEST_OF_MESSAGE


@dataclass(frozen=True, slots=True)
class Received:
    """`new` is False for what was here already."""

    interaction: int
    ticket: int
    new: bool


async def receive(
    log: ContactLog,
    message: WebMessage,
    *,
    queue: int,
    now: datetime,
    ticket: int | None = None,
    acknowledge: bool = False,
    limits: Limits | None = None,
) -> Received:
    """Opens a ticket, or goes to `ticket` or to the one whose reference it has; it is routed as any other work.

    Raises Invalid for files that are not taken.
    """
    async with log.transaction() as tx:
        # One message of an address at a time: their order is kept, and one acknowledgement is enough.
        await tx.connection.execute(MAIL.lock_correspondent, message.address or message.external_id or "")
        if ticket is None and message.reference:
            ticket = await _referred(tx, message.reference)
        case = None if ticket is None else await tx.connection.fetchrow(MAIL.survivor, ticket)
        if case is not None and case["queue_id"] is not None:
            queue = await tx.connection.fetchval(MAIL.active_queue, case["queue_id"]) or queue
        ident = await _arrive(tx, message, queue=queue, now=now)
        if ident is None:
            known = await tx.connection.fetchrow(SQL.known, message.external_id)
            assert known is not None
            return Received(known["id"], known["ticket_id"], new=False)
        if case is None:
            found = await _open(tx, message, ident, now=now)
        else:
            found = case["id"]
            if case["state"] in OVER:
                await tickets.change(tx, found, changes={"state": TicketState.OPEN}, version=None, actor=None, now=now)
            await tickets.link(tx, found, interaction=ident, actor=None, now=now)
        await _keep(tx, message, ident, found, queue=queue, limits=limits or Limits(), now=now)
        if message.address_kind is AddressKind.EMAIL and case is None and acknowledge:
            await _acknowledge(tx, message, found, ident, queue=queue, now=now)
    return Received(ident, found, new=True)


async def _referred(tx: Transaction, reference: str) -> int | None:
    """With or without the brackets and the sign that our letters put around it."""
    key = await tx.connection.fetchval(MAIL.key)
    number = number_of(key, recipients=(), subject=f"[#{reference.strip('[]# ')}]")
    return None if number is None else await tx.connection.fetchval(MAIL.ticket_of_number, number)


async def _arrive(tx: Transaction, message: WebMessage, *, queue: int, now: datetime) -> int | None:
    events = await tx.verb(
        "arrive",
        Channel.FORM,
        "inbound",
        message.external_id,
        None,
        None,
        message.address_kind,
        message.address,
        message.name,
        message.called,
        message.subject,
        queue,
        0,
        State.QUEUED,
        None,
        now,
        {} if message.language is None else {"language": message.language},
    )
    return events[0].interaction if events else None


async def _open(tx: Transaction, message: WebMessage, interaction: int, *, now: datetime) -> int:
    rules = await ticket_values.rules_for(tx, ["fields"])
    ticket = await tickets.open_ticket(
        tx,
        subject=message.subject,
        customer=None,
        interaction=interaction,
        queue=None,
        priority=Priority.NORMAL,
        category=_category(rules, message.category),
        more={"fields": _fitting(rules, message.fields)},
        text=None,
        actor=None,
        now=now,
    )
    return ticket.id


def _category(rules: TicketRules, category: str | None) -> str | None:
    """The form may be older than the tree; what was chosen stands in the text too."""
    try:
        rules.check_category(category)
    except Invalid:
        return None
    return category


def _fitting(rules: TicketRules, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those that tickets have a place for; the others stand in the text."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        try:
            found = rules.merged_fields(found, {name: value})
        except Invalid:
            continue
    return found


async def _keep(
    tx: Transaction, message: WebMessage, interaction: int, ticket: int, *, queue: int, limits: Limits, now: datetime
) -> None:
    ident = await tx.connection.fetchval(MAIL.add_text, interaction, ticket, message.text, now)
    # Two kinds: what was uploaded before has an owner, and what comes with the message has none.
    new = [
        await uploads.keep(tx, each.name, each.declared, each.data, now=now, largest=limits.file)
        for each in message.files
    ]
    await uploads.bind(tx, new, message=ident, largest=limits.message)
    await uploads.bind(tx, message.uploads, message=ident, owner=message.owner, largest=limits.message)
    data = {"message": ident, "attachments": len(new) + len(message.uploads)}
    await tx.append("message.received", interaction=interaction, ticket=ticket, queue=queue, data=data, now=now)


async def _acknowledge(
    tx: Transaction, message: WebMessage, ticket: int, interaction: int, *, queue: int, now: datetime
) -> None:
    assert message.address is not None
    sent = mail_words.Acknowledged(
        address=message.address,
        name=message.name,
        language=message.language,
        ticket=ticket,
        interaction=interaction,
        queue=queue,
        mailbox=await tx.connection.fetchval(SQL.mailbox, queue),
    )
    await mail_words.acknowledge(tx, sent, now=now)
