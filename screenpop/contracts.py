"""Contracts on pages of forms: a list to look through, one to read and change, a new one; for supervisors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from callcenter.actions import contracts as actions
from callcenter.actions.contracts import NewContract
from callcenter.domain.agent import Role
from callcenter.domain.contract import ContractState, Period, Quota, Unit, parse_quota, state_of
from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.sla import ClockName
from callcenter.errors import CallcenterError, Invalid
from callcenter.store import contracts as store
from callcenter.store import customers
from callcenter.store.contracts import SQL, Contract, Entitlement, Filter
from callcenter.web.auth import require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop import words
from screenpop.i18n import Language
from screenpop.page import draw, explain, language_of, person_context

_MOST = 200
_WORDS = ("queues", "categories", "products")
_FIELDS = ("customer", "kind", "name", "starts_on", "ends_on", "owner", "note", "amount", "unit", "per", *_WORDS)


@dataclass(frozen=True, slots=True)
class Row:
    """One contract of the list in words."""

    id: int
    title: str
    kind: str
    customer: int
    customer_name: str
    state: str
    state_name: str
    starts_on: date
    ends_on: date | None
    owner: str
    used: str
    out: bool


def _zone(request: web.Request) -> ZoneInfo:
    return ZoneInfo(request.app[DIRECTORY].organisation.timezone)


def _used(given: Entitlement, language: Language) -> tuple[str, bool]:
    if given.quota is None or given.used is None:
        return "", False
    unit = language.label(words.QUOTA_UNIT, given.quota.unit)
    said = language.gettext("%(used)d of %(amount)d %(unit)s")
    values = {"used": given.used, "amount": given.quota.amount, "unit": unit}
    return said % values, given.used >= given.quota.amount


async def get_list(request: web.Request) -> web.StreamResponse:
    who, language, now, pool = (
        require(request, Role.SUPERVISOR),
        language_of(request),
        request.app[CLOCK](),
        request.app[POOL],
    )
    state, kind = request.query.get("state", ""), request.query.get("kind", "")
    wanted = Filter(kind=kind or None, state=state if state in list(ContractState) else None)
    found = await store.find(pool, wanted, now=now, below=TOP, limit=_MOST + 1)
    idents = [each.id for each in found[:_MOST]]
    given = await store.entitlements(pool, idents, now=now)
    names = {row["id"]: row["name"] for row in await pool.fetch(SQL.customers, [each.customer for each in found])}
    rows = []
    for each in found[:_MOST]:
        used, out = _used(given[each.id], language)
        stands = state_of(each.starts_at, each.ends_at, each.cancelled_at, now)
        rows.append(
            Row(
                id=each.id,
                title=each.name or each.title,
                kind=each.title,
                customer=each.customer,
                customer_name=names.get(each.customer, ""),
                state=stands,
                state_name=language.label(words.CONTRACT_STATE, stands),
                starts_on=each.starts_on,
                ends_on=each.ends_on,
                owner=each.owner_name or "",
                used=used,
                out=out,
            )
        )
    context = {
        "rows": rows,
        "more": len(found) > _MOST,
        "state": state,
        "kind": kind,
        "states": [(each.value, language.label(words.CONTRACT_STATE, each)) for each in ContractState],
        "kinds": await pool.fetch(SQL.kinds),
        **person_context(request, who, at="contracts"),
    }
    return draw(request, "contracts.html", context)


# -- one contract


def _typed(contract: Contract) -> dict[str, str]:
    """A contract as the fields of its form."""
    quota = contract.quota
    fields = {
        "kind": contract.kind,
        "name": contract.name,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat() if contract.ends_on else "",
        "owner": str(contract.owner or ""),
        "note": contract.note or "",
        "amount": str(quota.amount) if quota else "",
        "unit": quota.unit if quota else Unit.CASES,
        "per": quota.per if quota else Period.YEAR,
    }
    fields |= {name: ", ".join(getattr(contract, name) or ()) for name in _WORDS}
    targets = contract.targets or {}
    return fields | {f"target_{c}": format_duration(targets[c]) if c in targets else "" for c in ClockName}


_EMPTY = dict.fromkeys([*_FIELDS, *(f"target_{clock}" for clock in ClockName)], "") | {"unit": "cases", "per": "year"}


async def _form(
    request: web.Request, fields: Mapping[str, str], *, contract: Contract | None = None, refusal: str = "",
    status: int = 200,
) -> web.Response:  # fmt: skip
    who, language, now, pool = (
        require(request, Role.SUPERVISOR),
        language_of(request),
        request.app[CLOCK](),
        request.app[POOL],
    )
    context: dict[str, Any] = {"contract": contract, "fields": fields, "refusal": refusal, "duties": (), "used": ""}
    if contract is not None:
        given = await store.entitlements(pool, [contract.id], now=now)
        stands = state_of(contract.starts_at, contract.ends_at, contract.cancelled_at, now)
        context |= {
            "state": stands,
            "state_name": language.label(words.CONTRACT_STATE, stands),
            "customer": await customers.get(pool, contract.customer),
            "used": _used(given[contract.id], language)[0],
            "duties": [
                {**row, "name": language.label(words.CONTRACT_DUTY, row["what"])}
                for row in await pool.fetch(SQL.duties, contract.id)
            ],
        }
    people = [user for user in request.app[DIRECTORY].users.values() if user.active]
    context |= {
        "kinds": await pool.fetch(SQL.kinds),
        "people": sorted(people, key=lambda user: user.full_name),
        "clocks": [(clock.value, language.label(words.CLOCK, clock)) for clock in ClockName],
        "units": [(unit.value, language.label(words.QUOTA_UNIT, unit)) for unit in Unit],
        "periods": [(per.value, language.label(words.QUOTA_PERIOD, per)) for per in Period],
        **person_context(request, who, at="contracts"),
    }
    return draw(request, "contract.html", context, status=status)


async def get_new(request: web.Request) -> web.StreamResponse:
    today = request.app[CLOCK]().astimezone(_zone(request)).date()
    fields = {**_EMPTY, "customer": request.query.get("customer", "")[:200], "starts_on": today.isoformat()}
    return await _form(request, fields)


async def get_one(request: web.Request) -> web.StreamResponse:
    require(request, Role.SUPERVISOR)
    contract = await store.get(request.app[POOL], path_id(request))
    return await _form(request, _typed(contract), contract=contract)


async def _fields(request: web.Request) -> dict[str, str]:
    form = await read_form(request)
    return {**_EMPTY, **{name: value.strip() for name, value in form.items() if isinstance(value, str)}}


def _terms(request: web.Request, fields: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as the action takes it; what is empty is as the kind has it. Raises Invalid."""
    owner = fields["owner"]
    if owner and not (owner.isdecimal() and int(owner[:18]) in request.app[DIRECTORY].users):
        raise Invalid("Nobody of this name works here.", field="owner")
    lists = {name: [each for each in fields[name].replace("，", ",").split(",") if each.strip()] for name in _WORDS}
    known = {queue.name for queue in request.app[DIRECTORY].queues.values() if queue.active}
    if unknown := [name for name in lists["queues"] if name.strip() not in known]:
        raise Invalid(f"There is no queue named {unknown[0].strip()}.", field="queues")
    targets = {clock: parse_duration(text) for clock in ClockName if (text := fields[f"target_{clock}"])}
    return {
        "kind": fields["kind"],
        "name": fields["name"],
        "starts_on": _day(fields["starts_on"], "starts_on"),
        "ends_on": _day(fields["ends_on"], "ends_on") if fields["ends_on"] else None,
        "owner": int(owner) if owner else None,
        "note": fields["note"] or None,
        "targets": targets or None,
        "quota": _quota(fields),
        **{name: tuple(words) or None for name, words in lists.items()},
    }


