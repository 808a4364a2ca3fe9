"""Two records of one customer on pages for supervisors: suggested, compared, merged, taken apart, told apart."""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from callcenter.actions import customer_merges as actions
from callcenter.actions import duplicates as pairs
from callcenter.domain.agent import Role
from callcenter.errors import Invalid
from callcenter.store import customers, duplicates
from callcenter.store.customers import Customer
from callcenter.store.queries import Queries
from callcenter.web.auth import require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, LOG, POOL
from screenpop import words
from screenpop.console import number_of
from screenpop.customers import REASON
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.page import draw, language_of, own_path, person_context
from screenpop.pop import cut, spaced
from screenpop.search import find_customers

_SQL = Queries(Path(__file__).with_name("customers.sql"))
_MOST = 100
FIELDS = {
    "name": _("Name"),
    "company": _("Company"),
    "tier": _("Tier"),
    "language": _("Language"),
    "owner": _("Looked after by"),
    "note": _("Note"),
}


async def get_duplicates(request: web.Request) -> web.StreamResponse:
    """Pairs that nobody has decided on."""
    who, language = require(request, Role.SUPERVISOR), language_of(request)
    found = await duplicates.undecided(request.app[POOL], limit=_MOST + 1)
    context = {
        "pairs": [
            {
                "one": pair.one,
                "other": pair.other,
                "reasons": [language.label(REASON, reason) for reason in pair.reasons],
                "shared": [spaced(kind, value) for kind, value in pair.shared],
            }
            for pair in found[:_MOST]
        ],
        "more": len(found) > _MOST,
        **person_context(request, who, at="customers"),
    }
    return draw(request, "customers/duplicates.html", context)


def _ident(text: object) -> int:
    said = str(text or "")
    if not said.isascii() or not said.isdecimal() or len(said) > 18:
        raise Invalid("That is no id.", field="customer")
    return int(said)


async def post_decline(request: web.Request) -> web.StreamResponse:
    """They are two; back to where that was said."""
    who, form = require(request, Role.SUPERVISOR), await read_form(request)
    await pairs.decline(
        request.app[LOG], _ident(form.get("one")), _ident(form.get("other")), actor=who.user_id,
        now=request.app[CLOCK](),
    )  # fmt: skip
    raise web.HTTPSeeOther(own_path(request, str(form.get("back") or "/customers/duplicates")))


async def get_merge(request: web.Request) -> web.StreamResponse:
    """The record that stays, beside the one that goes into it; or first a search for that one."""
    who, ident, pool = require(request, Role.SUPERVISOR), path_id(request), request.app[POOL]
    into = await customers.get(pool, ident)
    source = await customers.get(pool, other) if (other := number_of(request, "with")) else None
    text = " ".join(request.query.get("q", "")[:200].replace("\x00", "").split())
    language, people = language_of(request), await find_customers(request, text)
    context = {
        "into": into,
        "source": source,
        "q": text,
        "found": [each for each in people.found if each["id"] != ident],
        "refused": people.refused,
        "fields": _fields(into, source, language) if source else (),
        "addresses": [_addresses(each, language) for each in (into, source) if each],
        "moves": await pool.fetchrow(_SQL.moves, source.id, ident) if source else None,
        **person_context(request, who, at="customers"),
    }
    return draw(request, "customers/merge.html", context)


def _addresses(customer: Customer, language: Language) -> list[dict[str, str]]:
    return [
        {
            "value": spaced(each.kind, each.value),
            "kind_name": language.label(words.ADDRESS_KIND, each.kind),
            "certainty": each.certainty,
            "certainty_name": language.label(words.CERTAINTY, each.certainty),
            "means": language.label(words.CERTAINTY_MEANS, each.certainty),
        }
        for each in customer.addresses
    ]


def _fields(into: Customer, source: Customer, language: Language) -> Sequence[dict[str, object]]:
    """Where the two differ there is a choice; at first nothing that is known is lost."""
    found = []
    for field, name in FIELDS.items():
        values = [getattr(each, field) or "" for each in (into, source)]
        if field == "tier":
            values = [language.label(words.TIER, value) for value in values]
        if any(values):
            found.append(
                {
                    "field": field,
                    "name": language.gettext(name),
                    "stays": cut(values[0], 600),
                    "goes": cut(values[1], 600),
                    "differ": values[0] != values[1],
                    "take": not values[0],
                }
            )
    return found


async def post_merge(request: web.Request) -> web.StreamResponse:
    """The other record goes into this one, with the fields that were chosen of it."""
    who, ident, form = require(request, Role.SUPERVISOR), path_id(request), await read_form(request)
    take = [field for field in FIELDS if form.get(f"from_{field}") == "source"]
    await actions.merge(
        request.app[LOG], _ident(form.get("source")), into=ident, take=take, actor=who.user_id,
        now=request.app[CLOCK](),
    )  # fmt: skip
    raise web.HTTPSeeOther(f"/customers/{ident}")


async def post_take_apart(request: web.Request) -> web.StreamResponse:
    who, ident, form = require(request, Role.SUPERVISOR), path_id(request), await read_form(request)
    back = await actions.undo(
        request.app[LOG], _ident(form.get("merge")), into=ident, actor=who.user_id, now=request.app[CLOCK]()
    )
    raise web.HTTPSeeOther(f"/customers/{back}")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/customers/duplicates", get_duplicates),
        web.post("/customers/duplicates", post_decline),
        web.get(f"/customers/{ID}/merge", get_merge),
        web.post(f"/customers/{ID}/merge", post_merge),
        web.post(f"/customers/{ID}/take-apart", post_take_apart),
    ]
