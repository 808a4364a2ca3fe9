"""What can be done to a ticket: open, reply, change, link. Texts stay in their rows; the log has states and ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import asyncpg

from callcenter.actions import sla
from callcenter.domain.interaction import Channel
from callcenter.domain.machine import step
from callcenter.domain.ticket import OVER, TRANSITIONS, Priority, TicketState, TicketVerb
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import tickets as store
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.tickets import SQL, Ticket

E = TypeVar("E", bound=StrEnum)

LONGEST_SUBJECT = 200
LONGEST_TEXT = 100_000
_CHANGEABLE = ("subject", "state", "priority", "category", "queue", "owner", "customer")


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody else did: which field, and what it is now; `replied` for a new text."""

    field: str
    now: object
    at: datetime
    actor: int | None


class Stale(Conflict):
    """The ticket has moved on from the version that the writer had seen; `changes` says what was changed since."""

    def __init__(self, message: str, *, ticket: Ticket, changes: Sequence[Change]) -> None:
        super().__init__(message)
        self.ticket = ticket
        self.changes = tuple(changes)


def _line(field: str, text: str | None, *, longest: int) -> str | None:
    value = None if text is None else text.strip() or None
    if value is not None and (len(value) > longest or not value.isprintable()):
        raise Invalid(f"One line of at most {longest} characters.", field=field)
    return value


def _text(text: str) -> str:
    if not text.strip():
        raise Invalid("Write something.", field="text")
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"A text has at most {LONGEST_TEXT} characters.", field="text")
    if "\x00" in text:
        raise Invalid("A text contains no NUL character.", field="text")
    return text


async def open_ticket(
    log: ContactLog | Transaction,
    *,
    subject: str,
    customer: int | None,
    interaction: int | None,
    queue: int | None,
    priority: str,
    text: str | None,
    actor: int | None,
    now: datetime,
    owner: int | None = None,
    category: str | None = None,
) -> Ticket:
    """Customer and queue are those of the interaction unless they are given.

    Raises Invalid for a bad subject, text or priority and for ids that do not exist, NotFound for the interaction.
    """
    title = _line("subject", subject, longest=LONGEST_SUBJECT)
    if title is None:
        raise Invalid("A ticket needs a subject.", field="subject")
    urgency = _member(Priority, "priority", priority)
    kind = _line("category", category, longest=100)
    async with log.transaction() as tx:
        found = None
        if interaction is not None:
            await tx.lock_interaction(interaction)
            found = await tx.connection.fetchrow(SQL.customer_of, interaction)
            if found is None:
                raise NotFound(f"There is no interaction {interaction}.")
            customer = found["customer_id"] if customer is None else customer
            queue = found["queue_id"] if queue is None else queue
        state = TicketState.NEW if owner is None else TicketState.OPEN
        try:
            ident = await tx.connection.fetchval(
                SQL.add, title, state, urgency, kind, queue, owner, customer, actor, now
            )
        except asyncpg.ForeignKeyViolationError as error:
            raise _unknown(error) from None
        if interaction is not None:
            await tx.verb("link_ticket", interaction, ident, actor, now)
        if text is not None and text.strip():
            await tx.connection.execute(SQL.add_message, ident, actor, "note", False, _text(text), now)
        ticket = await store.get(tx.connection, ident)
        await _append(tx, "ticket.opened", ticket, actor=actor, interaction=interaction, now=now)
        spoken = found is not None and _spoken_at(found) is not None
        await sla.follow(tx, None, ticket, answered_at=now if spoken else None, actor=actor, now=now)
    return ticket


async def reply(log: ContactLog, ticket: int, *, text: str, public: bool, actor: int | None, now: datetime) -> Ticket:
    """A note for us, or a public answer to the customer; an answer takes a new ticket to open.

    Raises Conflict for an answer on a closed ticket.
    """
    body = _text(text)
    async with log.transaction() as tx:
        await tx.lock_ticket(ticket)
        before = await store.get(tx.connection, ticket)
        if public and before.state is TicketState.CLOSED:
            raise Conflict("The ticket is closed; reopen it to answer.")
        kind = "outbound" if public else "note"
        message = await tx.connection.fetchval(SQL.add_message, ticket, actor, kind, public, body, now)
        opened = public and before.state is TicketState.NEW
        after = await _write(tx, before, {"state": TicketState.OPEN} if opened else {}, now=now)
        changed = ["replied", *(["state"] if opened else [])]
        data = {"message": message, "public": public, "changed": changed}
        await _append(tx, "ticket.replied", after, actor=actor, data=data, now=now)
        # What nobody wrote is an automatic reply, which stops no clock.
        answered_at = now if public and actor is not None else None
        await sla.follow(tx, before, after, answered_at=answered_at, actor=actor, now=now)
    return after


async def change(
    log: ContactLog,
    ticket: int,
    *,
    changes: Mapping[str, Any],
    version: int | None,
    actor: int | None,
    now: datetime,
) -> Ticket:
    """Changes subject, state, priority, category, queue, owner or customer (ids); `version` None: whatever it is.

    Raises Stale when somebody else changed it since that version, IllegalTransition, Invalid, NotFound.
    """
    wanted = _checked(changes)
    async with log.transaction() as tx:
        await tx.lock_ticket(ticket)
        before = await store.get(tx.connection, ticket)
        if version is not None and version != before.version:
            raise await _stale(tx, before, version=version)
        wanted = {field: value for field, value in wanted.items() if value != getattr(before, field)}
        if not wanted:
            return before
        if "state" in wanted:
            step(TRANSITIONS, before.state, _VERBS[wanted["state"]])
        elif before.state is TicketState.NEW and wanted.get("owner") is not None:
            wanted["state"] = TicketState.OPEN  # somebody works on it
        try:
            after = await _write(tx, before, wanted, now=now)
        except asyncpg.ForeignKeyViolationError as error:
            raise _unknown(error) from None
        kind = _kind(before.state, after.state)
        # Who no longer owns it hears of it too.
        handed = {"before_owner": before.owner} if "owner" in wanted else {}
        await _append(tx, kind, after, actor=actor, data={"changed": list(wanted), **handed}, now=now)
        await sla.follow(tx, before, after, actor=actor, now=now)
    return after


