"""What comes through a gateway: each message once, in the conversation that it goes on with; and receipts of ours."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.actions import sla, tickets
from callcenter.actions.ticket_writing import append, write
from callcenter.domain.gateway import Receipt, Written, address_of, continues
from callcenter.domain.interaction import Channel, State
from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.errors import Invalid
from callcenter.store import tickets as ticket_rows
from callcenter.store.gateways import SQL, Gateway
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.mail_in import SQL as MAIL

_OPEN = (State.NEW, State.QUEUED, State.OFFERED, State.ACTIVE)
_SUBJECT = 60


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message: `new` is False for one that was here already."""

    interaction: int
    message: int
    new: bool


async def receive(log: ContactLog, gateway: Gateway, written: Written, *, region: str, now: datetime) -> Received:
    """Once this returns the message is safe, and sending it again changes nothing. Raises Invalid without a queue."""
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock_correspondent, f"{gateway.id}:{written.sender}")
        known = await tx.connection.fetchrow(SQL.known, gateway.id, written.id)
        if known is not None:
            return Received(known["interaction"], known["message"], new=False)
        before = await _before(tx, gateway, written, now=now)
        ident, ticket = await _continued(tx, before, now=now)
        if ident is None:
            ident = await _arrive(tx, gateway, written, region=region, now=now)
            ticket = await _file(tx, gateway, written, ident, before, now=now)
        # A clock that runs ahead would put it behind answers to it.
        at = now if written.at is None else min(written.at, now)
        message = await tx.connection.fetchval(SQL.add_text, ident, ticket, None, "inbound", written.text, at)
        await tx.connection.execute(SQL.add_inbound, gateway.id, written.id, message)
        row = await tx.connection.fetchrow(SQL.standing, ident)
        assert row is not None
        await tx.append(
            "message.received",
            interaction=ident,
            ticket=ticket,
            customer=row["customer_id"],
            agent=row["agent_id"],
            queue=row["queue_id"],
            data={"message": message, "gateway": gateway.table.name},
            now=now,
        )
    return Received(ident, message, new=True)


async def _before(tx: Transaction, gateway: Gateway, written: Written, *, now: datetime) -> asyncpg.Record | None:
    """The contact that this one goes on with, whether it is over or not."""
    row = await tx.connection.fetchrow(SQL.latest, gateway.id, written.sender)
    if row is None or not continues(row["said_at"], within=gateway.table.continue_for, now=now):
        return None
    return row


async def _continued(tx: Transaction, before: asyncpg.Record | None, *, now: datetime) -> tuple[int | None, int | None]:
    """The contact that is still open, and its ticket, whose customer waits for an answer from now on."""
    if before is None:
        return None, None
    await tx.lock_interaction(before["id"])
    row = await tx.connection.fetchrow(SQL.standing, before["id"])
    if row is None or row["state"] not in _OPEN:
        return None, None
    if row["ticket_id"] is None:
        return before["id"], None
    return before["id"], await asked(tx, row["ticket_id"], now=now)


async def asked(tx: Transaction, ticket: int, *, now: datetime) -> int:
    """The customer wrote once more in a contact that is the ticket's already; the one where its case goes on."""
    row = await tx.connection.fetchrow(MAIL.survivor, ticket)
    assert row is not None
    ident: int = row["id"]
    if row["state"] in OVER:
        await tickets.change(tx, ident, changes={"state": TicketState.OPEN}, version=None, actor=None, now=now)
    await tx.lock_ticket(ident)
    before = await ticket_rows.get(tx.connection, ident)
    changes = {"state": TicketState.OPEN} if before.state is TicketState.PENDING else {}
    after = await write(tx, before, changes, actor=None, now=now)
    await append(tx, "ticket.changed", after, actor=None, data={"changed": ["messages", *changes]}, now=now)
    await sla.follow(tx, before, after, asked_at=now, actor=None, now=now)
    return ident


async def _arrive(tx: Transaction, gateway: Gateway, written: Written, *, region: str, now: datetime) -> int:
    queue = await tx.connection.fetchval(SQL.served_queue, gateway.queue)
    if queue is None:
        raise Invalid(
            f"The queue of the gateway {gateway.table.name} is served no longer, and there is no default one."
        )
    kind, value = address_of(gateway.table, written.sender, region=region) or (None, written.sender)
    events = await tx.verb(
        "arrive",
        Channel.MESSAGE,
        "inbound",
        f"{gateway.table.name}:{written.id}",
        None,
        None,
        kind,
        value,
        written.name,
        gateway.table.name,
        subject_of(written.text),
        queue,
        0,
        State.QUEUED,
        None,
        now,
        {},
    )
    if not events or events[0].interaction is None:
        raise Invalid("Another system handed in this message already.")
    await tx.connection.execute(SQL.add_thread, events[0].interaction, gateway.id, written.sender)
    return events[0].interaction


def subject_of(text: str) -> str:
    """What a message is about, for lists: its first words."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _SUBJECT else f"{line[: _SUBJECT - 1]}…"


async def _file(
    tx: Transaction,
    gateway: Gateway,
    written: Written,
    interaction: int,
    before: asyncpg.Record | None,
    *,
    now: datetime,
) -> int | None:
    """To the ticket of what was said lately, which is brought back to work; or to a new one."""
    if before is not None and before["ticket_id"] is not None:
        row = await tx.connection.fetchrow(MAIL.survivor, before["ticket_id"])
        assert row is not None
        if row["state"] in OVER:
            await tickets.change(tx, row["id"], changes={"state": TicketState.OPEN}, version=None, actor=None, now=now)
        await tickets.link(tx, row["id"], interaction=interaction, actor=None, now=now)
        return int(row["id"])
    if not gateway.table.tickets:
        return None
    ticket = await tickets.open_ticket(
        tx,
        subject=subject_of(written.text),
        customer=None,
        interaction=interaction,
        queue=None,
        priority=Priority.NORMAL,
        text=None,
        actor=None,
        now=now,
    )
    return ticket.id


async def note_receipt(log: ContactLog, gateway: Gateway, receipt: Receipt, *, now: datetime) -> bool:
    """False for a message that is not ours, or of which this was known. The gateway's words stay in the row."""
    state = "delivered" if receipt.delivered else "failed"
    words = None if receipt.delivered else receipt.words
    async with log.transaction() as tx:
        row = await tx.connection.fetchrow(SQL.receipt, gateway.id, receipt.id, state, words, now)
        if row is None:
            return False
        data = {"message": row["message_id"], "state": state, "attempt": row["attempts"]}
        await tx.append(
            "message.delivered" if receipt.delivered else "message.failed",
            interaction=row["interaction_id"],
            ticket=row["ticket_id"],
            customer=row["customer_id"],
            agent=row["agent_id"],
            queue=row["queue_id"],
            data=data if receipt.delivered else {**data, "reason": "undelivered"},
            now=now,
        )
    return True
