"""The consoles on a database of their own, with people who may come in."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse, CookieJar, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from callcenter.domain.events import Cursor, Event
from callcenter.domain.password import protect
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store import nodes
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.web import keys, site
from channels.channel import Ground
from channels.forms.adapter import Forms
from screenpop import site as consoles
from screenpop.i18n import load_languages
from screenpop.live import Hub
from screenpop.render import Renderer
from tests.builders import NOW, FakeWaits, make_queue, make_user

PASSWORD = "a long walk home"


@cache
def _kept() -> str:
    return protect(PASSWORD)


@cache
def _renderer() -> Renderer:
    # Templates are compiled once for all tests of a process.
    return Renderer(load_languages())


@dataclass
class Moment:
    """The clock of the pages."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class House:
    """The served application; nobody has signed in."""

    client: TestClient[Any, Any]
    log: ContactLog
    feed: Feed
    directory: Directory
    hub: Hub
    users: dict[str, int]
    queue: int
    waits: FakeWaits
    moment: Moment
    csrf: dict[str, str] = field(default_factory=dict)

    @property
    def pool(self) -> Pool:
        return self.log.pool

    async def sign_in(self, name: str) -> str:
        """With the cookie jar of the client, as a browser would; the CSRF token."""
        self.client.session.cookie_jar.clear()
        body = {"name": name, "password": PASSWORD}
        response = await self.client.post("/sign-in", data=body, allow_redirects=False)
        assert response.status == 303, await response.text()
        found = await (await self.client.get("/api/v1/session")).json()
        self.csrf[name] = found["csrf"]
        return self.csrf[name]

    async def act(self, who: str, path: str, /, **fields: str) -> ClientResponse:
        """A form of the desk, as htmx sends it."""
        headers = {"X-CSRF-Token": self.csrf[who], "HX-Request": "true"}
        return await self.client.post(path, data=fields, headers=headers)

    async def desk(self, name: str, *, view: str = "desk") -> ClientWebSocketResponse:
        origin = str(self.client.make_url("")).rstrip("/")
        return await self.client.ws_connect(f"/api/v1/desk?view={view}", headers={"Origin": origin})

    async def read_feed(self) -> None:
        await self.feed.read()


@pytest.fixture
async def house(pool: Pool, database: str) -> AsyncIterator[House]:
    """Agents amy and bo, supervisor sue; queue support with amy and bo in it."""
    log = ContactLog(pool)
    users = {
        name: await make_user(pool, name, role=role, password_hash=_kept())
        for name, role in (("amy", "agent"), ("bo", "agent"), ("sue", "supervisor"))
    }
    queue = await make_queue(
        pool, numbers=["95500"], members=[users["amy"], users["bo"]], dispositions=["solved", "call_back"]
    )
    feed = Feed(pool, log, dsn=database, clock=lambda: NOW)
    feed.alone = True
    await feed.start()
    directory = Directory(pool)
    await directory.load()
    node = await nodes.register(pool, "here", agi_host="", agi_port=0, now=NOW)
    moment = Moment()
    app = site.application()
    app[keys.SETTINGS] = Settings()
    app[keys.POOL] = pool
    app[keys.LOG] = log
    app[keys.FEED] = feed
    app[keys.DIRECTORY] = directory
    app[keys.NODE] = node
    app[keys.CLOCK] = moment.__call__
    app[keys.READINESS] = {}
    app[keys.WAITS] = waits = FakeWaits()
    hub = Hub(log, feed, directory, node=node, clock=lambda: NOW, renderer=_renderer())
    site.add_routes(app, switches={})
    Forms(Ground(settings=app[keys.SETTINGS], log=log, directory=directory, clock=moment)).add_routes(app)
    consoles.add_routes(app, hub)
    client = TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True))
    await client.start_server()
    running = asyncio.create_task(hub.run())
    reading = asyncio.create_task(feed.run())
    yield House(client, log, feed, directory, hub, users, queue, waits, moment)
    running.cancel()
    reading.cancel()
    await asyncio.gather(running, reading, return_exceptions=True)
    await client.close()


async def frame(socket: ClientWebSocketResponse, kind: str, *, within: float = 30) -> dict[str, Any]:
    """The next frame of a type; others are passed over. Tests beside this one may hold the log back."""
    async with asyncio.timeout(within):
        while True:
            message = await socket.receive()
            assert message.type is WSMsgType.TEXT, message
            found: dict[str, Any] = message.json()
            if found["type"] == kind:
                return found


async def read_up(house: House) -> None:
    """Until the hub has read all that is in the log."""
    rows = await house.pool.fetch(
        "select epoch, xid::text::bigint, seq from contact_log order by xid desc, seq desc limit 1"
    )
    newest = Cursor(*rows[0])
    reached = asyncio.Event()

    def note(_events: Sequence[Event]) -> None:
        if house.feed.cursor >= newest:
            reached.set()

    leave = house.feed.subscribe(note)
    note(())
    async with asyncio.timeout(20):
        await reached.wait()
    leave()
