"""Service contracts over REST: supervisors make, change and end them; agents see what a customer is entitled to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import contracts as actions
from callcenter.actions.contracts import CHANGEABLE, NewContract
from callcenter.domain.agent import Role
from callcenter.domain.contract import ContractState, Period, Quota, Unit, state_of
from callcenter.domain.sla import ClockName
from callcenter.errors import Invalid
from callcenter.store import contracts as store
from callcenter.store import customers
from callcenter.store.contracts import SQL, Contract, Entitlement, Filter
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, answer, path_id, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.versions import etag, expected_version

_AT = f"/contracts/{ID}"

Note = Annotated[str, Field(max_length=10_000)]
Words = Annotated[list[Line], Field(max_length=50)]
Seconds = Annotated[float, Field(gt=0, le=366 * 86_400)]
Amount = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class QuotaItem:
    """So many `cases` or `minutes` a period, counted from the contract's first day."""

    __pydantic_config__ = STRICT
    amount: Amount
    unit: Unit
    per: Period = Period.TERM


@dataclass(frozen=True, slots=True)
class DutyItem:
    """What was done by itself: `what` visit or renewal, its `ticket` by id; late: after a time without servers."""

    what: str
    day: date
    ticket: int | None
    done_at: datetime
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractItem:
    """`customer` by id, `owner` by name. Scope, quota and hours as they are in force, the contract's own or its kind's;
    `own` names those that are its own. `used` of the quota in the period from `period_begins_on` on. `targets`: seconds
    by clock, where they are the contract's own."""

    id: int
    external_id: str | None
    customer: int
    kind: str
    title: str
    name: str
    state: ContractState
    starts_on: date
    ends_on: date | None
    owner: str | None
    note: str | None
    targets: dict[str, float]
    quota: QuotaItem | None
    used: int | None
    period_begins_on: date | None
    period_next_on: date | None
    queues: list[str]
    categories: list[str]
    products: list[str]
    hours: str | None
    own: list[str]
    created_at: datetime
    cancelled_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OneContract(ContractItem):
    duties: list[DutyItem]


@dataclass(frozen=True, slots=True)
class KindItem:
    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """`ends_before`: contracts whose last day is before that day."""

    __pydantic_config__ = STRICT
    customer: Id | None = None
    kind: Line | None = None
    state: ContractState | None = None
    ends_before: date | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractBody:
    """Without `ends_on` it goes on until it is cancelled. What is null or left out is as the kind has it."""

    __pydantic_config__ = STRICT
    customer: Id
    kind: Line
    starts_on: date
    ends_on: date | None = None
    name: Line = ""
    external_id: Line | None = None
    owner: Line | None = None
    note: Note | None = None
    targets: dict[ClockName, Seconds] | None = None
    quota: QuotaItem | None = None
    queues: Words | None = None
    categories: Words | None = None
    products: Words | None = None