def _quota(fields: Mapping[str, str]) -> Quota | None:
    if not fields["amount"]:
        return None
    amount = fields["amount"]
    number = int(amount) if amount.isascii() and amount.isdecimal() and len(amount) < 10 else amount
    return parse_quota({fields["unit"]: number, "per": fields["per"]})


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("That is no date.", field=field) from None


async def _customer(request: web.Request, text: str) -> int:
    """By id, or by what another system calls them. Raises Invalid."""
    pool = request.app[POOL]
    rows = await pool.fetch(SQL.customer_ids, [text])
    if rows:
        return int(rows[0]["id"])
    if text.isascii() and text.isdecimal() and len(text) < 19 and await pool.fetchval(SQL.is_customer, int(text)):
        return int(text)
    raise Invalid("There is no such customer.", field="customer")


def _refused(request: web.Request, error: CallcenterError) -> tuple[str, int]:
    problem = problem_of(error)[0]
    return explain(language_of(request), problem), problem.status


async def post_new(request: web.Request) -> web.StreamResponse:
    who, fields = require(request, Role.SUPERVISOR), await _fields(request)
    try:
        given = NewContract(customer=await _customer(request, fields["customer"]), **_terms(request, fields))
        ident = await actions.create(
            request.app[LOG], given, zone=_zone(request), actor=who.user_id, now=request.app[CLOCK]()
        )
    except CallcenterError as error:
        refusal, status = _refused(request, error)
        return await _form(request, fields, refusal=refusal, status=status)
    raise web.HTTPSeeOther(f"/contracts/{ident}")


async def post_one(request: web.Request) -> web.StreamResponse:
    """Keeps what was typed, of the version that was seen."""
    who, fields, ident = require(request, Role.SUPERVISOR), await _fields(request), path_id(request)
    contract = await store.get(request.app[POOL], ident)
    version = fields.get("version", "")
    try:
        await actions.change(
            request.app[LOG], ident, changes=_terms(request, fields),
            version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None,
            zone=_zone(request), actor=who.user_id, now=request.app[CLOCK](),
        )  # fmt: skip
    except CallcenterError as error:
        refusal, status = _refused(request, error)
        return await _form(request, fields, contract=contract, refusal=refusal, status=status)
    raise web.HTTPSeeOther(f"/contracts/{ident}")


async def post_cancel(request: web.Request) -> web.StreamResponse:
    who, ident = require(request, Role.SUPERVISOR), path_id(request)
    await actions.cancel(request.app[LOG], ident, version=None, actor=who.user_id, now=request.app[CLOCK]())
    raise web.HTTPSeeOther(f"/contracts/{ident}")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/contracts", get_list),
        web.get("/contracts/new", get_new),
        web.post("/contracts", post_new),
        web.get(f"/contracts/{ID}", get_one),
        web.post(f"/contracts/{ID}", post_one),
        web.post(f"/contracts/{ID}/cancel", post_cancel),
    ]