async def link(log: ContactLog, ticket: int, *, interaction: int, actor: int | None, now: datetime) -> Ticket:
    """The interaction belongs to the ticket from now on; a ticket without customer takes over the interaction's.

    What the customer wrote in it is a question to us, and ends the waiting for them; a conversation is an answer.
    """
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        await tx.lock_ticket(ticket)
        before = await store.get(tx.connection, ticket)
        found = await tx.connection.fetchrow(SQL.customer_of, interaction)
        if found is None:
            raise NotFound(f"There is no interaction {interaction}.")
        if not await tx.verb("link_ticket", interaction, ticket, actor, now):
            return before
        spoken_at = _spoken_at(found)
        asks = spoken_at is None and found["direction"] == "inbound"
        changes: dict[str, Any] = {}
        if before.customer is None and found["customer_id"] is not None:
            changes["customer"] = found["customer_id"]
        if asks and before.state is TicketState.PENDING:
            changes["state"] = TicketState.OPEN
        after = await _write(tx, before, changes, now=now)
        data = {"changed": ["interactions", *changes]}
        await _append(tx, "ticket.linked", after, actor=actor, interaction=interaction, data=data, now=now)
        over = found["ended_at"] is not None and found["ended_at"] < before.created_at  # it was about something else
        await sla.follow(
            tx,
            before,
            after,
            asked_at=found["arrived_at"] if asks else None,
            answered_at=max(spoken_at, before.created_at) if spoken_at is not None and not over else None,
            actor=actor,
            now=now,
        )
    return after


# Where a person who answers speaks with the customer; elsewhere taking the work is no answer yet.
_SPOKEN = frozenset({Channel.PHONE, Channel.CHAT, Channel.CALLBACK, Channel.VISIT})


def _spoken_at(interaction: asyncpg.Record) -> datetime | None:
    at: datetime | None = interaction["answered_at"]
    return at if interaction["channel"] in _SPOKEN else None


_VERBS = {
    TicketState.OPEN: TicketVerb.OPEN,
    TicketState.PENDING: TicketVerb.WAIT,
    TicketState.ON_HOLD: TicketVerb.HOLD,
    TicketState.RESOLVED: TicketVerb.RESOLVE,
    TicketState.CLOSED: TicketVerb.CLOSE,
}


def _kind(before: TicketState, after: TicketState) -> str:
    if before is after or (after is TicketState.OPEN and before not in OVER):
        return "ticket.changed"
    return "ticket.reopened" if after is TicketState.OPEN else f"ticket.{after}"


def _member(kind: type[E], field: str, value: Any) -> E:
    try:
        return kind(value)
    except ValueError:
        raise Invalid(f"{value!r} is no {field}; expected one of {', '.join(kind)}.", field=field) from None


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := changes.keys() - set(_CHANGEABLE):
        raise Invalid(f"A ticket has no {', '.join(sorted(unknown))} to change.", field=min(unknown))
    wanted = dict(changes)
    if "subject" in wanted:
        wanted["subject"] = _line("subject", wanted["subject"], longest=LONGEST_SUBJECT)
        if wanted["subject"] is None:
            raise Invalid("A ticket needs a subject.", field="subject")
    if "category" in wanted:
        wanted["category"] = _line("category", wanted["category"], longest=100)
    if "priority" in wanted:
        wanted["priority"] = _member(Priority, "priority", wanted["priority"])
    if "state" in wanted:
        wanted["state"] = _member(TicketState, "state", wanted["state"])
        if wanted["state"] is TicketState.NEW:
            raise Invalid("A ticket is new only once.", field="state")
    return wanted


def _unknown(error: asyncpg.ForeignKeyViolationError) -> Invalid:
    field = (error.constraint_name or "").removeprefix("ticket_").removesuffix("_id_fkey")
    return Invalid(f"There is no such {field}.", field=field)


async def _write(tx: Transaction, before: Ticket, changes: Mapping[str, Any], *, now: datetime) -> Ticket:
    await tx.connection.execute(SQL.change, *store.change_row(replace(before, **changes), now))
    return await store.get(tx.connection, before.id)


async def _append(
    tx: Transaction,
    kind: str,
    ticket: Ticket,
    *,
    actor: int | None,
    now: datetime,
    interaction: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    await tx.append(
        kind,
        ticket=ticket.id,
        customer=ticket.customer,
        agent=ticket.owner,
        queue=ticket.queue,
        interaction=interaction,
        actor=actor,
        version=ticket.version,
        data={**ticket.image(), **(data or {})},
        now=now,
    )


async def _stale(tx: Transaction, ticket: Ticket, *, version: int) -> Stale:
    found: dict[str, Change] = {}
    for row in await tx.connection.fetch(SQL.changes, ticket.id, version):
        for field in row["data"].get("changed", ()):
            # The latest comes first, and of each field only who changed it last matters.
            found.setdefault(field, Change(field, getattr(ticket, field, None), row["at"], row["actor_id"]))
    return Stale(
        f"The ticket is at version {ticket.version} now, not {version}.", ticket=ticket, changes=list(found.values())
    )
