"""What somebody is told of tickets that run late: on the desk and on the wall, until they have seen it."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import asyncpg

from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from screenpop.i18n import Language
from screenpop.pop import cut
from screenpop.promise import OwedClock, promise_view

_SQL = Queries.beside(__file__)


async def load_notices(pool: Pool, user: int) -> Sequence[asyncpg.Record]:
    return await pool.fetch(_SQL.unseen, user)


def notices_context(
    rows: Sequence[asyncpg.Record], language: Language, *, now: datetime, zone: tzinfo, place: str
) -> dict[str, object]:
    """For `desk/_notices.html`; `place`: desk or wall, the region in which it stands."""

    def owed(row: asyncpg.Record) -> OwedClock:
        due = row["due_at"].isoformat()
        return OwedClock(
            clock=row["clock"], state="running", due_at=due, risk_at=due, breached_at=None, remaining_seconds=None
        )

    return {
        "notices": [
            {
                "id": row["id"],
                "number": row["number"],
                "subject": cut(row["subject"]),
                "customer": row["customer"],
                "promise": promise_view([owed(row)], language, now=now, zone=zone),
            }
            for row in rows
        ],
        "notice_count": rows[0]["count"] if rows else 0,
        "place": place,
    }
