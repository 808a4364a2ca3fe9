"""`callcenter import contracts` and `import orders`: what customers are entitled to, and what they bought."""

import argparse
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.actions import contract_import, order_import, value
from callcenter.commands.csv_list import naming, write_refused
from callcenter.commands.database import contact_log
from callcenter.domain.csv_list import Listed, read_rows
from callcenter.errors import Invalid
from callcenter.settings import Settings
from callcenter.store.contracts import SQL
from callcenter.store.directory import Directory


def register(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    contracts = nouns.add_parser(
        "contracts",
        help="service contracts from a CSV file",
        description=f"UTF-8 with a header of {', '.join(contract_import.COLUMNS)}; `customer` is the customer's "
        "external_id, several queues, categories or products are separated by ';'. Rows with a known external_id bring "
        "that contract up to date; refused rows go to FILE.refused.csv with a reason.",
    )
    orders = nouns.add_parser(
        "orders",
        help="customers' orders from a CSV file",
        description=f"UTF-8 with a header of {', '.join(order_import.COLUMNS)}; the customer is named by external_id, "
        "or by a phone or email that only one has. A known number brings that order up to date; refused rows go to "
        "FILE.refused.csv with a reason.",
    )
    for parser, run in ((contracts, _contracts), (orders, _orders)):
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be refused")
        parser.set_defaults(run=run)


async def _contracts(given: argparse.Namespace, settings: Settings) -> int:
    columns = contract_import.COLUMNS
    async with contact_log(settings) as log:
        directory = Directory(log.pool)
        await directory.load()
        zone = ZoneInfo(directory.organisation.timezone)
        kinds = {row["name"] for row in await log.pool.fetch(SQL.kinds)}
        users = {user.name: user.id for user in directory.users.values() if user.active}
        queues = {queue.name for queue in directory.queues.values() if queue.active}
        rows, kept, refused, seen = [], [], [], set()
        for row in _listed(given.file, columns, ("external_id", "customer", "kind", "starts_on")):
            try:
                row.check_width()
                good = contract_import.read_row(row.cells, zone=zone, kinds=kinds, queues=queues, users=users)
                if good.external_id in seen:
                    raise Invalid("an earlier row has the same external_id")
            except Invalid as error:
                refused.append((row, str(error)))
                continue
            seen.add(good.external_id)
            rows.append(good)
            kept.append(row)
        if given.dry_run:
            print(f"{len(rows)} rows can be imported, {len(refused)} are refused.")
        else:
            done = await contract_import.import_rows(log, rows, zone=zone, actor=None, now=datetime.now(UTC))
            refused += [(kept[place], reason) for place, reason in done.refused]
            print(
                f"{done.created} contracts are new, {done.changed} changed, {done.unchanged} as they were, "
                f"{len(refused)} rows refused."
            )
    if refused:
        print(f"See {write_refused(given.file, columns, refused)}.")
    return 0


async def _orders(given: argparse.Namespace, settings: Settings) -> int:
    columns = order_import.COLUMNS
    added = changed = total = 0
    async with contact_log(settings) as log:
        directory = Directory(log.pool)
        await directory.load()
        rows, kept, refused = [], [], []
        for row in _listed(given.file, columns, ("number", "amount", "currency", "date")):
            try:
                row.check_width()
                rows.append(order_import.read_order(row.cells, region=directory.organisation.region))
            except Invalid as error:
                refused.append((row, str(error)))
            else:
                kept.append(row)
        for begin in range(0, len(rows), order_import.MOST_ORDERS):
            batch = rows[begin : begin + order_import.MOST_ORDERS]
            orders, missing = await order_import.find_customers(log.pool, batch)
            reason = "there is no such customer, or more than one"
            refused += [(kept[begin + place], reason) for place in missing]
            total += len(orders)
            if not given.dry_run:
                new, other = await value.take_orders(log, orders, actor=None, now=datetime.now(UTC))
                added, changed = added + new, changed + other
    if given.dry_run:
        print(f"{total} rows can be imported, {len(refused)} are refused.")
    else:
        print(
            f"{added} orders are new, {changed} changed, {total - added - changed} as they were, "
            f"{len(refused)} rows refused."
        )
    if refused:
        print(f"See {write_refused(given.file, columns, refused)}.")
    return 0


def _listed(path: Path, columns: Sequence[str], needed: Collection[str]) -> list[Listed]:
    with naming(path):
        return list(read_rows(path.read_bytes(), columns, needed=needed))
