"""`make bench`: every promise about speed and size measured on this machine, as a table."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from callcenter.errors import CallcenterError
from tests.bench.arrival import arrivals, contact_log
from tests.bench.burst import burst
from tests.bench.calls import Bench, many_agents, pops, start_and_idle, waiting
from tests.bench.chats import chats
from tests.bench.codecs import codecs
from tests.bench.dataset import SMALL, Sizes, clear, prepare
from tests.bench.decisions import decisions, simulated_day
from tests.bench.figures import Row, table
from tests.bench.ground import DEFAULT_FOLDER, checkpoint, running
from tests.bench.knowledge import knowledge
from tests.bench.leader import fail_over, reserving
from tests.bench.mail import mail
from tests.bench.process import Failed
from tests.bench.promises import deadlines, promises
from tests.bench.search import search_measured
from tests.bench.servers import enrol
from tests.bench.sustained import sustained
from tests.bench.tickets import ticket_lists_measured

Measure = Callable[[Bench], Awaitable[list[Row]]]

_README = Path(__file__).with_name("README.md")
_HEADING = "## The table\n"


async def _arrival(bench: Bench) -> list[Row]:
    return await arrivals(
        bench.dsn, customers=bench.sizes.customers, rounds=bench.rounds, calls=200 if bench.quick else 500
    )


async def _log(bench: Bench) -> list[Row]:
    return await contact_log(bench.dsn, bench.folder, writers=16, seconds=4 if bench.quick else 10)


async def _decisions(bench: Bench) -> list[Row]:
    rows = await asyncio.to_thread(lambda: decisions(rounds=bench.rounds))
    return rows + await asyncio.to_thread(simulated_day)


async def _leader(bench: Bench) -> list[Row]:
    rows = await reserving(bench.server, rounds=bench.rounds, seconds=1 if bench.quick else 3)
    return rows + await fail_over(bench.server, bench.folder, rounds=bench.rounds)


async def _sla(bench: Bench) -> list[Row]:
    row = await asyncio.to_thread(lambda: deadlines(seconds=0.5 if bench.quick else 3))
    sizes = (100_000, 2_000, 200) if bench.quick else (1_000_000, 10_000, 500)
    tickets, due, trickle = sizes
    return [row, *await promises(bench.server, bench.folder, tickets=tickets, due=due, trickle=trickle)]


async def _tickets(bench: Bench) -> list[Row]:
    times = 50 if bench.quick else 300
    return await ticket_lists_measured(bench.server, rounds=bench.rounds, times=times, say=bench.say)


async def _search(bench: Bench) -> list[Row]:
    customers, times = (100_000, 100) if bench.quick else (1_000_000, 300)
    return await search_measured(bench.server, customers=customers, rounds=bench.rounds, times=times, say=bench.say)


async def _codecs(bench: Bench) -> list[Row]:
    return await asyncio.to_thread(lambda: codecs(seconds=0.5 if bench.quick else 2))


async def _knowledge(bench: Bench) -> list[Row]:
    return await knowledge(bench.server, rounds=bench.rounds, articles=10_000 if bench.quick else 100_000, searches=100)


async def _mail(bench: Bench) -> list[Row]:
    return await mail(bench.server, rounds=bench.rounds, messages=1_000, say=bench.say)


MEASURES: dict[str, Measure] = {
    "codecs": _codecs,
    "decisions": _decisions,
    "leader": _leader,
    "sla": _sla,
    "arrival": _arrival,
    "log": _log,
    "knowledge": _knowledge,
    "mail": _mail,
    "tickets": _tickets,
    "search": _search,
    "start": start_and_idle,
    "waiting": waiting,
    "chat": chats,
    "pops": pops,
    "burst": burst,
    "agents": many_agents,
    "sustained": sustained,
}


async def measure(names: list[str], *, folder: Path, sizes: Sizes, quick: bool) -> list[Row]:
    """The rows of the named measures; one that fails has no row, and says why on standard error."""
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.0f} s] {text}", file=sys.stderr, flush=True)

    await prepare(folder, sizes, say=say)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as scratch:
        async with running(folder) as server:
            dsn = server.dsn_of(sizes.database)
            await clear(dsn, sizes)
            staff = await enrol(dsn, Path(scratch), agents=sizes.agents)
            bench = Bench(server, dsn, Path(scratch), sizes, staff, quick, say)
            for name in names:
                say(name)
                await checkpoint(dsn)
                try:
                    rows += await MEASURES[name](bench)
                except Failed as error:
                    say(f"{name} FAILED: {error}")
                await clear(dsn, sizes)
    say("done")
    return rows


def _processors() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{os.cpu_count()} × {models[0] if models else 'processor'}"


def main() -> int:
    """Exit 0 when all that was asked for was measured and every target met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, a small data set")
    parser.add_argument("--small", action="store_true", help="the small data set")
    parser.add_argument("--clean", action="store_true", help="delete the data set and end")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the data set is kept")
    parser.add_argument("--out", type=Path, help="write the table there, instead of into README.md after a whole run")
    given = parser.parse_args()
    if given.clean:
        shutil.rmtree(given.folder, ignore_errors=True)
        return 0
    if unknown := set(given.names) - MEASURES.keys():
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    names = given.names or list(MEASURES)
    sizes = SMALL if given.quick or given.small else Sizes()
    before = os.getloadavg()[0]
    try:
        rows = uvloop.run(measure(names, folder=given.folder, sizes=sizes, quick=given.quick))
    except (CallcenterError, Failed) as error:
        print(error, file=sys.stderr)
        return 1
    told = f"{datetime.now(UTC):%Y-%m-%d}, {_processors()}; load of the machine before: {before:.1f}."
    text = f"{table(rows)}\n{told}\n"
    print(text)
    if given.out:
        given.out.write_text(text)
    elif names == list(MEASURES) and sizes == Sizes() and not given.quick:
        head, _, _ = _README.read_text().partition(_HEADING)
        _README.write_text(f"{head}{_HEADING}\n{text}")
    return 0 if all(row.target is None or row.target.met(row) for row in rows) and rows else 1


if __name__ == "__main__":
    sys.exit(main())
