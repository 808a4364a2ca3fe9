"""Widgets of chats, as an organisation file has them."""

from collections.abc import Sequence

from callcenter.domain.organisation import WidgetEntry
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read(connection: Connection) -> tuple[WidgetEntry, ...]:
    return tuple(
        WidgetEntry(
            name=key,
            queue=queue,
            sites=tuple(sites),
            languages=tuple(languages),
            greeting=greeting,
            ask=tuple(ask),
            form=form,
            callback=callback,
            secret=secret,
        )
        for key, queue, sites, languages, greeting, ask, form, callback, secret in await connection.fetch(SQL.widgets)
    )


async def put(connection: Connection, wanted: Sequence[WidgetEntry]) -> None:
    rows = [
        (
            each.name,
            each.queue,
            list(each.sites),
            list(each.languages),
            dict(each.greeting),
            list(each.ask),
            each.form,
            each.callback,
            each.secret,
        )
        for each in wanted
    ]
    await connection.executemany(SQL.put, rows)


async def drop(connection: Connection, keys: Sequence[str]) -> None:
    await connection.execute(SQL.retire, list(keys))
