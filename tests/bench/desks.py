"""Plays agents at their desks: a WebSocket each, a stamp for each pop, and wrap-up when a call has ended.

A program of its own: `python -m tests.bench.desks CONFIG.json`. Prints `ready PORT` when all desks are open; the ended
calls' unique ids are written to that port, one a line. When standard input ends, what was seen goes as JSON to standard
output.
"""

import asyncio
import json
import re
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench.wire import Client, Socket

_EXTERNAL_ID = re.compile(rb'"external_id": ?"[^"]*?(\d{10}\.\d+)"')
_INTERACTION = re.compile(rb'"interaction": ?(\d+)')
_OPENING_AT_ONCE = 20
# The caller's connection may end a moment before the end of the call is committed.
_WRAP_UP_TRIES = 50
# An agent who has talked says what came of it when the pop is there, however late; seconds.
_POP_WITHIN = 5.0
_WRAP_UP_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Config:
    """`agents` are name and token; without a token (the floor) they only listen."""

    port: int
    path: str
    agents: list[tuple[str, str]]
    disposition: str | None = None


class Desk:
    """One agent."""

    def __init__(self, floor: "Room", name: str, token: str) -> None:
        self._room = floor
        self._name = name
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._socket: Socket | None = None
        self._client = Client(floor.config.port, self._headers)

    async def open(self) -> None:
        """Connect, and go on queue."""
        loop = asyncio.get_running_loop()
        self._socket = Socket(self._room.config.path, self._headers, self._take)
        socket = self._socket
        await loop.create_connection(lambda: socket, "127.0.0.1", self._room.config.port)
        await socket.opened
        if self._headers:
            status, body = await self._client.send(
                "PUT", f"/api/v1/agents/{self._name}/presence", {"presence": "on_queue"}
            )
            if status >= 300:
                raise ConnectionError(f"presence of {self._name}: {status} {body.decode(errors='replace')}")

    async def wrap_up(self, interaction: int) -> int:
        """Send the disposition until it is taken; gives how often it came too early."""
        body = {"disposition": self._room.config.disposition, "note": "Asked about an order."}
        status, answer = 0, b""
        for early in range(_WRAP_UP_TRIES):
            status, answer = await self._client.send("POST", f"/api/v1/interactions/{interaction}/wrap-up", body)
            if status < 300:
                return early
            await asyncio.sleep(_WRAP_UP_PAUSE)  # the end is being committed; no frame tells a desk of it
        raise ConnectionError(f"wrap-up of {interaction}: {status} {answer.decode(errors='replace')}")

    def close(self) -> None:
        """Leave."""
        self._client.close()
        if self._socket:
            self._socket.close()

    @property
    def lost(self) -> bool:
        return self._socket is None or self._socket.closed

    def _take(self, frame: bytes) -> None:
        now = time.monotonic_ns()
        self._room.frames += 1
        self._room.bytes += len(frame)
        if frame.find(b'"pop"', 0, 40) < 0:
            return
        external, interaction = _EXTERNAL_ID.search(frame), _INTERACTION.search(frame)
        if external and interaction:
            self._room.popped(external[1].decode(), now, self, int(interaction[1]))


class Room:
    """All agents and what they saw."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.frames = 0
        self.bytes = 0
        self._desks = [Desk(self, name, token) for name, token in config.agents]
        self._pops: dict[str, tuple[int, Desk, int]] = {}
        self._late: dict[str, asyncio.Event] = {}
        self._wrapped: dict[str, int] = {}
        self._early = 0
        self._faults: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def popped(self, unique_id: str, at: int, desk: Desk, interaction: int) -> None:
        """The first frame with a call's content counts."""
        self._pops.setdefault(unique_id, (at, desk, interaction))
        if late := self._late.get(unique_id):
            late.set()

    async def open(self) -> None:
        """All desks, a few at a time."""
        few = asyncio.Semaphore(_OPENING_AT_ONCE)

        async def one(desk: Desk) -> None:
            async with few:
                await desk.open()

        async with asyncio.TaskGroup() as group:
            for desk in self._desks:
                group.create_task(one(desk))

    async def take_endings(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lines with the unique ids of ended calls."""
        while line := await reader.readline():
            task = asyncio.create_task(self._wrap_up(line.strip().decode()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        writer.close()

    async def finish(self) -> dict[str, object]:
        """Wait for the wrap-ups under way; what was seen."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        lost = sum(desk.lost for desk in self._desks)
        for desk in self._desks:
            desk.close()
        return {
            "cpu": time.process_time(),
            "frames": self.frames,
            "bytes": self.bytes,
            "lost": lost,
            "early": self._early,
            "faults": self._faults[:5],
            "pops": {unique_id: at for unique_id, (at, _, _) in self._pops.items()},
            "wrapped": self._wrapped,
        }

    async def _wrap_up(self, unique_id: str) -> None:
        if unique_id not in self._pops:
            self._late[unique_id] = asyncio.Event()
            try:
                async with asyncio.timeout(_POP_WITHIN):
                    await self._late[unique_id].wait()
            except TimeoutError:
                self._faults.append(f"no pop for {unique_id}")
                return
        _, desk, interaction = self._pops[unique_id]
        try:
            self._early += await desk.wrap_up(interaction)
        except ConnectionError as error:
            self._faults.append(str(error))
            return
        self._wrapped[unique_id] = time.monotonic_ns()


async def _run(config: Config) -> dict[str, object]:
    room = Room(config)
    await room.open()
    server = await asyncio.start_server(room.take_endings, "127.0.0.1", 0)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()
    return await room.finish()


def main() -> None:
    """Read the configuration and play."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    fields = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(uvloop.run(_run(Config(**fields)))), flush=True)


if __name__ == "__main__":
    main()
