"""Evaluations of conversations: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.evaluation import EvaluationState
from callcenter.domain.scorecard import Scorecard, read_card
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`evaluator` None: whoever takes it first. `total` in per cent. `replaced_by`: what stands in its place."""

    id: int
    interaction: int
    agent: int
    evaluator: int | None
    state: EvaluationState
    answers: Mapping[str, int | None]
    comment: str | None
    total: float | None
    passed: bool | None
    created_at: datetime
    graded_at: datetime | None
    dispute: str | None
    disputed_at: datetime | None
    decision: str | None
    decided_by: int | None
    decided_at: datetime | None
    replaces: int | None
    replaced_by: int | None
    reason: str | None
    calibration: int | None
    version: int
    form_id: int
    form: str
    form_version: int
    definition: Mapping[str, Any]
    channel: str
    queue: int | None
    closed_at: datetime | None

    def card(self) -> Scorecard:
        return read_card(self.definition)


async def get(connection: Connection | Pool, ident: int) -> Evaluation:
    """Raises NotFound."""
    for found in await get_all(connection, [ident]):
        return found
    raise NotFound(f"There is no evaluation {ident}.")


async def get_all(connection: Connection | Pool, idents: Sequence[int]) -> list[Evaluation]:
    """The newest first."""
    return [_evaluation(row) for row in await connection.fetch(SQL.evaluations, idents)]


def _evaluation(row: asyncpg.Record) -> Evaluation:
    ident, interaction, agent, evaluator, state, *rest = row
    return Evaluation(ident, interaction, agent, evaluator, EvaluationState(state), *rest)
