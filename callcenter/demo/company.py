"""Makes the demo company in a database: schema, organisation, and once its year of history."""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from callcenter.actions import organisation
from callcenter.demo import grades
from callcenter.demo.articles import write_articles
from callcenter.demo.entitlements import make_entitlements
from callcenter.demo.firms import know_firms
from callcenter.demo.history import History, Size
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.errors import Invalid
from callcenter.store import bulk, migrate
from callcenter.store.db import connect, connect_pool
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool

FILE = Path(__file__).resolve().parents[2] / "config" / "demo.org.toml"
SEED = 1313
# The whole year's would take longer to write than all the rest.
_LOGGED = timedelta(days=92)


def read_file() -> OrganisationFile:
    """Raises Invalid when there is no demo beside this installation."""
    if not FILE.is_file():
        raise Invalid(f"The demo needs {FILE}, which is in the source tree only.")
    return organisation.load(FILE, environ=os.environ)


async def prepare(dsn: str, file: OrganisationFile, *, size: Size, now: datetime, tell: Callable[[str], None]) -> None:
    """Does what is not done yet. Raises Invalid when the database is somebody's own."""
    connection = await connect(dsn)
    try:
        await migrate.migrate(connection)
        await connection.fetchval("select ensure_log_months($1, 3)", now)
        await connection.fetchval("select note_cluster()")
    finally:
        await connection.close()
    pool = await connect_pool(dsn, min_size=1, max_size=2, application_name="callcenter demo")
    try:
        await _refuse_real_life(pool)
        await organisation.apply(ContactLog(pool), file, prune=False, actor=None, now=now)
        if await bulk.is_untouched(pool):
            tell(f"Inventing {size.customers:,} customers and a year of their stories; only this once …")
            await _make_history(pool, size=size, now=now)
        await write_articles(ContactLog(pool), now=now)
    finally:
        await pool.close()


async def _refuse_real_life(pool: Pool) -> None:
    """Log-ins that everybody knows must not come into a database that is used."""
    users, demo = await pool.fetchrow("select count(*), count(*) filter (where demo) from users") or (0, 0)
    if users and not demo:
        raise Invalid("This database has users of its own and is no demo: use `callcenter serve`.")


async def _make_history(pool: Pool, *, size: Size, now: datetime) -> None:
    directory = Directory(pool)
    await directory.load()
    history = History(
        users=directory.users,
        queues=directory.queues,
        timezone=directory.organisation.timezone,
        until=now,
        seed=SEED,
        size=size,
    )
    try:
        batch = await asyncio.to_thread(history.tell)
    finally:
        history.stopped = True
    if await bulk.load(pool, batch, log_since=now - _LOGGED, now=now):
        await know_firms(ContactLog(pool), history.people, now=now)
        await grades.grade_some(ContactLog(pool), directory.users, now=now)
        await make_entitlements(ContactLog(pool), directory, history.people, seed=SEED, now=now)
