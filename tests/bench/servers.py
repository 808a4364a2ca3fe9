"""The two programs under measurement: the floor, and the product with its organisation, agents and tokens."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions import users
from callcenter.store.db import connect_pool
from callcenter.store.log import ContactLog
from tests.bench.dataset import agent_name
from tests.bench.letters import HOUSE
from tests.bench.process import Failed, Program, program, python
from tests.bench.rig import Server
from tests.bench.wire import Client

CALLED = "95500"
DISPOSITION = "solved"
_FLOOR_DESKS = 1_000
_READY_WITHIN = 30.0
_ORGANISATION = """\
[organisation]
name = "Bench"
region = "CN"
timezone = "Asia/Shanghai"
languages = ["en", "zh_CN"]

[[queues]]
name = "support"
numbers = ["{called}"]
default = true
members = [{members}]
ring_timeout = "15s"
service_level = {{ target = 0.8, within = "20s" }}
wrap_up = {{ mode = "optional", dispositions = ["{disposition}", "call_back"] }}
tiers = {{ gold = "5m", silver = "1m" }}

[[queues]]
name = "post"

[[mailboxes]]
address = "{house}"
queue = "post"
"""
_USER = """
[[users]]
name = "{name}"
full_name = "Agent {number}"
role = "agent"
endpoint = "PJSIP/{endpoint}"
"""


@dataclass(frozen=True, slots=True)
class Staff:
    """Who may sit down at a desk: names and bearer tokens."""

    agents: Sequence[tuple[str, str]]


@asynccontextmanager
async def floor(dsn: str, folder: Path) -> AsyncIterator[Server]:
    """The bare program."""
    async with program(*python("tests.bench.floor", "--dsn", dsn), name="floor", folder=folder) as running:
        agi, http = await running.line("ready", within=20)
        listeners = [(f"desk{number}", "") for number in range(_FLOOR_DESKS)]
        yield Server(running, int(agi), int(http), "/ws", listeners)


async def enrol(dsn: str, folder: Path, *, agents: int) -> Staff:
    """Apply an organisation of one queue and so many agents, with the product's own command, and make their tokens."""
    names = [agent_name(number) for number in range(1, agents + 1)]
    text = _ORGANISATION.format(
        called=CALLED, house=HOUSE, members=", ".join(f'"{name}"' for name in names), disposition=DISPOSITION
    )
    for number, name in enumerate(names, 1):
        text += _USER.format(name=name, number=number, endpoint=10_000 + number)
    path = folder / "organisation.toml"
    path.write_text(text)
    command = (_callcenter(), "apply", str(path))
    async with program(*command, name="apply", folder=folder, environment=_environment(dsn, folder)) as apply:
        await apply.output(within=120)
    pool = await connect_pool(dsn, max_size=2)
    try:
        log = ContactLog(pool)
        await pool.execute("delete from token")
        idents = {row["name"]: row["id"] for row in await pool.fetch("select id, name from users")}
        now = datetime.now(UTC)
        tokens = [
            await users.create_token(log, idents[name], name="bench", expires_at=None, actor=None, now=now)
            for name in names
        ]
    finally:
        await pool.close()
    return Staff(list(zip(names, tokens, strict=True)))


@asynccontextmanager
async def product(
    dsn: str, folder: Path, staff: Staff, *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """`callcenter serve` on a migrated database, ready."""
    async with serving(dsn, folder, settings=settings) as (running, agi_port, http_port):
        yield Server(running, agi_port, http_port, "/api/v1/desk", staff.agents, DISPOSITION)


@asynccontextmanager
async def serving(
    dsn: str,
    folder: Path,
    *,
    node: str = "bench",
    require_console: bool = True,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[Program, int, int]]:
    """`callcenter serve`, ready; the program, its AGI port and its HTTP port. `settings`: more of its environment."""
    agi_port, http_port = free_ports(2)
    environment = _environment(dsn, folder) | {
        "CALLCENTER_AGI_PORT": str(agi_port),
        "CALLCENTER_HTTP_PORT": str(http_port),
        "CALLCENTER_NODE_NAME": node,
        "CALLCENTER_REQUIRE_CONSOLE": str(require_console).lower(),
        **(settings or {}),
    }
    async with program(_callcenter(), "serve", name=f"serve-{node}", folder=folder, environment=environment) as running:
        await _ready(running, http_port)
        yield running, agi_port, http_port


async def start_seconds(dsn: str, folder: Path) -> float:
    """From the start of the process to the first `/readyz` that says yes."""
    begun = time.perf_counter()
    async with serving(dsn, folder):
        return time.perf_counter() - begun


async def _ready(running: Program, http_port: int) -> None:
    client = Client(http_port, {})
    try:
        async with asyncio.timeout(_READY_WITHIN):
            while True:
                with contextlib.suppress(OSError):
                    status, _ = await client.send("GET", "/readyz", None)
                    if status == 200:
                        return
                if running.ended:
                    raise Failed(f"callcenter serve ended: {running.last_words()}")
                await asyncio.sleep(0.01)  # a process that starts tells nobody when it is ready
    except TimeoutError:
        raise Failed(f"callcenter serve is not ready: {running.last_words()}") from None
    finally:
        client.close()


def _callcenter() -> str:
    return str(Path(sys.executable).with_name("callcenter"))


def _environment(dsn: str, folder: Path) -> dict[str, str]:
    return {
        "CALLCENTER_DATABASE_URL": dsn,
        "CALLCENTER_DATA_DIR": str(folder / "var"),
        "CALLCENTER_CONFIG": "",
        # A program that is installed has its byte code beside it, whatever this shell says.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [taken.getsockname()[1] for taken in sockets]
    finally:
        for taken in sockets:
            taken.close()
