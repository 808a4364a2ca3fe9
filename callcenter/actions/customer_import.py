"""Customers from a list of another system: known by their external id, made or brought up to date row by row."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.actions import customers
from callcenter.domain.address import read_address
from callcenter.domain.customer import Address, AddressKind
from callcenter.errors import Invalid
from callcenter.store import customers as store
from callcenter.store.companies import SQL as COMPANIES
from callcenter.store.customers import SQL
from callcenter.store.log import ContactLog, Transaction

COLUMNS = ("external_id", "name", "company", "phones", "emails", "tier", "language", "note", "owner")
_FIELDS = ("name", "company", "tier", "language", "note", "owner")
# An import holds back the readers of the log for the time of one transaction.
_BATCH = 200
_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list that can be kept. An empty cell leaves what there is."""

    external_id: str | None
    fields: Mapping[str, str]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)


def read_row(cells: Mapping[str, str | None], *, region: str, users: Collection[str] = ()) -> Row:
    """Raises Invalid with what is wrong. Phone numbers of `region` may come without country code; owners: `users`."""
    text = {column: (cells.get(column) or "").strip() for column in COLUMNS}
    if not text["name"]:
        raise Invalid("the name is missing", field="name")
    fields = {column: text[column] for column in _FIELDS if text[column]}
    customers.check(fields)
    if text["owner"] and text["owner"] not in users:
        raise Invalid(f"nobody named {text['owner']} works here", field="owner")
    if len(text["external_id"]) > customers.LONGEST_NAME or not text["external_id"].isprintable():
        raise Invalid("the external id is too long, or cannot be printed", field="external_id")
    addresses = [
        read_address(kind, each, region=region)
        for column, kind in (("phones", AddressKind.PHONE), ("emails", AddressKind.EMAIL))
        for each in text[column].split(_SEPARATOR)
        if each.strip()
    ]
    return Row(text["external_id"] or None, fields, tuple(dict.fromkeys(addresses)))


def _untold(_done: int, _of: int) -> None:
    pass


async def import_rows(
    log: ContactLog,
    rows: Sequence[Row],
    *,
    actor: int | None,
    now: datetime,
    progress: Callable[[int, int], None] = _untold,
) -> Counts:
    """In batches, each all or nothing; `progress` is told after each (done, of how many)."""
    counts = Counts()
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        counts += await _import_batch(log, batch, actor=actor, now=now)
        progress(start + len(batch), len(rows))
    return counts


async def _import_batch(log: ContactLog, rows: Sequence[Row], *, actor: int | None, now: datetime) -> Counts:
    counts = Counts()
    async with log.transaction() as tx:
        known = await tx.connection.fetch(SQL.by_external_ids, [row.external_id for row in rows if row.external_id])
        ids = {row["external_id"]: row["id"] for row in known}
        merged = {row["id"]: row["now"] for row in known}
        for ident in sorted({*merged, *merged.values()}):
            await tx.lock_customer(ident)
        # At once and in one order: two lists that bring the same new companies do not wait for each other in a circle.
        await tx.connection.execute(COMPANIES.make, [company for row in rows if (company := row.fields.get("company"))])
        for row in rows:
            counts += await _import_row(tx, row, ids, merged, actor=actor, now=now)
    return counts


async def _import_row(
    tx: Transaction, row: Row, ids: dict[str, int], merged: Mapping[int, int], *, actor: int | None, now: datetime
) -> Counts:
    known = ids.get(row.external_id) if row.external_id is not None else None
    if known is None:
        ident = await customers.add(
            tx, row.fields, addresses=row.addresses, external_id=row.external_id, actor=actor, now=now
        )
        if row.external_id is not None:
            ids[row.external_id] = ident
        return Counts(created=1)
    changed = await customers.change(tx, known, changes=row.fields, version=None, actor=actor, now=now)
    whose = merged.get(known, known)
    before = {(each.kind, each.value) for each in (await store.get(tx.connection, whose)).addresses}
    new = [each for each in row.addresses if (each.kind, each.value) not in before]
    if new:
        await customers.extend(tx, whose, addresses=new, actor=actor, now=now)
    return Counts(changed=1) if changed or new else Counts(unchanged=1)
