"""What customers were asked after a contact and what they said, one by one and as figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.domain.outbox import LetterState
from callcenter.domain.survey import Question, Tally, Via
from callcenter.store.queries import Queries
from callcenter.web.body import STRICT, Id, Line, answer, read_query
from callcenter.web.exports import Span, read_span
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, POOL
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place

_SQL = Queries(Path(__file__).with_name("surveys.sql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyItem:
    """`queue` and `agent` (who had the contact last) by name; `interaction`, `customer` and `ticket` by id.

    `ask`: csat (1 to 5), nps (0 to 10) or solved (1 yes, 0 no). A `score` up to `bad` opened `ticket`.
    `letter`: whether the question has gone out; `letter_error`: what the mail server said to the last attempt.
    `via`: mail, keypad, chat (its stars) or api. `form`: the questionnaire, to whose further
    questions there are `answers` by name.
    """

    id: int
    interaction: int
    channel: str
    customer: int | None
    queue: str
    agent: str | None
    ask: Question
    bad: int
    asked_at: datetime
    expires_at: datetime
    letter: LetterState | None
    letter_error: str | None
    score: int | None
    comment: str | None
    answered_at: datetime | None
    changed_at: datetime | None
    ticket: int | None
    via: Via
    form: str | None
    answers: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    __pydantic_config__ = STRICT
    queue: Line | None = None
    agent: Line | None = None
    customer: Id | None = None
    interaction: Id | None = None
    answered: Literal["true", "false"] | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of the surveys whose letter went out in the time. Figures are null before the first answer to their question.

    `response_rate`: answered / asked. `csat`: answers of 4 and 5 / answers, 0 to 1. `nps`: % of 9 and 10 less % of
    0 to 6, -100 to 100. `solved`: yes / answers, 0 to 1.
    """

    name: str | None
    asked: int
    answered: int
    response_rate: float | None
    csat: float | None
    csat_answers: int
    nps: float | None
    nps_answers: int
    solved: float | None
    solved_answers: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`agents`: by who had the contact last; a null name: nobody did."""

    total: Figures
    queues: list[Figures]
    agents: list[Figures]


@operation(
    "GET", "/surveys", summary="What customers were asked, and what they said", tag="surveys", role=Role.SUPERVISOR,
    query=Filter, answer=Page[SurveyItem],
)  # fmt: skip
async def list_surveys(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Filter)
    rows = await request.app[POOL].fetch(
        _SQL.list,
        read_place(query.after, start=TOP),
        query.limit + 1,
        queue_id(request, query.queue),
        user_id(request, query.agent, field="agent"),
        query.customer,
        query.interaction,
        None if query.answered is None else query.answered == "true",
    )
    items = [SurveyItem(**row) for row in rows[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(rows) > query.limit else None))


@operation(
    "GET", "/surveys/summary", summary="Satisfaction by queue and agent, of those asked in a time", tag="surveys",
    role=Role.SUPERVISOR, query=Span, answer=Summary,
)  # fmt: skip
async def get_survey_summary(request: web.Request) -> web.StreamResponse:
    zone = ZoneInfo(request.app[DIRECTORY].organisation.timezone)
    begin, end = read_span(read_query(request, Span), zone, request.app[CLOCK]())
    rows = await request.app[POOL].fetch(_SQL.counts, begin, end)
    summary = Summary(_figures(None, rows), _by("queue", rows), _by("agent", rows))
    return answer(summary)


def _by(what: str, rows: Iterable[asyncpg.Record]) -> list[Figures]:
    groups: dict[str | None, list[asyncpg.Record]] = {}
    for row in rows:
        groups.setdefault(row[what], []).append(row)
    return [_figures(name, groups[name]) for name in sorted(groups, key=lambda name: (name is None, name))]


def _figures(name: str | None, rows: Iterable[asyncpg.Record]) -> Figures:
    counts: Mapping[Question, dict[int, int]] = {ask: {} for ask in Question}
    asked = 0
    for row in rows:
        asked += row["count"]
        if row["score"] is not None:
            scores = counts[Question(row["ask"])]
            scores[row["score"]] = scores.get(row["score"], 0) + row["count"]
    csat, nps, solved = (Tally(ask, counts[ask]) for ask in (Question.CSAT, Question.NPS, Question.SOLVED))
    answered = csat.answers + nps.answers + solved.answers
    return Figures(
        name=name,
        asked=asked,
        answered=answered,
        response_rate=answered / asked if asked else None,
        csat=csat.figure,
        csat_answers=csat.answers,
        nps=nps.figure,
        nps_answers=nps.answers,
        solved=solved.figure,
        solved_answers=solved.answers,
    )


def routes() -> list[web.RouteDef]:
    return [list_surveys.route(), get_survey_summary.route()]