class ContractChanges(TypedDict, total=False):
    """What is left out stays; null takes the contract's own away, so that the kind's holds."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    kind: Line
    starts_on: date
    ends_on: date | None
    name: Line
    owner: Line | None
    note: Note | None
    targets: dict[ClockName, Seconds] | None
    quota: QuotaItem | None
    queues: Words | None
    categories: Words | None
    products: Words | None


def _item(contract: Contract, given: Entitlement, now: datetime) -> dict[str, Any]:
    own = [name for name in ("quota", "queues", "categories", "products") if getattr(contract, name) is not None]
    quota = given.quota
    return {
        "id": contract.id,
        "external_id": contract.external_id,
        "customer": contract.customer,
        "kind": contract.kind,
        "title": contract.title,
        "name": contract.name,
        "state": state_of(contract.starts_at, contract.ends_at, contract.cancelled_at, now),
        "starts_on": contract.starts_on,
        "ends_on": contract.ends_on,
        "owner": contract.owner_name,
        "note": contract.note,
        "targets": {clock.value: target.total_seconds() for clock, target in (contract.targets or {}).items()},
        "quota": None if quota is None else QuotaItem(quota.amount, quota.unit, quota.per),
        "used": given.used,
        "period_begins_on": given.begins_on,
        "period_next_on": given.next_on,
        "queues": list(given.queues),
        "categories": list(given.categories),
        "products": list(given.products),
        "hours": given.hours,
        "own": own,
        "created_at": contract.created_at,
        "cancelled_at": contract.cancelled_at,
        "version": contract.version,
    }


async def _items(request: web.Request, contracts: Sequence[Contract]) -> list[ContractItem]:
    now = request.app[CLOCK]()
    given = await store.entitlements(request.app[POOL], [each.id for each in contracts], now=now)
    return [ContractItem(**_item(each, given[each.id], now)) for each in contracts]


async def _one(request: web.Request, ident: int, *, status: int = 200) -> web.StreamResponse:
    pool, now = request.app[POOL], request.app[CLOCK]()
    contract = await store.get(pool, ident)
    given = await store.entitlements(pool, [ident], now=now)
    duties = [DutyItem(**row) for row in await pool.fetch(SQL.duties, ident)]
    headers = etag(contract.version)
    if status == 201:
        headers["Location"] = f"/api/v1/contracts/{ident}"
    return answer(OneContract(**_item(contract, given[ident], now), duties=duties), status=status, headers=headers)


def zone_of(request: web.Request) -> ZoneInfo:
    return ZoneInfo(request.app[DIRECTORY].organisation.timezone)


def _terms(request: web.Request, given: Mapping[str, Any]) -> dict[str, Any]:
    """Names, queues and durations as the action takes them. Raises Invalid."""
    found = dict(given)
    if found.get("owner") is not None:
        found["owner"] = user_id(request, found["owner"], field="owner", active=True)
    if found.get("targets") is not None:
        found["targets"] = {clock: timedelta(seconds=seconds) for clock, seconds in found["targets"].items()}
    if (quota := found.get("quota")) is not None:
        found["quota"] = Quota(quota.amount, quota.unit, quota.per)
    known = {queue.name for queue in request.app[DIRECTORY].queues.values() if queue.active}
    for index, name in enumerate(found.get("queues") or ()):
        if name not in known:
            raise Invalid(f"There is no queue named {name}.", field=f"queues[{index}]")
    return found


@operation(
    "GET", "/contracts", summary="Contracts, the newest first", tag="contracts", role=Role.SUPERVISOR, query=Search,
    answer=Page[ContractItem],
)  # fmt: skip
async def list_contracts(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Search)
    ends = None
    if query.ends_before is not None:
        # The moment after a contract's last day is the next day's beginning.
        ends = datetime.combine(query.ends_before, datetime.min.time(), zone_of(request)) + timedelta(microseconds=1)
    wanted = Filter(query.customer, query.kind, query.state, ends)
    below = read_place(query.after, start=TOP)
    found = await store.find(request.app[POOL], wanted, now=request.app[CLOCK](), below=below, limit=query.limit + 1)
    items = await _items(request, found[: query.limit])
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation(
    "GET", f"/customers/{ID}/contracts", summary="What a customer is entitled to, and was", tag="contracts",
    answer=Page[ContractItem],
)  # fmt: skip
async def list_of_customer(request: web.Request) -> web.StreamResponse:
    pool, ident = request.app[POOL], path_id(request)
    await customers.get(pool, ident)
    found = await store.find(pool, Filter(customer=ident), now=request.app[CLOCK](), below=TOP, limit=200)
    return answer(Page(await _items(request, found), None))


@operation("GET", _AT, summary="One contract, with what was done by itself", tag="contracts", answer=OneContract)
async def get_contract(request: web.Request) -> web.StreamResponse:
    return await _one(request, path_id(request))


@operation("GET", "/contract-kinds", summary="Kinds of contracts", tag="contracts", answer=Page[KindItem])
async def list_kinds(request: web.Request) -> web.StreamResponse:
    rows = await request.app[POOL].fetch(SQL.kinds)
    return answer(Page([KindItem(row["name"], row["title"]) for row in rows], None))


@operation(
    "POST", "/contracts", summary="Make a contract", tag="contracts", role=Role.SUPERVISOR, body=ContractBody,
    answer=OneContract, status=201, refusals=(409,),
)  # fmt: skip
async def post_contract(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, ContractBody)
    terms = _terms(request, {name: getattr(given, name) for name in ("customer", "external_id", *CHANGEABLE)})
    ident = await actions.create(
        request.app[LOG],
        NewContract(**terms),
        zone=zone_of(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _one(request, ident, status=201)


@operation(
    "PATCH", _AT, summary="Change a contract; If-Match names the version that was seen", tag="contracts",
    role=Role.SUPERVISOR, body=ContractChanges, answer=OneContract, refusals=(409, 412),
)  # fmt: skip
async def patch_contract(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, ContractChanges)
    ident = path_id(request)
    await actions.change(
        request.app[LOG],
        ident,
        changes=_terms(request, given),
        version=expected_version(request),
        zone=zone_of(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _one(request, ident)


@operation(
    "DELETE", _AT, summary="Cancel a contract: it covers nothing from now on, and stays to be read", tag="contracts",
    role=Role.SUPERVISOR, answer=OneContract, refusals=(409, 412),
)  # fmt: skip
async def delete_contract(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await actions.cancel(
        request.app[LOG],
        ident,
        version=expected_version(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _one(request, ident)


def routes() -> list[web.RouteDef]:
    found = (
        list_contracts, list_of_customer, get_contract, list_kinds, post_contract, patch_contract, delete_contract,
    )  # fmt: skip
    return [each.route() for each in found]
