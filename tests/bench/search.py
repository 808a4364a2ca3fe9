"""The one search over a million customers and a million messages, and what its index costs whoever writes a message."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import asyncpg

from callcenter.domain.search import understand
from callcenter.store import search
from callcenter.store.db import connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from tests.bench.figures import Row, Target, Unit, paired, percentile
from tests.bench.ground import connected, fresh_database
from tests.bench.tickets import SQL as TICKETS

SQL = Queries.beside(__file__)
_CHUNK = 50_000
_MOST = 50.0  # milliseconds
_SHOWN = 6
_FLOOR = "select id, name, company, tier from customer where id = $1"
_WRITE = "insert into {table} (interaction_id, kind, text, at) values ($1, 'inbound', $2, now())"
_TOLD = ("customer_grams", "address_end", "message_words", "interaction_note_words")


async def search_measured(
    server: Embedded, *, customers: int, rounds: int, times: int, say: Callable[[str], None]
) -> list[Row]:
    """Each search is understood, asked and read as the console does it; an agent asks, who may not read everything."""
    async with fresh_database(server, "bench_search") as dsn:
        await _fill(dsn, customers, say)
        pool = await connect_pool(dsn, min_size=2, max_size=2)
        try:
            words = [tuple(row) for row in await pool.fetch("select word, sign from bench_word order by n")]
            somebody = _Somebody(pool, random.Random(1), words, customers)
            rows: list[Row] = []
            for kind in _Somebody.KINDS:
                await somebody.searches(kind, times // 4)
                found = [(await somebody.floor(times), await somebody.searches(kind, times)) for _ in range(rounds)]
                for share, label in ((0.5, "p50"), (0.99, "p99")):
                    pairs = [(percentile(bare, share), percentile(whole, share)) for bare, whole in found]
                    target = Target(_MOST) if label == "p99" else None
                    note = f"{customers:,} customers, {customers:,} messages; floor: one row by primary key"
                    rows.append(paired(f"search, {kind}, {label}", Unit.MS, pairs, target, note if not rows else ""))
                say(f"search, {kind}: p50 {rows[-2].product:.1f} ms, p99 {rows[-1].product:.1f} ms")
            return [*rows, await _written(dsn, words, rounds=rounds, times=times, say=say)]
        finally:
            await pool.close()


async def _fill(dsn: str, customers: int, say: Callable[[str], None]) -> None:
    begun = time.monotonic()
    async with connected(dsn) as connection:
        for setting in (
            "session_replication_role = replica",
            "synchronous_commit = off",
            "maintenance_work_mem = '512MB'",
        ):
            await connection.execute(f"set {setting}")
        indexes = await connection.fetch(SQL.secondary_indexes)
        for index in indexes:
            await connection.execute(f"drop index {index['name']}")
        await connection.execute("insert into users (name, full_name, role) values ('amy', 'Amy', 'agent')")
        await connection.execute(TICKETS.vocabulary)
        await connection.execute("analyze bench_word")
        now = datetime.now(UTC)
        for first in range(1, customers, _CHUNK):
            last = min(first + _CHUNK - 1, customers)
            await connection.execute(SQL.people, first, last)
            await connection.execute(SQL.addresses, first, last)
            await connection.execute(SQL.contacts, first, last, customers)
            await connection.execute(SQL.messages, first, last)
            if first <= customers // 4:
                await connection.execute(TICKETS.tickets, first, last, now)
                await connection.execute(TICKETS.texts, first, last)
        await connection.execute(f"alter table message alter column id restart with {customers + 1}")
        say(f"search: rows after {time.monotonic() - begun:.0f} s")
        for index in indexes:
            made = time.monotonic()
            await connection.execute(index["definition"])
            if index["name"] in _TOLD:
                say(f"search: index {index['name']} made in {time.monotonic() - made:.0f} s")
        await connection.execute("vacuum analyze")
        for row in await connection.fetch(SQL.index_sizes):
            say(f"search: index {row['name']}: {row['bytes'] / 1e6:.0f} MB")
    say(f"search: loaded after {time.monotonic() - begun:.0f} s")


class _Somebody:
    """An agent who searches for something else each time."""

    KINDS = ("addresses", "names", "words", "everything mixed")

    def __init__(self, pool: Pool, chance: random.Random, words: Sequence[tuple[str, str]], customers: int) -> None:
        self.pool, self.chance, self.words, self.customers = pool, chance, words, customers

    async def searches(self, kind: str, times: int) -> list[float]:
        taken = []
        for _ in range(times):
            typed = self._typed(kind)
            begun = time.perf_counter()
            await search.find(self.pool, understand(typed, region="CN"), reader=1, limit=_SHOWN)
            taken.append((time.perf_counter() - begun) * 1e3)
        return taken

    async def floor(self, times: int) -> list[float]:
        taken = []
        for _ in range(times):
            begun = time.perf_counter()
            await self.pool.fetchrow(_FLOOR, self.chance.randint(1, self.customers))
            taken.append((time.perf_counter() - begun) * 1e3)
        return taken

    def _typed(self, kind: str) -> str:
        match kind:
            case "addresses":
                return self._address()
            case "names":
                return self._name()
            case "words":
                return self._text()
        return self.chance.choice((self._address, self._name, self._text))()

    def _address(self) -> str:
        """A whole number in national form, its beginning, its end, a mail address, and domains that many have."""
        n = self.chance.randint(1, self.customers)
        digits = str(13_000_000_000 + n * 7919 % 1_000_003 * 997)
        return self.chance.choice(
            (
                f"{digits[:3]} {digits[3:7]} {digits[7:]}", f"+86{digits[:7]}", digits[:4], digits[-4:], digits[-6:],
                f"info{n}@example.org", "info", "@example.com", f"c{n % 5000}.example", f"#{n}", str(n),
            )
        )  # fmt: skip

    def _name(self) -> str:
        """Parts that many have and parts that few have, of both scripts, and names that nobody has."""
        word, sign = self.words[self.chance.randint(0, 3_999)]
        return self.chance.choice(
            (
                "王", "王伟", "李静敏", "建国", "桐雨", "anna", "an", "trading", "公司", f"{sign}公司",
                word, word[1:], f"anna {word}", f"zoe {word[:3]}", "nanna", "unheardof", "欧阳娜娜", "o",
            )
        )  # fmt: skip

    def _text(self) -> str:
        """Common and rare words of both scripts, two at once, a number that one message has, and what nobody said."""
        common, rare = self.words[self.chance.randint(0, 40)], self.words[self.chance.randint(2_000, 3_999)]
        return self.chance.choice(
            (
                "parcel", common[0], common[1], rare[0], rare[1], f"{common[0]} {rare[1]}", f"{common[1]} {common[0]}",
                f"{rare[0]} {rare[1]}", str(5_000_000 + self.chance.randint(1, self.customers)), "unheardof words",
            )
        )  # fmt: skip


async def _written(
    dsn: str, words: Sequence[tuple[str, str]], *, rounds: int, times: int, say: Callable[[str], None]
) -> Row:
    """A message of forty words outside tickets, committed: with the index of its words, and without it, in turn."""
    chance = random.Random(2)

    async def write(connection: asyncpg.Connection, table: str) -> list[float]:
        taken = []
        for _ in range(times):
            text = " ".join(chance.choice(chance.choice(words)) for _ in range(40))
            begun = time.perf_counter()
            await connection.execute(_WRITE.format(table=table), chance.randint(1, 1000), text)
            taken.append((time.perf_counter() - begun) * 1e3)
        return taken

    pairs = []
    async with connected(dsn) as connection:
        await connection.execute(SQL.plain_table)
        for table in ("plain_message", "message"):
            await write(connection, table)
        for _ in range(rounds):
            plain = await write(connection, "plain_message")
            pairs.append((percentile(plain, 0.5), percentile(await write(connection, "message"), 0.5)))
    row = paired("a message of forty words written, p50", Unit.MS, pairs, None, "floor: without the index of its words")
    say(f"search: a message {row.floor:.2f} ms without, {row.product:.2f} ms with the index of its words")
    return row
