"""Tickets over REST."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import tickets as actions
from callcenter.actions.ticket_family import Children
from callcenter.domain.ticket import Priority, TicketState
from callcenter.domain.ticket_rules import read_value, tag_of
from callcenter.domain.ticket_view import Conditions
from callcenter.errors import Invalid
from callcenter.store import sla, ticket_filter
from callcenter.store import ticket_family as family
from callcenter.store import tickets as store
from callcenter.store.directory import Directory
from callcenter.store.ticket_lists import check_names
from callcenter.web.api_messages import hold_of
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, Name, Text, answer, path_id, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.rights import actable
from callcenter.web.ticket_items import MessageItem, TicketItem, WholeTicket, fields_of, outdated, relative, say
from callcenter.web.ticket_lists import part_of, view_of
from callcenter.web.versions import etag, expected_version

_AT = f"/tickets/{ID}"

# The organisation's own fields by name; null empties one.
FieldName = Annotated[str, Field(max_length=40)]
FieldValues = dict[FieldName, str | int | float | None]
Tags = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)]
Names = Annotated[list[Line], Field(max_length=100)]
Ids = Annotated[list[Id], Field(max_length=100)]
Category = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`number` of a merged ticket finds the one in which its case goes on; `category`: or one below it; `customer`: who
    asked, or another one of the ticket; `field`: NAME:VALUE of one of the organisation's own fields."""

    __pydantic_config__ = STRICT
    state: TicketState | None = None
    priority: Priority | None = None
    queue: Line | None = None
    owner: Line | None = None
    customer: Id | None = None
    number: Id | None = None
    type: Line | None = None
    category: Category | None = None
    tag: Line | None = None
    follower: Line | None = None
    parent: Id | None = None
    field: Annotated[str, Field(pattern=r"^[a-z0-9_]+:.+$", max_length=1100)] | None = None
    view: Annotated[Line | None, Field(description="A list: built in by its name, saved by its id (GET /views).")] = (
        None
    )
    q: Annotated[Line | None, Field(description="Words of subject and messages; all must be there.")] = None
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
    type: Line | None = None
    tags: Tags = field(default_factory=list)
    followers: Names = field(default_factory=list)
    customers: Ids = field(default_factory=list)
    fields: FieldValues = field(default_factory=dict)
    parent: Id | None = None


