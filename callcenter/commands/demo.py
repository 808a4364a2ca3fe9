"""`callcenter demo`: a call centre to look at, from nothing: database, company, history, server, calls."""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from callcenter import logs
from callcenter.demo.banner import banner, in_colour
from callcenter.demo.history import Size
from callcenter.demo.shop import address_of
from callcenter.demo.show import VISITOR, show
from callcenter.settings import Settings


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "demo",
        description="Makes what is missing (embedded database, company, history), serves, and lets the phones ring.",
    )
    parser.add_argument("--no-traffic", action="store_true", help="no calls by themselves (also: DEMO=0)")
    parser.add_argument(
        "--customers", type=_positive, default=Size().customers, metavar="N", help="of the history (2000)"
    )
    parser.add_argument(
        "--contacts", type=_positive, default=Size().interactions, metavar="N", help="of the history (25000)"
    )
    parser.add_argument(
        "--speed", type=_positive, default=1, metavar="N", help="how much faster than people the played ones are (1)"
    )
    parser.set_defaults(run=run)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected a number from 1 on")
    return number


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
    traffic = not given.no_traffic and os.environ.get("DEMO") != "0"
    size = Size(given.customers, given.contacts)
    async with show(settings, size=size, traffic=traffic, speed=given.speed, tell=_say) as (server, file):
        general = file.organisation.general
        _say(
            banner(
                name=general.name if general is not None else "Demo",
                url=server.url,
                shop=address_of(file),
                users=file.organisation.users,
                visitor=VISITOR,
                traffic=traffic,
                command=_ourselves(),
                colour=in_colour(),
            )
        )
        await asyncio.Event().wait()


def _ourselves() -> str:
    """How the reader runs us, from here."""
    program = Path(sys.argv[0])
    try:
        return str(program.resolve().relative_to(Path.cwd()))
    except ValueError:
        return program.name


def _say(text: str) -> None:
    print(text, flush=True)
