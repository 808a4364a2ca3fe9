"""Customers who turn out to be one, and those who were not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from callcenter.actions import customer_merges as actions
from callcenter.domain.agent import Role
from callcenter.errors import NotFound
from callcenter.store import customer_merges, customers
from callcenter.store.customer_merges import Merge
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, answer, path_id, read_body
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation

_AT = f"/customers/{ID}"
Ident = Annotated[int, Field(ge=1, lt=2**63)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeItem:
    """`source`: the customer whose record was merged into this one."""

    id: int
    source: int
    source_name: str
    at: datetime
    by: str | None
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Merges:
    items: list[MergeItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMerge:
    """`source` is merged into the customer of the address; `take`: fields of its record that are the better ones."""

    __pydantic_config__ = STRICT
    source: Ident
    take: list[Literal["name", "company", "tier", "language", "note", "owner"]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Without a number the latest one that is not undone."""

    __pydantic_config__ = STRICT
    merge: Ident | None = None


def latest(merges: Sequence[Merge], into: str) -> int:
    """The number of the first that stands. Raises NotFound."""
    found = next((each.id for each in merges if each.undone_at is None), None)
    if found is None:
        raise NotFound(f"Nothing is merged into {into}.")
    return found


async def _merges(request: web.Request, ident: int) -> Merges:
    found = await customer_merges.of_customer(request.app[POOL], ident)
    return Merges(
        [
            MergeItem(
                id=each.id,
                source=each.source,
                source_name=each.source_name,
                at=each.at,
                by=each.by,
                undone_at=each.undone_at,
                undone_by=each.undone_by,
            )
            for each in found
        ]
    )


@operation("GET", f"{_AT}/merges", summary="What was merged into a customer", tag="customers", answer=Merges)
async def get_customer_merges(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await customers.get(request.app[POOL], ident)
    return answer(await _merges(request, ident))


@operation(
    "POST", f"{_AT}/merge", summary="Merge another customer into this one", tag="customers", role=Role.SUPERVISOR,
    body=NewMerge, answer=Merges, acts=True,
)  # fmt: skip
async def post_customer_merge(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewMerge)
    ident = path_id(request)
    await actions.merge(
        request.app[LOG],
        given.source,
        into=ident,
        take=given.take,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return answer(await _merges(request, ident))


@operation(
    "POST", f"{_AT}/undo-merge", summary="They are two customers after all", tag="customers", role=Role.SUPERVISOR,
    body=Undo, answer=Merges, acts=True,
)  # fmt: skip
async def post_undo_customer_merge(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Undo)
    ident = path_id(request)
    wanted = given.merge or latest(await customer_merges.of_customer(request.app[POOL], ident), f"customer {ident}")
    await actions.undo(request.app[LOG], wanted, into=ident, actor=identity(request).user_id, now=request.app[CLOCK]())
    return answer(await _merges(request, ident))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (get_customer_merges, post_customer_merge, post_undo_customer_merge)]
