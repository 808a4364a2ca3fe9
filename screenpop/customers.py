"""Customers on pages: found, looked at whole, given out and erased."""

from pathlib import Path
from typing import Any

from aiohttp import web

from callcenter.actions import erasures as actions
from callcenter.domain.agent import Role
from callcenter.errors import CallcenterError, Invalid, NotFound
from callcenter.store import customer_merges, customers, duplicates, erasures
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.web.auth import Identity, identity, require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop import words
from screenpop.desk import zone_of
from screenpop.history import load_card
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.page import draw, explain, language_of, person_context
from screenpop.pop import cut, pop_view
from screenpop.search import find_customers

_SQL = Queries(Path(__file__).with_name("customers.sql"))
_ROWS = 30

REASON = {"address": _("the same number or address"), "name": _("nearly the same name, of the same company")}
# Sentences of refusals, so that they have translations.
REFUSALS = (
    _("This is not the name in the record."),
    _("Say why, in at most 200 characters."),
    _("A customer cannot be merged into themselves."),
    _("A customer cannot be told apart from themselves."),
    _("This merge is undone already."),
)


async def get_list(request: web.Request) -> web.StreamResponse:
    who, language = identity(request), language_of(request)
    text = " ".join(request.query.get("q", "")[:200].replace("\x00", "").split())
    people = await find_customers(request, text)
    context = {
        "q": text,
        "found": [
            {**each, "name": cut(str(each["name"])), "tier_name": language.label(words.TIER, str(each["tier"] or ""))}
            for each in people.found
        ],
        "refused": people.refused,
        **person_context(request, who, at="customers"),
    }
    return draw(request, "customers/list.html", context)


async def get_one(request: web.Request) -> web.StreamResponse:
    """The record; one that was merged is where it was merged to."""
    return await _record(request, identity(request))


async def _record(request: web.Request, who: Identity, *, refusal: str = "", status: int = 200) -> web.StreamResponse:
    ident, pool, language = path_id(request), request.app[POOL], language_of(request)
    standing = await pool.fetchrow(_SQL.standing, ident)
    if standing is None:
        raise NotFound(f"There is no customer {ident}.")
    if standing["merged_into"] is not None:
        raise web.HTTPSeeOther(f"/customers/{standing['merged_into']}")
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    customer = await customers.get(pool, ident)
    erased = standing["erased_at"] is not None
    context: dict[str, Any] = {
        "customer": customer,
        "pop": pop_view(await load_card(pool, ident, now=now), language, now=now, zone=zone, rows=_ROWS),
        "state": "card",
        "erased": language.exactly(standing["erased_at"], zone) if erased else "",
        "proof": await _proof(request, ident) if erased and who.may(Role.ADMINISTRATOR) else None,
        "language_name": customer.language or "",
        "tickets": [
            {
                **row,
                "subject": cut(row["subject"]),
                "owner": row["owner"] or "",
                "state_name": language.label(words.TICKET_STATE, row["state"]),
                "when": language.when(row["updated_at"], now, zone),
                "exactly": language.exactly(row["updated_at"], zone),
            }
            for row in await pool.fetch(_SQL.tickets, ident)
        ],
        "merges": [
            {
                "id": each.id,
                "name": cut(each.source_name),
                "when": language.when(each.at, now, zone),
                "exactly": language.exactly(each.at, zone),
                "by": each.by or "",
                "undone": each.undone_at is not None,
            }
            for each in await customer_merges.of_customer(pool, ident)
        ],
        "alike": [] if erased else await _alike(pool, ident, language),
        "administrator": who.may(Role.ADMINISTRATOR),
        "longest_reason": actions.LONGEST_REASON,
        "refusal": refusal,
        **person_context(request, who, at="customers"),
    }
    return draw(request, "customers/one.html", context, status=status)


async def _alike(pool: Pool, ident: int, language: Language) -> list[dict[str, object]]:
    """Who may be this customer, in words. The record is read without them when the search takes too long."""
    try:
        found = await duplicates.of_customer(pool, ident)
    except Invalid:
        return []
    return [
        {
            "id": each.who.id,
            "name": cut(each.who.name),
            "company": cut(each.who.company),
            "reasons": [language.label(REASON, reason) for reason in each.reasons],
        }
        for each in found[:5]
    ]


async def _proof(request: web.Request, ident: int) -> dict[str, object]:
    found = await erasures.proof(request.app[POOL], ident)
    return {
        "id": found.id,
        "by": found.by or "",
        "reason": found.reason,
        "emptied": sorted((table, rows) for table, rows in found.emptied.items() if rows),
    }


async def get_alike(request: web.Request) -> web.StreamResponse:
    """The quiet line of a desk's card: who may be the same. Fetched when the card stands; no pop waits for it."""
    who, ident = identity(request), path_id(request)
    alike = await _alike(request.app[POOL], ident, language_of(request))
    if not alike:
        return web.Response(status=204)
    context = {"alike": alike, "ident": ident, "supervisor": who.may(Role.SUPERVISOR)}
    return draw(request, "customers/_alike.html", context)


async def post_erase(request: web.Request) -> web.StreamResponse:
    """For administrators, who type the name of whom they erase."""
    who, ident, form = require(request, Role.ADMINISTRATOR), path_id(request), await read_form(request)
    try:
        if str(form.get("name", "")).strip() != (await customers.get(request.app[POOL], ident)).name:
            raise Invalid("This is not the name in the record.", field="name")
        await actions.erase(
            request.app[LOG], ident, reason=str(form.get("reason", "")), actor=who.user_id, now=request.app[CLOCK]()
        )
    except CallcenterError as error:
        problem = problem_of(error)[0]
        return await _record(request, who, refusal=explain(language_of(request), problem), status=problem.status)
    raise web.HTTPSeeOther(f"/customers/{ident}")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/customers", get_list),
        web.get(f"/customers/{ID}", get_one),
        web.post(f"/customers/{ID}/erase", post_erase),
        web.get(f"/desk/customers/{ID}/alike", get_alike),
    ]
