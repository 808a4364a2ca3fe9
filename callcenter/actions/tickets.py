"""What can be done to a ticket: open, reply, change, link. Texts stay in their rows; the log has states and ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from callcenter.actions import answer_out, mail_words, sla, uploads
from callcenter.actions import ticket_family as family
from callcenter.actions import ticket_values as values
from callcenter.actions.ticket_family import Children
from callcenter.actions.ticket_writing import append, remember, write
from callcenter.domain.interaction import Channel
from callcenter.domain.machine import step
from callcenter.domain.ticket import OVER, TRANSITIONS, Priority, TicketState, TicketVerb
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import tickets as store
from callcenter.store.correspondents import SQL as CORRESPONDENTS
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.ticket_family import SQL as FAMILY
from callcenter.store.tickets import SQL, Ticket


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
    more: Mapping[str, Any] | None = None,
) -> Ticket:
    """Customer and queue are those of the interaction unless they are given. `more`: type, tags, followers, customers,
    parent and fields.

    Raises Invalid for a bad subject, text or priority and for ids that do not exist, NotFound for the interaction.
    """
    asked = values.checked({**(more or {}), "subject": subject, "priority": priority, "category": category})
    async with log.transaction() as tx:
        if asked.get("parent") is not None:
            await tx.connection.execute(FAMILY.lock_families)
        channel: str | None = None
        spoken = False
        if interaction is not None:
            theirs = await _interaction(tx, interaction)
            customer = theirs.customer if customer is None else customer
            queue = theirs.queue if queue is None else queue
            channel, spoken = theirs.channel, theirs.spoken
        state = TicketState.NEW if owner is None else TicketState.OPEN
        draft = replace(_BLANK, state=state, queue=queue, owner=owner, customer=customer)
        said = [name for name, value in asked.items() if value is not None]
        rules = await values.rules_for(tx, said if actor is None else ["fields"])  # of nobody nothing is demanded
        draft = replace(draft, **await values.differences(tx, draft, asked, rules))
        values.check_complete(rules, draft, actor=actor)
        if draft.parent is not None:
            await family.lock(tx, draft.parent)
            await family.check_parent(tx, draft, await store.get(tx.connection, draft.parent))
        data = {} if draft.parent is None else {"parent": draft.parent}
        try:
            ticket = await store.open_new(tx, draft, interaction=interaction, data=data, actor=actor, now=now)
        except asyncpg.ForeignKeyViolationError as error:
            raise _unknown(error) from None
        if text is not None and text.strip():
            await tx.connection.execute(SQL.add_message, ticket.id, actor, "note", False, values.text(text), now)
        answered_at = now if spoken else None
        await sla.follow(tx, None, ticket, channel=channel, answered_at=answered_at, actor=actor, now=now)
    return ticket


@dataclass(frozen=True, slots=True)
class _Theirs:
    """Of the interaction from which a ticket is opened; `spoken`: somebody has spoken with the customer in it."""

    customer: int | None
    queue: int | None
    channel: str
    spoken: bool


async def _interaction(tx: Transaction, ident: int) -> _Theirs:
    """Locked. Raises NotFound."""
    if (came := tx.arrival(ident)) is not None:
        return _Theirs(came.customer, came.queue, came.data["channel"], spoken=False)
    await tx.lock_interaction(ident)
    found = await tx.connection.fetchrow(SQL.customer_of, ident)
    if found is None:
        raise NotFound(f"There is no interaction {ident}.")
    return _Theirs(found["customer_id"], found["queue_id"], found["channel"], _spoken_at(found) is not None)


_NEVER = datetime.min.replace(tzinfo=UTC)
_BLANK = Ticket(
    id=0, number=0, subject="", state=TicketState.NEW, priority=Priority.NORMAL, category=None, queue=None, owner=None,
    customer=None, interactions=(), created_at=_NEVER, updated_at=_NEVER, closed_at=None, version=0,
)  # fmt: skip


async def reply(
    log: ContactLog | Transaction,
    ticket: int,
    *,
    text: str,
    public: bool,
    actor: int | None,
    now: datetime,
    files: Sequence[int] = (),
    hold: timedelta = timedelta(0),
    contact: int | None = None,
    to: str | None = None,
) -> Ticket:
    """A note for us, or a public answer to the customer; an answer takes a new ticket to open.

    `files`: uploads of the writer's that go with it. `hold`: its letter waits for so long, and can be taken back
    (callcenter.actions.withdrawals). `contact`: the interaction that is answered, or by which a note came; `to`: the
    mail address to which an answer goes all the same. Raises Conflict for an answer on a closed ticket, Invalid for
    text, files and `to`.
    """
    body, receiver = values.text(text), values.receiver(to, public=public)
    async with log.transaction() as tx:
        await tx.lock_ticket(ticket)
        before = await _unmerged(tx, ticket)
        if public and before.state is TicketState.CLOSED:
            raise Conflict("The ticket is closed; reopen it to answer.")
        kind = "outbound" if public else "note"
        message = await tx.connection.fetchval(SQL.add_message, ticket, actor, kind, public, body, now)
        await uploads.bind(tx, files, message=message, owner=f"user:{actor}")
        if contact is not None and not public:
            await tx.connection.execute(SQL.came_by, message, contact)
        opened = public and before.state is TicketState.NEW
        after = await write(tx, before, {"state": TicketState.OPEN} if opened else {}, actor=actor, now=now)
        changed = ["replied", *(["state"] if opened else [])]
        data = {"message": message, "public": public, "changed": changed}
        if receiver is not None:
            data["to"] = "given"  # the address itself stands in the letter's row
        data |= await _told(tx, "ticket.replied", after, actor=actor, now=now)
        await append(tx, "ticket.replied", after, actor=actor, data=data, now=now)
        # What nobody wrote is an automatic reply, which stops no clock.
        answered_at = now if public and actor is not None else None
        await sla.follow(tx, before, after, answered_at=answered_at, actor=actor, now=now)
        if public:
            due = now + hold
            await answer_out.send(
                tx, after, body, message=message, actor=actor, due=due, now=now, contact=contact, to=receiver
            )
    return after


async def change(
    log: ContactLog | Transaction,
    ticket: int,
    *,
    changes: Mapping[str, Any],
    version: int | None,
    actor: int | None,
    now: datetime,
    children: Children = Children.REFUSE,
) -> Ticket:
    """Changes what `ticket_values.CHANGEABLE` names, people, queues and tickets by ids; `version` None: whatever it is.

    Of `fields` those that are named; None empties. Raises Stale when somebody else changed it since that version,
    IllegalTransition, Invalid, NotFound, and Conflict for a merged ticket and for a parent of open children.
    """
    asked = values.checked(changes)
    ends = asked.get("state") in OVER
    async with log.transaction() as tx:
        if "parent" in asked:
            await tx.connection.execute(FAMILY.lock_families)
        below = ticket if ends and children is Children.RESOLVE else None
        await family.lock(tx, ticket, asked.get("parent"), below=below)
        before = await store.get(tx.connection, ticket)
        await check_version(tx, before, version)
        rules = await values.rules_for(tx, asked)
        wanted = await values.differences(tx, before, asked, rules)
        if not wanted:
            return before
        await family.check_unmerged(tx, before)
        if wanted.get("parent") is not None:
            await family.check_parent(tx, before, await store.get(tx.connection, wanted["parent"]))
        touched = frozenset(wanted)
        told = await _move_state(tx, before, wanted, actor=actor, now=now)
        if ends and "state" in wanted:
            await _end_children(tx, before, children, actor=actor, now=now)
        values.check_complete(rules, replace(before, **wanted), changes=touched, actor=actor)
        try:
            after = await write(tx, before, wanted, actor=actor, now=now)
        except asyncpg.ForeignKeyViolationError as error:
            raise _unknown(error) from None
        kind = _kind(before.state, after.state)
        data: dict[str, Any] = {"changed": values.changed_names(before, wanted)}
        if "owner" in wanted:
            data["before_owner"] = before.owner  # who no longer owns it hears of it too
        if "parent" in wanted:
            data |= {"parent": after.parent, "before_parent": before.parent}
        data |= await _told(tx, kind, after, actor=actor, also=told, now=now)
        await append(tx, kind, after, actor=actor, data=data, now=now)
        await sla.follow(tx, before, after, actor=actor, now=now)
        if after.state in OVER and before.state not in OVER:
            await mail_words.note_closing(tx, after, actor=actor, now=now)
    return after


async def _move_state(
    tx: Transaction, before: Ticket, wanted: dict[str, Any], *, actor: int | None, now: datetime
) -> tuple[int, ...]:
    """What follows for owner and state of what is wanted is added to it; who is to be told.

    A reopened ticket stays with its owner while they are on shift, else goes to whoever looks after its customer, else
    to anybody in its queue.
    """
    state = wanted.get("state")
    if state is not None:
        step(TRANSITIONS, before.state, _VERBS[state])
    elif before.state is TicketState.NEW and wanted.get("owner") is not None:
        wanted["state"] = TicketState.OPEN  # somebody works on it
    if before.state not in OVER or state is not TicketState.OPEN or before.owner is None or "owner" in wanted:
        return ()
    heir = await tx.connection.fetchval(FAMILY.heir, before.owner, wanted.get("customer", before.customer))
    if heir == before.owner:
        return ()
    wanted["owner"] = heir
    return tuple(user for user in (before.owner, heir) if user is not None and user != actor)


async def _end_children(
    tx: Transaction, parent: Ticket, children: Children, *, actor: int | None, now: datetime
) -> None:
    """Those below it that are still open, the lowest first. Raises Conflict unless they may stay or be resolved."""
    if children is Children.LEAVE:
        return
    found = await tx.connection.fetch(FAMILY.open_below, parent.id)
    if found and children is Children.REFUSE:
        numbers = ", ".join(f"#{row['number']}" for row in found)
        raise Conflict(f"Tickets below it are still open: {numbers}.")
    for row in found:
        changes = {"state": TicketState.RESOLVED}
        try:
            await change(tx, row["id"], changes=changes, version=None, actor=actor, now=now)
        except Invalid as error:
            raise Invalid(f"#{row['number']}: {error}", field="children") from None


async def link(
    log: ContactLog | Transaction, ticket: int, *, interaction: int, actor: int | None, now: datetime
) -> Ticket:
    """The interaction belongs to the ticket from now on, and its customer is one of the ticket's, the first who asked.

    Where nobody says so (`actor` None) a case that somebody else opened does not become that customer's.
    What the customer wrote in it is a question to us, and ends the waiting for them; a conversation is an answer.
    """
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        await tx.lock_ticket(ticket)
        before = await _unmerged(tx, ticket)
        found = await tx.connection.fetchrow(SQL.customer_of, interaction)
        if found is None:
            raise NotFound(f"There is no interaction {interaction}.")
        if not await tx.verb("link_ticket", interaction, ticket, actor, now):
            return before
        spoken_at = _spoken_at(found)
        asks = spoken_at is None and found["direction"] == "inbound"
        changes = _joined(before, found["customer_id"])
        if (
            actor is None
            and "customer" in changes
            and not await tx.connection.fetchval(CORRESPONDENTS.asked_first, ticket, interaction)
        ):
            changes = {"customers": (changes["customer"],)}  # it is the case of somebody whom we do not know
        if asks and before.state is TicketState.PENDING:
            changes["state"] = TicketState.OPEN
        after = await write(tx, before, changes, actor=actor, now=now)
        await remember(tx, before, after, "interactions", actor=actor, now=now)
        data = {"changed": ["interactions", *changes], **await _told(tx, "ticket.linked", after, actor=actor, now=now)}
        await append(tx, "ticket.linked", after, actor=actor, interaction=interaction, data=data, now=now)
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


async def join(tx: Transaction, ticket: int, *, customer: int, actor: int | None, now: datetime) -> None:
    """It is said whose an interaction of the ticket is: one of its customers from now on, the first who asked."""
    await tx.lock_ticket(ticket)
    before = await store.get(tx.connection, ticket)
    if changes := _joined(before, customer):
        after = await write(tx, before, changes, actor=actor, now=now)
        await append(tx, "ticket.changed", after, actor=actor, data={"changed": list(changes)}, now=now)
        await sla.follow(tx, before, after, actor=actor, now=now)


def _joined(ticket: Ticket, customer: int | None) -> dict[str, Any]:
    """What changes when a customer is one of a ticket's."""
    if customer is None or customer == ticket.customer or customer in ticket.customers:
        return {}
    if ticket.customer is None:
        return {"customer": customer}
    return {"customers": tuple(sorted((*ticket.customers, customer)))}


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


