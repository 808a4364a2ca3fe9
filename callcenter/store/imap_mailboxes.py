"""How far mailboxes on other servers have been read, and who reads them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.errors import Conflict
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
# A frozen node's mailboxes are read by another one after this long.
LEASE = timedelta(seconds=60)
# A lost connection may leave thousands of messages unmarked; beyond these the oldest stay as they are.
_MOST = 10_000


@dataclass(slots=True)
class Progress:
    """In a folder, under its UIDVALIDITY. `unmarked`: committed here, and not yet flagged, moved or deleted there."""

    uidvalidity: int | None
    last_uid: int
    since: datetime
    unmarked: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def begin(self, uidvalidity: int) -> bool:
        """Whether the folder's UIDs mean what they meant; else everything in it is to be read again."""
        if self.uidvalidity == uidvalidity:
            return True
        self.uidvalidity, self.last_uid = uidvalidity, 0
        self.unmarked.clear()
        self.refused.clear()
        return False


async def take(pool: Pool, name: str, place: str, *, node: int, now: datetime) -> Progress | None:
    """None while another node reads it."""
    row = await pool.fetchrow(SQL.take, name, place, now, now + LEASE, node)
    if row is None:
        return None
    return Progress(row["uidvalidity"], row["last_uid"], row["since"], set(row["unmarked"]), set(row["refused"]))


async def note(pool: Pool, name: str, progress: Progress, *, node: int, now: datetime) -> None:
    """And the lease goes on. Raises Conflict when another node has the mailbox."""
    kept = await pool.fetchval(
        SQL.note, name, node, progress.uidvalidity, progress.last_uid, sorted(progress.unmarked)[-_MOST:],
        sorted(progress.refused)[-_MOST:], now + LEASE,
    )  # fmt: skip
    if not kept:
        raise Conflict(f"Another node reads the mailbox {name}.")


async def release(pool: Pool, name: str, *, node: int) -> None:
    await pool.execute(SQL.release, name, node)
