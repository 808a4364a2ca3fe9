"""What evaluations are made of and what comes of them, over REST: scorecards, samples, calibrations and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import fmean
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from callcenter.actions import forms
from callcenter.actions import quality as actions
from callcenter.domain.agent import RANK, Role
from callcenter.domain.evaluation import EvaluationState
from callcenter.domain.form import FormKind
from callcenter.domain.form_keys import ScorecardTable, entry_of
from callcenter.domain.scorecard import Spread, read_card, spreads
from callcenter.errors import Invalid, NotFound
from callcenter.store.directory import Directory
from callcenter.store.forms import read_forms
from callcenter.store.quality import SQL
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, answer, path_id, path_name, read_body, read_query
from callcenter.web.exports import Span, read_span
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.problem import FieldError, InvalidFields


@dataclass(frozen=True, slots=True)
class NewCalibration:
    __pydantic_config__ = STRICT
    interaction: Id
    scorecard: Line
    evaluators: Annotated[list[Line], Field(max_length=50)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`spread` and `totals` (by evaluator, per cent) are empty until all have graded or it is closed."""

    id: int
    interaction: int
    scorecard: str
    created_at: datetime
    closed_at: datetime | None
    graded: list[str]
    waiting: list[str]
    totals: Mapping[str, float | None] = field(default_factory=dict)
    spread: list[Spread] = field(default_factory=list)


