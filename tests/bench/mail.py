"""Messages to routed tickets, and whether each became what it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from callcenter.actions.mail_in import Received
from callcenter.store.db import connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email.intake import Intake
from channels.email.parse import parse
from tests.bench.figures import Row, Target, Unit, paired
from tests.bench.ground import checkpoint, fresh_database
from tests.bench.letters import HOUSE, Item, Kind, corpus, letter_id
from tests.bench.process import Failed

Say = Callable[[str], None]
_AT_ONCE = 8
_GROUND = f"""
insert into queue (name) values ('support');
insert into mailbox (address, queue_id) select '{HOUSE}', id from queue;
create table floor_mail (id bigint generated always as identity primary key, subject text not null, raw bytea not null);
alter table floor_mail alter column raw set storage external;
"""
_LETTER = """
insert into outbox (recipient, subject, text, message_id, created_at, due_at, expires_at, state)
values ($1, 'Hello', 'Hello', $2, now(), now(), now(), 'sent')
"""


async def mail(server: Embedded, *, rounds: int, messages: int, say: Say) -> list[Row]:
    """A corpus through the door that every way in has; the floor understands and keeps the same bytes."""
    items = corpus(messages)
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        async with fresh_database(server, "bench_mail") as dsn, _filled(dsn, items) as pool:
            await checkpoint(dsn)
            floor = await _timed(items, lambda raw: _floor(pool, raw))
            intake = Intake(ContactLog(pool), clock=lambda: datetime.now(UTC))
            became: dict[int, Received] = {}
            await checkpoint(dsn)
            product = await _timed(items, intake.receive, became)
            intake.close()
            await _check(pool, items, became)
        found.append((messages / floor, messages / product))
        say(f"mail, round {number + 1}: floor {messages / floor:.0f}/s, product {messages / product:.0f}/s")
    counts = {kind: sum(item.kind is kind for item in items) for kind in Kind}
    note = ", ".join(f"{count} {kind}" for kind, count in counts.items()) + "; every one became what it is"
    what = "messages to routed tickets, against the same parser and one INSERT of the raw bytes"
    row = paired(what, Unit.PER_SECOND, found, Target(0.5, ratio=True, least=True), note)
    rate = Row("messages to routed tickets", Unit.PER_SECOND, row.product, target=Target(100, least=True))
    return [row, rate]


@asynccontextmanager
async def _filled(dsn: str, items: Sequence[Item]) -> AsyncIterator[Pool]:
    """With a mailbox, and the letters that come back."""
    async with await connect_pool(dsn, min_size=_AT_ONCE, max_size=_AT_ONCE) as pool:
        await pool.execute(_GROUND)
        for n, item in enumerate(items):
            if item.kind is Kind.BOUNCE:
                await pool.execute(_LETTER, f"customer{n % 400}@customer.example", letter_id(n))
        yield pool


async def _floor(pool: Pool, raw: bytes) -> None:
    understood = parse(raw)
    await pool.execute("insert into floor_mail (subject, raw) values ($1, $2)", understood.subject, raw)


async def _timed(
    items: Sequence[Item],
    receive: Callable[[bytes], Awaitable[Received | None]],
    became: dict[int, Received] | None = None,
) -> float:
    """Seconds, with so many on their way at once, in their order."""
    waiting = iter(enumerate(items))

    async def work() -> None:
        for n, item in waiting:
            received = await receive(item.raw)
            if became is not None and received is not None:
                became[n] = received

    begun = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(_AT_ONCE)])
    return time.perf_counter() - begun


async def _check(pool: Pool, items: Sequence[Item], became: dict[int, Received]) -> None:
    """Raises Failed for the first message that did not become what it is."""
    subjects = {row["id"]: row["subject"] for row in await pool.fetch("select id, subject from interaction")}
    tickets = set()
    for n, item in enumerate(items):
        received = became[n]
        first = became[item.of] if item.of is not None else None
        right = received.new is (item.kind is not Kind.COPY)
        match item.kind:
            case Kind.NEW:
                right &= received.ticket is not None and received.ticket not in tickets
                tickets.add(received.ticket)
            case Kind.REPLY:
                right &= first is not None and received.ticket == first.ticket
            case Kind.COPY:
                right &= first is not None and received.interaction == first.interaction
            case Kind.BOUNCE | Kind.AUTOMATIC:
                right &= received.ticket is None
        if not right or subjects[received.interaction] != item.subject:
            raise Failed(f"message {n}, {item.kind}, became {received}, {subjects[received.interaction]!r}")
    if await pool.fetchval("select count(*) from ticket") != len(tickets):
        raise Failed("there are more tickets than cases")
    bounced = await pool.fetchval("select count(*) from outbox where bounced_at is not null")
    if bounced != sum(item.kind is Kind.BOUNCE for item in items):
        raise Failed(f"only {bounced} letters know that they came back")
