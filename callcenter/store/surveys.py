"""Questions to customers about a contact, and their answers: rows in, rows out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.survey import Question
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Survey:
    """`agent`: who had the contact last. `score` None: not answered yet. `form`: further questions, with `answers`."""

    id: int
    interaction: int
    customer: int | None
    queue: int
    agent: int | None
    ask: Question
    bad: int
    change_within: timedelta
    language: str | None
    asked_at: datetime
    expires_at: datetime
    score: int | None
    comment: str | None
    answered_at: datetime | None
    ticket: int | None
    version: int
    channel: str
    arrived_at: datetime
    answers: Mapping[str, Any]
    form: Mapping[str, Any]

    def open_until(self) -> datetime:
        """Until when the customer may answer, or change the answer."""
        return self.expires_at if self.answered_at is None else self.answered_at + self.change_within


async def get(connection: Connection | Pool, ident: int) -> Survey:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.survey, ident)
    if row is None:
        raise NotFound(f"There is no survey {ident}.")
    ident, interaction, customer, queue, agent, ask, *rest = row
    return Survey(ident, interaction, customer, queue, agent, Question(ask), *rest)


async def link_key(pool: Pool) -> bytes:
    """What links to surveys are signed with; the same for all nodes, and never shown."""
    key: bytes = await pool.fetchval(SQL.link_key)
    return key
