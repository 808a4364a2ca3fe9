"""The call-centre server as processes of its own, driven by commands, REST and its two sockets alone."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from tests.telephony.lab.instance import SECRET, Instance
from tests.telephony.phones import free_port

COMMAND = [str(Path(sys.executable).with_name("callcenter"))]
ORGANISATION = Path(__file__).with_name("organisation.toml")
Item = dict[str, Any]


class Refused(Exception):
    """An HTTP answer of 400 and more."""


async def command(dsn: str, *words: str) -> str:
    """Run one `callcenter` command on a database and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        env={**os.environ, "CALLCENTER_DATABASE_URL": dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode().strip()


def moment(text: str) -> datetime:
    """Read a time of the API."""
    return datetime.fromisoformat(text)


class Follow:
    """A WebSocket whose frames are kept, each with the moment it was read."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._news = asyncio.Condition()
        self.frames: list[tuple[datetime, Item]] = []
        self.closed = False
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            at = datetime.now(UTC)
            async with self._news:
                self.frames.append((at, json.loads(message.data)))
                self._news.notify_all()
        async with self._news:
            self.closed = True
            self._news.notify_all()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._socket.close()

    async def more(self, seen: int) -> None:
        """Wait until there are more frames than `seen`, or none can come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.frames) > seen or self.closed)

    async def frame(self, wanted: Callable[[Item], bool], *, within: float = 15) -> tuple[datetime, Item]:
        """Return the first frame that is wanted, with the moment it was read."""
        seen = 0
        try:
            async with asyncio.timeout(within):
                while True:
                    for at, frame in self.frames[seen:]:
                        seen += 1
                        if wanted(frame):
                            return at, frame
                    assert not self.closed, "the connection was closed"
                    await self.more(seen)
        except TimeoutError:
            raise TimeoutError(f"not among {[frame.get('kind') or frame for _, frame in self.frames]}") from None


class Node:
    """One `callcenter serve` process."""

    def __init__(self, environment: Mapping[str, str], http: int, log: Path) -> None:
        self._environment, self._log_path = environment, log
        self.url = f"http://127.0.0.1:{http}"
        self.process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return self._log_path.read_text(errors="replace")

    async def start(self) -> None:
        """Start it and wait until it is ready, which takes about a second."""
        with self._log_path.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *COMMAND, "serve", env={**os.environ, **self._environment}, stdout=out, stderr=out
            )
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while self.process.returncode is None:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)
        raise AssertionError(f"the server ended:\n{self.log}")

    async def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait for its end; SIGKILL is a death."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(sign)
        try:
            async with asyncio.timeout(15):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


