"""The web doors on a database of their own, with people who may come in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from callcenter import toml
from callcenter.actions import agents, interactions, organisation, users
from callcenter.actions.surveys import FollowUp
from callcenter.domain.agent import Role
from callcenter.domain.interaction import Arrival, Channel
from callcenter.domain.organisation_file import understand
from callcenter.domain.password import protect
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.web import keys, site
from callcenter.web.api_opinions import WORDS
from tests.builders import FakeWaits

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
    readiness: dict[str, Any]
    waits: FakeWaits
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

    async def arrive(self, queue: str = "support", channel: Channel = Channel.PHONE, **more: Any) -> int:
        """A contact that waits."""
        number = await self.log.pool.fetchval("select count(*) from interaction")
        given = {"external_id": f"default/{number}", "address_kind": "phone", "address": "+8613800138000", **more}
        ident = self.directory.queue_named(queue).id
        arrival = Arrival(channel, pbx="default" if channel is Channel.PHONE else None, **given)
        events = await interactions.arrive(self.log, arrival, queue=ident, queued=True, node=None, now=self.clock())
        assert events[0].interaction is not None
        return events[0].interaction

    async def offer(self, interaction: int, agent: str) -> int:
        """The reservation, once the agent has been asked."""
        ident, now = self.ids[agent], self.clock()
        await agents.set_presence(self.log, ident, presence="on_queue", reason=None, actor=ident, now=now)
        events = await interactions.reserve(
            self.log, interaction, agent=ident, agent_version=None, reason="longest_idle",
            decision={"reason": "longest_idle"}, due=now + timedelta(seconds=15), now=now,
        )  # fmt: skip
        reservation = int(events[0].data["reservation"])
        await interactions.offer(self.log, reservation, due=now + timedelta(seconds=15), now=now)
        return reservation

    async def deliver(self) -> None:
        """Waits until the feed has delivered all that is committed: other tests' transactions may hold it back."""
        newest = await self.log.pool.fetchval("select max(seq) from contact_log")
        async with asyncio.timeout(30):
            while self.feed.cursor.seq != newest:
                await self.feed.read()

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


ORGANISATION = """
[organisation]
name = "Test"
region = "CN"
timezone = "Asia/Shanghai"

[[queues]]
name = "support"
numbers = ["95500"]
default = true
members = ["amy", "bo"]
wrap_up = { mode = "discretionary", dispositions = ["solved", "call_back"] }

[[queues]]
name = "billing"
numbers = ["95501"]
"""


@dataclass
class Phones:
    """A PBX that notes what it is told."""

    hung_up: list[int] = field(default_factory=list)
    called: list[tuple[int, int]] = field(default_factory=list)
    can_call: bool = True

    async def hang_up(self, interaction: int) -> None:
        self.hung_up.append(interaction)

    async def call(self, interaction: int, *, reservation: int, agent: int) -> bool:
        if self.can_call:
            self.called.append((interaction, agent))
        return self.can_call

    async def not_reached(self, interaction: int) -> None:
        raise NotImplementedError


@pytest.fixture
def switches() -> dict[str, Phones]:
    return {"default": Phones()}


@pytest.fixture
async def doors(pool: Any, database: str, now: datetime, switches: dict[str, Phones]) -> AsyncIterator[Doors]:
    """Agents amy and bo, supervisor sue; nobody has signed in."""
    log = ContactLog(pool)
    feed = Feed(pool, log, dsn=database)
    feed.alone = True
    await feed.start()
    directory = Directory(pool)
    clock = Clock(now)
    waits = FakeWaits()
    app = site.application()
    app[keys.SETTINGS] = Settings()
    app[keys.POOL] = pool
    app[keys.LOG] = log
    app[keys.FEED] = feed
    app[keys.DIRECTORY] = directory
    app[keys.CLOCK] = clock.__call__
    readiness: dict[str, Callable[[], Awaitable[str | None]]] = {}
    app[keys.READINESS] = readiness
    app[keys.WAITS] = waits
    app[WORDS] = lambda survey, score, _: FollowUp("Unhappy", f"{score}")
    site.add_routes(app, switches=switches)
    client = TestClient(TestServer(app))
    await client.start_server()
    made = Doors(client, log, directory, feed, clock, readiness, waits)
    await made.add_user("amy")
    await made.add_user("bo")
    await made.add_user("sue", Role.SUPERVISOR)
    file = understand(toml.parse(ORGANISATION, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=now)
    await pool.execute("update users set endpoint = 'PJSIP/' || name where role = 'agent'")
    await directory.load()
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
