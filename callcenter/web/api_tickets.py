"""Tickets over REST."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import tickets as actions
from callcenter.domain.sla import Clock, ClockName, ClockState
from callcenter.domain.ticket import Priority, TicketState
from callcenter.errors import Invalid
from callcenter.store import sla
from callcenter.store import tickets as store
from callcenter.store.directory import Directory
from callcenter.store.tickets import Ticket
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, Name, Text, answer, dump, path_id, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.problem import FieldError, Refused
from callcenter.web.versions import etag, expected_version

_AT = f"/tickets/{ID}"

Category = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


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
    """`queue` and `owner` by name, `customer` and `interactions` by id."""

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


@dataclass(frozen=True, slots=True)
class MessageItem:
    id: int
    kind: str
    public: bool
    text: str
    at: datetime
    author: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTicket(TicketItem):
    messages: list[MessageItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    __pydantic_config__ = STRICT
    state: TicketState | None = None
    priority: Priority | None = None
    queue: Line | None = None
    owner: Line | None = None
    customer: Id | None = None
    number: Id | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """Customer and queue are those of the interaction unless they are given."""

    __pydantic_config__ = STRICT
    subject: Name
    text: Text | None = None
    customer: Id | None = None
    interaction: Id | None = None
    queue: Line | None = None
    owner: Line | None = None
    priority: Priority = Priority.NORMAL
    category: Category | None = None


class TicketChanges(TypedDict, total=False):
    """What is left out stays; null empties. `queue` and `owner` by name."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    subject: Name
    state: TicketState
    priority: Priority
    category: Category | None
    queue: Line | None
    owner: Line | None
    customer: Id | None


@dataclass(frozen=True, slots=True)
class Reply:
    """A note for us, or public: an answer to the customer. `to`: an address, once a channel can send to it."""

    __pydantic_config__ = STRICT
    text: Text
    public: bool = False
    to: Line | None = None


@dataclass(frozen=True, slots=True)
class Link:
    __pydantic_config__ = STRICT
    interaction: Id


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


def _fields(ticket: Ticket, directory: Directory, clocks: Sequence[Clock] = ()) -> dict[str, Any]:
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
    }


async def _say(request: web.Request, ticket: Ticket, *, status: int = 200) -> web.StreamResponse:
    clocks = await sla.clocks_of(request.app[POOL], [ticket.id])
    item = TicketItem(**_fields(ticket, request.app[DIRECTORY], clocks.get(ticket.id, ())))
    return answer(item, status=status, headers=etag(ticket.version))


@operation("GET", "/tickets", summary="Find tickets", tag="tickets", query=Filter, answer=Page[TicketItem])
async def list_tickets(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Filter)
    wanted = store.Filter(
        state=query.state,
        priority=query.priority,
        queue=queue_id(request, query.queue),
        owner=user_id(request, query.owner, field="owner"),
        customer=query.customer,
        number=query.number,
    )
    below = read_place(query.after, start=TOP)
    found = await store.find(request.app[POOL], wanted, below=below, limit=query.limit + 1)
    page, directory = found[: query.limit], request.app[DIRECTORY]
    clocks = await sla.clocks_of(request.app[POOL], [each.id for each in page])
    items = [TicketItem(**_fields(each, directory, clocks.get(each.id, ()))) for each in page]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation(
    "POST", "/tickets", summary="Open a ticket", tag="tickets", body=NewTicket, answer=TicketItem, status=201,
    refusals=(404,),
)  # fmt: skip
async def post_ticket(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewTicket)
    ticket = await actions.open_ticket(
        request.app[LOG],
        subject=given.subject,
        customer=given.customer,
        interaction=given.interaction,
        queue=queue_id(request, given.queue, active=True),
        owner=user_id(request, given.owner, field="owner", active=True),
        priority=given.priority,
        category=given.category,
        text=given.text,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _say(request, ticket, status=201)


@operation("GET", _AT, summary="One ticket with its texts", tag="tickets", answer=WholeTicket)
async def get_ticket(request: web.Request) -> web.StreamResponse:
    pool, ident = request.app[POOL], path_id(request)
    ticket = await store.get(pool, ident)
    texts = [MessageItem(m.id, m.kind, m.public, m.text, m.at, m.author) for m in await store.messages(pool, ident)]
    clocks = (await sla.clocks_of(pool, [ident])).get(ident, ())
    whole = WholeTicket(**_fields(ticket, request.app[DIRECTORY], clocks), messages=texts)
    return answer(whole, headers=etag(ticket.version))


def _ids(request: web.Request, given: TicketChanges) -> Mapping[str, Any]:
    changes: dict[str, Any] = {**given}
    if "queue" in given:
        changes["queue"] = queue_id(request, given["queue"], active=True)
    if "owner" in given:
        changes["owner"] = user_id(request, given["owner"], field="owner", active=True)
    return changes


def _outdated(error: actions.Stale, directory: Directory) -> Refused:
    """What was changed since, by whom, and what it is now."""
    now = _fields(error.ticket, directory)
    errors = []
    for change in error.changes:
        actor = directory.users.get(change.actor or 0)
        by = f" by {actor.name}" if actor else ""
        when = f"{change.at:%Y-%m-%dT%H:%M:%SZ}"
        value = f"is {dump(now[change.field]).decode()} now, " if change.field in now else ""
        errors.append(FieldError(change.field, f"{value}changed{by} at {when}"))
    names = ", ".join(each.field for each in errors) or "nothing that is shown"
    return Refused(412, f"{error} Changed since: {names}.", errors=errors)


@operation(
    "PATCH", _AT, summary="Change a ticket; If-Match names the version that was seen", tag="tickets",
    body=TicketChanges, answer=TicketItem, refusals=(409, 412),
)  # fmt: skip
async def patch_ticket(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, TicketChanges)
    try:
        ticket = await actions.change(
            request.app[LOG],
            path_id(request),
            changes=_ids(request, given),
            version=expected_version(request),
            actor=identity(request).user_id,
            now=request.app[CLOCK](),
        )
    except actions.Stale as error:
        raise _outdated(error, request.app[DIRECTORY]) from None
    return await _say(request, ticket)


@operation(
    "POST", f"{_AT}/reply", summary="Add a note, or answer", tag="tickets", body=Reply, answer=TicketItem, acts=True
)
async def post_reply(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Reply)
    if given.to is not None:
        raise Invalid("No channel is connected that could send it.", field="to")
    ticket = await actions.reply(
        request.app[LOG],
        path_id(request),
        text=given.text,
        public=given.public,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _say(request, ticket)


@operation("POST", f"{_AT}/link", summary="Tie an interaction to it", tag="tickets", body=Link, answer=TicketItem)
async def post_link(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Link)
    who = identity(request)
    ticket = await actions.link(
        request.app[LOG],
        path_id(request),
        interaction=given.interaction,
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    return await _say(request, ticket)


def routes() -> list[web.RouteDef]:
    found = (list_tickets, post_ticket, get_ticket, patch_ticket, post_reply, post_link)
    return [each.route() for each in found]
