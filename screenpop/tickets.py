"""Lists of tickets: the page, its filters, and what is done to many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from callcenter.actions import ticket_bulk, ticket_desk, ticket_views
from callcenter.actions.ticket_bulk import Outcome
from callcenter.domain.agent import Role
from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.domain.ticket_view import ME, NOBODY, Builtin, Conditions, Order, View
from callcenter.errors import Invalid, NotFound
from callcenter.store.directory import Directory, Queue
from callcenter.store.queries import Queries
from callcenter.web.auth import Identity, identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.ticket_lists import keeper_of, part_of, view_of
from screenpop import words
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.page import draw, language_of, person_context
from screenpop.pop import cut
from screenpop.promise import promise_view
from screenpop.ticket_more import path_of
from screenpop.wallboard import BOARD

_SQL = Queries.beside(__file__)
_PAGE = 50
# Those of a customer and of words come from elsewhere.
_IN_MENU = (Builtin.MINE, Builtin.QUEUE, Builtin.UNASSIGNED, Builtin.BREACHED, Builtin.WAITING)
_MANY = ("state", "priority", "type", "category", "tags", "queue", "owner")


def _asked(given: Any) -> Conditions:
    """The conditions of a query string or a form. Raises Invalid."""
    kept: dict[str, Any] = {
        name: [text for text in given.getall(name, []) if isinstance(text, str) and text] for name in _MANY
    }
    customer = given.get("customer") or ""
    if customer and not (customer.isascii() and customer.isdecimal() and len(customer) < 19):
        raise Invalid("A customer is named by an id.", field="customer")
    kept |= {name: given.get(name) == "1" for name in ("open", "breached")}
    kept |= {"customer": int(customer) if customer else None, "words": given.get("q", "").replace("\x00", "")[:200]}
    return Conditions.parse(kept)


def _query(view: str | None, more: Conditions, order: str) -> str:
    """The same list as a query string."""
    given: list[tuple[str, str]] = [("view", view)] if view else []
    for each in fields(more):
        value = getattr(more, each.name)
        name = "q" if each.name == "words" else each.name
        if isinstance(value, tuple):
            given += [(name, str(one)) for one in value]
        elif value:
            given.append((name, "1" if value is True else str(value)))
    return urlencode([*given, *([("order", order)] if order else [])])


def queues_of(directory: Directory, user: int) -> list[Queue]:
    """Active queues, one's own first."""
    active = [queue for queue in directory.queues.values() if queue.active]
    return sorted(active, key=lambda queue: (user not in queue.members, queue.name))


async def _list(request: web.Request, given: Any, who: Identity) -> dict[str, object]:
    """What the region shows. Without a view one's own tickets; that of a queue begins with one's own first."""
    directory, language, now = request.app[DIRECTORY], language_of(request), request.app[CLOCK]()
    more, name, order = _asked(given), given.get("view") or None, given.get("order", "")
    narrowed = bool(more.dump()) or bool(order)
    if name is None and not narrowed:
        name = Builtin.MINE
    if name is None and more.words:
        name = Builtin.WORDS
    if name == Builtin.QUEUE and not more.queue and (queues := queues_of(directory, who.user_id)):
        more = replace(more, queue=(queues[0].name,))
    after = given.get("after") or None
    if name == Builtin.WORDS and not more.words:
        ids: Sequence[int] = ()
        view, following = View(), None
    else:
        view = await view_of(request, name, more)
        if order and not more.words:
            view = View(view.conditions, _order(order))
        part = await part_of(request, view, after=after, limit=_PAGE)
        ids, following = part.ids, part.next
    row = await request.app[POOL].fetchrow(_SQL.page, ids, who.user_id)
    assert row is not None
    query = _query(name, more, order)
    return {
        "tickets": [_line(each, directory, language, now=now) for each in row["rows"]],
        "query": query,
        "here": f"{query}&after={after}" if after else query,
        "after": after,
        "next": following,
        "name": name or "",
        "more": more,
        "order": view.order,
        "saved": [ticket_views.saved_of(each) for each in row["views"]],
        "builtin": [(each, language.label(words.TICKET_LIST, each)) for each in _IN_MENU],
        "within": _within(view, language),
        "title": _title(row["views"], name, language),
        "outcome": None,
        "types": directory.ticket_rules.types,
        "tree": [(each, path_of(each)) for each in directory.ticket_rules.tree()],
        **choices(directory, language, who.user_id),
    }


def _within(view: View, language: Language) -> dict[str, object]:
    """Which states the list may be narrowed down to, and which orders it can have."""
    conditions = view.conditions
    states = [each for each in TicketState if not (conditions.only_open and each in OVER)]
    orders = [Order.DUE] if conditions.only_open else []
    if conditions.state == (TicketState.PENDING,):
        states, orders = [TicketState.PENDING], [Order.QUIET, *orders]
    orders += [Order.NEWEST, Order.OLDEST]
    return {
        "states": [(slug, language.label(words.TICKET_STATE, slug)) for slug in states],
        "orders": [] if conditions.words else [(slug, language.label(words.TICKET_ORDER, slug)) for slug in orders],
    }


def _order(text: str) -> Order:
    try:
        return Order(text)
    except ValueError:
        raise Invalid(f"There is no order {text!r}; there are {', '.join(Order)}.", field="order") from None


def _title(views: Sequence[Mapping[str, Any]], name: str | None, language: Language) -> str:
    if name is None:
        return language.gettext("All tickets")
    if name in words.TICKET_LIST:
        return language.label(words.TICKET_LIST, name)
    return next((view["name"] for view in views if str(view["id"]) == name), name)