class Centre:
    """A call centre: its database, its nodes, and who looks at them through HTTP."""

    def __init__(self, dsn: str, tokens: Mapping[str, str], pbxs: Mapping[str, Instance], folder: Path) -> None:
        self.dsn = dsn
        self._tokens, self._pbxs, self._folder = tokens, pbxs, folder
        self.nodes: list[Node] = []
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._follows: list[Follow] = []

    async def close(self) -> None:
        """End everything, whatever of it fails to."""
        async with AsyncExitStack() as stack:
            for node in self.nodes:
                stack.push_async_callback(node.end)
            stack.push_async_callback(self._http.close)
            for follow in self._follows:
                stack.push_async_callback(follow.stop)

    # -- nodes

    async def start(self, *, ami: Mapping[str, int] | None = None) -> Node:
        """Start a node that listens where the PBXs ask for it; `ami` names other ports, 0 for none."""
        number = len(self.nodes)
        http = free_port()
        agi = {instance.ports.agi[number] for instance in self._pbxs.values()}
        assert len(agi) == 1, "every PBX asks the same servers"
        settings = [f'node_name = "node-{number}"', f"http_port = {http}", f"agi_port = {agi.pop()}", "smtp_port = 0"]
        for name, instance in self._pbxs.items():
            port = (ami or {}).get(name, instance.ports.ami)
            settings += ["[[pbx]]", f'name = "{name}"', 'dial_out = "PJSIP/{number}@trunk"']
            if port:
                settings += ['ami_host = "127.0.0.1"', f"ami_port = {port}", 'ami_secret_env = "LAB_SECRET"']
        file = self._folder / f"node-{number}.toml"
        file.write_text("\n".join(settings) + "\n")
        environment = {"CALLCENTER_CONFIG": str(file), "CALLCENTER_DATABASE_URL": self.dsn, "LAB_SECRET": SECRET}
        node = Node(environment, http, self._folder / f"node-{number}.log")
        self.nodes.append(node)
        await node.start()
        return node

    # -- REST

    async def call(self, method: str, path: str, body: Item | None = None, *, by: str = "sue", node: int = -1) -> Any:
        """One request to `/api/v1`; raises Refused with the problem document."""
        headers = {"Authorization": f"Bearer {self._tokens[by]}"}
        url = f"{self.nodes[node].url}/api/v1{path}"
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise Refused(f"{answer.status} {text}")
            return json.loads(text) if text else None

    async def interaction(self, ident: int) -> Item:
        found: Item = await self.call("GET", f"/interactions/{ident}")
        return found

    async def calls(self) -> list[Item]:
        """All phone calls, newest first."""
        items: list[Item] = (await self.call("GET", "/interactions?channel=phone&limit=100"))["items"]
        return items

    async def agent(self, name: str) -> Item:
        return next(agent for agent in (await self.call("GET", "/agents"))["items"] if agent["name"] == name)

    async def presence(self, name: str, presence: str, *, node: int = -1) -> None:
        await self.call("PUT", f"/agents/{name}/presence", {"presence": presence}, by=name, node=node)

    async def wrap_up(self, ident: int, *, by: str) -> None:
        await self.call("POST", f"/interactions/{ident}/wrap-up", {"disposition": "solved", "note": "done"}, by=by)

    # -- sockets

    async def follow(self, path: str, *, by: str, node: int = -1) -> Follow:
        headers = {"Authorization": f"Bearer {self._tokens[by]}"}
        socket = await self._http.ws_connect(f"{self.nodes[node].url}/api/v1{path}", headers=headers, max_msg_size=0)
        follow = Follow(socket)
        self._follows.append(follow)
        return follow

    async def stream(self, *, node: int = -1) -> "Stream":
        return Stream(self, await self.follow("/stream", by="sue", node=node))

    async def desk(self, name: str, *, node: int = -1) -> Follow:
        """Open an agent's desk and put the agent on queue."""
        desk = await self.follow("/desk", by=name, node=node)
        await self.presence(name, "on_queue", node=node)
        return desk


class Stream:
    """The contact log as it is written, and the state that it leads to."""

    def __init__(self, centre: Centre, follow: Follow) -> None:
        self._centre, self._follow = centre, follow

    @property
    def kinds(self) -> list[str]:
        return [frame["kind"] for _, frame in self._follow.frames]

    async def event(self, kind: str, *, within: float = 15, **fields: object) -> Item:
        """Wait for an event of this kind whose fields, or fields of its data, have these values."""

        def wanted(frame: Item) -> bool:
            both = {**frame.get("data", {}), **frame}
            return frame["kind"] == kind and all(both.get(key) == value for key, value in fields.items())

        return (await self._follow.frame(wanted, within=within))[1]

    async def interaction(self, ident: int, *, within: float = 15, **expected: object) -> Item:
        """Wait until the interaction has these values; it is read again after every event."""

        async def read() -> Item | None:
            item = await self._centre.interaction(ident)
            return item if all(item[key] == value for key, value in expected.items()) else None

        return await self._until(read, f"interaction {ident} {expected}", within)

    async def agent(self, name: str, *, within: float = 15, **expected: object) -> Item:
        """Wait until the agent has these values."""

        async def read() -> Item | None:
            item = await self._centre.agent(name)
            return item if all(item[key] == value for key, value in expected.items()) else None

        return await self._until(read, f"agent {name} {expected}", within)

    async def _until(self, read: Callable[[], Any], what: str, within: float) -> Item:
        try:
            async with asyncio.timeout(within):
                while True:
                    seen = len(self._follow.frames)
                    item: Item | None = await read()
                    if item is not None:
                        return item
                    assert not self._follow.closed, "the stream was closed"
                    await self._follow.more(seen)
        except TimeoutError:
            raise TimeoutError(f"not {what} after {self.kinds}") from None


@asynccontextmanager
async def centre(dsn: str, tokens: Mapping[str, str], pbxs: Mapping[str, Instance]) -> AsyncIterator[Centre]:
    """A call centre without a node yet; its nodes are stopped at the end, and their logs shown when a test fails."""
    with tempfile.TemporaryDirectory(prefix="centre-") as folder:
        one = Centre(dsn, tokens, pbxs, Path(folder))
        try:
            yield one
        finally:
            await one.close()
            for node in one.nodes:
                sys.stdout.write(node.log)
