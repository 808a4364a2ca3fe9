"""Addresses that customers write to, as an organisation file has them."""

from collections.abc import Sequence

from callcenter.domain.organisation import MailboxEntry
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read(connection: Connection) -> tuple[MailboxEntry, ...]:
    return tuple(
        MailboxEntry(
            name=address,
            queue=queue,
            language=language,
            closed=closed,
            acknowledge=acknowledge,
            new_after=new_after,
            closing_note=note,
        )
        for address, queue, language, closed, acknowledge, new_after, note in await connection.fetch(SQL.mailboxes)
    )


async def put(connection: Connection, wanted: Sequence[MailboxEntry]) -> None:
    rows = [
        (each.name, each.queue, each.language, each.closed, each.acknowledge, each.new_after, each.closing_note)
        for each in wanted
    ]
    await connection.executemany(SQL.put, rows)


async def drop(connection: Connection, addresses: Sequence[str]) -> None:
    await connection.execute(SQL.retire, list(addresses))
