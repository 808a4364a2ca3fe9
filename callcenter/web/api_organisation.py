"""The organisation's settings over REST: the file that is in force, what another one would change, and applying it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import administration
from callcenter.domain.agent import Role
from callcenter.domain.plan import Plan
from callcenter.store import applications
from callcenter.store.applications import Via
from callcenter.web.auth import identity
from callcenter.web.body import STRICT, Line, answer, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place

_TAG = "organisation"
Toml = Annotated[str, Field(max_length=1_000_000)]


@dataclass(frozen=True, slots=True)
class InForce:
    """An organisation file without passwords and secrets; whoever changes it says which `version` they had."""

    text: str
    version: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """`prune`: what the text does not name is removed, as by `callcenter apply --prune`."""

    __pydantic_config__ = STRICT
    text: Toml
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """`version`: refused when another one is in force by now."""

    __pydantic_config__ = STRICT
    text: Toml
    prune: bool = False
    version: Line | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """`lines` as `callcenter apply` prints them: + created, ~ changed, - removed, ! a warning."""

    lines: list[str]
    created: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True)
class ApplicationItem:
    """`via`: file (the command line, without an actor), page or api."""

    id: int
    applied_at: datetime
    actor: str | None
    via: str
    lines: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    __pydantic_config__ = STRICT
    limit: Limit = 50
    after: Place | None = None


def _planned(plan: Plan) -> Planned:
    return Planned(list(plan.lines()), len(plan.created), len(plan.changed), len(plan.removed))


@operation(
    "GET", "/organisation", summary="The organisation file that is in force", tag=_TAG, role=Role.ADMINISTRATOR,
    answer=InForce,
)  # fmt: skip
async def get_organisation(request: web.Request) -> web.StreamResponse:
    found = await administration.standing(request.app[POOL])
    return answer(InForce(found.text, found.version))


@operation(
    "POST", "/organisation/plan", summary="What a file would change; nothing is changed", tag=_TAG,
    role=Role.ADMINISTRATOR, body=Wanted, answer=Planned,
)  # fmt: skip
async def plan_organisation(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Wanted)
    actor = identity(request).user_id
    return answer(_planned(await administration.plan(request.app[POOL], given.text, prune=given.prune, actor=actor)))


@operation(
    "PUT", "/organisation", summary="Apply a file, all of it or nothing", tag=_TAG, role=Role.ADMINISTRATOR,
    body=Given, answer=Planned, acts=True,
)  # fmt: skip
async def put_organisation(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Given)
    done = await administration.apply(
        request.app[LOG], given.text, prune=given.prune, actor=identity(request).user_id, via=Via.API,
        version=given.version, now=request.app[CLOCK](),
    )  # fmt: skip
    return answer(_planned(done))


@operation(
    "GET", "/organisation/history", summary="Who applied what, newest first", tag=_TAG, role=Role.ADMINISTRATOR,
    query=Places, answer=Page[ApplicationItem],
)  # fmt: skip
async def list_applications(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Places)
    below = read_place(query.after, start=TOP)
    found = await applications.page(request.app[POOL], below=below, limit=query.limit + 1)
    items = [
        ApplicationItem(each.id, each.applied_at, each.actor or None, each.via, list(each.lines))
        for each in found[: query.limit]
    ]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


def routes() -> list[web.RouteDef]:
    found = (get_organisation, plan_organisation, put_organisation, list_applications)
    return [each.route() for each in found]
