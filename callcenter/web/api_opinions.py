"""What a customer said of a contact, told by another system (stars in a chat), and what all said, by question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from callcenter.actions import opinions
from callcenter.actions.opinions import Words
from callcenter.domain.agent import Role
from callcenter.domain.questionnaire import Kind
from callcenter.domain.survey import LONGEST_COMMENT, Question
from callcenter.store.queries import Queries
from callcenter.web.body import ID, STRICT, Line, answer, path_id, read_body, read_query
from callcenter.web.exports import Span, read_span
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import queue_id
from callcenter.web.openapi import operation

_SQL = Queries(Path(__file__).with_name("opinions.sql"))
# Set by whoever knows the languages.
WORDS: web.AppKey[Words] = web.AppKey("words")


@dataclass(frozen=True, slots=True)
class Opinion:
    """`score`: csat 1 to 5, nps 0 to 10, solved 1 or 0, as the queue asks. `answers`: to further questions, by name."""

    __pydantic_config__ = STRICT
    score: Annotated[int, Field(ge=0, le=10)]
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None
    answers: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`bad`: up to which score an answer opens a ticket; `ticket`: the one that this or an earlier answer opened."""

    survey: int
    interaction: int
    ask: Question
    score: int | None
    bad: int
    comment: str | None
    answers: Mapping[str, int | str]
    answered_at: datetime | None
    ticket: int | None


@operation(
    "POST", f"/interactions/{ID}/survey", summary="What the customer said of it; later answers change the first one",
    tag="surveys", role=Role.SUPERVISOR, body=Opinion, answer=Kept, acts=True,
)  # fmt: skip
async def post_opinion(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Opinion)
    kept = await opinions.answer_contact(
        request.app[LOG],
        path_id(request),
        score=given.score,
        comment=given.comment,
        answers=given.answers,
        words=request.app[WORDS],
        now=request.app[CLOCK](),
    )
    return answer(
        Kept(
            survey=kept.id,
            interaction=kept.interaction,
            ask=kept.ask,
            score=kept.score,
            bad=kept.bad,
            comment=kept.comment,
            answers=kept.answers,
            answered_at=kept.answered_at,
            ticket=kept.ticket,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(Span):
    __pydantic_config__ = STRICT
    queue: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFigures:
    """`counts`: how often each score or choice was given; of a text only `answers`. `mean`: of scores."""

    form: str
    question: str
    kind: Kind
    answers: int
    mean: float | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Results:
    questions: list[QuestionFigures]


@operation(
    "GET", "/surveys/questions", summary="Answers to the further questions of surveys asked in a time", tag="surveys",
    role=Role.SUPERVISOR, query=_Asked, answer=Results,
)  # fmt: skip
async def get_questions(request: web.Request) -> web.StreamResponse:
    query = read_query(request, _Asked)
    zone = ZoneInfo(request.app[DIRECTORY].organisation.timezone)
    begin, end = read_span(query, zone, request.app[CLOCK]())
    rows = await request.app[POOL].fetch(_SQL.by_question, begin, end, queue_id(request, query.queue))
    found: dict[tuple[str, str, str], dict[str | None, int]] = {}
    for row in rows:
        found.setdefault((row["form"], row["question"], row["kind"]), {})[row["value"]] = row["count"]
    return answer(Results([_figures(form, name, Kind(kind), counts) for (form, name, kind), counts in found.items()]))


def _figures(form: str, question: str, kind: Kind, counts: Mapping[str | None, int]) -> QuestionFigures:
    answers = sum(counts.values())
    total = sum(int(value) * count for value, count in counts.items() if value) if kind is Kind.SCORE else None
    return QuestionFigures(
        form=form,
        question=question,
        kind=kind,
        answers=answers,
        mean=None if total is None else total / answers,
        counts={value: count for value, count in counts.items() if value is not None},
    )


def routes() -> list[web.RouteDef]:
    return [post_opinion.route(), get_questions.route()]
