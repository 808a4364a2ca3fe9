"""The desk: its page, and the parts of it that live updates fetch again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.domain.interaction import Channel
from callcenter.errors import Invalid
from callcenter.store.queries import Queries
from callcenter.web.auth import Identity, identity
from callcenter.web.chosen import offers_because
from callcenter.web.keys import CLOCK, DIRECTORY, POOL, WAITS
from callcenter.web.rights import readable
from screenpop import words
from screenpop.desk import WorkRow, load_desk, midnight_of, stage_of, zone_of
from screenpop.history import load_card, load_pop
from screenpop.notices import load_notices, notices_context
from screenpop.page import draw, language_of, person_context
from screenpop.pop import Pop, pop_view
from screenpop.stage import desk_context, is_chat, shown_work
from screenpop.tasks import my_tasks
from screenpop.wallboard import BOARD, strip_view

_SQL = Queries(Path(__file__).with_name("desk.sql"))
_ALL_ROWS = 50


@dataclass(frozen=True, slots=True)
class Selection:
    """What the agent chose to see; without a choice, what is in hand."""

    interaction: int | None = None
    customer: int | None = None
    beside: str | None = None  # what was in hand when the choice was made

    @property
    def query(self) -> str:
        chosen = {"interaction": self.interaction, "customer": self.customer, "beside": self.beside}
        given = {key: value for key, value in chosen.items() if value is not None}
        return f"?{urlencode(given)}" if given else ""


def number_of(request: web.Request, name: str) -> int | None:
    """An id of the query string. Raises Invalid when it is none."""
    text = request.query.get(name)
    if not text or text == "0":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid("That is no id.", field=name)
    return int(text)


def selection_of(request: web.Request) -> Selection:
    return Selection(number_of(request, "interaction"), number_of(request, "customer"), request.query.get("beside"))


def _unless_newer(selection: Selection, work: Sequence[WorkRow]) -> Selection:
    """The contact that was chosen, unless another came in hand since: that one rang, however soon it was answered.

    From a chat only a call tears away (`shown_work`).
    """
    writes = any(row["interaction"] == selection.interaction and is_chat(row) for row in work)
    if selection.beside is not None and selection.beside.isdecimal():
        then = int(selection.beside[:18])
        came = [row for row in work if row["reservation"] > then]
        if any(row["channel"] == Channel.PHONE or not writes for row in came):
            return Selection()
    return replace(selection, beside=str(max((row["reservation"] for row in work), default=0)))


def _still_chosen(selection: Selection, row: WorkRow | None) -> Selection:
    """The choice, unless something came in hand or moved there since: that is shown, or the agent talks to one customer
    and sees another."""
    if row is not None and row["state"] == "pending":
        return Selection()
    if selection.customer is None:
        return selection
    beside = f"{row['reservation']}-{stage_of(row)}" if row is not None else "0"
    if row is not None and selection.beside not in (None, beside):
        return Selection()
    return replace(selection, beside=beside)


async def _context(request: web.Request, who: Identity, selection: Selection) -> dict[str, object]:
    pool, directory, now = request.app[POOL], request.app[DIRECTORY], request.app[CLOCK]()
    zone = zone_of(directory)
    desk = await load_desk(pool, who.user_id, midnight=midnight_of(now, zone))
    if selection.interaction is not None and selection.customer is None:
        selection = _unless_newer(selection, desk.work)
    row = shown_work(desk.work, wanted=selection.interaction)
    selection = _still_chosen(selection, row)
    if selection == Selection() and row is not None and is_chat(row):
        selection = _unless_newer(Selection(row["interaction"]), desk.work)  # whoever is shown a chat writes in it
    pop: Pop | None = None
    if selection.customer is not None:
        row = None
        pop = await load_card(pool, selection.customer, now=now)
    elif row is not None:
        pop = await load_pop(pool, row["interaction"], now=now)
    return desk_context(
        desk,
        row,
        pop,
        directory.queues,
        language_of(request),
        member_of=[queue.name for queue in directory.queues.values() if who.user_id in queue.members and queue.active],
        selection=selection.query,
        now=now,
        zone=zone,
    ) | {
        **notices_context(
            await load_notices(pool, who.user_id), language_of(request), now=now, zone=zone, place="desk"
        ),
        **await my_tasks(request, who, now=now, zone=zone),
    }


async def desk_part(request: web.Request, who: Identity, selection: Selection | None = None) -> web.Response:
    """The region `desk`, as it is now."""
    return draw(request, "desk/_desk.html", await _context(request, who, selection or Selection()))


async def get_page(request: web.Request) -> web.StreamResponse:
    """The desk; supervisors who take no work are sent on to the wall unless they ask for the desk."""
    who = identity(request)
    directory = request.app[DIRECTORY]
    takes_work = any(who.user_id in queue.members for queue in directory.queues.values())
    if who.may(Role.SUPERVISOR) and not takes_work and "desk" not in request.query:
        raise web.HTTPSeeOther("/wall")
    cursor = request.app[BOARD].as_of()  # before the queries: what happens in between is told again
    selection = selection_of(request)
    context = await _context(request, who, selection)
    context |= person_context(request, who, at="desk")
    context |= {"cursor": str(cursor), "queues": await _queues(request, who)}
    return draw(request, "desk.html", context)


async def get_desk(request: web.Request) -> web.StreamResponse:
    return await desk_part(request, identity(request), selection_of(request))


async def _queues(request: web.Request, who: Identity) -> list[dict[str, object]]:
    directory = request.app[DIRECTORY]
    mine = [queue for queue in directory.queues.values() if queue.active and who.user_id in queue.members]
    board = await request.app[BOARD].waiting()
    return strip_view(mine, board, request.app[WAITS], language_of(request), now=request.app[CLOCK]())


async def get_queues(request: web.Request) -> web.StreamResponse:
    return draw(request, "desk/_queues.html", {"queues": await _queues(request, identity(request))})


async def get_history(request: web.Request) -> web.StreamResponse:
    """All rows that a pop has; agents read what they may read of it."""
    identity(request)
    pool, now = request.app[POOL], request.app[CLOCK]()
    interaction, customer = number_of(request, "interaction"), number_of(request, "customer")
    if interaction:
        await readable(request, interaction)
    pop = await (load_pop(pool, interaction, now=now) if interaction else load_card(pool, customer or 0, now=now))
    view = pop_view(pop, language_of(request), now=now, zone=zone_of(request.app[DIRECTORY]), rows=_ALL_ROWS)
    return draw(request, "desk/_rows.html", {"pop": view})


async def get_why(request: web.Request) -> web.StreamResponse:
    """Why an earlier contact was given to whom it was; for those who may read it."""
    ident, language = number_of(request, "interaction") or 0, language_of(request)
    await readable(request, ident)
    offers = await offers_because(request.app[POOL], request.app[DIRECTORY].users, ident)
    return draw(
        request, "desk/_chosen.html", {"ident": ident, "offers": [words.in_language(each, language) for each in offers]}
    )


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", get_page),
        web.get("/desk", get_desk),
        web.get("/desk/queues", get_queues),
        web.get("/desk/history", get_history),
        web.get("/desk/history/why", get_why),
    ]