def choices(directory: Directory, language: Language, user: int) -> dict[str, object]:
    """What a property of a ticket may become; people by name, whoever looks first."""
    people = sorted(
        (each for each in directory.users.values() if each.active), key=lambda each: (each.id != user, each.full_name)
    )
    return {
        "states": [(slug, language.label(words.TICKET_STATE, slug)) for slug in TicketState],
        "priorities": [(slug, language.label(words.PRIORITY, slug)) for slug in Priority],
        "queues": queues_of(directory, user),
        "people": people,
        "me": user,
        "ME": ME,
        "NOBODY": NOBODY,
    }


def _line(row: Mapping[str, Any], directory: Directory, language: Language, *, now: datetime) -> dict[str, object]:
    queue, owner = directory.queues.get(row["queue"] or 0), directory.users.get(row["owner"] or 0)
    zone, updated = zone_of(directory), datetime.fromisoformat(row["updated_at"])
    return {
        **row,
        "subject": cut(row["subject"]),
        "customer_name": cut(row["customer_name"]),
        "tier": row["tier"] or "",
        "tier_name": language.label(words.TIER, row["tier"] or ""),
        "state_name": language.label(words.TICKET_STATE, row["state"]),
        "priority_name": language.label(words.PRIORITY, row["priority"]),
        "queue_name": queue.name if queue else "",
        "owner_name": owner.full_name if owner else "",
        "when": language.when(updated, now, zone),
        "exactly": language.exactly(updated, zone),
        "promise": promise_view(row["clocks"], language, now=now, zone=zone),
    }


async def get_page(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    number = request.query.get("q", "").strip().removeprefix("#")
    if number.isascii() and number.isdecimal() and len(number) < 19 and await _exists(request, number):
        raise web.HTTPSeeOther(f"/tickets/{int(number)}")
    cursor = request.app[BOARD].as_of()  # before the queries: what happens in between is told again
    context = {**await _list(request, request.query, who), **person_context(request, who, at="tickets")}
    return draw(request, "tickets.html", {**context, "cursor": str(cursor)})


async def _exists(request: web.Request, number: str) -> bool:
    try:
        await ticket_desk.id_of(request.app[POOL], int(number))
    except NotFound:
        return False
    return True


async def _region(request: web.Request, given: Any, **more: object) -> web.Response:
    who = identity(request)
    context = await _list(request, given, who)
    return draw(request, "tickets/_list.html", {**context, "supervisor": who.may(Role.SUPERVISOR), **more})


async def get_list(request: web.Request) -> web.StreamResponse:
    return await _region(request, request.query)


# -- acts


async def post_bulk(request: web.Request) -> web.StreamResponse:
    """The chosen tickets, each as `id:version`, get a state, priority, queue or owner (by id; 0: nobody)."""
    who, form = identity(request), await read_form(request)
    wanted = [_chosen(text) for text in form.getall("ticket", []) if isinstance(text, str)]
    changes: dict[str, Any] = {}
    for name in ("state", "priority"):
        if text := form.get(f"to_{name}"):
            changes[name] = text
    for name in ("queue", "owner"):
        if text := form.get(f"to_{name}"):
            changes[name] = int(str(text)[:18]) or None if str(text).isdecimal() else 0
    done = await ticket_bulk.change_all(
        request.app[LOG], wanted, changes=changes, actor=who.user_id, now=request.app[CLOCK]()
    )
    return await _region(request, request.query, outcome=_outcome(done, language_of(request)))


def _chosen(text: str) -> tuple[int, int]:
    ident, _, version = text.partition(":")
    if not (ident.isdecimal() and version.isdecimal() and text.isascii() and len(text) < 28):
        raise Invalid("That is no ticket of this list.", field="ticket")
    return int(ident), int(version)


def _outcome(done: Sequence[Outcome], language: Language) -> dict[str, object]:
    def why(each: Outcome) -> str:
        if each.changed:
            names = ", ".join(language.label(words.TICKET_FIELD, name) for name in each.changed)
            return language.gettext("changed meanwhile by somebody else: %(fields)s") % {"fields": names}
        said = each.why or ""
        return language.gettext(said)

    return {
        "done": sum(each.done for each in done),
        "refused": [{"number": each.number or each.ticket, "why": why(each)} for each in done if not each.done],
    }


async def post_view(request: web.Request) -> web.StreamResponse:
    """Saves the list that the page shows, under a name."""
    form = await read_form(request)
    view = await view_of(request, str(request.query.get("view") or "") or None, _asked(request.query))
    order = request.query.get("order", "")
    if order and not view.conditions.words:
        view = View(view.conditions, _order(order))
    saved = await ticket_views.save(
        request.app[LOG],
        request.app[DIRECTORY],
        name=str(form.get("name", "")),
        view=view,
        shared=form.get("shared") == "1",
        keeper=keeper_of(request),
        now=request.app[CLOCK](),
    )
    return web.Response(status=204, headers={"HX-Redirect": f"/tickets?view={saved.id}"})


async def post_drop(request: web.Request) -> web.StreamResponse:
    await ticket_views.drop(request.app[LOG], path_id(request), keeper=keeper_of(request), now=request.app[CLOCK]())
    return web.Response(status=204, headers={"HX-Redirect": "/tickets"})


def routes() -> list[web.RouteDef]:
    return [
        web.get("/tickets", get_page),
        web.get("/tickets/list", get_list),
        web.post("/tickets/bulk", post_bulk),
        web.post("/tickets/views", post_view),
        web.post(f"/tickets/views/{ID}/drop", post_drop),
    ]