class TicketChanges(TypedDict, total=False):
    """What is left out stays; null empties. `queue`, `owner` and followers by name.

    Of `fields` those that are named. Sets as a whole, or by `add_…` and `remove_…`. `children`: what becomes of open
    tickets below one that is resolved or closed.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]
    subject: Name
    state: TicketState
    priority: Priority
    category: Category | None
    queue: Line | None
    owner: Line | None
    customer: Id | None
    type: Line | None
    parent: Id | None
    fields: FieldValues
    tags: Tags
    add_tags: Tags
    remove_tags: Tags
    followers: Names
    add_followers: Names
    remove_followers: Names
    customers: Ids
    add_customers: Ids
    remove_customers: Ids
    children: Children


@dataclass(frozen=True, slots=True)
class Reply:
    """A note for us, or public: an answer to the customer, from where they wrote last. `to`: a mail address to which it
    goes all the same, whoever reads there. `files`: uploads of the caller's. An answer by mail can be taken back for
    some seconds (POST /messages/{id}/withdraw)."""

    __pydantic_config__ = STRICT
    text: Text
    public: bool = False
    to: Line | None = None
    files: Sequence[Id] = ()


@dataclass(frozen=True, slots=True)
class Link:
    __pydantic_config__ = STRICT
    interaction: Id


_NOT_IN_LISTS = ("number", "type", "tag", "follower", "parent", "field")


async def _list_view(request: web.Request, query: Filter) -> web.StreamResponse:
    for name in _NOT_IN_LISTS:
        if getattr(query, name) is not None:
            raise Invalid(f"Lists (view, q) are not narrowed down by {name}.", field=name)
    more = Conditions(
        state=() if query.state is None else (query.state,),
        priority=() if query.priority is None else (query.priority,),
        category=() if query.category is None else (query.category,),
        queue=() if query.queue is None else (query.queue,),
        owner=() if query.owner is None else (query.owner,),
        customer=query.customer,
        words=(query.q or "").strip(),
    )
    directory = request.app[DIRECTORY]
    check_names(more, directory)
    part = await part_of(request, await view_of(request, query.view, more), after=query.after, limit=query.limit)
    found, clocks = await store.many(request.app[POOL], part.ids), await sla.clocks_of(request.app[POOL], part.ids)
    items = [TicketItem(**fields_of(found[id_], directory, clocks.get(id_, ()))) for id_ in part.ids if id_ in found]
    return answer(Page(items, part.next))


@operation("GET", "/tickets", summary="Find tickets", tag="tickets", query=Filter, answer=Page[TicketItem])
async def list_tickets(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Filter)
    if query.view is not None or query.q:
        return await _list_view(request, query)
    wanted = ticket_filter.Filter(
        state=query.state,
        priority=query.priority,
        queue=queue_id(request, query.queue),
        owner=user_id(request, query.owner, field="owner"),
        customer=query.customer,
        number=query.number,
        type=query.type,
        category=query.category,
        tag=None if query.tag is None else tag_of(query.tag),
        follower=user_id(request, query.follower, field="follower"),
        parent=query.parent,
        values={} if query.field is None else _value(query.field, request.app[DIRECTORY]),
    )
    below = read_place(query.after, start=TOP)
    found = await ticket_filter.find(request.app[POOL], wanted, below=below, limit=query.limit + 1)
    page, directory = found[: query.limit], request.app[DIRECTORY]
    clocks = await sla.clocks_of(request.app[POOL], [each.id for each in page])
    items = [TicketItem(**fields_of(each, directory, clocks.get(each.id, ()))) for each in page]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


def _value(text: str, directory: Directory) -> dict[str, Any]:
    name, _, value = text.partition(":")
    for each in directory.ticket_rules.fields:
        if each.name == name:
            return {name: read_value(each, value)}
    raise Invalid(f"Tickets have no field {name!r}.", field="field")


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
        more={
            "type": given.type,
            "tags": given.tags,
            "followers": _people(request, given.followers),
            "customers": given.customers,
            "fields": given.fields,
            "parent": given.parent,
        },
        text=given.text,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await say(request, ticket, status=201)


@operation("GET", _AT, summary="One ticket with its texts", tag="tickets", answer=WholeTicket)
async def get_ticket(request: web.Request) -> web.StreamResponse:
    pool, ident = request.app[POOL], path_id(request)
    ticket = await store.get(pool, ident)
    texts = [MessageItem(m.id, m.kind, m.public, m.text, m.at, m.author) for m in await store.messages(pool, ident)]
    clocks = (await sla.clocks_of(pool, [ident])).get(ident, ())
    directory = request.app[DIRECTORY]
    related = [relative(each, directory) for each in await family.family(pool, ident)]
    whole = WholeTicket(**fields_of(ticket, directory, clocks), messages=texts, related=related)
    return answer(whole, headers=etag(ticket.version))


def _people(request: web.Request, names: Sequence[str]) -> list[int | None]:
    return [user_id(request, name, field="followers") for name in names]


def _ids(request: web.Request, given: TicketChanges) -> Mapping[str, Any]:
    changes: dict[str, Any] = {name: value for name, value in given.items() if name != "children"}
    for name in ("followers", "add_followers", "remove_followers"):
        if name in changes:
            changes[name] = _people(request, changes[name])
    if "queue" in given:
        changes["queue"] = queue_id(request, given["queue"], active=True)
    if "owner" in given:
        changes["owner"] = user_id(request, given["owner"], field="owner", active=True)
    return changes


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
            children=given.get("children", Children.REFUSE),
            actor=identity(request).user_id,
            now=request.app[CLOCK](),
        )
    except actions.Stale as error:
        raise outdated(error, request.app[DIRECTORY]) from None
    return await say(request, ticket)


@operation(
    "POST", f"{_AT}/reply", summary="Add a note, or answer", tag="tickets", body=Reply, answer=TicketItem, acts=True
)
async def post_reply(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Reply)
    ticket = await actions.reply(
        request.app[LOG],
        path_id(request),
        text=given.text,
        public=given.public,
        to=given.to,
        files=given.files,
        hold=hold_of(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await say(request, ticket)


@operation("POST", f"{_AT}/link", summary="Tie an interaction to it", tag="tickets", body=Link, answer=TicketItem)
async def post_link(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Link)
    who = identity(request)
    await actable(request, given.interaction)
    ticket = await actions.link(
        request.app[LOG],
        path_id(request),
        interaction=given.interaction,
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    return await say(request, ticket)


def routes() -> list[web.RouteDef]:
    found = (list_tickets, post_ticket, get_ticket, patch_ticket, post_reply, post_link)
    return [each.route() for each in found]
