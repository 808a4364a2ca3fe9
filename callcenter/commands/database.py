"""The database for a command's time: the one that is set, the embedded one that runs, or one started for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.errors import Invalid
from callcenter.settings import Settings
from callcenter.store import migrate
from callcenter.store.db import connect_pool
from callcenter.store.embedded import database
from callcenter.store.log import ContactLog


@asynccontextmanager
async def contact_log(settings: Settings) -> AsyncIterator[ContactLog]:
    """Raises Invalid in words when the database is not one of ours, or not of this version."""
    async with database(settings) as dsn:
        pool = await connect_pool(dsn, min_size=1, max_size=2, application_name="callcenter command")
        try:
            async with pool.acquire() as connection:
                waiting = await migrate.pending(connection)
            if waiting:
                raise Invalid(f"Migrations are pending ({', '.join(waiting)}): run `callcenter migrate` first.")
            yield ContactLog(pool)
        finally:
            await pool.close()
