"""What an agent is typing, kept so that no reload loses it; not a fact, so the log does not have it."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.errors import Invalid, NotFound
from callcenter.store.drafts import SQL
from callcenter.store.pool import Pool

LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Draft:
    note: str = ""
    disposition: str | None = None


async def save(pool: Pool, user: int, *, interaction: int, note: str, disposition: str | None, now: datetime) -> None:
    """Raises Invalid when it is too long, NotFound when there is no such interaction."""
    if len(note) > LONGEST:
        raise Invalid(f"A note has at most {LONGEST} characters.", field="note")
    try:
        await pool.execute(SQL.save, user, interaction, note.replace("\x00", ""), disposition, now)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("There is no such interaction.") from None


async def find(pool: Pool, user: int, *, interaction: int) -> Draft:
    row = await pool.fetchrow(SQL.find, user, interaction)
    return Draft() if row is None else Draft(row["note"], row["disposition"])
