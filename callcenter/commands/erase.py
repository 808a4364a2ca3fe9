"""`callcenter erase`: a person who is not to be known any more, and all that is known of one."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions import erasures
from callcenter.commands.database import contact_log
from callcenter.settings import Settings
from callcenter.store import customers
from callcenter.store import erasures as store


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    erase = commands.add_parser(
        "erase",
        description="Empties whatever tells of the person: addresses, messages, files, texts. Counts, times and scores "
        "stay, so that figures do not change. Prints what was emptied.",
    )
    erase.add_argument("customer", type=int, metavar="ID")
    erase.add_argument("--name", required=True, help="as it stands in the record, so that nobody erases the wrong one")
    erase.add_argument("--reason", required=True, help="the reference of the request")
    erase.set_defaults(run=_erase)
    export = commands.add_parser("export")
    export.add_argument("customer", type=int, metavar="ID")
    export.add_argument("file", type=Path, metavar="FILE.zip")
    export.set_defaults(run=_export)


async def _erase(given: argparse.Namespace, settings: Settings) -> int:
    async with contact_log(settings) as log:
        name = (await customers.get(log.pool, given.customer)).name
        if given.name.strip() != name:
            print(f"Customer {given.customer} has another name: nothing was erased.")
            return 1
        await erasures.erase(log, given.customer, reason=given.reason, actor=None, now=datetime.now(UTC))
        proof = await store.proof(log.pool, given.customer)
    print(f"Customer {given.customer} was erased at {proof.at:%Y-%m-%d %H:%M:%S} UTC; rows emptied, by table:")
    for table, rows in proof.emptied.items():
        if rows:
            print(f"{rows:8}  {table}")
    return 0


async def _export(given: argparse.Namespace, settings: Settings) -> int:
    async with contact_log(settings) as log:
        with given.file.open("xb") as file:
            await store.export(log.pool, given.customer, file)
    print(f"See {given.file}.")
    return 0
