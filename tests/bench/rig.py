"""A server, its callers and its agents put together for one run, and the times of both sides joined."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.bench.desks import Config
from tests.bench.figures import percentile
from tests.bench.load import Plan
from tests.bench.process import Failed, Program, cpu_seconds, program, python

_OPENING_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running floor or product; agents are (name, token)."""

    program: Program
    agi_port: int
    http_port: int
    socket_path: str
    agents: Sequence[tuple[str, str]]
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run of calls showed; latencies in milliseconds."""

    calls: int
    first_command: list[float]
    pops: list[float]
    wrapped: int
    faults: list[str]
    server_cpu: float  # seconds
    seconds: float  # from the first call due to the last one's end
    players_cpu: float  # seconds that callers and desks have used
    frame_bytes: int

    @property
    def complete(self) -> bool:
        return not self.faults

    def first_p99(self) -> float:
        """Infinite when any call got no command at all."""
        return percentile(self.first_command, 0.99) if len(self.first_command) == self.calls else float("inf")


@asynccontextmanager
async def open_desks(server: Server, folder: Path, *, count: int) -> AsyncIterator[tuple[Program, int]]:
    """The first `count` agents at their desks; gives the program and the port that takes the endings."""
    config = Config(server.http_port, server.socket_path, list(server.agents[:count]), server.disposition)
    path = folder / "desks.json"
    path.write_text(json.dumps(asdict(config)))
    async with program(*python("tests.bench.desks", str(path)), name="desks", folder=folder) as desks:
        (port,) = await desks.line("ready", within=_OPENING_WITHIN)
        yield desks, int(port)


async def play(server: Server, plan: Plan, folder: Path, *, desks: int) -> Seen:
    """One run: open the desks, play the calls, join what both sides saw."""
    async with open_desks(server, folder, count=desks) as (room, endings_port):
        plan = replace(plan, agi_port=server.agi_port, desks_port=endings_port if server.disposition else 0)
        before = cpu_seconds(server.program.pid)
        length = plan.calls / plan.rate if plan.rate else plan.calls / 10
        async with program(*python("tests.bench.load", *options(plan)), name="load", folder=folder) as load:
            told = json.loads(await load.output(within=length + 120))
        await room.end_of_input()
        saw = json.loads(await room.output(within=60))
        return _joined(told, saw, plan, cpu_seconds(server.program.pid) - before)


def options(plan: Plan) -> list[str]:
    """The command line of a plan."""
    words = []
    for name, value in asdict(plan).items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not False:
            words += [option, str(value)]
    return words


def _joined(told: dict[str, object], saw: dict[str, object], plan: Plan, server_cpu: float) -> Seen:
    calls, pops, wrapped = told["calls"], saw["pops"], saw["wrapped"]
    assert isinstance(calls, list)
    assert isinstance(pops, dict)
    assert isinstance(wrapped, dict)
    if not calls:
        raise Failed("no call was played")
    faults = [str(fault) for fault in saw["faults"]]  # type: ignore[attr-defined]
    counts = {
        "calls timed out": sum(call["timed_out"] for call in calls),
        "calls without a command": sum(not call["first_command"] for call in calls),
        "calls that ended without CC_DONE": sum(not call["done"] for call in calls),
        "calls without a pop": sum(call["unique_id"] not in pops for call in calls),
        "desks lost": saw["lost"],
    }
    if plan.desks_port:
        counts["calls not wrapped up"] = len(calls) - len(wrapped)
    faults += [f"{count} {what}" for what, count in counts.items() if count]
    return Seen(
        calls=len(calls),
        first_command=[(call["first_command"] - call["due"]) / 1e6 for call in calls if call["first_command"]],
        pops=[(pops[call["unique_id"]] - call["sent"]) / 1e6 for call in calls if call["unique_id"] in pops],
        wrapped=len(wrapped),
        faults=faults,
        server_cpu=server_cpu,
        seconds=(max(call["ended"] for call in calls) - min(call["due"] for call in calls)) / 1e9,
        players_cpu=float(told["cpu"]) + float(saw["cpu"]),  # type: ignore[arg-type]
        frame_bytes=int(saw["bytes"]),  # type: ignore[call-overload]
    )
