"""Tickets as REST shows them, and what somebody is told who wrote on an older version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from callcenter.actions.tickets import Stale
from callcenter.domain.sla import Clock, ClockName, ClockState
from callcenter.domain.ticket import Priority, TicketState
from callcenter.store import sla, tickets
from callcenter.store.directory import Directory
from callcenter.store.ticket_family import Relative
from callcenter.store.tickets import Ticket
from callcenter.web.body import answer, dump
from callcenter.web.keys import DIRECTORY, POOL
from callcenter.web.problem import FieldError, Refused
from callcenter.web.versions import etag


@dataclass(frozen=True, slots=True)
class ClockItem:
    """`due_at` is null while paused; then `remaining_seconds` of business time are left.

    `difference_seconds`: what was left when it was fulfilled; below zero, by how much that was too late.
    """

    clock: ClockName
    state: ClockState
    due_at: datetime | None
    met_at: datetime | None
    breached_at: datetime | None
    remaining_seconds: float | None
    difference_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketItem:
    """`queue`, `owner` and `followers` by name, `customer`, `interactions`, `parent` and `merged_into` by id.

    `customer` is who asked, `customers` are the others. `merged_into`: the ticket in which its case goes on.
    """

    id: int
    number: int
    subject: str
    state: TicketState
    priority: Priority
    category: str | None
    queue: str | None
    owner: str | None
    customer: int | None
    interactions: list[int]
    clocks: list[ClockItem]
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    version: int
    type: str | None
    tags: list[str]
    followers: list[str]
    customers: list[int]
    fields: dict[str, Any]
    parent: int | None
    merged_into: int | None


@dataclass(frozen=True, slots=True)
class MessageItem:
    id: int
    kind: str
    public: bool
    text: str
    at: datetime
    author: str | None


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """`kin`: what it is to the ticket: child, parent, merged, merged_into, related, split_from or split_to."""

    kin: str
    id: int
    number: int
    subject: str
    state: TicketState
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTicket(TicketItem):
    messages: list[MessageItem]
    related: list[RelatedItem]


def _clock(clock: Clock) -> ClockItem:
    return ClockItem(
        clock=clock.clock,
        state=clock.state,
        due_at=clock.due_at,
        met_at=clock.met_at,
        breached_at=clock.breached_at,
        remaining_seconds=None if clock.remaining is None else clock.remaining.total_seconds(),
        difference_seconds=None if clock.difference is None else clock.difference.total_seconds(),
    )


def fields_of(ticket: Ticket, directory: Directory, clocks: Sequence[Clock] = ()) -> dict[str, Any]:
    queue, owner = directory.queues.get(ticket.queue or 0), directory.users.get(ticket.owner or 0)
    return {
        "id": ticket.id,
        "number": ticket.number,
        "subject": ticket.subject,
        "state": ticket.state,
        "priority": ticket.priority,
        "category": ticket.category,
        "queue": queue.name if queue else None,
        "owner": owner.name if owner else None,
        "customer": ticket.customer,
        "interactions": list(ticket.interactions),
        "clocks": [_clock(clock) for clock in clocks],
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "closed_at": ticket.closed_at,
        "version": ticket.version,
        "type": ticket.type,
        "tags": list(ticket.tags),
        "followers": [directory.users[each].name for each in ticket.followers if each in directory.users],
        "customers": list(ticket.customers),
        "fields": dict(ticket.fields),
        "parent": ticket.parent,
        "merged_into": ticket.merged_into,
    }


async def say(request: web.Request, ticket: Ticket, *, status: int = 200) -> web.StreamResponse:
    if request.app[DIRECTORY].rules.triggers:  # what they made of it is what the client goes on from
        ticket = await tickets.get(request.app[POOL], ticket.id)
    clocks = await sla.clocks_of(request.app[POOL], [ticket.id])
    item = TicketItem(**fields_of(ticket, request.app[DIRECTORY], clocks.get(ticket.id, ())))
    return answer(item, status=status, headers=etag(ticket.version))


def relative(each: Relative, directory: Directory) -> RelatedItem:
    owner = directory.users.get(each.owner or 0)
    return RelatedItem(each.kin, each.id, each.number, each.subject, each.state, owner.name if owner else None)


def outdated(error: Stale, directory: Directory) -> Refused:
    """What was changed since, by whom, and what it is now."""
    now = fields_of(error.ticket, directory)
    errors = []
    for change in error.changes:
        actor = directory.users.get(change.actor or 0)
        by = f" by {actor.name}" if actor else ""
        when = f"{change.at:%Y-%m-%dT%H:%M:%SZ}"
        head, _, own = change.field.partition(".")
        shown = now["fields"].get(own) if own else now.get(head)
        value = f"is {dump(shown).decode()} now, " if head in now else ""
        errors.append(FieldError(change.field, f"{value}changed{by} at {when}"))
    names = ", ".join(each.field for each in errors) or "nothing that is shown"
    return Refused(412, f"{error} Changed since: {names}.", errors=errors)
