"""Solutions, their texts and what is found of them: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from callcenter.domain.solution import LONGEST_SEARCH, Readers, Solution, SolutionState, Variant
from callcenter.domain.words import pairs, query_of, vector_of, words_of
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)

# Who finds what: agents all that is published, customers what is public, and who looks after the articles drafts too.
PUBLIC = (Readers.ALL,)
STAFF = (Readers.ALL, Readers.STAFF)
EDITORS = (Readers.ALL, Readers.STAFF, Readers.NOBODY)
# Of the text of a case; what comes after it says nothing new.
_LONGEST_CASE = 5000
# Pairs that are looked up in the list of words; the rarest of them decide.
_MOST_PAIRS = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A text that fits, in the best language for the reader. `rank` compares results of one search."""

    id: int
    language: str
    title: str
    text: str
    rank: float
    public: bool
    category: str | None
    state: SolutionState


@dataclass(frozen=True, slots=True)
class Version:
    """One text that was saved. `author` by id; `live`: this is what readers see."""

    language: str
    n: int
    title: str
    text: str
    at: datetime
    restored_from: int | None
    author: int | None
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """None leaves a condition out."""

    state: SolutionState | None = None
    public: bool | None = None
    category: str | None = None
    tag: str | None = None
    proposed: bool | None = None
    review_by: date | None = None


async def get(connection: Connection | Pool, ident: int) -> Solution:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.solution, ident)
    if row is None:
        raise NotFound(f"There is no solution {ident}.")
    return _solution(row, await connection.fetch(SQL.variants, [ident]))


async def many(connection: Connection | Pool, idents: Sequence[int]) -> list[Solution]:
    """In the order of the ids; those that do not exist are left out."""
    rows = {row["id"]: row for row in await connection.fetch(SQL.many, idents)}
    texts: dict[int, list[asyncpg.Record]] = {ident: [] for ident in rows}
    for row in await connection.fetch(SQL.variants, idents):
        texts[row["solution_id"]].append(row)
    return [_solution(rows[ident], texts[ident]) for ident in idents if ident in rows]


def _solution(row: asyncpg.Record, texts: Sequence[asyncpg.Record]) -> Solution:
    return Solution(
        id=row["id"],
        state=SolutionState(row["state"]),
        public=row["public"],
        category=row["category"],
        tags=tuple(row["tags"]),
        owner=row["owner_id"],
        review_on=row["review_on"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        published_at=row["published_at"],
        version=row["version"],
        variants=tuple(Variant(*text[1:]) for text in texts),
    )


async def find(pool: Pool, wanted: Filter, *, below: int, limit: int) -> list[Solution]:
    """The newest first, with ids below `below`."""
    rows = await pool.fetch(
        SQL.list, below, limit, wanted.state, wanted.public, wanted.category, wanted.tag, wanted.proposed,
        wanted.review_by,
    )  # fmt: skip
    return await many(pool, [row["id"] for row in rows])


async def search(pool: Pool, text: str, *, readers: Sequence[Readers], language: str, limit: int) -> list[Found]:
    """Articles with all words of the text; what is not long enough to be a word finds nothing."""
    words = words_of(text[:LONGEST_SEARCH])
    if not words:
        return []
    return _found(await pool.fetch(SQL.search, words.spaced, query_of(words), list(readers), language, limit))


async def suggest(pool: Pool, text: str, *, readers: Sequence[Readers], language: str, limit: int = 5) -> list[Found]:
    """Articles about what the text of a case says, the best first."""
    words = words_of(text[:_LONGEST_CASE])
    if not words:
        return []
    gist = pairs(words.runs)[:_MOST_PAIRS]
    return _found(await pool.fetch(SQL.suggest, words.spaced, gist, list(readers), language, limit))


def _found(rows: Sequence[asyncpg.Record]) -> list[Found]:
    return [Found(**{**dict(row), "state": SolutionState(row["state"])}) for row in rows]


async def versions(pool: Pool, ident: int, *, language: str | None = None, n: int | None = None) -> list[Version]:
    """The newest first."""
    return [Version(*row) for row in await pool.fetch(SQL.versions, ident, language, n)]


async def about(pool: Pool, *, ticket: int | None, interaction: int | None, reader: int) -> str:
    """What a ticket or a contact is about, with what `reader` is typing about it."""
    text: str = await pool.fetchval(SQL.about, ticket, interaction, reader)
    return text


async def uses(pool: Pool, *, ticket: int | None, interaction: int | None) -> Mapping[int, set[str]]:
    """How articles were used for a ticket or a contact, by the article's id."""
    found: dict[int, set[str]] = {}
    for row in await pool.fetch(SQL.uses, ticket, interaction):
        found.setdefault(row["solution_id"], set()).add(row["how"])
    return found


def text_row(ident: int, variant: Variant, readers: Readers) -> tuple[Any, ...]:
    """The arguments of `put_text`."""
    title, whole = words_of(variant.title), words_of(f"{variant.title}\n{variant.text}")
    return (
        ident, variant.language, variant.latest, variant.live, variant.title, variant.text, readers,
        title.spaced, vector_of(title), whole.spaced, vector_of(whole),
    )  # fmt: skip
