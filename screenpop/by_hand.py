"""The dialog in which an agent notes a visit, a letter or a call on a private phone: a key, a name, a few words."""

import secrets
from datetime import datetime, timedelta

from aiohttp import web

from callcenter.actions import by_hand
from callcenter.domain.interaction import Channel
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import customers
from callcenter.store.by_hand import SQL
from callcenter.web.auth import identity
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop import words
from screenpop.console import number_of
from screenpop.desk import zone_of
from screenpop.i18n import mark as _
from screenpop.page import draw, explain, language_of
from screenpop.pop import cut
from screenpop.search import find_customers

_SHOWN = 6
_MINUTES = 5
# What each is called here; elsewhere a call is a call, whatever phone it was on.
KINDS = {"visit": _("Visit"), "letter": _("Letter"), "phone": _("Call on a private phone")}


async def get_dialog(request: web.Request) -> web.StreamResponse:
    """With the customer who is on the stage."""
    who, language, directory = identity(request), language_of(request), request.app[DIRECTORY]
    chosen = number_of(request, "customer")
    person = None if chosen is None else await customers.get(request.app[POOL], chosen)
    mine = [queue for queue in directory.queues.values() if queue.active and who.user_id in queue.members]
    slugs = dict.fromkeys(slug for queue in mine for slug in queue.dispositions)
    context = {
        "key": secrets.token_hex(8),
        "kinds": [(slug, language.label(KINDS, slug)) for slug in KINDS],
        "person": None if person is None else {"id": person.id, "name": cut(person.name)},
        "minutes": _MINUTES,
        "latest": f"{request.app[CLOCK]().astimezone(zone_of(directory)):%Y-%m-%dT%H:%M}",
        "dispositions": [(slug, language.label(words.DISPOSITION, slug)) for slug in slugs],
    }
    return draw(request, "desk/_by_hand.html", context)


async def get_customers(request: web.Request) -> web.StreamResponse:
    """Whom it may have been with; the first is chosen until another one is."""
    identity(request)
    text = " ".join(request.query.get("who", "")[:200].replace("\x00", "").split())
    people = await find_customers(request, text)
    found = [{**each, "name": cut(str(each["name"]))} for each in people.found[:_SHOWN]]
    return draw(request, "desk/_by_hand_found.html", {"found": found, "refused": people.refused, "typed": text})


async def post_note(request: web.Request) -> web.StreamResponse:
    """What is wrong is said in the dialog, where it was typed."""
    who = identity(request)
    fields = {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}
    try:
        noted = await _noted(request, fields)
        await by_hand.note(request.app[LOG], noted, actor=who.user_id, now=request.app[CLOCK]())
    except (Invalid, NotFound, Conflict) as error:
        return draw(
            request, "desk/_by_hand_said.html", {"refused": explain(language_of(request), problem_of(error)[0])}
        )
    return draw(request, "desk/_by_hand_said.html", {"refused": None})


async def _noted(request: web.Request, fields: dict[str, str]) -> by_hand.Noted:
    chosen, about = fields.get("customer", ""), fields.get("about", "")
    if not fields.get("text"):
        raise Invalid("Say in a few words what it was about.", field="text")
    number = about.removeprefix("#")
    ticket = None
    if number.isascii() and number.isdigit() and len(number) < 18:
        ticket = await request.app[POOL].fetchval(SQL.ticket_numbered, int(number))
        if ticket is None:
            raise NotFound(f"There is no ticket #{number}.")
    lasted = timedelta(minutes=_minutes(fields.get("minutes", "")))
    return by_hand.Noted(
        channel=_channel(fields.get("kind", "")),
        direction=fields.get("direction", ""),
        key=fields.get("key") or None,
        customer=int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else None,
        new_customer=fields.get("who") if chosen == "new" else None,
        began_at=_began(request, fields.get("at", ""), lasted),
        lasted=lasted,
        text=fields["text"].replace("\r\n", "\n"),
        disposition=fields.get("disposition") or None,
        ticket=ticket,
        new_ticket=None if ticket is not None else about or None,
    )


def _channel(text: str) -> Channel:
    try:
        return Channel(text)
    except ValueError:
        raise Invalid("Choose what it was.", field="kind") from None


def _minutes(text: str) -> float:
    try:
        minutes = float(text or _MINUTES)
    except ValueError:
        minutes = -1
    if not 0 <= minutes <= by_hand.LONGEST_TIME / timedelta(minutes=1):
        raise Invalid("It lasted between nothing and a day.", field="minutes")
    return minutes


def _began(request: web.Request, text: str, lasted: timedelta) -> datetime:
    """In the organisation's time; without one it ended just now."""
    if not text:
        return request.app[CLOCK]() - lasted
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone_of(request.app[DIRECTORY]))
    except ValueError:
        raise Invalid("That is no date and time.", field="at") from None


def routes() -> list[web.RouteDef]:
    return [
        web.get("/desk/by-hand", get_dialog),
        web.get("/desk/by-hand/customers", get_customers),
        web.post("/desk/by-hand", post_note),
    ]
