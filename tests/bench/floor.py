"""The bare program of every ratio: FastAGI request, one database function, one frame on an agent's WebSocket.

It knows no agents, no states and no failures. `python -m tests.bench.floor --dsn …` prints `ready AGI_PORT HTTP_PORT`.
"""

import argparse
import asyncio
import contextlib
import itertools
import signal

import asyncpg
import uvloop
from aiohttp import web

_SETTLE = b'SET VARIABLE CC_DONE "1"\n'
_WAIT = b'EXEC Queue "support"\n'


class Desks:
    """The connected agents; calls go round."""

    def __init__(self) -> None:
        self._open: list[web.WebSocketResponse] = []
        self._turn = itertools.count()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        desk = web.WebSocketResponse(compress=False)
        await desk.prepare(request)
        self._open.append(desk)
        async for _ in desk:
            pass
        self._open.remove(desk)
        return desk

    async def pop(self, frame: str) -> None:
        """Write one frame to the next agent."""
        if self._open:
            await self._open[next(self._turn) % len(self._open)].send_str(frame)


class Call(asyncio.Protocol):
    """One FastAGI session: environment, pop, two commands, end."""

    __slots__ = ("_buffer", "_commands", "_desks", "_environment", "_pool", "_task", "_transport")

    def __init__(self, pool: asyncpg.Pool, desks: Desks) -> None:
        self._pool = pool
        self._desks = desks
        self._buffer = b""
        self._environment: dict[str, str] | None = None
        self._commands = iter((_SETTLE, _WAIT))
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._environment is None:
            head, end, self._buffer = self._buffer.partition(b"\n\n")
            if not end:
                self._buffer = head
                return
            lines = head.decode("utf-8", "replace").split("\n")
            self._environment = dict(line.split(": ", 1) for line in lines if ": " in line)
            self._task = asyncio.get_running_loop().create_task(self._arrive(self._environment))
        elif self._buffer.endswith(b"\n"):
            self._buffer = b""
            self._go_on()

    async def _arrive(self, environment: dict[str, str]) -> None:
        caller, unique, called = environment["agi_callerid"], environment["agi_uniqueid"], environment["agi_extension"]
        pop = await self._pool.fetchval("select floor.pop($1, $2, $3)", caller, unique, called)
        stamp = environment.get("agi_arg_1", "0")
        await self._desks.pop(f'{{"type":"pop","external_id":"{unique}","t": {stamp},{pop}}}')
        self._go_on()

    def _go_on(self) -> None:
        assert self._transport is not None
        command = next(self._commands, None)
        if command is None:
            self._transport.close()
        else:
            self._transport.write(command)


async def serve(dsn: str, *, agi_port: int, http_port: int, connections: int) -> None:
    """Run until SIGTERM or SIGINT; port 0 lets the system choose."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    desks = Desks()
    app = web.Application()
    app.add_routes([web.get("/ws", desks.connect)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", http_port)
    await site.start()
    async with asyncpg.create_pool(dsn, min_size=connections, max_size=connections) as pool:
        agi = await loop.create_server(lambda: Call(pool, desks), "127.0.0.1", agi_port, backlog=1024)
        print("ready", agi.sockets[0].getsockname()[1], runner.addresses[0][1], flush=True)
        await ended.wait()
        agi.close()
        await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--agi-port", type=int, default=0)
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--connections", type=int, default=8)
    args = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(args.dsn, agi_port=args.agi_port, http_port=args.http_port, connections=args.connections))


if __name__ == "__main__":
    main()
