"""How soon solutions are found among many."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from random import Random
from typing import Any

from callcenter.domain.solution import Readers, Variant
from callcenter.store import solutions
from callcenter.store.db import connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.solutions import STAFF
from tests.bench.figures import Row, Target, Unit, paired, percentile
from tests.bench.ground import connected, fresh_database

_SQL = Queries.beside(__file__)
_TARGET = Target(50)
_BATCH = 1000
_VOCABULARY = 4000
_LENGTH = 120  # words of an article


class Writer:
    """Articles whose words are spread as in real texts: the n-th one is 1/n as frequent as the first."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self.chinese = [
            "".join(chr(self._dice.randrange(0x4E00, 0x9000)) for _ in range(2)) for _ in range(_VOCABULARY)
        ]
        letters = "bcdfghklmnprstvz"
        self.english = [
            "".join(self._dice.choice(letters) + self._dice.choice("aeiou") for _ in range(self._dice.randrange(2, 5)))
            for _ in range(_VOCABULARY)
        ]
        self._weights = list(accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))

    def words(self, vocabulary: Sequence[str], count: int) -> list[str]:
        return self._dice.choices(vocabulary, cum_weights=self._weights, k=count)

    def text(self, language: str, count: int) -> str:
        words = self.words(self.english if language == "en" else self.chinese, count)
        return " ".join(words) if language == "en" else "".join(words)

    def articles(self, count: int) -> Iterator[tuple[Any, ...]]:
        for ident in range(1, count + 1):
            language = "en" if ident % 2 else "zh_CN"
            title, text = self.text(language, 5), self.text(language, _LENGTH)
            yield solutions.text_row(ident, Variant(language, 1, 1, title, text), Readers.STAFF)


async def knowledge(server: Embedded, *, rounds: int, articles: int, searches: int) -> list[Row]:
    """Searches and suggestions beside the read of one article by its key."""
    writer = Writer(1)
    async with fresh_database(server, "bench_knowledge") as dsn, _filled(dsn, writer, articles) as pool:

        async def by_key(number: int) -> None:
            await pool.fetchrow(_SQL.by_key, 1 + number * 7919 % articles, "en")

        async def search(text: str, language: str) -> None:
            await solutions.search(pool, text, readers=STAFF, language=language, limit=20)

        def worded(rank: int, vocabulary: Sequence[str], language: str) -> Callable[[int], Awaitable[None]]:
            return lambda number: search(vocabulary[rank + number % 20], language)

        async def suggest(number: int) -> None:
            language = ("en", "zh_CN")[number % 2]
            await solutions.suggest(pool, writer.text(language, 40), readers=STAFF, language=language)

        asked: list[tuple[str, Callable[[int], Awaitable[None]]]] = [
            ("a Chinese word of two characters", worded(300, writer.chinese, "zh_CN")),
            ("one of the commonest words", worded(0, writer.chinese, "zh_CN")),
            ("one Chinese character", lambda number: search(writer.chinese[300 + number % 20][0], "zh_CN")),
            ("three English words", lambda number: search(" ".join(writer.words(writer.english, 3)), "en")),
            ("suggestions for a text of 40 words", suggest),
        ]
        rows = []
        for what, work in asked:
            figures = [(await _timed(by_key, searches), await _timed(work, searches)) for _ in range(rounds)]
            for share, name in ((0.5, "p50"), (0.99, "p99")):
                pairs = [(percentile(floor, share), percentile(taken, share)) for floor, taken in figures]
                target = _TARGET if share > 0.5 else None
                rows.append(paired(f"solutions, {what}, {name}", Unit.MS, pairs, target, f"{articles:,} articles"))
        return rows


@asynccontextmanager
async def _filled(dsn: str, writer: Writer, articles: int) -> AsyncIterator[Pool]:
    await _fill(dsn, writer, articles)
    async with await connect_pool(dsn, min_size=1, max_size=1) as pool:
        yield pool


async def _fill(dsn: str, writer: Writer, articles: int) -> None:
    async with connected(dsn) as connection:
        await connection.execute(_SQL.articles, articles)
        # Entering 25 million words one by one takes ten times as long as building the indexes at the end.
        indexes = await connection.fetch(_SQL.indexes)
        for index in indexes:
            await connection.execute(f"drop index {index['indexname']}")
        batch: list[tuple[Any, ...]] = []
        for row in writer.articles(articles):
            batch.append(row)
            if len(batch) == _BATCH:
                await connection.executemany(solutions.SQL.put_text, batch)
                batch.clear()
        await connection.executemany(solutions.SQL.put_text, batch)
        for index in indexes:
            await connection.execute(index["indexdef"])
        await connection.execute(_SQL.words)
        await connection.execute("vacuum analyze")


async def _timed(work: Callable[[int], Awaitable[None]], count: int) -> list[float]:
    """Milliseconds of each, one after the other."""
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        await work(number)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken
