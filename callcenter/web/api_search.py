"""One search over REST: customers, companies, tickets, and what was written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.domain.agent import Role
from callcenter.domain.interaction import Channel
from callcenter.domain.search import LONGEST, understand
from callcenter.domain.ticket import TicketState
from callcenter.store import search
from callcenter.web.auth import identity
from callcenter.web.body import STRICT, answer, read_query
from callcenter.web.keys import DIRECTORY, POOL
from callcenter.web.openapi import operation

_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`q`: an address or either end of one, a part of a name or company, a ticket's number (`#123`), words of what was
    written; `limit`: at most so many of each group."""

    __pydantic_config__ = STRICT
    q: Annotated[str, Field(max_length=LONGEST)]
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerHit:
    """`address`: the one that was looked for, if it was one."""

    id: int
    name: str
    company: str | None
    tier: str | None
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyHit:
    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHit:
    """`text`: what a message says around the words; null when they stand in the subject only."""

    id: int
    number: int
    subject: str
    state: TicketState
    customer: int | None
    customer_name: str | None
    updated_at: datetime
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactHit:
    """Something written or noted outside tickets. `ticket`: the number of the one that the contact belongs to now."""

    interaction: int
    channel: Channel
    at: datetime
    customer: int | None
    customer_name: str | None
    ticket: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Customers by address first, then by name; tickets by number first, then the newest; the newest contacts first."""

    customers: list[CustomerHit]
    companies: list[CompanyHit]
    tickets: list[TicketHit]
    contacts: list[ContactHit]


async def found_of(request: web.Request, text: str, *, limit: int) -> search.Found:
    """What whoever asks may read. Raises Invalid."""
    who = identity(request)
    sought = understand(text, region=request.app[DIRECTORY].organisation.region)
    reader = None if who.may(Role.SUPERVISOR) else who.user_id
    return await search.find(request.app[POOL], sought, reader=reader, limit=limit)


@operation(
    "GET", "/search", summary="Find customers, companies, tickets and what was written", tag="customers",
    query=Asked, answer=Hits,
)  # fmt: skip
async def get_search(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Asked)
    found = await found_of(request, query.q, limit=query.limit)
    hits = Hits(
        customers=[
            CustomerHit(id=each.id, name=each.name, company=each.company, tier=each.tier, address=each.address)
            for each in found.customers
        ],
        companies=[CompanyHit(id=each.id, name=each.name) for each in found.companies],
        tickets=[
            TicketHit(
                id=each.id, number=each.number, subject=each.subject, state=TicketState(each.state),
                customer=each.customer_id, customer_name=each.customer, updated_at=each.at, text=each.cut,
            )
            for each in found.tickets
        ],
        contacts=[
            ContactHit(
                interaction=each.id, channel=Channel(each.channel), at=each.at, customer=each.customer_id,
                customer_name=each.customer, ticket=each.ticket, text=each.cut,
            )
            for each in found.contacts
        ],
    )  # fmt: skip
    return answer(hits)


def routes() -> list[web.RouteDef]:
    return [get_search.route()]
