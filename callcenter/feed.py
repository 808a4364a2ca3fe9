"""The reader of the contact log: every event of every node, once, each aggregate's in order."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import structlog

from callcenter.domain.events import Cursor, Event
from callcenter.store.db import TRY_AGAIN
from callcenter.store.log import ContactLog, event_of
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

_SQL = Queries(Path(__file__).with_suffix(".sql"))
log = structlog.get_logger()

Subscriber = Callable[[Sequence[Event]], None]
_CHANNEL = "contact_log"
_SIGNALS = "signals"
# More than these wait for the bell only while it is out of order, and old ones are worth nothing.
_MOST_SIGNALS = 500
_PAGE = 500
# Rows beyond the horizon wait for the oldest open writer: look again soon, since its commit rings no bell of ours.
_BEYOND = 0.002
_POLL = 1.0
# Commits come in bursts, and whoever cannot wait hears them directly: one page for several of them.
_BREATH = 0.01
_HELD_BACK = 5.0  # seconds without anything settled that are worth a word
_MAX_SEQ = 2**63 - 1
_RING_LOST: tuple[type[BaseException], ...] = (*TRY_AGAIN, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class Signal:
    """What is no fact, of an interaction: somebody types, their page changed. Nobody keeps it, and it may be lost."""

    interaction: int
    what: str
    by: str


class Feed:
    """One cursor reader a process. `run` is supervised; subscribers are called in order and must not block."""

    def __init__(
        self,
        pool: Pool,
        contact_log: ContactLog,
        *,
        dsn: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._dsn = dsn
        self._clock = clock
        self._wake = asyncio.Event()
        self._subscribers: list[Subscriber] = []
        self._bell: asyncpg.Connection | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._ring_again = False
        self._signals: list[str] = []
        self._hearers: list[Callable[[Signal], None]] = []
        self._at_the_bell = asyncio.Lock()
        self._reading = asyncio.Lock()
        self.cursor = Cursor(1, 0, 0)
        self.alone = False  # no other node lives: nobody to ring for
        self.lag = 0.0  # seconds between the newest delivered event and its delivery, by this machine's clock
        contact_log.listen(self._committed)

    async def start(self) -> None:
        """Stands at the end of the log; only what comes later is delivered."""
        row = await self._pool.fetchrow(_SQL.horizon)
        assert row is not None
        self.cursor = Cursor(row["epoch"], row["xid"], _MAX_SEQ)

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def hear(self, callback: Callable[[Signal], None]) -> Callable[[], None]:
        """Signals of every node, as they come."""
        self._hearers.append(callback)
        return lambda: self._hearers.remove(callback)

    def signal(self, signal: Signal) -> None:
        """To all of this process at once, to other nodes a moment later."""
        self._tell(signal)
        if not self.alone and len(self._signals) < _MOST_SIGNALS:
            self._signals.append(f"{signal.interaction} {signal.what} {signal.by}")
            self._go_and_ring()

    def _tell(self, signal: Signal) -> None:
        for hearer in tuple(self._hearers):
            hearer(signal)

    def _heard(self, _connection: object, pid: int, _channel: object, said: object) -> None:
        if self._bell is None or pid != self._bell.get_server_pid():
            interaction, what, by = str(said).split(" ")
            self._tell(Signal(int(interaction), what, by))

    def _committed(self, _events: Sequence[Event]) -> None:
        self._wake.set()
        if not self.alone:
            self._go_and_ring()

    def _go_and_ring(self) -> None:
        if self._bell is not None:
            self._ring_again = True
            if self._ringing is None:
                self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        """NOTIFY after commit and coalesced: inside the transactions it would take a global lock at each commit."""
        try:
            while self._ring_again and self._bell is not None and not self._bell.is_closed():
                self._ring_again = False
                signals, self._signals = self._signals, []
                async with self._at_the_bell:
                    await self._bell.execute(f"notify {_CHANNEL}")
                    if signals:
                        await self._bell.execute(_SQL.signal, _SIGNALS, signals)
        except _RING_LOST:
            pass  # the other nodes' slow poll covers it; `listen` connects anew
        finally:
            self._ringing = None

    async def listen(self) -> None:
        """Holds the doorbell's connection; it may die silently, so it is asked every few seconds. Supervised."""
        bell = await asyncpg.connect(self._dsn, server_settings={"application_name": "callcenter doorbell"})
        try:
            await bell.add_listener(_CHANNEL, lambda *_: self._wake.set())
            await bell.add_listener(_SIGNALS, self._heard)
            self._bell = bell
            self._wake.set()
            while True:
                await asyncio.sleep(5)
                async with asyncio.timeout(5), self._at_the_bell:
                    await bell.execute("select 1")
        finally:
            self._bell = None
            bell.terminate()

    async def run(self) -> None:
        """Reads for ever. Supervised; after a crash it goes on at its cursor."""
        loop = asyncio.get_running_loop()
        complain_at = loop.time() + _HELD_BACK
        read_at = 0.0
        while True:
            if (breath := read_at + _BREATH - loop.time()) > 0:
                await asyncio.sleep(breath)
            self._wake.clear()
            before = self.cursor
            beyond = await self.read()
            read_at = loop.time()
            if not beyond or self.cursor > before:
                complain_at = loop.time() + _HELD_BACK
            elif loop.time() > complain_at:
                log.warning("feed.held_back", by=await self._holder())
                complain_at += _HELD_BACK
            try:
                async with asyncio.timeout(_BEYOND if beyond else _POLL):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def read(self) -> bool:
        """Delivers all that is settled; whether rows exist that are not. One at a time, whoever asks."""
        async with self._reading:
            while True:
                events, beyond = await self._page(self.cursor, _PAGE)
                if events:
                    self.cursor = events[-1].cursor
                    self.lag = (self._clock() - events[-1].at).total_seconds()
                    self._deliver(events)
                if len(events) < _PAGE:
                    return beyond

    def _deliver(self, events: Sequence[Event]) -> None:
        """To all, also when one fails: the cursor has moved, and the others must not miss it."""
        with ExitStack() as all_of_them:
            for subscriber in reversed(self._subscribers):
                all_of_them.callback(subscriber, events)

    async def _page(self, after: Cursor, limit: int) -> tuple[list[Event], bool]:
        rows = await self._pool.fetch(_SQL.page, after.epoch, str(after.xid), after.seq, limit)
        events: list[Event] = []
        for row in rows:
            if not row["settled"]:
                return events, True
            events.append(event_of(row))
        return events, False

    async def _holder(self) -> str | None:
        """In words, which backend holds events back."""
        row = await self._pool.fetchrow(_SQL.holder)
        if row is None:
            return None
        return f"backend {row['pid']} ({row['application_name']}) has a transaction open for {row['seconds']:.0f} s"
