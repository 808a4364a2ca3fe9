"""The directory in memory: who works here and which queues there are."""

from callcenter.store.directory import Directory
from callcenter.store.pool import Pool


async def test_the_organisation_is_asked_for_once_a_load(pool: Pool) -> None:
    asked: list[str] = []
    async with pool.acquire() as connection:  # the one that is lent next
        connection.add_query_logger(lambda record: asked.append(record.query))
    await Directory(pool).load()
    assert len([query for query in asked if "from organisation" in query]) == 1
