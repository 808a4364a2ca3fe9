"""Customers who may be one: suggested, and told apart for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import duplicates as actions
from callcenter.domain.agent import Role
from callcenter.domain.duplicate import Reason
from callcenter.store import customers, duplicates
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, answer, path_id, read_body, read_query
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation

_AT = f"/customers/{ID}"


@dataclass(frozen=True, slots=True)
class PartyItem:
    id: int
    name: str
    company: str | None


@dataclass(frozen=True, slots=True)
class LikenessItem:
    customer: PartyItem
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Likenesses:
    """Those with most reasons first."""

    items: list[LikenessItem]


@dataclass(frozen=True, slots=True)
class PairItem:
    one: PartyItem
    other: PartyItem
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The latest found first."""

    items: list[PairItem]


@dataclass(frozen=True, slots=True)
class Wanted:
    __pydantic_config__ = STRICT
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@dataclass(frozen=True, slots=True)
class Apart:
    """`customer`: who is somebody else than the customer of the address."""

    __pydantic_config__ = STRICT
    customer: Annotated[int, Field(ge=1, lt=2**63)]


def _party(party: duplicates.Party) -> PartyItem:
    return PartyItem(party.id, party.name, party.company)


async def _alike(request: web.Request, ident: int) -> web.Response:
    found = await duplicates.of_customer(request.app[POOL], ident)
    return answer(Likenesses([LikenessItem(_party(each.who), each.reasons) for each in found]))


@operation(
    "GET", "/customers/duplicates", summary="Pairs of customers who may be one, and on whom nobody has decided",
    tag="customers", role=Role.SUPERVISOR, query=Wanted, answer=Pairs,
)  # fmt: skip
async def get_duplicates(request: web.Request) -> web.StreamResponse:
    wanted = read_query(request, Wanted)
    found = await duplicates.undecided(request.app[POOL], limit=wanted.limit)
    return answer(Pairs([PairItem(_party(each.one), _party(each.other), each.reasons) for each in found]))


@operation("GET", f"{_AT}/duplicates", summary="Who else may be this customer", tag="customers", answer=Likenesses)
async def get_customer_duplicates(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await customers.get(request.app[POOL], ident)
    return await _alike(request, ident)


@operation(
    "POST", f"{_AT}/tell-apart", summary="Two customers are two, and are not suggested again", tag="customers",
    role=Role.SUPERVISOR, body=Apart, answer=Likenesses, acts=True,
)  # fmt: skip
async def post_tell_apart(request: web.Request) -> web.StreamResponse:
    given, ident = await read_body(request, Apart), path_id(request)
    await actions.decline(
        request.app[LOG], ident, given.customer, actor=identity(request).user_id, now=request.app[CLOCK]()
    )
    return await _alike(request, ident)


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (get_duplicates, get_customer_duplicates, post_tell_apart)]
