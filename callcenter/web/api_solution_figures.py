"""What solutions were used for, what they were good for, and what was searched in vain, over REST."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from callcenter.actions import solutions as actions
from callcenter.domain.agent import Role
from callcenter.domain.solution import ShownAt, SolutionState, Use
from callcenter.errors import NotFound
from callcenter.store import solutions as store
from callcenter.store.queries import Queries
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, answer, path_id, read_body, read_query
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page
from callcenter.web.rights import readable
from callcenter.web.solutions import first_day, own_language

SQL = Queries(Path(__file__).with_name("solutions.sql"))
MOST = 200
_AT = f"/solutions/{ID}"
Language = Annotated[str, Field(max_length=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUse:
    """For a ticket or an interaction. `inserted`: put into an answer or note; `solved`: this was it."""

    __pydantic_config__ = STRICT
    how: Use
    ticket: Id | None = None
    interaction: Id | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """False: it was counted for this case already."""

    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    __pydantic_config__ = STRICT
    days: Annotated[int, Field(ge=1, le=730)] = 30
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """`solved`, `inserted`: in how many cases; `shown_…`: how often opened; `helped`: what visitors said."""

    id: int
    title: str
    language: str
    state: SolutionState
    public: bool
    solved: int
    inserted: int
    shown_desk: int
    shown_help: int
    helped: int
    not_helped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilter:
    __pydantic_config__ = STRICT
    days: Annotated[int, Field(ge=1, le=730)] = 30
    missed: Literal["true", "false"] = "true"
    limit: Limit = 50


@dataclass(frozen=True, slots=True)
class SearchItem:
    """`missed`: how often of `count` nothing was found. Addresses and long numbers are left out of `query`."""

    query: str
    place: ShownAt
    count: int
    missed: int
    last_at: datetime


@operation(
    "GET", "/solutions/figures", summary="Which solution solved how many cases, and was shown how often",
    tag="solutions", role=Role.SUPERVISOR, query=Days, answer=Page[Figures],
)  # fmt: skip
async def get_solution_figures(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Days)
    begin, language = first_day(request, query.days), own_language(request, query.language)
    rows = await request.app[POOL].fetch(SQL.figures, begin, language, MOST)
    return answer(Page([Figures(**row) for row in rows], None))


@operation(
    "GET", "/solutions/searches", summary="What was searched, and how often in vain", tag="solutions",
    role=Role.SUPERVISOR, query=SearchFilter, answer=Page[SearchItem],
)  # fmt: skip
async def get_solution_searches(request: web.Request) -> web.StreamResponse:
    query = read_query(request, SearchFilter)
    since = request.app[CLOCK]() - timedelta(days=query.days)
    rows = await request.app[POOL].fetch(SQL.searches, since, query.missed == "true", query.limit)
    return answer(Page([SearchItem(**row) for row in rows], None))


@operation(
    "POST", f"{_AT}/use", summary="It helped with a ticket or a contact; counted once a case", tag="solutions",
    body=NewUse, answer=Used,
)  # fmt: skip
async def post_solution_use(request: web.Request) -> web.StreamResponse:
    given, ident = await read_body(request, NewUse), path_id(request)
    if (await store.get(request.app[POOL], ident)).state is not SolutionState.PUBLISHED:
        raise NotFound("This solution is not published.")
    if given.interaction is not None:
        await readable(request, given.interaction)
    counted = await actions.use(
        request.app[LOG], ident, ticket=given.ticket, interaction=given.interaction, how=given.how,
        actor=identity(request).user_id, now=request.app[CLOCK](),
    )  # fmt: skip
    return answer(Used(counted))


def routes() -> list[web.RouteDef]:
    return [post_solution_use.route(), get_solution_figures.route(), get_solution_searches.route()]
