"""Messages handed in as the doors do it, and letters that go out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.actions import mail_in, outbox, tickets
from callcenter.actions.mail_in import Received
from callcenter.store.log import ContactLog
from channels.email.parse import parse
from tests.channels.email.messages import message

WANG = "wang@customer.example"  # the customer of `message`


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


async def thread(post: Post, n: int, sender: str, /, body: bytes = b"Me too.", **fields: str) -> Received:
    """The n-th message of the thread that <1@customer.example> began, a minute after the one before."""
    given = {"From": sender, "Message_ID": f"<{n}@thread.example>", "In_Reply_To": "<1@customer.example>"} | fields
    return await post(message(body, **given), now=post.now + timedelta(minutes=n))


async def answer(post: Post, ticket: int | None, amy: int, **given: Any) -> str:
    """Where the agent's answer goes."""
    assert ticket is not None
    await tickets.reply(
        post.log, ticket, text="Press it.", public=True, actor=amy, now=post.now + timedelta(hours=1), **given
    )
    return str((await post.letters())[-1]["recipient"])
