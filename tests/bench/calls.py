"""Measures on the running servers: pops, whole calls, waiting calls, many agents, start and idle."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from callcenter.store.embedded import Embedded
from tests.bench.dataset import Sizes, clear
from tests.bench.figures import Row, Target, Unit, paired, percentile
from tests.bench.ground import checkpoint
from tests.bench.load import Plan
from tests.bench.process import Failed, cpu_seconds, program, python, resident_bytes
from tests.bench.rig import Seen, Server, open_desks, options, play
from tests.bench.servers import Staff, floor, product, serving, start_seconds

Say = Callable[[str], None]
_DESKS = 200


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measure needs. `quick` trades certainty for time."""

    server: Embedded
    dsn: str
    folder: Path
    sizes: Sizes
    staff: Staff
    quick: bool
    say: Say

    @property
    def rounds(self) -> int:
        return 2 if self.quick else 5

    def plan(self, calls: int, **more: float) -> Plan:
        """Calls by customers of the data set; each run begins with others than the run before."""
        first = int(asyncio.get_running_loop().time() * 1_000) % self.sizes.customers
        return replace(Plan(agi_port=0, calls=calls, customers=self.sizes.customers, first_caller=first), **more)  # type: ignore[arg-type]


async def pops(bench: Bench) -> list[Row]:
    """From the last byte of the AGI request to the pop's content on the agent's connection, at 50 calls a second."""
    rate, seconds = 50, 5 if bench.quick else 15
    found: list[tuple[Seen, Seen]] = []
    async with floor(bench.dsn, bench.folder) as bare, product(bench.dsn, bench.folder, bench.staff) as whole:
        for server in (bare, whole):
            await play(server, bench.plan(2 * rate, rate=rate, ring=0.2, talk=1.0), bench.folder, desks=_DESKS)
        for number in range(bench.rounds):
            pair = []
            for server in (bare, whole):
                await checkpoint(bench.dsn)
                plan = bench.plan(rate * seconds, rate=rate, ring=0.2, talk=1.0)
                pair.append(complete(await play(server, plan, bench.folder, desks=_DESKS)))
            found.append((pair[0], pair[1]))
            bench.say(f"pops, round {number + 1}: " + ", ".join(f"p50 {_p(seen, 0.5):.2f} ms" for seen in pair))
    note = f"{rate} calls/s, {_DESKS} agents connected, {bench.sizes.interactions:,} interactions"
    if faulty := sum(seen.calls - seen.wrapped for _, seen in found):
        note += f"; {faulty} calls of the product not wrapped up"
    return [
        paired(f"AGI request to pop, {name}", Unit.MS, [(_p(b, share), _p(w, share)) for b, w in found], target, note)
        for name, share, target in (
            ("p50", 0.5, Target(2.5, ratio=True)),
            ("p99", 0.99, Target(4.0, ratio=True)),
        )
    ]


async def start_and_idle(bench: Bench) -> list[Row]:
    """How soon it is ready, and what it keeps when nothing happens."""
    await start_seconds(bench.dsn, bench.folder)  # the first one writes the byte code
    starts = [await start_seconds(bench.dsn, bench.folder) for _ in range(bench.rounds)]
    async with serving(bench.dsn, bench.folder) as (running, _, _):
        await asyncio.sleep(3 if bench.quick else 10)  # what a start leaves behind is over: no event tells of it
        idle = resident_bytes(running.pid) / 1e6
        before = cpu_seconds(running.pid)
        await asyncio.sleep(5)  # the window that is measured
        busy = (cpu_seconds(running.pid) - before) / 5 * 100
    return [
        Row("start of the process to ready, migrated database", Unit.SECONDS, median(starts), target=Target(2.0)),
        Row("idle server, resident", Unit.MB, idle, target=Target(120), note=f"{busy:.1f} % of a processor"),
    ]


async def waiting(bench: Bench) -> list[Row]:
    """What a waiting call keeps in memory, with a thousand of them."""
    few, many = 100, 1_000
    async with product(bench.dsn, bench.folder, bench.staff) as server:
        # The first callers pay for pools and caches, which are no call's own.
        await _held(bench, server, few)
        await asyncio.sleep(1)  # hung up calls are let go of: no event tells of it
        before = resident_bytes(server.program.pid)
        during = await _held(bench, server, many)
    return [
        Row(
            f"memory of a waiting call, {many:,} at once",
            Unit.KIB,
            (during - before) / many / 1024,
            target=Target(64),
            note="resident set of the server",
        )
    ]


async def _held(bench: Bench, server: Server, calls: int) -> int:
    """The server's resident bytes while so many callers hear music; all have been answered and then hang up."""
    plan = replace(bench.plan(calls), agi_port=server.agi_port, wait=True, patience=120.0)
    async with program(*python("tests.bench.load", *options(plan)), name="load", folder=bench.folder) as load:
        await load.line("waiting", within=60)
        await asyncio.sleep(2)  # the last answers are out, and memory stands still
        held = resident_bytes(server.program.pid)
        await load.end_of_input()
        await load.output(within=60)
    return held


async def many_agents(bench: Bench) -> list[Row]:
    """What a whole call costs the server process, and whether it grows with the agents that are connected."""
    rate, seconds = 20, 5 if bench.quick else 15
    costs: dict[int, list[float]] = {}
    counts = [count for count in (10, 100, 1_000) if count <= len(bench.staff.agents)]
    for _ in range(1 if bench.quick else 3):
        for count in counts:
            # A process of its own for each, so that all begin with as little behind them.
            async with product(bench.dsn, bench.folder, bench.staff) as server:
                idle = await _idle_share(bench, server, count)
                plan = bench.plan(rate * seconds, rate=rate, ring=0.05, talk=0.1)
                seen = complete(await play(server, plan, bench.folder, desks=count))
                cost = (seen.server_cpu - idle * seen.seconds) / seen.calls * 1e3
                costs.setdefault(count, []).append(cost)
            await clear(bench.dsn, bench.sizes)
        bench.say("agents: " + ", ".join(f"{count}: {costs[count][-1]:.2f} ms a call" for count in counts))
    rows = [
        Row(f"processor time of a whole call, {count:,} agents on queue", Unit.CPU_MS, median(costs[count]))
        for count in counts
    ]
    most = counts[-1]
    growth = median(costs[most]) / median(costs[counts[0]])
    rows[-1] = replace(rows[-1], ratio=growth, target=Target(1.5, ratio=True), note=f"ratio: to {counts[0]} agents")
    return rows


async def _idle_share(bench: Bench, server: Server, desks: int) -> float:
    """Processors that the server uses while so many agents sit at their desks and nothing happens."""
    async with open_desks(server, bench.folder, count=desks) as (room, _):
        await asyncio.sleep(1)  # signing in is over: no event tells of it
        before = cpu_seconds(server.program.pid)
        await asyncio.sleep(3)  # the window that is measured
        share = (cpu_seconds(server.program.pid) - before) / 3
        await room.end_of_input()
        await room.output(within=30)
    return share


def _p(seen: Seen, share: float) -> float:
    return percentile(seen.pops, share)


def complete(seen: Seen) -> Seen:
    """Raises Failed when more than one call in a hundred had no pop."""
    if len(seen.pops) < seen.calls * 0.99:
        raise Failed("; ".join(seen.faults))
    return seen
