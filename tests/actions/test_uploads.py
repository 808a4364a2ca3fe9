"""Files that are uploaded, sent with a message, or forgotten."""

from datetime import datetime, timedelta

import pytest

from callcenter.actions import uploads
from callcenter.errors import Invalid, TooMany
from callcenter.store import uploads as store
from callcenter.store.log import ContactLog

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


async def a_message(log: ContactLog, call: int, now: datetime) -> int:
    query = "insert into message (interaction_id, kind, text, at) values ($1, 'inbound', 'x', $2) returning id"
    return int(await log.pool.fetchval(query, call, now))


async def test_a_file_goes_with_the_message_that_it_is_sent_with(log: ContactLog, call: int, now: datetime) -> None:
    ident = await uploads.keep(log, "../led.png", "text/plain", PNG, now=now)
    message = await a_message(log, call, now)
    async with log.transaction() as tx:
        await uploads.bind(tx, [ident, ident], message=message)
    found = await store.of_messages(log.pool, [message])
    assert found == {message: [store.Upload(ident, "led.png", "image/png", len(PNG))]}
    with pytest.raises(Invalid, match="no longer here"):
        async with log.transaction() as tx:
            await uploads.bind(tx, [ident], message=message)


async def test_nobody_sends_what_somebody_else_uploaded(log: ContactLog, call: int, now: datetime) -> None:
    ident = await uploads.keep(log, "led.png", None, PNG, owner="chat:1", now=now)
    message = await a_message(log, call, now)
    for owner in ("chat:2", None):
        with pytest.raises(Invalid, match="no longer here"):
            async with log.transaction() as tx:
                await uploads.bind(tx, [ident], message=message, owner=owner)
    assert await store.of_messages(log.pool, [message]) == {}


async def test_files_have_limits_each_and_together(log: ContactLog, call: int, now: datetime) -> None:
    with pytest.raises(Invalid, match="empty"):
        await uploads.keep(log, "a.txt", None, b"", now=now)
    with pytest.raises(Invalid, match=r"larger than 0\.001 MB"):
        await uploads.keep(log, "a.txt", None, b"a" * 1001, largest=1000, now=now)
    two = [await uploads.keep(log, f"{n}.txt", None, b"a" * 600, now=now) for n in range(2)]
    message = await a_message(log, call, now)
    with pytest.raises(Invalid, match="together"):
        async with log.transaction() as tx:
            await uploads.bind(tx, two, message=message, largest=1000)
    assert await store.of_messages(log.pool, [message]) == {}
    await log.pool.execute("update upload set owner = 'chat:1', size = 60000000")
    with pytest.raises(TooMany):
        await uploads.keep(log, "a.txt", None, b"a", owner="chat:1", now=now)


async def test_what_nobody_sends_is_gone_after_a_day(log: ContactLog, call: int, now: datetime) -> None:
    sent, forgotten = [await uploads.keep(log, f"{n}.txt", None, b"a", now=now) for n in range(2)]
    async with log.transaction() as tx:
        await uploads.bind(tx, [sent], message=await a_message(log, call, now))
    await uploads.purge(log, now=now + timedelta(hours=23))
    assert await log.pool.fetchval("select count(*) from upload") == 2
    await uploads.purge(log, now=now + timedelta(hours=25))
    assert [row["id"] for row in await log.pool.fetch("select id from upload")] == [sent]
    assert forgotten != sent
