"""`callcenter demo`: a call centre to look at, from nothing: database, company, history, server, calls."""

import argparse
import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

from pydantic import SecretStr

from callcenter import app, logs
from callcenter.app import Running
from callcenter.demo.banner import banner, in_colour
from callcenter.demo.callers import Callers
from callcenter.demo.company import prepare, read_file
from callcenter.demo.history import Size
from callcenter.demo.robots import Login, Robots
from callcenter.demo.traffic import Traffic
from callcenter.domain.agent import Role
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.settings import PbxSettings, Settings
from callcenter.store.directory import Directory
from channels.telephony.fakepbx import FakePbx

VISITOR = "amy"
_VISITORS_QUEUE = "support"
_VISITORS_PHONE = 3.0
_PBX = "demo"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "demo",
        help="serve a made-up company with a year of history and calls that come in",
        description="Makes what is missing (embedded database, company, history), serves, and lets the phones ring.",
    )
    parser.add_argument("--no-traffic", action="store_true", help="no calls by themselves (also: DEMO=0)")
    parser.add_argument("--customers", type=int, default=Size().customers, metavar="N", help="of the history (2000)")
    parser.add_argument("--contacts", type=int, default=Size().interactions, metavar="N", help="of the history (25000)")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than people the played ones are (1)")
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace, settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if "log_level" not in settings.model_fields_set:
        logs.configure(level="warning", style="console")
    work = asyncio.ensure_future(_work(given, settings))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        _say("\nStopping …")
    # Whatever was entered is left in order, half-made history too.
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return 0


async def _work(given: argparse.Namespace, settings: Settings) -> None:
    """Until it is cancelled."""
    file = read_file()
    size = Size(given.customers, given.contacts)
    traffic = not given.no_traffic and os.environ.get("DEMO") != "0"
    async with app.database(settings) as dsn:
        await prepare(dsn, file, size=size, now=app.clock(), tell=_say)
        if traffic:
            async with _played(settings, dsn, file, speed=given.speed) as server:
                await _ready(server, file, traffic=True)
        else:
            async with app.running(settings, dsn) as server:
                await _ready(server, file, traffic=False)


async def _ready(server: Running, file: OrganisationFile, *, traffic: bool) -> None:
    general = file.organisation.general
    _say(
        banner(
            name=general.name if general is not None else "Demo",
            url=server.url,
            users=file.organisation.users,
            visitor=VISITOR,
            traffic=traffic,
            command=_ourselves(),
            colour=in_colour(),
        )
    )
    await asyncio.Event().wait()


@asynccontextmanager
async def _played(settings: Settings, dsn: str, file: OrganisationFile, *, speed: float) -> AsyncIterator[Running]:
    """A server with a PBX beside it, callers on its lines and agents at its telephones."""
    dice = Random()  # noqa: S311 - every day is another
    secret = secrets.token_urlsafe(16)
    pbx = FakePbx(agi=(settings.agi_host, settings.agi_port), name=_PBX, secret=secret, keep_history=False)
    await pbx.start()
    try:
        beside = PbxSettings(
            name=_PBX, ami_host="127.0.0.1", ami_port=pbx.ami_port, ami_user=pbx.user, ami_secret=SecretStr(secret)
        )
        others = tuple(each for each in settings.pbx if each.name != _PBX)
        async with app.running(settings.model_copy(update={"pbx": (*others, beside)}), dsn) as server:
            pbx.nodes = [(settings.agi_host, server.agi_port)]
            playing = asyncio.ensure_future(_play(server, pbx, file, dice, speed))
            try:
                yield server
            finally:
                playing.cancel()
                with suppress(asyncio.CancelledError):
                    await playing
    finally:
        await pbx.stop()


async def _play(server: Running, pbx: FakePbx, file: OrganisationFile, dice: Random, speed: float) -> None:
    directory = Directory(server.pool)
    await directory.load()
    callers = await Callers.load(server.pool, directory.queues, dice)
    timezone = directory.organisation.timezone
    traffic = Traffic(pbx, callers, timezone=timezone, dice=dice, clock=app.clock, speed=speed)
    logins = [
        Login(user.name, user.password, user.endpoint)
        for user in file.organisation.users
        if user.role is Role.AGENT and user.password is not None and user.endpoint is not None
    ]
    visitor = next((login for login in logins if login.name == VISITOR), None)
    if visitor is not None:
        pbx.phone(visitor.endpoint, answers_after=_VISITORS_PHONE / speed)
    robots = Robots(
        server.url,
        [login for login in logins if login is not visitor],
        visitor=visitor,
        visitor_queue=_VISITORS_QUEUE,
        pbx=pbx,
        traffic=traffic,
        dice=dice,
        speed=speed,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(robots.run())
        group.create_task(traffic.run())


def _ourselves() -> str:
    """How the reader runs us, from here."""
    program = Path(sys.argv[0])
    try:
        return str(program.resolve().relative_to(Path.cwd()))
    except ValueError:
        return program.name


def _say(text: str) -> None:
    print(text, flush=True)
