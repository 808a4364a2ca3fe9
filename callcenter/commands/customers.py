"""`callcenter import customers`: a list of another system; rows that cannot be kept go into a file with reasons."""

import argparse
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions.customer_import import COLUMNS, import_list
from callcenter.commands import entitlements
from callcenter.commands.csv_list import naming, write_refused
from callcenter.commands.database import contact_log
from callcenter.commands.progress import progress_bar
from callcenter.settings import Settings
from callcenter.store.directory import Directory


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("import")
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="WHAT")
    customers = nouns.add_parser(
        "customers",
        help="customers from a CSV file",
        description=f"CSV with a header of {', '.join(COLUMNS)}; several phones or emails are separated by ';'. Rows "
        "with a known external_id bring that customer up to date, rows without one the customer of that name and one "
        "of those addresses; refused rows go to FILE.refused.csv with a reason.",
    )
    customers.add_argument("file", type=Path, metavar="FILE.csv")
    customers.add_argument("--dry-run", action="store_true", help="only say what would be done")
    customers.set_defaults(run=_import)
    entitlements.register(nouns)


async def _import(given: argparse.Namespace, settings: Settings) -> int:
    async with contact_log(settings) as log:
        directory = Directory(log.pool)
        await directory.load()
        with naming(given.file):
            report = await import_list(
                log,
                given.file.read_bytes(),
                region=directory.organisation.region,
                users={user.name for user in directory.users.values() if user.active},
                dry=given.dry_run,
                actor=None,
                now=datetime.now(UTC),
                progress=_told(progress_bar()),
            )
    if given.dry_run:
        said = "{} customers would be new, {} changed, {} left as they are, {} rows refused."
    else:
        said = "{} customers are new, {} changed, {} as they were, {} rows refused."
    print(said.format(report.created, report.changed, report.unchanged, len(report.refused)))
    if report.refused:
        print(f"See {write_refused(given.file, COLUMNS, report.refused)}.")
    return 0


def _told(bar: Callable[[int, int], None]) -> Callable[[int, int], Awaitable[None]]:
    async def told(done: int, of: int) -> None:
        bar(done, of)

    return told
