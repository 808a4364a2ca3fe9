"""Lists of tickets over a million of them: built-in views, words in two scripts, and views no index was made for."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from callcenter.domain.ticket import Priority, TicketState
from callcenter.domain.ticket_view import Builtin, Conditions, Order, View, builtin
from callcenter.errors import Invalid
from callcenter.store import ticket_lists
from callcenter.store.db import connect_pool
from callcenter.store.directory import Directory
from callcenter.store.embedded import Embedded
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from tests.bench.figures import Row, Target, Unit, paired, percentile
from tests.bench.ground import connected, fresh_database

SQL = Queries.beside(__file__)
_PAGE = Queries(Path(__file__).resolve().parents[2] / "screenpop" / "tickets.sql").page
_TICKETS = 1_000_000
_CHUNK = 50_000
_LISTED = 51
_MOST = 50.0  # milliseconds
_FLOOR = "select id, number, subject, state, version from ticket where id = any ($1::bigint[])"
_INDEX = "create index ticket_text_words on ticket_text using gin (ticket_words(ticket_id, text))"


async def ticket_lists_measured(server: Embedded, *, rounds: int, times: int, say: Callable[[str], None]) -> list[Row]:
    """Each page is two statements, as the console asks them: which tickets, and what is shown of them."""
    async with fresh_database(server, "bench_tickets") as dsn:
        now = datetime.now(UTC)
        await _fill(dsn, now, say)
        pool = await connect_pool(dsn, min_size=2, max_size=2)
        try:
            directory = Directory(pool)
            await directory.load()
            desk = _Desk(pool, directory, now, random.Random(1), await _words(pool))
            rows = []
            for name in Builtin:
                found = []
                await _taken(desk.floor, times // 4)
                await _taken(lambda name=name: desk.page(desk.view(name)), times // 4)  # type: ignore[misc]
                for _ in range(rounds):
                    bare = await _taken(desk.floor, times)
                    whole = await _taken(lambda name=name: desk.page(desk.view(name)), times)  # type: ignore[misc]
                    found.append((bare, whole))
                for share, label in ((0.5, "p50"), (0.99, "p99")):
                    pairs = [(percentile(bare, share), percentile(whole, share)) for bare, whole in found]
                    target = Target(_MOST) if label == "p99" else None
                    note = f"{_TICKETS:,} tickets; floor: {_LISTED} rows by primary key" if name is Builtin.MINE else ""
                    rows.append(paired(f"a page of tickets, {name}, {label}", Unit.MS, pairs, target, note))
                say(f"tickets, {name}: p99 {rows[-1].product:.1f} ms")
            return [*rows, await _others(desk, say)]
        finally:
            await pool.close()


async def _fill(dsn: str, now: datetime, say: Callable[[str], None]) -> None:
    begun = time.monotonic()
    async with connected(dsn) as connection:
        for setting in (
            "session_replication_role = replica",
            "synchronous_commit = off",
            "maintenance_work_mem = '512MB'",
        ):
            await connection.execute(f"set {setting}")
        await connection.execute("drop index ticket_text_words")
        await connection.execute(SQL.people)
        await connection.execute(SQL.vocabulary)
        for first in range(1, _TICKETS, _CHUNK):
            last = first + _CHUNK - 1
            await connection.execute(SQL.tickets, first, last, now)
            await connection.execute(SQL.texts, first, last)
        await connection.execute(SQL.clocks, now)
        say(f"tickets: rows after {time.monotonic() - begun:.0f} s")
        await connection.execute(_INDEX)
        await connection.execute("vacuum analyze")
    say(f"tickets: loaded after {time.monotonic() - begun:.0f} s")


async def _words(pool: Pool) -> Sequence[tuple[str, str]]:
    return [(row["word"], row["sign"]) for row in await pool.fetch("select word, sign from bench_word order by n")]


@dataclass
class _Desk:
    """Somebody who looks at lists, another person each time."""

    pool: Pool
    directory: Directory
    now: datetime
    chance: random.Random
    words: Sequence[tuple[str, str]]
    user: int = 1

    def view(self, name: Builtin) -> View:
        chance = self.chance
        self.user = chance.randint(1, 200)
        match name:
            case Builtin.QUEUE:
                return builtin(name, Conditions(queue=(f"queue{chance.randint(1, 20)}",)))
            case Builtin.CUSTOMER:
                return builtin(name, Conditions(customer=chance.randint(1, 100_000)))
            case Builtin.WORDS:
                return builtin(name, Conditions(words=self._asked()))
        return builtin(name, Conditions())

    def _asked(self) -> str:
        """Common and rare words of both scripts, two at once, a number that one ticket has, and what nobody said."""
        chance = self.chance
        common, rare = self.words[chance.randint(0, 40)], self.words[chance.randint(2_000, 3_999)]
        return chance.choice(
            (
                common[0],
                common[1],
                rare[0],
                rare[1],
                f"{common[0]} {rare[1]}",
                f"{common[1]} {common[0]}",
                str(100_000 + chance.randint(1, _TICKETS)),
                "unheardof",
            )
        )

    async def page(self, view: View) -> None:
        found = await ticket_lists.page(
            self.pool, view, self.directory, user=self.user, after=None, limit=_LISTED, now=self.now
        )
        await self.pool.fetchrow(_PAGE, [each.id for each in found], self.user)

    async def floor(self) -> None:
        await self.pool.fetch(_FLOOR, [self.chance.randint(1, _TICKETS) for _ in range(_LISTED)])


async def _taken(act: Callable[[], Awaitable[None]], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - begun) * 1e3)
    return taken


async def _others(desk: _Desk, say: Callable[[str], None]) -> Row:
    """Views that no index was made for: each answers within two seconds or is refused."""
    views = [
        View(Conditions(category=("category7",), priority=(Priority.URGENT,), owner=("agent3",)), Order.OLDEST),
        View(Conditions(category=("unknown",)), Order.NEWEST),
        View(Conditions(state=(TicketState.ON_HOLD,), priority=(Priority.LOW,), category=("category1",)), Order.DUE),
        View(Conditions(queue=("queue1", "queue2"), owner=("@none",), breached=True), Order.DUE),
        View(Conditions(words=desk.words[0][0], category=("unknown",)), Order.NEWEST),
        View(Conditions(state=(TicketState.CLOSED,), owner=("agent1", "agent2"), category=("unknown",)), Order.OLDEST),
    ]
    longest, refused = 0.0, 0
    for view in views:
        begun = time.perf_counter()
        try:
            await desk.page(view)
        except Invalid:
            refused += 1
        except asyncpg.QueryCanceledError:
            refused += 1
        longest = max(longest, time.perf_counter() - begun)
        await asyncio.sleep(0)
    say(f"tickets, other views: {longest:.2f} s, {refused} refused")
    note = f"of {len(views)} views that no index was made for, {refused} refused with the reason"
    return Row(
        "any other view of tickets, the longest until it answers or is refused",
        Unit.SECONDS,
        longest,
        target=Target(2.1),
        note=note,
    )
