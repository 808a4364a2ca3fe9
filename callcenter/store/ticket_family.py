"""What tickets have to do with each other, and what was changed of them: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from callcenter.domain.ticket import TicketState
from callcenter.domain.ticket_rules import TicketRules, read_rules
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Relative:
    """`kin`: what it is to the ticket: child, parent, merged, merged_into, related, split_from or split_to."""

    kin: str
    id: int
    number: int
    subject: str
    state: TicketState
    owner: int | None


@dataclass(frozen=True, slots=True)
class Past:
    """One field of one version. `kind` and `rule` are those of the log, None once it has forgotten them."""

    version: int
    field: str
    before: Any
    after: Any
    actor: int | None
    at: datetime
    kind: str | None
    rule: str | None


async def rules(connection: Connection) -> TicketRules:
    """What tickets may be, as of now."""
    return _rules(await connection.fetchval(SQL.rules))


@lru_cache(maxsize=8)
def _rules(text: str) -> TicketRules:
    return read_rules(orjson.loads(text))


async def family(pool: Pool, ticket: int) -> Sequence[Relative]:
    return [
        Relative(row["kin"], row["id"], row["number"], row["subject"], TicketState(row["state"]), row["owner_id"])
        for row in await pool.fetch(SQL.family, ticket)
    ]


async def history(pool: Pool, ticket: int, *, below: int, limit: int) -> Sequence[Past]:
    """The latest first, of the versions below."""
    return [Past(*row) for row in await pool.fetch(SQL.history, ticket, below, limit)]
