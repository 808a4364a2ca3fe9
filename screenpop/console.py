"""The desk: its page, and the parts of it that live updates fetch again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import phonenumbers
from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.errors import Invalid
from callcenter.store import customers
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
from screenpop.pop import Pop, cut, pop_view
from screenpop.stage import desk_context, shown_work
from screenpop.wallboard import BOARD, strip_view

_SQL = Queries(Path(__file__).with_name("desk.sql"))
_ALL_ROWS = 50
_FOUND = 20


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
    """The contact that was chosen, unless another came in hand since: that one rang, however soon it was answered."""
    newest = max((row["reservation"] for row in work), default=0)
    if selection.beside is not None and selection.beside.isdecimal() and newest > int(selection.beside[:18]):
        return Selection()
    return replace(selection, beside=str(newest))


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
    ) | notices_context(await load_notices(pool, who.user_id), language_of(request), now=now, zone=zone, place="desk")


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


async def get_search(request: web.Request) -> web.StreamResponse:
    """Customers by words of their names, or by the beginning of a number or mail address."""
    identity(request)
    text = " ".join(request.query.get("q", "")[:200].replace("\x00", "").split())
    found = await _find(request, text) if text else []
    language = language_of(request)
    people = [
        {**each, "name": cut(str(each["name"])), "tier_name": language.label(words.TIER, str(each["tier"] or ""))}
        for each in found
    ]
    return draw(
        request, "desk/_found.html", {"found": people, "q": text, "interaction": number_of(request, "interaction")}
    )


async def _find(request: web.Request, text: str) -> list[dict[str, object]]:
    pool, region = request.app[POOL], request.app[DIRECTORY].organisation.region
    people: dict[int, dict[str, object]] = {}
    for beginning in address_beginnings(text, region):
        # U+FFFF is behind all that is written, by bytes as by the rules of a language, which put signs before digits.
        behind = f"{beginning}\uffff"
        for row in await pool.fetch(_SQL.by_address_beginning, beginning, behind):
            people[row["id"]] = {**row, "company": row["company"] or ""}
    if len(people) < _FOUND:
        for known in await customers.with_words(pool, text.split()[:8], after=0, limit=_FOUND):
            people[known.id] = {"id": known.id, "name": known.name, "company": known.company or "", "tier": known.tier}
    return list(people.values())[:_FOUND]


def address_beginnings(text: str, region: str) -> list[str]:
    """How an address may begin in the database when this is typed: as it is, and as a number of this region."""
    if "@" in text:
        return [text.casefold()]
    digits = "".join(char for char in text if char.isdigit())
    if len(digits) < 3:
        return []
    if text.startswith(("+", "00")):
        return [f"+{digits.removeprefix('00')}"]
    country = phonenumbers.country_code_for_region(region)
    return [f"+{country}{digits.lstrip('0')}", digits] if country else [digits]


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", get_page),
        web.get("/desk", get_desk),
        web.get("/desk/queues", get_queues),
        web.get("/desk/history", get_history),
        web.get("/desk/history/why", get_why),
        web.get("/desk/search", get_search),
    ]
