"""Messages handed in as the doors do it, and letters that go out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.actions import mail_in, outbox, tickets
from callcenter.actions.mail_in import Received
from callcenter.store.log import ContactLog
from channels.email.parse import parse


@dataclass
class Post:
    """Hands messages in, as the doors do."""

    log: ContactLog
    now: datetime

    async def __call__(self, raw: bytes, **given: Any) -> Received:
        return await mail_in.receive(self.log, parse(raw), raw, **{"now": self.now, **given})

    async def state(self, ticket: int | None) -> asyncpg.Record:
        row = await self.log.pool.fetchrow(
            "select state, number, owner_id, customer_id from ticket where id = $1", ticket
        )
        assert row is not None
        return row

    async def count(self, table: str) -> int:
        return int(await self.log.pool.fetchval(f"select count(*) from {table}"))

    async def letters(self) -> list[asyncpg.Record]:
        return list(await self.log.pool.fetch("select * from outbox order by id"))


async def answered(post: Post, ticket: int | None) -> str:
    """An agent's answer goes out; its Message-ID."""
    assert ticket is not None
    await tickets.reply(post.log, ticket, text="Is it plugged in?", public=True, actor=None, now=post.now)
    while letter := await outbox.take(post.log, domain="heronbay.example", lease=timedelta(minutes=3), now=post.now):
        await outbox.sent(post.log, letter, now=post.now)
    return str(
        await post.log.pool.fetchval("select message_id from outbox where template is null order by id desc limit 1")
    )
