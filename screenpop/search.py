"""The search of the desk: customers, companies, tickets and what was written, in one box."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from callcenter.domain.search import LONGEST, parts, understand
from callcenter.errors import Invalid
from callcenter.store import search
from callcenter.web.api_search import found_of
from callcenter.web.auth import identity
from callcenter.web.keys import CLOCK, DIRECTORY, POOL
from screenpop import words
from screenpop.console import number_of
from screenpop.desk import zone_of
from screenpop.page import draw, language_of
from screenpop.pop import cut

_SHOWN = 6  # of each group
_PEOPLE = 20


async def get_search(request: web.Request) -> web.StreamResponse:
    """Up to six of each; what is refused is said where the answers would stand."""
    identity(request)
    language, typed, refused = language_of(request), request.query.get("q", "")[:LONGEST].strip(), ""
    try:
        found = await found_of(request, typed, limit=_SHOWN)
    except Invalid as error:
        found, refused = search.Found(), language.gettext(str(error))
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    terms = understand(typed, region=request.app[DIRECTORY].organisation.region).terms if found else ()
    people = [
        {
            "id": each.id, "name": cut(each.name), "tier": each.tier, "more": each.address or each.company or "",
            "tier_name": language.label(words.TIER, each.tier or ""),
        }
        for each in found.customers
    ]  # fmt: skip
    tickets = [
        {
            "number": each.number, "subject": each.subject, "state": each.state, "more": cut(each.customer),
            "state_name": language.label(words.TICKET_STATE, each.state), "parts": parts(each.cut or "", terms),
        }
        for each in found.tickets
    ]  # fmt: skip
    contacts = [
        {
            "id": each.id, "channel": each.channel, "name": cut(each.customer), "customer": each.customer_id,
            "channel_name": language.label(words.CHANNEL, each.channel), "ticket": each.ticket,
            "when": language.when(each.at, now, zone), "parts": parts(each.cut or "", terms),
        }
        for each in found.contacts
    ]  # fmt: skip
    companies = [{"id": each.id, "name": cut(each.name)} for each in found.companies]
    shown = {
        "people": people,
        "companies": companies,
        "tickets": tickets,
        "contacts": contacts,
        "q": typed,
        "refused": refused,
    }
    return draw(request, "desk/_found.html", {**shown, "interaction": number_of(request, "interaction")})


@dataclass(frozen=True, slots=True)
class People:
    """`refused`: why there are none, in the reader's language; empty when nothing is wrong."""

    found: Sequence[dict[str, object]]
    refused: str = ""


async def find_customers(request: web.Request, text: str) -> People:
    """Twenty at most, those whose address begins or ends so first; nobody for no text."""
    try:
        sought = understand(text, region=request.app[DIRECTORY].organisation.region)
        found = await search.find_customers(request.app[POOL], sought, limit=_PEOPLE) if text else []
    except Invalid as error:
        return People((), language_of(request).gettext(str(error)))
    return People(
        [{"id": each.id, "name": each.name, "company": each.company or "", "tier": each.tier} for each in found]
    )


def routes() -> list[web.RouteDef]:
    return [web.get("/desk/search", get_search)]
