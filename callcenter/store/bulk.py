"""A whole history at once into a database that has none: COPY for the rows, one statement for their log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

_SQL = Queries(Path(__file__).with_suffix(".sql"))

COLUMNS: dict[str, tuple[str, ...]] = {
    "customer": ("id", "external_id", "name", "company", "tier", "language", "note", "owner_id", "created_at"),
    "address": ("customer_id", "kind", "value", "certainty", "created_at"),
    "ticket": (
        "id", "number", "subject", "state", "priority", "category", "queue_id", "owner_id", "customer_id", "created_by",
        "created_at", "updated_at", "closed_at", "version",
    ),
    "interaction": (
        "id", "channel", "direction", "state", "outcome", "external_id", "pbx", "leg", "customer_id", "queue_id",
        "agent_id", "ticket_id", "address_kind", "address", "address_name", "called", "subject", "arrived_at",
        "queued_at", "answered_at", "ended_at", "closed_at", "disposition", "note", "end_cause", "segments", "version",
    ),
    "reservation": (
        "id", "interaction_id", "agent_id", "queue_id", "segment", "channel", "state", "reason", "created_at",
        "offered_at", "answered_at", "released_at", "ended_at", "disposition", "note",
    ),
    "segment": (
        "interaction_id", "n", "agent_id", "reservation_id", "leg", "endpoint", "started_at", "answered_at", "ended_at",
        "hold", "cause",
    ),
    "message": ("interaction_id", "ticket_id", "author_id", "kind", "public", "text", "at"),
    "survey": (
        "interaction_id", "customer_id", "queue_id", "agent_id", "ask", "bad", "change_within", "language", "asked_at",
        "expires_at", "score", "comment", "answered_at",
    ),
}  # fmt: skip


@dataclass(slots=True)
class Batch:
    """Rows by table, each a tuple in the order of COLUMNS; everything in it is over, and ids begin at 1."""

    rows: dict[str, list[Sequence[Any]]] = field(default_factory=lambda: {table: [] for table in COLUMNS})

    def add(self, table: str, *values: Any) -> None:
        self.rows[table].append(values)


async def is_untouched(pool: Pool) -> bool:
    """Whether there is no customer, interaction or ticket yet."""
    return bool(await pool.fetchval(_SQL.is_untouched))


async def load(pool: Pool, batch: Batch, *, log_since: datetime, now: datetime) -> bool:
    """All or nothing, with the log of what arrived from `log_since` on; older months of a log are archived.

    False when somebody has been in contact here already.
    """
    months = (now.year - log_since.year) * 12 + now.month - log_since.month + 2
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL.take_turn)
        if not await connection.fetchval(_SQL.is_untouched):
            return False
        await connection.execute(_SQL.make_months, log_since, months)
        for table, columns in COLUMNS.items():
            await connection.copy_records_to_table(table, columns=columns, records=batch.rows[table])
        await connection.execute(_SQL.tell_interactions, log_since)
        await connection.execute(_SQL.tell_tickets, log_since)
        await connection.execute(_SQL.promise_tickets)
        await connection.execute(_SQL.pause_tickets)
        await connection.execute(_SQL.go_on_from)
        for table in (*COLUMNS, "contact_log"):
            await connection.execute(f"analyze {table}")
    return True
