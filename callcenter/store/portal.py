"""Customers who see their own cases: rows in, cases out. Whose a case is is asked of the database each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.survey import Question
from callcenter.domain.ticket import TicketState
from callcenter.errors import NotFound
from callcenter.store import surveys, uploads
from callcenter.store.organisation import survey_of
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.uploads import Upload
from callcenter.store.users import secret_hash

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class OwnCase:
    id: int
    number: int
    subject: str
    state: TicketState
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """`mine`: the customer wrote it; else `author` did, or nobody."""

    id: int
    mine: bool
    text: str
    at: datetime
    author: str | None
    files: Sequence[Upload]


@dataclass(frozen=True, slots=True)
class Rating:
    """The contact that may be rated; `survey`: what they were asked already, by id. `score`: what they said."""

    interaction: int
    ask: Question
    survey: int | None = None
    score: int | None = None
    open: bool = True


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever reads the mail of an address. `secret`: of their session."""

    address: str
    secret: str = field(repr=False)


async def find_session(pool: Pool, secret: str, *, now: datetime) -> Visitor | None:
    row = await pool.fetchrow(SQL.session, secret_hash(secret), now)
    return None if row is None else Visitor(row["address"], secret)


async def cases(pool: Pool, address: str, *, limit: int) -> list[OwnCase]:
    return [
        OwnCase(**{**dict(row), "state": TicketState(row["state"])})
        for row in await pool.fetch(SQL.tickets, address, limit)
    ]


async def case(pool: Pool, address: str, number: int) -> OwnCase:
    """Raises NotFound for what there is not, and in the same words for what is not theirs."""
    row = await pool.fetchrow(SQL.ticket, address, number)
    if row is None:
        raise NotFound("There is no such case of yours.")
    fields = {name: value for name, value in row.items() if name != "queue_id"}
    return OwnCase(**{**fields, "state": TicketState(row["state"])})


async def messages(pool: Pool, address: str, ticket: int) -> list[OwnMessage]:
    rows = await pool.fetch(SQL.messages, address, ticket)
    files: Mapping[int, Sequence[Upload]] = await uploads.of_messages(pool, [row["id"] for row in rows])
    return [
        OwnMessage(row["id"], row["kind"] == "inbound", row["text"], row["at"], row["author"], files.get(row["id"], ()))
        for row in rows
    ]


async def rating(pool: Pool, address: str, ticket: int, *, now: datetime) -> Rating | None:
    """None where nothing is asked."""
    row = await pool.fetchrow(SQL.rated, address, ticket)
    if row is None:
        return None
    if row["asked"] is not None:
        asked = await surveys.get(pool, row["asked"])
        return Rating(row["id"], asked.ask, asked.id, asked.score, now < asked.open_until())
    return Rating(row["id"], survey_of(row["survey"]).ask)
