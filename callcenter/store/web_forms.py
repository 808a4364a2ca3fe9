"""Forms on web pages and the portal's settings: rows in, forms out."""

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.web_form import Portal, WebForm
from callcenter.domain.web_form_keys import form_of, form_table
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Served:
    """A form that can be filled in, and the queue that its cases go to."""

    form: WebForm
    queue: int


async def read(connection: Connection) -> tuple[WebForm, ...]:
    """Those in use."""
    return tuple(form_of({**row["definition"], "queue": row["queue"]}) for row in await connection.fetch(SQL.forms))


async def served(pool: Pool, name: str) -> Served:
    """Raises NotFound."""
    row = await pool.fetchrow(SQL.form, name)
    if row is None:
        raise NotFound("There is nothing at this address.")
    return Served(form_of({**row["definition"], "queue": row["queue"]}), row["queue_id"])


async def put(connection: Connection, wanted: Sequence[WebForm]) -> None:
    await connection.executemany(SQL.put, [(each.name, each.queue, form_table(each)) for each in wanted])


async def drop(connection: Connection, names: Sequence[str]) -> None:
    await connection.execute(SQL.retire, list(names))


async def read_portal(connection: Connection | Pool) -> Portal | None:
    kept = await connection.fetchval(SQL.portal)
    return None if kept is None else Portal(queue=kept["queue"], session=parse_duration(kept["session"]))


async def put_portal(connection: Connection, portal: Portal | None) -> None:
    kept = None if portal is None else {"queue": portal.queue, "session": format_duration(portal.session)}
    await connection.execute(SQL.put_portal, kept)
