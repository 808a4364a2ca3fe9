"""A whole server with a fake PBX beside it, for journeys."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import SecretStr

from callcenter.actions import users
from callcenter.app import Running, clock, running
from callcenter.domain.events import Event
from callcenter.settings import PbxSettings, Settings
from callcenter.store.pool import Pool
from channels.telephony.fakepbx import FakeCall, FakePbx
from tests.builders import eventually, make_customer, make_queue, make_user

PASSWORD = "correct horse battery"


@dataclass
class World:
    pbx: FakePbx
    server: Running
    agents: dict[str, int]
    queue: int
    http: aiohttp.ClientSession
    tokens: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)
    desks: dict[str, aiohttp.ClientWebSocketResponse] = field(default_factory=dict)
    frames: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def pool(self) -> Pool:
        return self.server.pool

    async def call(self, *, caller: str = "+8613800138000", to: str = "95500", **how: Any) -> FakeCall:
        return await self.pbx.call(caller=caller, to=to, **how)

    async def ask(self, method: str, path: str, *, who: str = "amy", **body: Any) -> Any:
        """REST as a user; the answer, or an AssertionError with the problem."""
        async with self.http.request(
            method,
            self.server.url + "/api/v1" + path,
            headers={"Authorization": f"Bearer {self.tokens[who]}"},
            json=body or None,
        ) as response:
            text = await response.text()
            assert response.status < 400, f"{response.status} {text}"
            return json.loads(text) if text else None

    async def wait_of(self, interaction: int) -> dict[str, Any]:
        """Its place and expected wait, as soon as they are known."""
        found: dict[str, Any] = {}

        async def known() -> bool:
            try:
                found.update(await self.ask("GET", f"/interactions/{interaction}/wait", who="sue"))
            except AssertionError as error:
                if "It is not known yet" not in str(error):
                    raise
            return bool(found)

        await eventually(known)
        return found

    async def open_desk(self, who: str) -> None:
        desk = await self.http.ws_connect(
            self.server.url + "/api/v1/desk", headers={"Authorization": f"Bearer {self.tokens[who]}"}
        )
        self.desks[who] = desk
        frames = self.frames.setdefault(who, [])
        self._read(desk, frames.append)

        async def is_open() -> bool:
            found: bool = await self.pool.fetchval(
                "select desk_lost_at is null from agent where user_id = $1", self.agents[who]
            )
            return found

        await eventually(is_open)

    async def on_queue(self, *names: str) -> None:
        for name in names:
            if name not in self.desks:
                await self.open_desk(name)
            await self.ask("PUT", f"/agents/{name}/presence", who=name, presence="on_queue")

    async def watch(self) -> None:
        """From now on `events` has what the stream says."""
        stream = await self.http.ws_connect(
            self.server.url + "/api/v1/stream", headers={"Authorization": f"Bearer {self.tokens['sue']}"}
        )
        self._read(stream, self.events.append)

    def _read(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[dict[str, Any]], None]) -> None:
        self._sockets.append(socket)

        async def read() -> None:
            async for message in socket:
                take(json.loads(message.data))
                async with self.changed:
                    self.changed.notify_all()

        self._tasks.append(asyncio.create_task(read()))

    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _changes: Iterator[int] = field(default_factory=itertools.count)
    _sockets: list[aiohttp.ClientWebSocketResponse] = field(default_factory=list)

    async def applied(self) -> None:
        """The organisation was changed in the database, and the server knows what it is now."""
        change = next(self._changes)
        async with self.server.log.transaction() as tx:
            await tx.append("organisation.applied", data={"change": change}, now=clock())
        await self.until("organisation.applied", change=change)

        async def known() -> bool:
            return not self.server.directory.stale

        await eventually(known)

    async def until(self, kind: str, *, count: int = 1, within: float = 20, **fields: Any) -> dict[str, Any]:
        """The count-th event of a kind with these fields."""

        def found() -> list[dict[str, Any]]:
            return [
                event
                for event in self.events
                if event["kind"] == kind
                and all(event.get(key, event["data"].get(key)) == value for key, value in fields.items())
            ]

        async def wait() -> dict[str, Any]:
            async with self.changed:
                await self.changed.wait_for(lambda: len(found()) >= count)
            return found()[count - 1]

        try:
            async with asyncio.timeout(within):
                return await wait()
        except TimeoutError:
            kinds = [
                (event["kind"], event["data"].get("cause") or event["data"].get("reason")) for event in self.events
            ]
            raise AssertionError(f"no {kind} {fields} number {count} among {kinds}") from None

    async def pop(self, who: str, *, count: int = 1, within: float = 10) -> dict[str, Any]:
        def pops() -> list[dict[str, Any]]:
            return [frame for frame in self.frames.get(who, []) if frame["type"] == "pop"]

        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(lambda: len(pops()) >= count)
        return pops()[count - 1]

    async def interaction(self, ident: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("GET", f"/interactions/{ident}", who="sue")
        return found

    async def status(self, name: str) -> str:
        status: str = await self.pool.fetchval("select routing_status from agent where user_id = $1", self.agents[name])
        return status

    async def settled(self, name: str, status: str, *, within: float = 20) -> None:
        """Until an agent has a routing status."""
        async with asyncio.timeout(within):
            while await self.status(name) != status:
                async with self.changed:
                    try:
                        async with asyncio.timeout(0.05):
                            await self.changed.wait()
                    except TimeoutError:
                        continue

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self._sockets:
            await socket.close()


def settings_for(pbx: FakePbx, *, ami: bool = True, **changes: Any) -> Settings:
    return Settings(
        http_port=0,
        agi_port=0,
        node_name=changes.pop("node_name", "test"),
        pbx=(
            PbxSettings(
                name=pbx.name,
                dial_out="PJSIP/{number}@trunk",
                ami_host="127.0.0.1" if ami else None,
                ami_port=pbx.ami_port,
                ami_user=pbx.user,
                ami_secret=SecretStr(pbx.secret) if ami else None,
            ),
        ),
        **changes,
    )


@asynccontextmanager
async def a_world(
    dsn: str, *, ami: bool = True, queue: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[World]:
    """Agents amy, bo and cy with phones 1001 to 1003, supervisor sue, queue support at 95500; nobody is on queue."""
    pbx = FakePbx(agi=("127.0.0.1", 1))
    await pbx.start()
    try:
        async with running(settings_for(pbx, ami=ami, **changes), dsn) as server, aiohttp.ClientSession() as http:
            pbx.nodes[:] = [("127.0.0.1", server.agi_port)]
            agents, tokens = {}, {}
            log = server.log
            for number, name in enumerate(("amy", "bo", "cy"), 1001):
                agents[name] = await make_user(server.pool, name, endpoint=f"PJSIP/{number}")
                pbx.phone(f"PJSIP/{number}", answers_after=0.02)
            agents["sue"] = await make_user(server.pool, "sue", role="supervisor", endpoint="PJSIP/1009")
            ident = await make_queue(
                server.pool, numbers=["95500"], members=[agents[n] for n in ("amy", "bo", "cy")], **(queue or {})
            )
            await make_customer(server.pool, phone="+8613800138000")
            for name, user in agents.items():
                tokens[name] = await users.create_token(
                    log, user, name="test", expires_at=None, actor=None, now=clock()
                )
            world = World(pbx, server, agents, ident, http, tokens)
            await world.watch()
            try:
                await world.applied()
                yield world
            finally:
                await world.close()
    finally:
        await pbx.stop()


def kinds_of(events: list[dict[str, Any]], interaction: int) -> list[str]:
    return [event["kind"] for event in events if event["interaction"] == interaction]


__all__ = ["Event", "World", "a_world", "kinds_of", "settings_for"]
