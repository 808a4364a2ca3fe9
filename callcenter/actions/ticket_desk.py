"""Who has a ticket open and what they write there, so that colleagues do not collide; no facts of the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from callcenter.errors import Invalid, NotFound
from callcenter.store.pool import Pool
from callcenter.store.ticket_desk import SQL

LONGEST = 10_000  # characters of a draft
# A page says every 10 s that it is open; two that are lost on the way make nobody vanish.
OPEN_FOR = timedelta(seconds=25)
WRITING_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Other:
    name: str
    writing: bool


async def id_of(pool: Pool, number: int) -> int:
    """Raises NotFound."""
    ident: int | None = await pool.fetchval(SQL.by_number, number)
    if ident is None:
        raise NotFound(f"There is no ticket {number}.")
    return ident


async def save_draft(pool: Pool, user: int, *, ticket: int, text: str, public: bool, now: datetime) -> None:
    """Raises Invalid when it is too long, NotFound when there is no such ticket."""
    if len(text) > LONGEST:
        raise Invalid(f"A text has at most {LONGEST} characters.", field="note")
    try:
        await pool.execute(SQL.save_draft, user, ticket, text.replace("\x00", ""), public, now)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("There is no such ticket.") from None


async def drop_draft(pool: Pool, user: int, *, ticket: int) -> None:
    await pool.execute(SQL.drop_draft, user, ticket)


async def come(pool: Pool, user: int, *, ticket: int, writes: bool, now: datetime) -> bool:
    """They have it open, and `writes`: write. Whether others are to be told. Raises NotFound."""
    until = now + WRITING_FOR if writes else None
    try:
        return bool(await pool.fetchval(SQL.come, ticket, user, now, now + OPEN_FOR, until))
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("There is no such ticket.") from None


async def leave(pool: Pool, user: int, *, ticket: int) -> bool:
    """Whether they were there."""
    return bool(await pool.fetchval(SQL.leave, ticket, user))


async def others(pool: Pool, user: int, *, ticket: int, now: datetime) -> Sequence[Other]:
    return [Other(row["full_name"], row["writing"]) for row in await pool.fetch(SQL.others, ticket, user, now)]
