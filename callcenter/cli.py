"""The command line. Exit 0: done; 1: refused or failed, with the reason on stderr; 2: wrong usage."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from importlib import import_module
from typing import Any

import asyncpg
import uvloop

from callcenter import logs
from callcenter import settings as rules
from callcenter.errors import CallcenterError
from callcenter.settings import Settings
from callcenter.store import migrate
from callcenter.store.db import TRY_AGAIN, connect
from callcenter.store.embedded import database
from callcenter.toml import BadFile

# Commands, the modules of callcenter.commands that hold them, loaded only to be run so that all else starts
# sooner, and what the list of all commands says of them.
ELSEWHERE = {
    "demo": ("demo", "serve a made-up company with a year of history and calls that come in"),
    "apply": ("organisation", "make the organisation what a file says, and print what changes"),
    "export-org": ("organisation", "print the organisation as a file, without passwords"),
    "user": ("users", "add people, set their passwords"),
    "token": ("tokens", "give programs a way in"),
    "import": ("customers", "take over what another system knows"),
    "erase": ("erase", "forget a customer"),
    "export": ("erase", "all that is known of a customer, as a zip archive"),
    "solutions": ("solutions", "take over articles that say how something is solved"),
    "call": ("call", "play a caller through the AGI port of the running server"),
    "simulate": ("simulate", "play a day with other calls, agents or rules, in seconds"),
    "mail": ("mail", "take in a message from standard input"),
}

Command = Callable[[argparse.Namespace, Settings], Awaitable[int]]


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """Of ours and the wanted one; without one of these the others are named only."""
    top = argparse.ArgumentParser(prog="callcenter", description="A call-centre server.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server")
    serve.set_defaults(run=_serve)
    migrate_command = commands.add_parser("migrate", help="bring the database to this version")
    migrate_command.set_defaults(run=_migrate)
    check_command = commands.add_parser("check", help="say in words what would keep the server from working")
    check_command.add_argument("--pbx-files", metavar="DIR", help="also read a PBX's configuration files")
    check_command.set_defaults(run=_check)
    if wanted in commands.choices:
        return top
    if wanted in ELSEWHERE:
        import_module(f"callcenter.commands.{ELSEWHERE[wanted][0]}").register(commands)
        return top
    for name, (_, words) in ELSEWHERE.items():
        commands.add_parser(name, help=words)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    given = parser(next((word for word in words if word != "--"), None)).parse_args(words)
    try:
        settings = rules.load(os.environ)
        logs.configure(level=settings.log_level, style=settings.log_format)
        work: Coroutine[Any, Any, int] = given.run(given, settings)
        return uvloop.run(work)
    except (CallcenterError, BadFile) as error:
        print(error, file=sys.stderr)
    except TRY_AGAIN as error:
        print(f"The database is out of reach: {error}", file=sys.stderr)
    except asyncpg.PostgresError as error:
        print(f"The database refuses us: {error}", file=sys.stderr)
    except OSError as error:
        print(_words(error), file=sys.stderr)
    except KeyboardInterrupt:
        pass
    return 1


def _words(error: OSError) -> str:
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"


def stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C and by SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _serve(_: argparse.Namespace, settings: Settings) -> int:
    await import_module("callcenter.app").serve(settings, stop_on_signals())
    return 0


async def _migrate(_: argparse.Namespace, settings: Settings) -> int:
    async with database(settings) as dsn:
        connection = await connect(dsn)
        try:
            applied = await migrate.migrate(connection)
            await connection.fetchval("select ensure_log_months(now(), 3)")
            await connection.fetchval("select note_cluster()")
        finally:
            await connection.close()
    print("\n".join(applied) if applied else "Nothing to do.")
    return 0


async def _check(given: argparse.Namespace, settings: Settings) -> int:
    check = import_module("callcenter.check")
    complaints = await check.run(settings, pbx_files=given.pbx_files)
    for remark in check.remarks(settings):
        print(remark)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if not complaints:
        print("All is well.")
    return 1 if complaints else 0
