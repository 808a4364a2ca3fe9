"""Files that people uploaded: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Upload:
    """`type`: what its content says it is; `size` in bytes."""

    id: int
    name: str
    type: str
    size: int


async def of_messages(connection: Connection | Pool, messages: Sequence[int]) -> Mapping[int, Sequence[Upload]]:
    """What was sent with messages, by the message's id; those without files are missing."""
    found: dict[int, list[Upload]] = {}
    for message, *upload in await connection.fetch(SQL.of_messages, messages):
        found.setdefault(message, []).append(Upload(*upload))
    return found
