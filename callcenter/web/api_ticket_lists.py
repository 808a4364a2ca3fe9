"""Saved lists of tickets, and the same change to many, over REST."""

from dataclasses import dataclass
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import ticket_bulk, ticket_views
from callcenter.domain.ticket import Priority, TicketState
from callcenter.domain.ticket_view import BUILTIN, Conditions, Order, View
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, Name, answer, path_id, read_body
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Page
from callcenter.web.ticket_lists import keeper_of
from callcenter.web.versions import etag, expected_version

_AT = f"/views/{ID}"
Texts = Annotated[list[Line], Field(max_length=50)]


class ViewConditions(TypedDict, total=False):
    """All that are given hold; of several values one does. A category holds for those below it too. Owners may be
    `@me` and `@none`. `open`: neither resolved nor closed; `breached`: something that is still owed was due before
    now; `words`: in subject and messages."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    state: Annotated[list[TicketState], Field(max_length=50)]
    priority: Annotated[list[Priority], Field(max_length=50)]
    type: Texts
    category: Texts
    tags: Texts
    queue: Texts
    owner: Texts
    customer: Id | None
    open: bool
    breached: bool
    words: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewItem:
    """`id` is null for a built-in one, which goes by its name; `owner` by name; `fault`: why it cannot be read."""

    id: int | None
    name: str
    owner: str | None
    shared: bool
    conditions: dict[str, Any]
    order: Order
    version: int
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewView:
    """`order`: due for open tickets, quiet for those in the state pending, oldest, newest. Supervisors may share."""

    __pydantic_config__ = STRICT
    name: Name
    conditions: ViewConditions
    order: Order = Order.NEWEST
    shared: bool = False


class ViewChanges(TypedDict, total=False):
    """What is left out stays."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    name: Name
    conditions: ViewConditions
    order: Order
    shared: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """A ticket by its id, with the version that was seen (null: whatever it is)."""

    __pydantic_config__ = STRICT
    id: Id
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class BulkChanges(TypedDict, total=False):
    """What is left out stays; null empties. `queue` and `owner` by name."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    state: TicketState
    priority: Priority
    queue: Line | None
    owner: Line | None


@dataclass(frozen=True, slots=True)
class Bulk:
    __pydantic_config__ = STRICT
    tickets: Annotated[list[Chosen], Field(min_length=1, max_length=ticket_bulk.MOST)]
    changes: BulkChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """`why`: why it was not done; `changed`: the fields that others had changed since the version that was seen."""

    id: int
    number: int | None
    done: bool
    version: int | None
    why: str | None
    changed: list[str]


def _item(request: web.Request, saved: ticket_views.Saved) -> ViewItem:
    owner = request.app[DIRECTORY].users.get(saved.owner)
    return ViewItem(
        id=saved.id,
        name=saved.name,
        owner=owner.name if owner else None,
        shared=saved.shared,
        conditions={} if saved.view is None else saved.view.conditions.dump(),
        order=Order.NEWEST if saved.view is None else saved.view.order,
        version=saved.version,
        fault=saved.fault,
    )


@operation(
    "GET", "/views", summary="Lists of tickets: built in, one's own, shared", tag="tickets", answer=Page[ViewItem]
)
async def list_views(request: web.Request) -> web.StreamResponse:
    items = [
        ViewItem(
            id=None, name=name, owner=None, shared=True, conditions=view.conditions.dump(), order=view.order, version=1
        )
        for name, view in BUILTIN.items()
    ]
    saved = await ticket_views.saved(request.app[POOL], identity(request).user_id)
    return answer(Page([*items, *(_item(request, each) for each in saved)], None))


@operation(
    "POST",
    "/views",
    summary="Save a list of tickets",
    tag="tickets",
    body=NewView,
    answer=ViewItem,
    status=201,
    acts=True,
)
async def post_view(request: web.Request) -> web.StreamResponse:
    """A list that takes longer than two seconds is refused."""
    given = await read_body(request, NewView)
    saved = await ticket_views.save(
        request.app[LOG],
        request.app[DIRECTORY],
        name=given.name,
        view=View(Conditions.parse(given.conditions), given.order),
        shared=given.shared,
        keeper=keeper_of(request),
        now=request.app[CLOCK](),
    )
    return answer(_item(request, saved), status=201, headers=etag(saved.version))


@operation("GET", _AT, summary="A saved list of tickets", tag="tickets", answer=ViewItem)
async def get_view(request: web.Request) -> web.StreamResponse:
    saved = await ticket_views.one(request.app[POOL], identity(request).user_id, path_id(request))
    return answer(_item(request, saved), headers=etag(saved.version))


@operation(
    "PATCH", _AT, summary="Change a saved list; If-Match names the version that was seen", tag="tickets",
    body=ViewChanges, answer=ViewItem, acts=True, refusals=(412,),
)  # fmt: skip
async def patch_view(request: web.Request) -> web.StreamResponse:
    given, ident = await read_body(request, ViewChanges), path_id(request)
    view = None
    if "conditions" in given or "order" in given:
        before = await ticket_views.one(request.app[POOL], identity(request).user_id, ident)
        conditions = Conditions.parse(given["conditions"]) if "conditions" in given else before.usable().conditions
        view = View(conditions, given["order"] if "order" in given else before.usable().order)
    saved = await ticket_views.change(
        request.app[LOG],
        request.app[DIRECTORY],
        ident,
        name=given.get("name"),
        view=view,
        shared=given.get("shared"),
        version=expected_version(request),
        keeper=keeper_of(request),
        now=request.app[CLOCK](),
    )
    return answer(_item(request, saved), headers=etag(saved.version))


@operation("DELETE", _AT, summary="Throw a saved list away", tag="tickets", status=204)
async def delete_view(request: web.Request) -> web.StreamResponse:
    await ticket_views.drop(request.app[LOG], path_id(request), keeper=keeper_of(request), now=request.app[CLOCK]())
    return web.Response(status=204)


@operation(
    "POST", "/tickets/bulk", summary="The same change to many tickets, each with what came of it", tag="tickets",
    body=Bulk, answer=Page[BulkItem],
)  # fmt: skip
async def post_bulk(request: web.Request) -> web.StreamResponse:
    """Each is changed or refused for itself: what one refuses stops no other."""
    given = await read_body(request, Bulk)
    changes: dict[str, Any] = dict(given.changes)
    if "queue" in changes:
        changes["queue"] = queue_id(request, changes["queue"])
    if "owner" in changes:
        changes["owner"] = user_id(request, changes["owner"], field="owner")
    done = await ticket_bulk.change_all(
        request.app[LOG],
        [(each.id, each.version) for each in given.tickets],
        changes=changes,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    items = [
        BulkItem(
            id=each.ticket, number=each.number, done=each.done, version=each.version, why=each.why,
            changed=list(each.changed),
        )
        for each in done
    ]  # fmt: skip
    return answer(Page(items, None))


def routes() -> list[web.RouteDef]:
    found = (list_views, post_view, get_view, patch_view, delete_view, post_bulk)
    return [each.route() for each in found]
