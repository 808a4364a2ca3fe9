"""Forms of an organisation: rows in, entries out."""

from callcenter.domain.form import FormEntry, FormKind
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read_forms(connection: Connection) -> tuple[FormEntry, ...]:
    """Those in use."""
    rows = await connection.fetch(SQL.active)
    return tuple(FormEntry(FormKind(row["kind"]), row["name"], row["definition"]) for row in rows)