class Written(TypedDict, total=False):
    """As in the organisation file: the keys of [[scorecards]], without the name."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    text: Any
    pass_mark: Any
    sections: Any


@dataclass(frozen=True, slots=True)
class Scorecards:
    items: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SampleItem:
    """`drawn` conversations, of which `waiting` are not graded. The same `seed` draws the same."""

    id: int
    rule: str
    week: date
    seed: int
    drawn_at: datetime
    drawn: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    agent: str
    evaluations: int
    mean: float | None
    passed: int
    disputed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFigures:
    """`mean`: share of the points, 0 to 1, where it applied. `failures`: how often it got none."""

    scorecard: str
    question: str
    text: Any
    answers: int
    mean: float | None
    failures: int


@dataclass(frozen=True, slots=True)
class Overview:
    agents: list[AgentFigures]
    questions: list[QuestionFigures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    __pydantic_config__ = STRICT
    limit: Limit = 50
    after: Place | None = None


@operation("GET", "/scorecards", summary="Scorecards in use", tag="quality", answer=Scorecards)
async def list_scorecards(request: web.Request) -> web.StreamResponse:
    async with request.app[POOL].acquire() as connection:
        found = [each for each in await read_forms(connection) if each.kind is FormKind.SCORECARD]
    return answer(Scorecards([{"name": each.name, **each.definition} for each in found]))


@operation(
    "PUT", "/scorecards/{name}", summary="Write a scorecard; a change is a new version, and grades keep theirs",
    tag="quality", role=Role.SUPERVISOR, body=Written, answer=Scorecards,
)  # fmt: skip
async def put_scorecard(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Written)
    try:
        table = ScorecardTable.model_validate({"name": path_name(request), **given})
    except ValidationError as error:
        raise _refused(error) from None
    entry = entry_of(table)
    await forms.put(request.app[LOG], entry, actor=identity(request).user_id, now=request.app[CLOCK]())
    return answer(Scorecards([{"name": entry.name, **entry.definition}]))


def _refused(error: ValidationError) -> InvalidFields:
    errors = [FieldError(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
    return InvalidFields("; ".join(f"{each.field}: {each.message}" for each in errors[:3]) + ".", errors=errors)


@operation(
    "GET", "/samples", summary="What was drawn for evaluators, and by which seed", tag="quality", role=Role.SUPERVISOR,
    query=Places, answer=Page[SampleItem],
)  # fmt: skip
async def list_samples(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Places)
    rows = await request.app[POOL].fetch(SQL.samples, read_place(query.after, start=TOP), query.limit + 1)
    items = [SampleItem(**row) for row in rows[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(rows) > query.limit else None))


@operation(
    "POST", "/calibrations", summary="Have several evaluators grade one conversation, each blind to the others",
    tag="quality", role=Role.SUPERVISOR, body=NewCalibration, answer=Calibration, status=201, acts=True,
)  # fmt: skip
async def post_calibration(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewCalibration)
    named = [user_id(request, name, field=f"evaluators[{at}]", active=True) for at, name in enumerate(given.evaluators)]
    for at, ident in enumerate(named):
        if not RANK[request.app[DIRECTORY].user(ident or 0).role] >= RANK[Role.SUPERVISOR]:
            raise Invalid("Evaluators are supervisors or administrators.", field=f"evaluators[{at}]")
    ident = await actions.calibrate(
        request.app[LOG],
        given.interaction,
        scorecard=given.scorecard,
        evaluators=[each for each in named if each is not None],
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return answer(await calibration(request, ident), status=201)


@operation(
    "GET", f"/calibrations/{ID}", summary="Who has graded, and once all have: how far they are apart", tag="quality",
    role=Role.SUPERVISOR, answer=Calibration,
)  # fmt: skip
async def get_calibration(request: web.Request) -> web.StreamResponse:
    return answer(await calibration(request, path_id(request)))


@operation(
    "POST", f"/calibrations/{ID}/close", summary="Show all grades, though not all have graded", tag="quality",
    role=Role.SUPERVISOR, answer=Calibration,
)  # fmt: skip
async def post_close(request: web.Request) -> web.StreamResponse:
    await actions.close_calibration(request.app[LOG], path_id(request), now=request.app[CLOCK]())
    return answer(await calibration(request, path_id(request)))


async def calibration(request: web.Request, ident: int) -> Calibration:
    """Blind while it goes on. Raises NotFound."""
    row = await request.app[POOL].fetchrow(SQL.calibration, ident)
    if row is None:
        raise NotFound(f"There is no calibration {ident}.")
    users = request.app[DIRECTORY].users
    given = await request.app[POOL].fetch(SQL.calibrated, ident)
    done = [each for each in given if each["state"] != EvaluationState.DRAFT]
    is_open = row["closed_at"] is not None or len(done) == len(given)
    return Calibration(
        id=ident,
        interaction=row["interaction_id"],
        scorecard=row["form"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
        graded=[users[each["evaluator_id"]].name for each in done],
        waiting=[users[each["evaluator_id"]].name for each in given if each not in done],
        totals={users[each["evaluator_id"]].name: each["total"] for each in done} if is_open else {},
        spread=spreads(read_card(row["definition"]), [each["answers"] for each in done]) if is_open and done else [],
    )


@operation(
    "GET", "/evaluations/summary", summary="Grades by agent and by question, of those graded in a time", tag="quality",
    role=Role.SUPERVISOR, query=Span, answer=Overview,
)  # fmt: skip
async def get_overview(request: web.Request) -> web.StreamResponse:
    zone = ZoneInfo(request.app[DIRECTORY].organisation.timezone)
    begin, end = read_span(read_query(request, Span), zone, request.app[CLOCK]())
    rows = await request.app[POOL].fetch(SQL.graded, begin, end, None)
    return answer(overview(request.app[DIRECTORY], rows))


def overview(directory: Directory, rows: Sequence[asyncpg.Record]) -> Overview:
    """Of the grades that stand; agents by name, questions as the latest version of their scorecard orders them."""
    by_agent: dict[int, list[asyncpg.Record]] = {}
    shares: dict[tuple[str, str], list[float]] = {}
    texts: dict[tuple[str, str], Any] = {}
    for row in rows:
        by_agent.setdefault(row["agent_id"], []).append(row)
        for item in read_card(row["definition"]).items:
            given = row["answers"].get(item.name)
            texts[row["form"], item.name] = item.text
            if given is not None:
                shares.setdefault((row["form"], item.name), []).append(item.share(given))
    agents = [_of_agent(directory.users[ident].name, found) for ident, found in by_agent.items()]
    questions = [
        QuestionFigures(
            scorecard=form,
            question=name,
            text=text,
            answers=len(shares.get((form, name), ())),
            mean=fmean(shares[form, name]) if (form, name) in shares else None,
            failures=shares.get((form, name), []).count(0.0),
        )
        for (form, name), text in texts.items()
    ]
    return Overview(sorted(agents, key=lambda each: each.agent), questions)


def _of_agent(name: str, rows: Sequence[asyncpg.Record]) -> AgentFigures:
    totals = [row["total"] for row in rows if row["total"] is not None]
    return AgentFigures(
        agent=name,
        evaluations=len(rows),
        mean=fmean(totals) if totals else None,
        passed=sum(row["passed"] is True for row in rows),
        disputed=sum(row["state"] in ("disputed", "upheld") for row in rows),
    )


def routes() -> list[web.RouteDef]:
    found = (
        list_scorecards, put_scorecard, list_samples, post_calibration, get_calibration, post_close, get_overview,
    )  # fmt: skip
    return [each.route() for each in found]
