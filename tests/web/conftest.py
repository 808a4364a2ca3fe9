"""The web doors on a database of their own, with people who may come in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from callcenter.actions import users
from callcenter.domain.agent import Role
from callcenter.domain.password import protect
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.web import keys, site

PASSWORD = "a long walk home"


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@cache
def _kept() -> str:
    return protect(PASSWORD)


@dataclass
class Doors:
    """The served application, and what a test needs to knock."""

    client: TestClient[Any, Any]
    log: ContactLog
    directory: Directory
    feed: Feed
    clock: Clock
    ids: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def add_user(self, name: str, role: Role = Role.AGENT) -> int:
        ident = await users.create_user(
            self.log, name, full_name=name.title(), role=role, password=None, actor=None, now=self.clock()
        )
        await self.log.pool.execute("update users set password_hash = $2 where id = $1", ident, _kept())
        self.ids[name] = ident
        self.tokens[name] = await users.create_token(
            self.log, ident, name="test", expires_at=None, actor=None, now=self.clock()
        )
        await self.directory.load()
        return ident

    async def call(self, who: str | None, method: str, path: str, **more: Any) -> ClientResponse:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, who: str | None, path: str, **more: Any) -> Any:
        """The JSON of a GET that must succeed."""
        response = await self.call(who, "GET", path, **more)
        assert response.status == 200, await response.text()
        return await response.json()


@pytest.fixture
async def doors(pool: Any, database: str, now: datetime) -> AsyncIterator[Doors]:
    """Agents amy and bo, supervisor sue; nobody has signed in."""
    log = ContactLog(pool)
    feed = Feed(pool, log, dsn=database)
    feed.alone = True
    await feed.start()
    directory = Directory(pool)
    clock = Clock(now)
    app = site.application()
    app[keys.SETTINGS] = Settings()
    app[keys.POOL] = pool
    app[keys.LOG] = log
    app[keys.FEED] = feed
    app[keys.DIRECTORY] = directory
    app[keys.CLOCK] = clock.__call__
    app[keys.READINESS] = {}
    app.add_routes(site.routes())
    client = TestClient(TestServer(app))
    await client.start_server()
    made = Doors(client, log, directory, feed, clock)
    await made.add_user("amy")
    await made.add_user("bo")
    await made.add_user("sue", Role.SUPERVISOR)
    yield made
    await client.close()


SignIn = Callable[..., Awaitable[str]]


@pytest.fixture
def sign_in(doors: Doors) -> SignIn:
    """Signs in with the cookie jar of the client; gives the CSRF token."""

    async def sign_in(name: str, password: str = PASSWORD) -> str:
        response = await doors.client.post("/api/v1/session", json={"name": name, "password": password})
        assert response.status == 201, await response.text()
        return str((await response.json())["csrf"])

    return sign_in
