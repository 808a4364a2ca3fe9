"""`callcenter import customers`: a list of another system; rows that cannot be kept go into a file with reasons."""

import argparse
import csv
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions.customer_import import COLUMNS, Row, import_rows, read_row
from callcenter.commands.database import contact_log
from callcenter.errors import Invalid
from callcenter.settings import Settings
from callcenter.store.directory import Directory

_LONGEST_CELL = 1_000_000


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("import", help="take over what another system knows")
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="WHAT")
    customers = nouns.add_parser(
        "customers",
        help="customers from a CSV file",
        description=f"UTF-8 with a header of {', '.join(COLUMNS)}; several phones or emails are separated by ';'. Rows "
        "with a known external_id bring that customer up to date; refused rows go to FILE.refused.csv with a reason.",
    )
    customers.add_argument("file", type=Path, metavar="FILE.csv")
    customers.add_argument("--dry-run", action="store_true", help="only say what would be refused")
    customers.set_defaults(run=_import)


async def _import(given: argparse.Namespace, settings: Settings) -> int:
    async with contact_log(settings) as log:
        directory = Directory(log.pool)
        await directory.load()
        users = {user.name for user in directory.users.values() if user.active}
        good, refused = _read(given.file, region=directory.organisation.region, users=users)
        if given.dry_run:
            print(f"{len(good)} rows can be imported, {len(refused)} are refused.")
        else:
            counts = await import_rows(log, good, actor=None, now=datetime.now(UTC))
            print(
                f"{counts.created} customers are new, {counts.changed} changed, {counts.unchanged} as they were, "
                f"{len(refused)} rows refused."
            )
    if refused:
        print(f"See {_write_refused(given.file, refused)}.")
    return 0


def _read(path: Path, *, region: str, users: Collection[str]) -> tuple[list[Row], list[dict[str, str]]]:
    good: list[Row] = []
    refused: list[dict[str, str]] = []
    seen: set[str] = set()
    for number, cells in _rows(path):
        try:
            if None in cells:
                raise Invalid("there are more cells than columns")
            row = read_row(cells, region=region, users=users)
            if row.external_id is not None and row.external_id in seen:
                raise Invalid("an earlier row has the same external_id")
        except Invalid as error:
            kept = {column: cells.get(column) or "" for column in COLUMNS}
            refused.append({**kept, "reason": f"row {number}: {str(error).rstrip('.')}"})
            continue
        seen |= {row.external_id} if row.external_id is not None else set()
        good.append(row)
    return good, refused


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their numbers, the header being the first. Raises Invalid when the file is no such list."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            header = reader.fieldnames or []
            if unknown := [name for name in header if name not in COLUMNS]:
                raise Invalid(f"{path}, line 1: {unknown[0]!r} is no column; expected {', '.join(COLUMNS)}.")
            if "name" not in header:
                raise Invalid(f"{path}, line 1: the column name is missing.")
            yield from enumerate(reader, start=2)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: UTF-8 was expected; byte {error.start} is not.") from None
    except csv.Error as error:
        raise Invalid(f"{path}: not CSV: {error}.") from None


def _write_refused(path: Path, refused: list[dict[str, str]]) -> Path:
    target = path.with_name(f"{path.stem}.refused.csv")
    with target.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, [*COLUMNS, "reason"])
        writer.writeheader()
        writer.writerows(refused)
    return target
