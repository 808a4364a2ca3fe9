"""One search for customers, companies, tickets and what was written: what was understood in, rows out, in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.domain.search import Sought
from callcenter.errors import Invalid
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
LIMIT = 2.0  # seconds that a search may take; one takes some milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCustomer:
    """`address`: the one that was looked for, if it was one."""

    id: int
    name: str
    company: str | None
    tier: str | None
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCompany:
    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTicket:
    """`cut`: what a message says around the words; null when they stand in the subject only."""

    id: int
    number: int
    subject: str
    state: str
    customer_id: int | None
    customer: str | None
    at: datetime
    cut: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundContact:
    """Outside tickets. `at`: when it was written; `ticket`: the number of that which the contact belongs to now."""

    id: int
    channel: str
    at: datetime
    customer_id: int | None
    customer: str | None
    ticket: int | None
    cut: str


@dataclass(frozen=True, slots=True)
class Found:
    customers: Sequence[FoundCustomer] = ()
    tickets: Sequence[FoundTicket] = ()
    contacts: Sequence[FoundContact] = ()
    companies: Sequence[FoundCompany] = ()

    def __bool__(self) -> bool:
        return bool(self.customers or self.tickets or self.contacts or self.companies)


async def find(pool: Pool, sought: Sought, *, reader: int | None, limit: int) -> Found:
    """At most so many of each. `reader` None: whoever reads all. Raises Invalid when it takes too long."""
    if sought == Sought():
        return Found()
    [row] = await searched(
        pool,
        SQL.everything,
        list(sought.beginnings),
        list(sought.endings),
        list(sought.names),
        sought.ticket,
        sought.texts.spaced,
        list(sought.texts.signs),
        list(sought.texts.phrases),
        list(sought.terms),
        reader,
        limit,
    )
    return Found(
        [FoundCustomer(**each) for each in row["customers"]],
        [FoundTicket(**{**each, "at": datetime.fromisoformat(each["at"])}) for each in row["tickets"]],
        [FoundContact(**{**each, "at": datetime.fromisoformat(each["at"])}) for each in row["contacts"]],
        [FoundCompany(**each) for each in row["companies"]],
    )


async def find_customers(pool: Pool, sought: Sought, *, limit: int) -> list[FoundCustomer]:
    """Those alone, by address and name. Raises Invalid when it takes too long."""
    asked = list(sought.beginnings), list(sought.endings), list(sought.names)
    return [FoundCustomer(**row) for row in await searched(pool, SQL.customers, *asked, limit)]


async def searched(pool: Pool, query: str, *args: object) -> list[asyncpg.Record]:
    """Rows of a query that looks for words. Raises Invalid when it takes too long."""
    try:
        return await pool.fetch(query, *args, timeout=LIMIT)
    except TimeoutError:
        raise Invalid(f"This search takes longer than {LIMIT:.0f} seconds; add a rarer word.", field="q") from None
