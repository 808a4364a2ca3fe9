"""Messages to routed tickets, and whether each became what it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from callcenter.actions import tickets
from callcenter.actions.mail_in import Received
from callcenter.actions.mail_words import ACKNOWLEDGEMENT as ACK
from callcenter.store.db import connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email.intake import Intake
from channels.email.parse import parse
from routing.router import Router
from tests.bench.figures import Row, Target, Unit, paired
from tests.bench.ground import checkpoint, fresh_database
from tests.bench.letters import HOUSE, WARM, Item, Kind, corpus, letter_id
from tests.bench.process import Failed
from tests.bench.routed import leading

Say = Callable[[str], None]
_AT_ONCE = 8
_PEERS = (
    "on a machine with two processors django-helpdesk takes 47/s, Request Tracker 5 with two workers 7/s, roundup 2/s"
)
_GROUND = f"""
insert into queue (name) values ('support');
insert into mailbox (address, queue_id) select '{HOUSE}', id from queue;
insert into users (name, full_name, role) values ('amy', 'Amy', 'agent');
create table floor_mail (id bigint generated always as identity primary key, subject text not null, raw bytea not null);
alter table floor_mail alter column raw set storage external;
"""
_LETTER = """
insert into outbox (recipient, subject, text, message_id, ticket_id, template, created_at, due_at, expires_at, state)
select $1, hello, hello, $2, $3, $4::text, now(), now(), now(), 'sent'
from (select case when $4::text is null then 'Hello' end as hello) as words
"""
_SENT = """
update outbox set message_id = $2, state = 'sent' where id = (select max(id) from outbox where ticket_id = $1)
"""


async def mail(server: Embedded, *, rounds: int, messages: int, say: Say) -> list[Row]:
    """A corpus through the door that every way in has; the floor understands and keeps the same bytes."""
    items = corpus(messages)
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        async with fresh_database(server, "bench_mail") as dsn, _filled(dsn, items) as pool:
            floor = await _measured(dsn, items, lambda raw: _floor(pool, raw), {})
            log = ContactLog(pool)
            intake = Intake(log, clock=_now)
            became: dict[int, Received] = {}
            async with leading(dsn, log) as router:
                write_back = partial(_write_back, log, items, became)
                product = await _measured(
                    dsn, items, intake.receive, became, write_back, partial(_routed, pool, router)
                )
            intake.close()
            await _check(pool, items, became)
        found.append((floor, product))
        say(f"mail, round {number + 1}: floor {floor:.0f}/s, product {product:.0f}/s")
    counts = {kind: sum(item.kind is kind for item in items) for kind in Kind}
    note = ", ".join(f"{count} {kind}" for kind, count in counts.items()) + "; every one became what it is, and waits"
    what = "messages to routed tickets, against the same parser and one INSERT of the raw bytes"
    row = paired(what, Unit.PER_SECOND, found, Target(0.5, ratio=True, least=True), note)
    rate = Row("messages to routed tickets", Unit.PER_SECOND, row.product, target=Target(100, least=True), note=_PEERS)
    return [row, rate]


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def _filled(dsn: str, items: Sequence[Item]) -> AsyncIterator[Pool]:
    """With a mailbox, somebody who answers, and the letters that come back."""
    async with await connect_pool(dsn, min_size=_AT_ONCE, max_size=_AT_ONCE) as pool:
        await pool.execute(_GROUND)
        for n, item in enumerate(items):
            if item.kind is Kind.BOUNCE:
                await pool.execute(_LETTER, f"customer{n % 400}@customer.example", letter_id(n), None, None)
        yield pool


async def _floor(pool: Pool, raw: bytes) -> None:
    understood = parse(raw)
    await pool.execute("insert into floor_mail (subject, raw) values ($1, $2)", understood.subject, raw)


async def _write_back(log: ContactLog, items: Sequence[Item], became: Mapping[int, Received]) -> None:
    """What the customers are going to answer: letters of agents, and acknowledgements in turn."""
    agent = await log.pool.fetchval("select id from users")
    for n, item in enumerate(items):
        if item.kind is not Kind.ANSWER or item.of is None:
            continue
        ticket = became[item.of].ticket
        assert ticket is not None
        if n % 2:
            await log.pool.execute(_LETTER, f"customer{item.of % 400}@customer.example", letter_id(n), ticket, ACK)
        else:
            await tickets.reply(log, ticket, text="We look into it.", public=True, actor=agent, now=_now())
            await log.pool.execute(_SENT, ticket, letter_id(n))


async def _routed(pool: Pool, router: Router) -> None:
    """Until the router that leads knows of all that waits."""
    waiting = await pool.fetchval("select count(*) from interaction where state = 'queued'")
    async with asyncio.timeout(30):
        while router.state is None or len(router.state.waiting) < waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.002)  # what it has read tells nobody


async def _nothing() -> None:
    pass


async def _measured(
    dsn: str,
    items: Sequence[Item],
    receive: Callable[[bytes], Awaitable[Received | None]],
    became: dict[int, Received],
    between: Callable[[], Awaitable[None]] = _nothing,
    after: Callable[[], Awaitable[None]] = _nothing,
) -> float:
    """A second, `after` included, without the first ones: what a process and its sessions do once is done with them."""
    done = [asyncio.Event() for _ in items]
    await _play(list(enumerate(items))[:WARM], receive, became, done)
    await between()
    await checkpoint(dsn)
    begun = time.perf_counter()
    await _play(list(enumerate(items))[WARM:], receive, became, done)
    await after()
    return (len(items) - WARM) / (time.perf_counter() - begun)


async def _play(
    items: Sequence[tuple[int, Item]],
    receive: Callable[[bytes], Awaitable[Received | None]],
    became: dict[int, Received],
    done: Sequence[asyncio.Event],
) -> None:
    """So many on their way at once, in their order; nobody answers or repeats what has not come in yet."""
    waiting = iter(items)

    async def work() -> None:
        for n, item in waiting:
            if item.of is not None:
                await done[item.of].wait()
            received = await receive(item.raw)
            if received is not None:
                became[n] = received
            done[n].set()

    await asyncio.gather(*[work() for _ in range(_AT_ONCE)])


async def _check(pool: Pool, items: Sequence[Item], became: dict[int, Received]) -> None:
    """Raises Failed for the first message that did not become what it is."""
    subjects = {row["id"]: row["subject"] for row in await pool.fetch("select id, subject from interaction")}
    cases = set()
    for n, item in enumerate(items):
        received = became[n]
        first = became[item.of] if item.of is not None else None
        right = received.new is (item.kind is not Kind.COPY)
        match item.kind:
            case Kind.NEW:
                right &= received.ticket is not None and received.ticket not in cases
                cases.add(received.ticket)
            case Kind.REPLY | Kind.ANSWER:
                right &= first is not None and received.ticket == first.ticket
            case Kind.COPY:
                right &= first is not None and received.interaction == first.interaction
            case Kind.BOUNCE | Kind.AUTOMATIC:
                right &= received.ticket is None
        if not right or subjects[received.interaction] != item.subject:
            raise Failed(f"message {n}, {item.kind}, became {received}, {subjects[received.interaction]!r}")
    if await pool.fetchval("select count(*) from ticket") != len(cases):
        raise Failed("there are more tickets than cases")
    bounced = await pool.fetchval("select count(*) from outbox where bounced_at is not null")
    if bounced != sum(item.kind is Kind.BOUNCE for item in items):
        raise Failed(f"only {bounced} letters know that they came back")
