"""A thousand visitors who chat: how soon an agent's side hears a line, and what a connected visitor costs in memory."""

import asyncio
import hashlib
import json
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import aiohttp

from callcenter.actions import users
from callcenter.store.db import connect_pool
from callcenter.store.log import ContactLog
from channels.web.visitor import Visitor
from tests.bench.calls import Bench
from tests.bench.figures import Row, Target, Unit, percentile
from tests.bench.ground import fresh_database
from tests.bench.process import Failed, cpu_seconds, resident_bytes
from tests.bench.servers import serving

_SITE = "https://shop.example"
_VISITORS = 1_000
# Of one address as many as are let in; each has its own of the loopback.
_OF_ONE = 25
# A thousand who write twice a minute.
_LINES_A_SECOND = 33
_OPENING_AT_ONCE = 10


class _Room:
    """All visitors, and one who watches as an agent's console does. Both stamp by the same clock."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], float] = {}
        self.took: list[float] = []
        self.chats: dict[int, str] = {}
        self.heard = asyncio.Event()

    async def watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            now = time.perf_counter()
            event = json.loads(message.data)
            if event["kind"] == "interaction.arrived":
                self.chats[event["interaction"]] = event["data"]["external_id"]
            elif event["kind"] == "message.received":
                key = self.chats[event["interaction"]], event["data"]["line"]
                if key in self.sent:
                    self.took.append((now - self.sent.pop(key)) * 1000)
            self.heard.set()


def _name(visitor: Visitor) -> str:
    """As the log calls its chat."""
    return hashlib.sha256(b"chat\0" + visitor.token.encode()).hexdigest()


async def chats(bench: Bench) -> list[Row]:
    seconds = 5 if bench.quick else 20
    async with fresh_database(bench.server, "bench_chats") as dsn:
        token = await _organisation(dsn)
        async with serving(dsn, bench.folder, node="chats") as (program, _, port), AsyncExitStack() as stack:
            room = _Room()
            http = await stack.enter_async_context(aiohttp.ClientSession())
            url = f"http://127.0.0.1:{port}"
            bearer = {"Authorization": f"Bearer {token}"}
            watching = asyncio.create_task(
                room.watch(await http.ws_connect(f"{url}/api/v1/stream", headers=bearer, max_msg_size=0))
            )
            stack.callback(watching.cancel)
            # The first ones make what all share.
            visitors = await _enter(room, stack, url, first=0, count=2 * _OF_ONE)
            await asyncio.sleep(2)  # they have settled: no event tells of it
            before = resident_bytes(program.pid)
            visitors += await _enter(room, stack, url, first=2, count=_VISITORS - 2 * _OF_ONE)
            await asyncio.sleep(2)  # the last answers are out, and memory stands still
            each = (resident_bytes(program.pid) - before) / (_VISITORS - 2 * _OF_ONE) / 1024
            room.took.clear()
            used = cpu_seconds(program.pid)
            await _write(room, visitors, lines=_LINES_A_SECOND * seconds)
            used = (cpu_seconds(program.pid) - used) / (_LINES_A_SECOND * seconds) * 1000
            p50, p99 = percentile(room.took, 0.5), percentile(room.took, 0.99)
    bench.say(f"chats: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {each:.1f} KiB a visitor")
    note = f"{_VISITORS:,} visitors, {_LINES_A_SECOND} lines/s; at a reader of the log"
    return [
        Row("a visitor's line at the agent's side, p50", Unit.MS, p50, note=note),
        Row("a visitor's line at the agent's side, p99", Unit.MS, p99, target=Target(25), note=note),
        Row("processor time of a line, database not counted", Unit.CPU_MS, used, note=note),
        Row("memory of a visitor in a chat", Unit.KIB, each, target=Target(60), note=note),
    ]


async def _organisation(dsn: str) -> str:
    """A queue with a widget, and a supervisor's token."""
    pool = await connect_pool(dsn, max_size=2)
    try:
        await pool.execute("insert into queue (name, is_default) values ('support', true)")
        await pool.execute("insert into widget (key, queue_id, sites) select 'shop', id, $1 from queue", [_SITE])
        ident = await pool.fetchval(
            "insert into users (name, full_name, role) values ('sue', 'Sue', 'supervisor') returning id"
        )
        now = datetime.now(UTC)
        return await users.create_token(ContactLog(pool), ident, name="bench", expires_at=None, actor=None, now=now)
    finally:
        await pool.close()


_Page = tuple[Visitor, aiohttp.ClientWebSocketResponse]


async def _enter(room: _Room, stack: AsyncExitStack, url: str, *, first: int, count: int) -> list[_Page]:
    """Each with a chat that waits; from addresses of the loopback behind the `first` ones."""
    few = asyncio.Semaphore(_OPENING_AT_ONCE)
    pages: list[_Page] = []

    async def one(http: aiohttp.ClientSession) -> None:
        visitor = Visitor()
        async with few:
            socket = await http.ws_connect(f"{url}/chat/shop", headers={"Origin": _SITE}, compress=0)
            for frame in (*visitor.connected(), *visitor.say("Hello?")):
                await socket.send_json(frame)
            while not visitor.lines:
                message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise Failed(f"a visitor was sent away: {message}")
                for frame in visitor.received(json.loads(message.data)):
                    await socket.send_json(frame)
        pages.append((visitor, socket))
        # Whoever does not read answers no ping either, and is taken for dead.
        reader = asyncio.create_task(_drain(socket))
        stack.callback(reader.cancel)

    async with asyncio.TaskGroup() as group:
        for number in range(count // _OF_ONE):
            address = f"127.0.0.{2 + first + number}"
            connector = aiohttp.TCPConnector(limit=0, local_addr=(address, 0))
            http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            for _ in range(_OF_ONE):
                group.create_task(one(http))
    return pages


async def _write(room: _Room, pages: list[_Page], *, lines: int) -> None:
    """At a steady rate, one visitor after the other."""
    try:
        begun = time.perf_counter()
        for number in range(lines):
            due = begun + number / _LINES_A_SECOND
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)  # until the next line is due
            visitor, socket = pages[number % len(pages)]
            (frame,) = visitor.say("It still beeps, and the lamp stays dark.")
            room.sent[_name(visitor), 2 + number // len(pages)] = time.perf_counter()
            await socket.send_json(frame)
        async with asyncio.timeout(30):
            while room.sent:
                room.heard.clear()
                await room.heard.wait()
    except TimeoutError:
        raise Failed(f"{len(room.sent)} of {lines} lines were not heard of") from None


async def _drain(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Drops what comes back."""
    async for _ in socket:
        pass
