"""Events on their way to other systems: rows in, rows out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery that was taken for attempt number `attempt`; `ident` is the same at each."""

    id: int
    ident: UUID
    webhook: str
    url: str
    secret: str | None = field(repr=False)
    kind: str
    body: Mapping[str, Any]
    attempt: int
    expires_at: datetime


def outgoing(row: asyncpg.Record) -> Outgoing:
    # asyncpg has a UUID class of its own, which nobody else knows.
    return Outgoing(row["id"], UUID(str(row["ident"])), *list(row)[2:])
