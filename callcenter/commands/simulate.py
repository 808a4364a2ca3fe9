"""`callcenter simulate`: what would happen with these calls and these agents, played by the router itself."""

import argparse
import asyncio
from math import isnan
from pathlib import Path

import orjson

from callcenter import toml
from callcenter.commands.plot import course_svg
from callcenter.commands.progress import progress_bar
from callcenter.errors import Invalid
from callcenter.settings import Settings
from routing.scenario import SCENARIO, Scenario
from routing.simulate import FIGURES, Estimate, Outcome, simulate

_PERCENT = frozenset({"service_level", "abandonment", "occupancy"})


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("simulate")
    parser.add_argument("scenario", type=Path, metavar="SCENARIO.toml")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the service level over the day")
    parser.set_defaults(run=_simulate)


async def _simulate(given: argparse.Namespace, _: Settings) -> int:
    scenario = toml.read(given.scenario).read_as(SCENARIO)
    outcome = await asyncio.to_thread(simulate, scenario, progress=progress_bar())
    if given.json:
        queues = {
            queue: {name: each._asdict() for name, each in of_queue.items()}
            for queue, of_queue in outcome.queues.items()
        }
        print(orjson.dumps({"queues": queues}, option=orjson.OPT_INDENT_2).decode())
    else:
        print(_table(outcome))
    if given.plot is not None:
        _draw(given.plot, outcome, scenario)
    return 0


def _draw(path: Path, outcome: Outcome, scenario: Scenario) -> None:
    targets = {flow.queue: flow.service_level.target for flow in scenario.flows}
    unserved = {queue: figures["unserved"].mean for queue, figures in outcome.queues.items()}
    try:
        path.write_text(course_svg(outcome.course, targets, unserved, scenario.simulation.length.total_seconds()))
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}") from error


def _table(outcome: Outcome) -> str:
    """Each figure with half the width of its 95 % interval; a dash where there is nothing to tell it by."""
    head = ["queue", "service level", "ASA (s)", "abandoned", "occupancy", "answered", "offered", "unserved"]
    rows = [[queue, *(_cell(name, of_queue[name]) for name in FIGURES)] for queue, of_queue in outcome.queues.items()]
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [head, *rows]
    ]
    return "\n".join(lines)


def _cell(name: str, found: Estimate) -> str:
    form = ".1%" if name in _PERCENT else ".1f"
    return " ± ".join("–" if isnan(value) else f"{value:{form}}" for value in found)
