"""Companies over REST: found by a part of the name or a mail domain, looked at with what their people have, changed."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import companies as actions
from callcenter.actions import company_merges
from callcenter.domain.agent import Role
from callcenter.domain.company import MOST_DOMAINS
from callcenter.domain.ticket import Priority, TicketState
from callcenter.errors import Invalid
from callcenter.store import companies as store
from callcenter.store.companies import Company
from callcenter.web.api_customer_merges import latest
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, Name, answer, path_id, read_body, read_query
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.versions import etag, expected_version

_AT = f"/companies/{ID}"
_MOST_WORDS = 8
_MOST = 100  # of each that is shown with a company

Note = Annotated[str, Field(max_length=10_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyItem:
    """`people_count`: how many customers are of it; `merged_into`: the company that has its people and names now."""

    id: int
    name: str
    domains: list[str]
    note: str | None
    people_count: int
    created_at: datetime
    updated_at: datetime
    version: int
    merged_into: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonItem:
    customer: int
    name: str
    tier: str | None
    last_contact_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicketItem:
    id: int
    number: int
    subject: str
    state: TicketState
    priority: Priority
    owner: str | None
    customer: int
    customer_name: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InForceItem:
    """`kind`: its title."""

    id: int
    name: str
    kind: str
    customer: int
    customer_name: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneCompany(CompanyItem):
    """A hundred of each at most: the people whose records were made last, whoever was in contact last first; the newest
    open tickets; the contracts in force that end first."""

    people: list[PersonItem]
    open_tickets: list[OpenTicketItem]
    contracts: list[InForceItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """By one of them; `q`: parts of the name, `domain`: a mail domain of the company's."""

    __pydantic_config__ = STRICT
    q: Line | None = None
    domain: Line | None = None
    limit: Limit = 50
    after: Place | None = None


class CompanyChanges(TypedDict, total=False):
    """What is left out stays. All people get the new `name`; `domains` are all that there are then. A company of which
    nobody is, without domains and note, is gone."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    name: Name
    domains: Annotated[list[Line], Field(max_length=MOST_DOMAINS)]
    note: Note | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyMergeItem:
    """`source`: the company that was merged into this one."""

    id: int
    source: int
    source_name: str
    at: datetime
    by: str | None
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class CompanyMerges:
    items: list[CompanyMergeItem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCompanyMerge:
    """People, names and domains of `source` become those of the company of the address."""

    __pydantic_config__ = STRICT
    source: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoCompanyMerge:
    """Without a number the latest one that is not undone."""

    __pydantic_config__ = STRICT
    merge: Id | None = None


def _fields(company: Company) -> dict[str, Any]:
    return {
        "id": company.id, "name": company.name, "domains": list(company.domains), "note": company.note,
        "people_count": company.people, "created_at": company.created_at, "updated_at": company.updated_at,
        "version": company.version, "merged_into": company.merged_into,
    }  # fmt: skip


def _item(company: Company) -> CompanyItem:
    return CompanyItem(**_fields(company))


@operation(
    "GET", "/companies", summary="Find companies", tag="companies", query=Search, answer=Page[CompanyItem],
)  # fmt: skip
async def list_companies(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Search)
    if query.q is not None and query.domain is not None:
        raise Invalid("Search by q or by domain, not by both at once.", field="q")
    pool, after, limit = request.app[POOL], read_place(query.after, start=0), query.limit + 1
    if query.domain is not None:
        found = await store.with_domain(pool, query.domain.strip().lower(), after=after, limit=limit)
    else:
        words = (query.q or "").split()[:_MOST_WORDS]
        found = await store.with_words(pool, words, after=after, limit=limit)
    items = [_item(each) for each in found[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation(
    "GET", _AT, summary="One company, with its people, their open tickets and their contracts in force",
    tag="companies", answer=OneCompany,
)  # fmt: skip
async def get_company(request: web.Request) -> web.StreamResponse:
    pool, ident = request.app[POOL], path_id(request)
    company = await store.get(pool, ident)
    people = await store.people(pool, ident, limit=_MOST)
    tickets = await store.open_tickets(pool, ident, limit=_MOST)
    contracts = await store.contracts(pool, ident, now=request.app[CLOCK](), limit=_MOST)
    found = OneCompany(
        **_fields(company),
        people=[
            PersonItem(customer=each.id, name=each.name, tier=each.tier, last_contact_at=each.last_at)
            for each in people
        ],
        open_tickets=[
            OpenTicketItem(
                id=each.id, number=each.number, subject=each.subject, state=TicketState(each.state),
                priority=Priority(each.priority), owner=each.owner, customer=each.customer_id,
                customer_name=each.customer, updated_at=each.updated_at,
            )
            for each in tickets
        ],
        contracts=[
            InForceItem(
                id=each.id, name=each.name, kind=each.title, customer=each.customer_id, customer_name=each.customer,
                starts_on=each.starts_on, ends_on=each.ends_on,
            )
            for each in contracts
        ],
    )  # fmt: skip
    return answer(found, headers=etag(company.version))


@operation(
    "PATCH", _AT, summary="Change a company's record; If-Match names the version that was seen", tag="companies",
    body=CompanyChanges, answer=CompanyItem, refusals=(409, 412),
)  # fmt: skip
async def patch_company(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, CompanyChanges)
    company = await actions.change(
        request.app[LOG],
        path_id(request),
        changes={**given},  # type: ignore[typeddict-unknown-key]
        version=expected_version(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return answer(_item(company), headers=etag(company.version))


async def _merges(request: web.Request, ident: int) -> CompanyMerges:
    return CompanyMerges(
        [
            CompanyMergeItem(
                id=each.id, source=each.source, source_name=each.source_name, at=each.at, by=each.by,
                undone_at=each.undone_at, undone_by=each.undone_by,
            )
            for each in await store.merges(request.app[POOL], ident)
        ]
    )  # fmt: skip


@operation("GET", f"{_AT}/merges", summary="What was merged into a company", tag="companies", answer=CompanyMerges)
async def get_company_merges(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await store.get(request.app[POOL], ident)
    return answer(await _merges(request, ident))


@operation(
    "POST", f"{_AT}/merge", summary="Merge another company into this one", tag="companies", role=Role.SUPERVISOR,
    body=NewCompanyMerge, answer=CompanyMerges, acts=True,
)  # fmt: skip
async def post_company_merge(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewCompanyMerge)
    ident = path_id(request)
    await company_merges.merge(
        request.app[LOG], given.source, into=ident, actor=identity(request).user_id, now=request.app[CLOCK]()
    )
    return answer(await _merges(request, ident))


@operation(
    "POST", f"{_AT}/undo-merge", summary="They are two companies after all", tag="companies", role=Role.SUPERVISOR,
    body=UndoCompanyMerge, answer=CompanyMerges, acts=True,
)  # fmt: skip
async def post_undo_company_merge(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, UndoCompanyMerge)
    ident = path_id(request)
    wanted = given.merge or latest(await store.merges(request.app[POOL], ident), f"company {ident}")
    await company_merges.undo(
        request.app[LOG], wanted, into=ident, actor=identity(request).user_id, now=request.app[CLOCK]()
    )
    return answer(await _merges(request, ident))


def routes() -> list[web.RouteDef]:
    found = (
        list_companies, get_company, patch_company, get_company_merges, post_company_merge, post_undo_company_merge,
    )  # fmt: skip
    return [each.route() for each in found]
