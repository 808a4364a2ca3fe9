"""The page of a company: its people, what of theirs is open, what they are entitled to; and how it is changed."""

from datetime import date, datetime
from typing import Any

from aiohttp import web

from callcenter.actions import companies as actions
from callcenter.actions import company_merges
from callcenter.domain.agent import Role
from callcenter.domain.company import LONGEST_NAME, LONGEST_NOTE
from callcenter.errors import CallcenterError, Invalid, NotFound
from callcenter.store import companies as store
from callcenter.store.companies import SQL, Company
from callcenter.web.auth import Identity, identity, require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop import words
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.page import draw, explain, language_of, person_context
from screenpop.pop import cut

_MOST = 100
# Sentences of refusals, so that they have translations.
REFUSALS = (
    _("A company needs a name."),
    _("A company cannot be merged into itself."),
    _("Another company has this name, or had it: merge the two."),
    _("There is no company of this name or number."),
    _("That is no mail domain."),
    _("Many companies stand under this domain."),
    _("Anybody may have a mailbox of this domain."),
    _("At most 50 domains."),
)


def _day(day: date, language: Language, now: datetime) -> str:
    return language.date(datetime(day.year, day.month, day.day), now.year)  # noqa: DTZ001 - a day, no moment


async def get_one(request: web.Request) -> web.StreamResponse:
    """The record; one that was merged is where it was merged to."""
    company = await store.get(request.app[POOL], path_id(request))
    if company.merged_into is not None:
        raise web.HTTPSeeOther(f"/companies/{company.merged_into}")
    return await _page(request, identity(request), company)


async def _page(
    request: web.Request,
    who: Identity,
    company: Company,
    *,
    typed: dict[str, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> web.StreamResponse:
    pool, language, now = request.app[POOL], language_of(request), request.app[CLOCK]()
    zone = zone_of(request.app[DIRECTORY])
    people = await store.people(pool, company.id, limit=_MOST)
    tickets = await store.open_tickets(pool, company.id, limit=_MOST)
    context: dict[str, Any] = {
        "company": company,
        "people": [
            {
                "id": each.id,
                "name": cut(each.name),
                "tier": each.tier or "",
                "tier_name": language.label(words.TIER, each.tier or ""),
                "when": language.when(each.last_at, now, zone) if each.last_at else "",
                "exactly": language.exactly(each.last_at, zone) if each.last_at else "",
            }
            for each in people
        ],
        "tickets": [
            {
                "number": each.number,
                "subject": cut(each.subject),
                "state_name": language.label(words.TICKET_STATE, each.state),
                "owner": each.owner or "",
                "customer": each.customer_id,
                "customer_name": cut(each.customer),
                "when": language.when(each.updated_at, now, zone),
                "exactly": language.exactly(each.updated_at, zone),
            }
            for each in tickets
        ],
        "contracts": [
            {
                "id": each.id,
                "name": cut(each.name or each.title),
                "customer": each.customer_id,
                "customer_name": cut(each.customer),
                "until": language.gettext("until %(day)s") % {"day": _day(each.ends_on, language, now)}
                if each.ends_on
                else "",
            }
            for each in await store.contracts(pool, company.id, now=now, limit=_MOST)
        ],
        "most": _MOST,
        "merges": [
            {
                "id": each.id,
                "name": cut(each.source_name),
                "when": language.when(each.at, now, zone),
                "exactly": language.exactly(each.at, zone),
                "by": each.by or "",
                "undone": each.undone_at is not None,
            }
            for each in await store.merges(pool, company.id)
        ],
        "fields": typed or {"name": company.name, "domains": " ".join(company.domains), "note": company.note or ""},
        "editing": typed is not None,
        "longest_name": LONGEST_NAME,
        "longest_note": LONGEST_NOTE,
        "refusal": refusal,
        **person_context(request, who, at="customers"),
    }
    return draw(request, "companies/one.html", context, status=status)


async def post_one(request: web.Request) -> web.StreamResponse:
    """Keeps what was typed, of the version that was seen."""
    who, ident, form = identity(request), path_id(request), await read_form(request)
    typed = {name: str(form.get(name, "")) for name in ("name", "domains", "note")}
    version = str(form.get("version", ""))
    try:
        changed = await actions.change(
            request.app[LOG],
            ident,
            changes={
                "name": typed["name"],
                "domains": typed["domains"].replace(",", " ").replace("，", " ").split(),
                "note": typed["note"].replace("\r\n", "\n"),
            },
            version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None,
            actor=who.user_id,
            now=request.app[CLOCK](),
        )
    except NotFound:
        raise
    except CallcenterError as error:
        problem = problem_of(error)[0]
        said = explain(language_of(request), problem)
        company = await store.get(request.app[POOL], ident)
        return await _page(request, who, company, typed=typed, refusal=said, status=problem.status)
    raise web.HTTPSeeOther("/customers" if actions.is_nothing(changed) else f"/companies/{ident}")


async def _other(request: web.Request, text: str) -> int:
    """The company that somebody means by its name, by one that it had, or by its number. Raises Invalid."""
    pool, name = request.app[POOL], text.strip()
    if name and "\x00" not in name:
        found: int | None = await pool.fetchval(SQL.holder, name[:LONGEST_NAME])
        if found is not None:
            return found
    if name.isascii() and name.isdecimal() and len(name) < 19:
        return (await store.get(pool, int(name))).id
    raise Invalid("There is no company of this name or number.", field="source")


async def post_merge(request: web.Request) -> web.StreamResponse:
    """The other company goes into this one."""
    who, ident, form = require(request, Role.SUPERVISOR), path_id(request), await read_form(request)
    company = await store.get(request.app[POOL], ident)
    try:
        source = await _other(request, str(form.get("source", "")))
        await company_merges.merge(request.app[LOG], source, into=ident, actor=who.user_id, now=request.app[CLOCK]())
    except CallcenterError as error:
        problem = problem_of(error)[0]
        said = explain(language_of(request), problem)
        return await _page(request, who, company, refusal=said, status=problem.status)
    raise web.HTTPSeeOther(f"/companies/{ident}")


async def post_take_apart(request: web.Request) -> web.StreamResponse:
    """They are two after all."""
    who, ident, form = require(request, Role.SUPERVISOR), path_id(request), await read_form(request)
    said = str(form.get("merge", ""))
    if not said.isascii() or not said.isdecimal() or len(said) > 18:
        raise Invalid("That is no id.", field="merge")
    back = await company_merges.undo(
        request.app[LOG], int(said), into=ident, actor=who.user_id, now=request.app[CLOCK]()
    )
    raise web.HTTPSeeOther(f"/companies/{back}")


def routes() -> list[web.RouteDef]:
    return [
        web.get(f"/companies/{ID}", get_one),
        web.post(f"/companies/{ID}", post_one),
        web.post(f"/companies/{ID}/merge", post_merge),
        web.post(f"/companies/{ID}/take-apart", post_take_apart),
    ]
