"""`callcenter import customers`: a list of another system; rows that cannot be kept go into a file with reasons."""

import argparse
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions.customer_import import COLUMNS, Counts, Row, import_rows, plan_rows, read_row
from callcenter.commands import entitlements
from callcenter.commands.csv_list import read_rows, refusal, write_refused
from callcenter.commands.database import contact_log
from callcenter.commands.progress import progress_bar
from callcenter.errors import Invalid
from callcenter.settings import Settings
from callcenter.store.directory import Directory


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("import")
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="WHAT")
    customers = nouns.add_parser(
        "customers",
        help="customers from a CSV file",
        description=f"UTF-8 with a header of {', '.join(COLUMNS)}; several phones or emails are separated by ';'. Rows "
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
        users = {user.name for user in directory.users.values() if user.active}
        good, refused = _read(given.file, region=directory.organisation.region, users=users)
        rows = [row for row, _ in good]
        if given.dry_run:
            counts = await plan_rows(log.pool, rows)
        else:
            counts = await import_rows(log, rows, actor=None, now=datetime.now(UTC), progress=progress_bar())
    cells_of = {row.line: cells for row, cells in good}
    refused += [(row.line, cells_of[row.line], reason) for row, reason in counts.refused]
    print(_said(counts, len(refused), dry=given.dry_run))
    if refused:
        lines = [
            refusal(line, cells, COLUMNS, reason) for line, cells, reason in sorted(refused, key=lambda each: each[0])
        ]
        print(f"See {write_refused(given.file, COLUMNS, lines)}.")
    return 0


def _said(counts: Counts, refused: int, *, dry: bool) -> str:
    if dry:
        return (
            f"{counts.created} customers would be new, {counts.changed} changed, {counts.unchanged} left as they are, "
            f"{refused} rows refused."
        )
    return (
        f"{counts.created} customers are new, {counts.changed} changed, {counts.unchanged} as they were, "
        f"{refused} rows refused."
    )


def _read(
    path: Path, *, region: str, users: Collection[str]
) -> tuple[list[tuple[Row, dict[str, str]]], list[tuple[int, dict[str, str], str]]]:
    """Rows that can be kept with their cells; the others with line, cells and reason."""
    good: list[tuple[Row, dict[str, str]]] = []
    refused: list[tuple[int, dict[str, str], str]] = []
    seen: set[str] = set()
    for number, cells in read_rows(path, COLUMNS, needed=("name",)):
        try:
            if None in cells:
                raise Invalid("there are more cells than columns")
            row = read_row(cells, region=region, users=users, line=number)
            if row.external_id is not None and row.external_id in seen:
                raise Invalid("an earlier row has the same external_id")
        except Invalid as error:
            refused.append((number, cells, str(error)))
            continue
        seen |= {row.external_id} if row.external_id is not None else set()
        good.append((row, cells))
    return good, refused
