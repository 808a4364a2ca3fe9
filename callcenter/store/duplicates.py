"""Customers who may be one: rows in, suggestions out."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.domain.duplicate import MOST_SHARING, SHARED_KINDS, Reason, Record, Suggestion, suggest
from callcenter.errors import Invalid
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
LIMIT = 2.0  # seconds that somebody waits for it; it takes some milliseconds
_NOTHING: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Party:
    id: int
    name: str
    company: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """`shared`: kinds and values of the addresses that both have."""

    one: Party
    other: Party
    reasons: Sequence[Reason]
    shared: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody else who may be this customer."""

    who: Party
    reasons: Sequence[Reason]


async def of_customer(pool: Pool, ident: int) -> list[Likeness]:
    """Who else may be this one, for somebody who waits for it. Raises Invalid when it takes too long."""
    try:
        return (await _of_customers(pool, [ident], timeout=LIMIT)).get(ident, [])
    except TimeoutError:
        raise Invalid(f"The search for duplicates takes longer than {LIMIT:.0f} seconds; ask again later.") from None


async def _of_customers(
    pool: Pool, idents: Sequence[int], *, timeout: float | None = None
) -> dict[int, list[Likeness]]:
    """Who else may be each of these, of whom something speaks for it."""
    rows = await pool.fetch(SQL.candidates, idents, list(SHARED_KINDS), MOST_SHARING, timeout=timeout)
    others: dict[int, list[Record]] = defaultdict(list)
    declined: dict[int, set[int]] = defaultdict(set)
    subjects: dict[int, frozenset[tuple[str, str]]] = {}
    parties = {row["id"]: Party(row["id"], row["name"], row["company"]) for row in rows}
    for row in rows:
        subject, shared = row["subject"], frozenset((kind, value) for kind, value in row["shared"])
        subjects[subject] = subjects.get(subject, _NOTHING) | shared
        others[subject].append(Record(row["id"], row["name"], row["company"], shared))
        if row["declined"]:
            declined[subject].add(row["id"])
    names = {row["subject"]: (row["subject_name"], row["subject_company"]) for row in rows}
    found: dict[int, list[Likeness]] = {}
    for subject, shared in subjects.items():
        suggestions: Sequence[Suggestion] = suggest(
            Record(subject, *names[subject], shared), others[subject], declined=declined[subject]
        )
        found[subject] = [Likeness(parties[each.other], each.reasons) for each in suggestions]
    return found


async def undecided(pool: Pool, *, limit: int) -> list[Pair]:
    """The latest found first."""
    return [
        Pair(
            Party(row["one"], row["one_name"], row["one_company"]),
            Party(row["other"], row["other_name"], row["other_company"]),
            [Reason(reason) for reason in row["reasons"]],
            [(each["kind"], each["value"]) for each in row["shared"]],
        )
        for row in await pool.fetch(SQL.open, list(SHARED_KINDS), limit)
    ]


async def search_on(pool: Pool, *, most: int, now: datetime) -> bool:
    """Looks at the next customers of all; whether there are more behind them. Two at once do the same work twice."""
    came_to: int = await pool.fetchval(SQL.come_to)
    idents = [row["id"] for row in await pool.fetch(SQL.some, came_to, most)]
    more = len(idents) == most
    if idents:
        found = await _of_customers(pool, idents)
        # A pair is written down with the lower of the two.
        pairs = [
            (one, each.who.id, " ".join(each.reasons))
            for one, all_ in found.items()
            for each in all_
            if each.who.id > one
        ]
        ones, others, reasons = (list(part) for part in zip(*pairs, strict=True)) if pairs else ([], [], [])
        await pool.execute(SQL.keep, came_to, idents[-1], ones, others, reasons, now)
    await pool.execute(SQL.go_on, came_to, idents[-1] if more else 0)
    return more
