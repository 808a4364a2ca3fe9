"""Customers over REST: found by number, mail or a part of the name; made, changed, and what happened with them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import customers as actions
from callcenter.domain.address import read_address
from callcenter.domain.customer import Address, AddressKind, Certainty
from callcenter.errors import Invalid
from callcenter.store import customers as store
from callcenter.store.customers import Customer
from callcenter.web import interactions
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Line, Name, answer, path_id, read_body, read_query
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.versions import etag, expected_version

_AT = f"/customers/{ID}"
_MOST_WORDS = 8

Note = Annotated[str, Field(max_length=10_000)]
Tier = Annotated[str, Field(max_length=50)]
Language = Annotated[str, Field(max_length=20)]


@dataclass(frozen=True, slots=True)
class AddressItem:
    kind: AddressKind
    value: str
    certainty: Certainty


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerItem:
    """`company` as it is shown, `company_id` its record; `owner`: the user who looks after them, by name;
    `merged_into`: the customer who has all that was theirs."""

    id: int
    external_id: str | None
    name: str
    company: str | None
    company_id: int | None
    tier: str | None
    language: str | None
    note: str | None
    owner: str | None
    addresses: list[AddressItem]
    created_at: datetime
    version: int
    merged_into: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """By one of them; `phone` as it is dialled here, `q` words of name and company, or a number or mail address."""

    __pydantic_config__ = STRICT
    phone: Line | None = None
    email: Line | None = None
    q: Line | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    __pydantic_config__ = STRICT
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class NewAddress:
    __pydantic_config__ = STRICT
    kind: AddressKind
    value: Line
    certainty: Certainty = Certainty.KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    __pydantic_config__ = STRICT
    name: Name
    external_id: Line | None = None
    company: Line | None = None
    tier: Tier | None = None
    language: Language | None = None
    note: Note | None = None
    owner: Line | None = None
    addresses: Annotated[list[NewAddress], Field(max_length=100)] = field(default_factory=list)


class CustomerChanges(TypedDict, total=False):
    """What is left out stays; null empties."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    name: Name
    company: Line | None
    tier: Tier | None
    language: Language | None
    note: Note | None
    owner: Line | None


def _item(customer: Customer) -> CustomerItem:
    return CustomerItem(
        id=customer.id,
        external_id=customer.external_id,
        name=customer.name,
        company=customer.company,
        company_id=customer.company_id,
        tier=customer.tier,
        language=customer.language,
        note=customer.note,
        owner=customer.owner,
        addresses=[AddressItem(each.kind, each.value, each.certainty) for each in customer.addresses],
        created_at=customer.created_at,
        version=customer.version,
        merged_into=customer.merged_into,
    )


def _as_address(text: str, region: str) -> Address | None:
    """What somebody typed into a search, when it is a whole number or mail address."""
    kind = AddressKind.EMAIL if "@" in text else AddressKind.PHONE
    try:
        return read_address(kind, text, region=region)
    except Invalid:
        return None


@operation("GET", "/customers", summary="Find customers", tag="customers", query=Search, answer=Page[CustomerItem])
async def list_customers(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Search)
    if sum(given is not None for given in (query.phone, query.email, query.q)) > 1:
        raise Invalid("Search by phone, by email or by q, not by several at once.", field="q")
    pool, region = request.app[POOL], request.app[DIRECTORY].organisation.region
    after, limit = read_place(query.after, start=0), query.limit + 1
    address = None
    if query.phone is not None:
        address = read_address(AddressKind.PHONE, query.phone, region=region)
    elif query.email is not None:
        address = read_address(AddressKind.EMAIL, query.email, region=region)
    elif query.q is not None:
        address = _as_address(query.q.strip(), region)
    if address is not None:
        kinds = [address.kind] if address.kind is AddressKind.EMAIL else [AddressKind.PHONE, AddressKind.FAX]
        found = await store.at_address(pool, kinds, address.value, after=after, limit=limit)
    else:
        words = (query.q or "").split()[:_MOST_WORDS]
        found = await store.with_words(pool, words, after=after, limit=limit)
    items = [_item(each) for each in found[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation("GET", _AT, summary="One customer", tag="customers", answer=CustomerItem)
async def get_customer(request: web.Request) -> web.StreamResponse:
    customer = await store.get(request.app[POOL], path_id(request))
    return answer(_item(customer), headers=etag(customer.version))


@operation(
    "GET", f"{_AT}/history", summary="All contacts with a customer, the newest first", tag="customers", query=Paging,
    answer=Page[interactions.Item],
)  # fmt: skip
async def get_history(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Paging)
    pool, ident = request.app[POOL], path_id(request)
    await store.get(pool, ident)
    below = read_place(query.after, start=interactions.TOP)
    wanted = interactions.Wanted(customer=ident)
    items = list(await interactions.find(pool, wanted, below=below, limit=query.limit + 1))
    more = len(items) > query.limit
    items = items[: query.limit]
    return answer(Page(items, place_of(items[-1].id) if more else None))


@operation(
    "POST", "/customers", summary="Make a customer", tag="customers", body=NewCustomer, answer=CustomerItem, status=201,
    refusals=(409,),
)  # fmt: skip
async def post_customer(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewCustomer)
    region = request.app[DIRECTORY].organisation.region
    addresses = []
    for index, each in enumerate(given.addresses):
        try:
            addresses.append(read_address(each.kind, each.value, region=region, certainty=each.certainty))
        except Invalid as error:
            raise Invalid(str(error), field=f"addresses[{index}].value") from None
    ident = await actions.create(
        request.app[LOG],
        name=given.name,
        company=given.company,
        tier=given.tier,
        addresses=addresses,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
        external_id=given.external_id,
        language=given.language,
        note=given.note,
        owner=given.owner,
    )
    customer = await store.get(request.app[POOL], ident)
    headers = {"Location": f"/api/v1/customers/{ident}", **etag(customer.version)}
    return answer(_item(customer), status=201, headers=headers)


@operation(
    "PATCH", _AT, summary="Change a customer's record; If-Match names the version that was seen", tag="customers",
    body=CustomerChanges, answer=CustomerItem, refusals=(412,),
)  # fmt: skip
async def patch_customer(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, CustomerChanges)
    ident = path_id(request)
    changes: dict[str, str | None] = {**given}  # type: ignore[dict-item]
    await actions.update(
        request.app[LOG],
        ident,
        changes=changes,
        version=expected_version(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    customer = await store.get(request.app[POOL], ident)
    return answer(_item(customer), headers=etag(customer.version))


@operation(
    "POST", f"{_AT}/addresses", summary="Add an address, or make one more certain", tag="customers", body=NewAddress,
    answer=CustomerItem,
)  # fmt: skip
async def post_address(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewAddress)
    ident = path_id(request)
    try:
        address = read_address(
            given.kind, given.value, region=request.app[DIRECTORY].organisation.region, certainty=given.certainty
        )
    except Invalid as error:
        raise Invalid(str(error), field="value") from None
    await actions.add_address(
        request.app[LOG], ident, address=address, actor=identity(request).user_id, now=request.app[CLOCK]()
    )
    return answer(_item(await store.get(request.app[POOL], ident)))


def routes() -> list[web.RouteDef]:
    found = (
        list_customers, get_customer, get_history, post_customer, patch_customer, post_address,
    )  # fmt: skip
    return [each.route() for each in found]
