"""What somebody is told of tickets, tasks and solutions to review, until they have seen it: desk and wall."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import asyncpg

from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from screenpop import words
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

    def promise(row: asyncpg.Record) -> object:
        if row["clock"] is None:
            return None
        due = row["due_at"].isoformat()
        owed = OwedClock(
            clock=row["clock"], state="running", due_at=due, risk_at=due, breached_at=None, remaining_seconds=None
        )
        return promise_view([owed], language, now=now, zone=zone)

    def news(kind: str) -> str:
        known = kind in words.NOTICE
        return language.label(words.NOTICE, kind) if known else language.label(words.NEWS, kind.partition(".")[2])

    return {
        "notices": [
            {
                "id": row["id"],
                "number": row["number"],
                "subject": cut(row["subject"]),
                "customer": row["customer"],
                "solution": row["solution"],
                "promise": promise(row),
                "news": news(row["kind"]),
            }
            for row in rows
        ],
        "late": any(row["kind"] == "sla" for row in rows),
        "notice_count": rows[0]["count"] if rows else 0,
        "place": place,
    }
