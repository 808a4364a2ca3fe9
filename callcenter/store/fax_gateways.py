"""Who sends faxes on by mail, as an organisation file has them."""

from collections.abc import Sequence

from callcenter.domain.organisation import FaxGatewayEntry
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read(connection: Connection) -> tuple[FaxGatewayEntry, ...]:
    rows = await connection.fetch(SQL.gateways)
    return tuple(FaxGatewayEntry(name=sender, queue=queue, header=header) for sender, queue, header in rows)


async def put(connection: Connection, wanted: Sequence[FaxGatewayEntry]) -> None:
    await connection.executemany(SQL.put, [(each.name, each.queue, each.header) for each in wanted])


async def retire(connection: Connection, senders: Sequence[str]) -> None:
    await connection.execute(SQL.retire, list(senders))
