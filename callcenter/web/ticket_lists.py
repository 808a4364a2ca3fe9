"""Which list of tickets somebody asks for, a built-in one by name or a saved one by id, and a page of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from callcenter.actions import ticket_views
from callcenter.actions.ticket_views import Keeper
from callcenter.domain.agent import Role
from callcenter.domain.ticket_view import Builtin, Conditions, Order, Place, View, builtin
from callcenter.errors import Invalid
from callcenter.store import ticket_lists as store
from callcenter.web.auth import identity
from callcenter.web.keys import CLOCK, DIRECTORY, POOL


@dataclass(frozen=True, slots=True)
class Part:
    """Ids of one page, and the place behind it (None: nothing follows)."""

    ids: Sequence[int]
    next: str | None


def keeper_of(request: web.Request) -> Keeper:
    who = identity(request)
    return Keeper(who.user_id, who.may(Role.SUPERVISOR))


async def view_of(request: web.Request, name: str | None, more: Conditions) -> View:
    """Without a name all tickets. Raises NotFound, Invalid."""
    if name is None:
        return View(more)
    if name in tuple(Builtin):
        return builtin(Builtin(name), more)
    if not name.isascii() or not name.isdecimal() or len(name) > 18:
        raise Invalid(f"There is no view {name!r}; there are {', '.join(Builtin)}, and saved ones by id.", field="view")
    kept = (await ticket_views.one(request.app[POOL], identity(request).user_id, int(name))).usable()
    return View(kept.conditions.and_(more), Order.NEWEST if more.words else kept.order)


async def part_of(request: web.Request, view: View, *, after: str | None, limit: int) -> Part:
    """Raises Invalid for a place that is none, and when it takes too long."""
    rows = await store.page(
        request.app[POOL],
        view,
        request.app[DIRECTORY],
        user=identity(request).user_id,
        after=None if after is None else Place.read(after, view.order),
        limit=limit + 1,
        now=request.app[CLOCK](),
    )
    page = rows[:limit]
    return Part([row.id for row in page], page[-1].place.write(view.order) if len(rows) > limit else None)
