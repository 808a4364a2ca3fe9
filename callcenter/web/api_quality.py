"""Evaluations over REST: the grades of conversations, disputes of them, and what supervisors decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from callcenter.actions import quality as actions
from callcenter.domain.agent import Role
from callcenter.domain.evaluation import EvaluationState
from callcenter.domain.scorecard import grade
from callcenter.errors import Forbidden
from callcenter.store import quality as store
from callcenter.store.quality import SQL, Evaluation
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, Text, answer, path_id, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place

_AT = f"/evaluations/{ID}"
Answers = dict[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationItem:
    """`agent` and `evaluator` by name; `total` in per cent, null where nothing applied or nothing is graded yet.

    `answers` by question: 0 and 1 of yes_no, 0 to its highest of a scale, null where it does not apply. `sections` in
    per cent; `failed`: critical questions without points. `replaces` and `replaced_by`: a grade never changes, another
    takes its place for a `reason`.
    """

    id: int
    interaction: int
    agent: str
    evaluator: str | None
    scorecard: str
    scorecard_version: int
    state: EvaluationState
    answers: Mapping[str, int | None]
    comment: str | None
    total: float | None
    passed: bool | None
    sections: Mapping[str, float | None]
    failed: list[str]
    created_at: datetime
    graded_at: datetime | None
    dispute: str | None
    disputed_at: datetime | None
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    replaces: int | None
    replaced_by: int | None
    reason: str | None
    calibration: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeEvaluation(EvaluationItem):
    """`form`: the scorecard as it was when this was graded."""

    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    __pydantic_config__ = STRICT
    state: EvaluationState | None = None
    agent: Line | None = None
    evaluator: Line | None = None
    interaction: Id | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class NewEvaluation:
    """`agent`: whose part is graded, where several had one; without: who had it last."""

    __pydantic_config__ = STRICT
    interaction: Id
    scorecard: Line
    agent: Line | None = None


@dataclass(frozen=True, slots=True)
class Graded:
    __pydantic_config__ = STRICT
    answers: Answers
    comment: Text | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    __pydantic_config__ = STRICT
    answers: Answers
    reason: Text
    comment: Text | None = None


@dataclass(frozen=True, slots=True)
class Said:
    __pydantic_config__ = STRICT
    text: Text


def item_of(request: web.Request, found: Evaluation) -> dict[str, Any]:
    """The fields of an EvaluationItem."""
    users = request.app[DIRECTORY].users

    def name(ident: int | None) -> str | None:
        return users[ident].name if ident is not None and ident in users else None

    result = grade(found.card(), found.answers) if found.graded_at is not None else None
    same = ("id", "interaction", "state", "answers", "comment", "total", "passed", "created_at", "graded_at", "dispute")
    more = ("disputed_at", "decision", "decided_at", "replaces", "replaced_by", "reason", "calibration")
    return {
        **{each: getattr(found, each) for each in (*same, *more)},
        "agent": name(found.agent) or "",
        "evaluator": name(found.evaluator),
        "decided_by": name(found.decided_by),
        "scorecard": found.form,
        "scorecard_version": found.form_version,
        "sections": {} if result is None else result.sections,
        "failed": [] if result is None else list(result.failed),
    }


async def visible(request: web.Request, ident: int) -> Evaluation:
    """Whose work it is sees it when it is graded; a calibration is blind. Raises Forbidden, NotFound."""
    who, found = identity(request), await store.get(request.app[POOL], ident)
    if not who.may(Role.SUPERVISOR) or found.agent == who.user_id:
        if found.agent != who.user_id or found.state is EvaluationState.DRAFT or found.calibration is not None:
            raise Forbidden("This is the work of somebody else.")
    elif found.calibration is not None and found.evaluator != who.user_id:
        rows = await request.app[POOL].fetch(SQL.calibrated, found.calibration)
        closed = await request.app[POOL].fetchval(SQL.is_closed, found.calibration)
        if not closed and any(row["state"] == EvaluationState.DRAFT for row in rows):
            raise Forbidden("Not all have graded this conversation yet.")
    return found


async def listed(request: web.Request, query: Filter, *, worklist: bool = False) -> list[Evaluation]:
    """Newest first, one more than the limit where there are more; `worklist`: what whoever asks may grade."""
    who, pool = identity(request), request.app[POOL]
    rows = await pool.fetch(
        SQL.find,
        read_place(query.after, start=TOP),
        query.limit + 1,
        query.state,
        user_id(request, query.agent, field="agent"),
        user_id(request, query.evaluator, field="evaluator"),
        query.interaction,
        who.user_id,
        not who.may(Role.SUPERVISOR),
        worklist,
    )
    return await store.get_all(pool, [row["id"] for row in rows])


def _say(request: web.Request, found: Evaluation, *, status: int = 200) -> web.Response:
    return answer(WholeEvaluation(**item_of(request, found), form=found.definition), status=status)


@operation(
    "GET", "/evaluations", summary="Evaluations; agents see those of their own work", tag="quality", query=Filter,
    answer=Page[EvaluationItem],
)  # fmt: skip
async def list_evaluations(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Filter)
    found = await listed(request, query)
    items = [EvaluationItem(**item_of(request, each)) for each in found[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation(
    "POST", "/evaluations", summary="Choose a conversation to grade", tag="quality", role=Role.SUPERVISOR,
    body=NewEvaluation, answer=WholeEvaluation, status=201, acts=True,
)  # fmt: skip
async def post_evaluation(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewEvaluation)
    found = await actions.begin(
        request.app[LOG],
        given.interaction,
        scorecard=given.scorecard,
        agent=user_id(request, given.agent, field="agent"),
        evaluator=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return _say(request, found, status=201)


@operation("GET", _AT, summary="One evaluation with its scorecard", tag="quality", answer=WholeEvaluation)
async def get_evaluation(request: web.Request) -> web.StreamResponse:
    return _say(request, await visible(request, path_id(request)))


async def _save(request: web.Request, *, whole: bool) -> web.StreamResponse:
    given = await read_body(request, Graded)
    found = await actions.save(
        request.app[LOG],
        path_id(request),
        answers=given.answers,
        comment=given.comment,
        evaluator=identity(request).user_id,
        now=request.app[CLOCK](),
        whole=whole,
    )
    return _say(request, found)


@operation(
    "PUT", f"{_AT}/draft", summary="Take it and keep what is filled in so far", tag="quality", role=Role.SUPERVISOR,
    body=Graded, answer=WholeEvaluation, acts=True,
)  # fmt: skip
async def put_draft(request: web.Request) -> web.StreamResponse:
    return await _save(request, whole=False)


@operation(
    "POST", f"{_AT}/grade", summary="Grade it, for good", tag="quality", role=Role.SUPERVISOR, body=Graded,
    answer=WholeEvaluation, acts=True,
)  # fmt: skip
async def post_grade(request: web.Request) -> web.StreamResponse:
    return await _save(request, whole=True)


@operation(
    "POST", f"{_AT}/dispute", summary="Disagree with the grade of one's own work, once", tag="quality", body=Said,
    answer=WholeEvaluation, acts=True,
)  # fmt: skip
async def post_dispute(request: web.Request) -> web.StreamResponse:
    given, now = await read_body(request, Said), request.app[CLOCK]()
    who = identity(request).user_id
    found = await actions.dispute(request.app[LOG], path_id(request), text=given.text, agent=who, now=now)
    return _say(request, found)


@operation(
    "POST", f"{_AT}/uphold", summary="Let a disputed grade stand", tag="quality", role=Role.SUPERVISOR, body=Said,
    answer=WholeEvaluation, acts=True,
)  # fmt: skip
async def post_uphold(request: web.Request) -> web.StreamResponse:
    given, now = await read_body(request, Said), request.app[CLOCK]()
    who = identity(request).user_id
    found = await actions.uphold(request.app[LOG], path_id(request), text=given.text, actor=who, now=now)
    return _say(request, found)


@operation(
    "POST", f"{_AT}/replace", summary="Put another grade in its place", tag="quality", role=Role.SUPERVISOR,
    body=Replacement, answer=WholeEvaluation, acts=True,
)  # fmt: skip
async def post_replace(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Replacement)
    found = await actions.replace(
        request.app[LOG],
        path_id(request),
        answers=given.answers,
        comment=given.comment,
        reason=given.reason,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return _say(request, found)


def routes() -> list[web.RouteDef]:
    found = (
        list_evaluations, post_evaluation, get_evaluation, put_draft, post_grade, post_dispute, post_uphold,
        post_replace,
    )  # fmt: skip
    return [each.route() for each in found]