def _unknown(error: asyncpg.ForeignKeyViolationError) -> Invalid:
    field = (error.constraint_name or "").removeprefix("ticket_").removesuffix("_id_fkey")
    return Invalid(f"There is no such {field}.", field=field)


async def _unmerged(tx: Transaction, ticket: int) -> Ticket:
    """Raises NotFound, and Conflict when its case goes on in another one."""
    found = await store.get(tx.connection, ticket)
    await family.check_unmerged(tx, found)
    return found


async def _told(
    tx: Transaction, kind: str, ticket: Ticket, *, actor: int | None, now: datetime, also: Sequence[int] = ()
) -> dict[str, Any]:
    """Notices to those who follow it, of all but small changes; what the log is to say of that."""
    followers = ticket.followers if kind != "ticket.changed" else ()
    told = await family.tell(tx, kind, ticket, {*followers, *also} - {actor}, now=now)
    return {"notified": told} if told else {}


async def check_version(tx: Transaction, ticket: Ticket, version: int | None) -> None:
    """Raises Stale when the writer has seen another version; None: any will do."""
    if version is None or version == ticket.version:
        return
    found: dict[str, Change] = {}
    for row in await tx.connection.fetch(SQL.changes, ticket.id, version):
        for field in row["data"].get("changed", ()):
            # The latest comes first, and of each field only who changed it last matters.
            found.setdefault(field, Change(field, ticket.value(field), row["at"], row["actor_id"]))
    raise Stale(
        f"The ticket is at version {ticket.version} now, not {version}.", ticket=ticket, changes=list(found.values())
    )
