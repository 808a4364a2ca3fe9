"""The whole demo as one thing that runs: company, server, a PBX beside it, callers on its lines, agents at phones."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

from pydantic import SecretStr

from callcenter import app
from callcenter.app import Running
from callcenter.demo.callers import Callers
from callcenter.demo.chats import Chatters
from callcenter.demo.company import prepare, read_file
from callcenter.demo.history import Size
from callcenter.demo.robots import Login, Robots
from callcenter.demo.shop import KEY, Shop, a_shop, with_site
from callcenter.demo.traffic import Traffic
from callcenter.domain.agent import Role
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.settings import PbxSettings, Settings
from callcenter.store.directory import Directory
from callcenter.store.embedded import database
from callcenter.supervisor import Supervisor
from channels.telephony.fakepbx import FakePbx

# The agent whom nobody plays: whoever looks at the demo may be her.
VISITOR = "amy"
_VISITORS_QUEUE = "support"
# Seconds until her telephone answers by itself: enough to read the pop.
_VISITORS_PHONE = 3.0
_PBX = "demo"
_STOP_WITHIN = timedelta(seconds=2.5)


@asynccontextmanager
async def show(
    settings: Settings, *, size: Size, traffic: bool, speed: float, tell: Callable[[str], None]
) -> AsyncIterator[tuple[Running, OrganisationFile]]:
    """A server with everything that the demo is; raises as `app.running` does, and Invalid for a database in use.

    `speed`: how much faster than people the played ones are. `tell` is given what takes long, for a person to read.
    """
    beside = settings.http_port + 1 if settings.http_port else 0
    async with a_shop(settings.http_host, beside) as shop, database(settings) as dsn:
        file = with_site(read_file(), shop.url)
        await prepare(dsn, file, size=size, now=app.clock(), tell=tell)
        if not traffic:
            async with app.running(settings, dsn) as server:
                shop.server = server.url
                yield server, file
            return
        pbx = FakePbx(
            agi=(settings.agi_host, settings.agi_port),
            name=_PBX,
            secret=secrets.token_urlsafe(16),
            keep_history=False,
        )
        await pbx.start()
        try:
            async with app.running(_with(settings, pbx), dsn) as server:
                shop.server = server.url
                pbx.nodes = [(settings.agi_host, server.agi_port)]
                async with _played(server, pbx, file, shop, speed=speed):
                    yield server, file
        finally:
            await pbx.stop()


def _with(settings: Settings, pbx: FakePbx) -> Settings:
    """These settings with one PBX more."""
    beside = PbxSettings(
        name=pbx.name,
        ami_host="127.0.0.1",
        ami_port=pbx.ami_port,
        ami_user=pbx.user,
        ami_secret=SecretStr(pbx.secret),
    )
    return settings.model_copy(update={"pbx": (*[each for each in settings.pbx if each.name != pbx.name], beside)})


def _logins(file: OrganisationFile) -> list[Login]:
    return [
        Login(user.name, user.password, user.endpoint)
        for user in file.organisation.users
        if user.role is Role.AGENT and user.password is not None and user.endpoint is not None
    ]


def _beside_visitor(file: OrganisationFile) -> frozenset[str]:
    """Who is asked for the same calls without delay."""
    return frozenset(
        member.agent
        for queue in file.organisation.queues
        if queue.name == _VISITORS_QUEUE
        for member in queue.members
        if member.agent != VISITOR and not member.delay
    )


@asynccontextmanager
async def _played(
    server: Running, pbx: FakePbx, file: OrganisationFile, shop: Shop, *, speed: float
) -> AsyncIterator[None]:
    dice = Random()  # noqa: S311 - every day is another
    logins = _logins(file)
    directory = Directory(server.pool)
    await directory.load()
    traffic = Traffic(
        pbx,
        await Callers.load(server.pool, directory.queues, dice),
        timezone=directory.organisation.timezone,
        dice=dice,
        clock=app.clock,
        speed=speed,
    )
    visitor = next((login for login in logins if login.name == VISITOR), None)
    if visitor is not None:
        pbx.phone(visitor.endpoint, answers_after=_VISITORS_PHONE / speed)
    robots = Robots(
        server.url,
        [login for login in logins if login is not visitor],
        visitor=visitor,
        visitor_queue=_VISITORS_QUEUE,
        beside_visitor=_beside_visitor(file),
        pbx=pbx,
        traffic=traffic,
        dice=dice,
        speed=speed,
    )
    played = frozenset(directory.user_named(login.name).id for login in logins if login is not visitor)
    chatters = Chatters(server, key=KEY, site=shop.url, played=played, dice=dice, speed=speed)
    supervisor = Supervisor()
    supervisor.keep("demo agents", robots.run)
    supervisor.keep("demo callers", traffic.run)
    supervisor.keep("demo chatters", chatters.run)
    try:
        yield
    finally:
        await asyncio.shield(supervisor.stop(within=_STOP_WITHIN))
