"""`callcenter mail < message.eml`: one message from a pipe of a mail server, by the exit codes of sysexits.h."""

import argparse
import os
import sys
from datetime import UTC, datetime

import asyncpg

from callcenter.commands.database import contact_log
from callcenter.errors import CallcenterError, Invalid
from callcenter.settings import Settings
from callcenter.store.db import TRY_AGAIN
from channels.email.intake import LARGEST, Intake

# Whatever is wrong with us, the sender is not to be told that it is for good.
_NOT_NOW: tuple[type[Exception], ...] = (*TRY_AGAIN, asyncpg.PostgresError, CallcenterError, OSError)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "mail",
        description="Prints the number of its interaction once it is committed; the same message again prints the same "
        "one. Exit 65: too large, or empty; 67: nobody receives mail there; 75: not now, so hand it in again.",
    )
    parser.add_argument("--to", action="append", default=[], metavar="ADDRESS", help="whom its envelope names")
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", help="who its envelope names; '' for bounces")
    parser.set_defaults(run=_receive)


async def _receive(given: argparse.Namespace, settings: Settings) -> int:
    raw = sys.stdin.buffer.read(LARGEST + 1)
    if not raw or len(raw) > LARGEST:
        print(f"A message of 1 to {LARGEST} bytes was expected.", file=sys.stderr)
        return os.EX_DATAERR
    try:
        async with contact_log(settings) as log:
            intake = Intake(log, clock=lambda: datetime.now(UTC))
            try:
                received = await intake.receive(raw, recipients=tuple(given.to), null_sender=given.sender == "")
            except Invalid as error:
                print(error, file=sys.stderr)
                return os.EX_NOUSER
            finally:
                intake.close()
    except _NOT_NOW as error:
        print(f"Not now: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    print(received.interaction)
    return 0
