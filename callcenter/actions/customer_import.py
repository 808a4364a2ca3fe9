"""Customers from a list of another system: known by external id, or name and address; made or brought up to date."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from callcenter.actions import customers
from callcenter.domain.address import read_address
from callcenter.domain.csv_list import Listed, read_rows
from callcenter.domain.customer import Address, AddressKind
from callcenter.errors import Invalid
from callcenter.store.companies import SQL as COMPANIES
from callcenter.store.customers import SQL
from callcenter.store.log import Connection, ContactLog, Transaction
from callcenter.store.pool import Pool

COLUMNS = ("external_id", "name", "company", "phones", "emails", "tier", "language", "note", "owner")
_FIELDS = ("name", "company", "tier", "language", "note", "owner")
# An import holds back the readers of the log for the time of one transaction.
_BATCH = 200
_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list that can be kept. An empty cell leaves what there is. `of`: as it stands in the list."""

    external_id: str | None
    fields: Mapping[str, str]
    addresses: tuple[Address, ...]
    of: Listed


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a list, or would become of it: how many customers, and which rows are refused, with the reason."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[tuple[Listed, str], ...] = ()

    def __add__(self, other: "Report") -> "Report":
        return Report(
            self.created + other.created,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.refused + other.refused,
        )


@dataclass(slots=True)
class _Person:
    """`ident`: the record that a row is written to; `whose`: who has its addresses now."""

    ident: int
    whose: int
    external_id: str | None
    fields: dict[str, str | None]
    addresses: set[str] = field(default_factory=set)


class _Book:
    """Whom rows may mean: customers that there are, and those that earlier rows make."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}
        self._by_external: dict[str, _Person] = {}
        self._by_name: dict[str, list[_Person]] = {}
        # As they will stand in the records.
        self.companies: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[_Person]:
        return iter(self._people.values())

    def add(self, person: _Person) -> None:
        if person.ident in self._people:
            return
        self._people[person.ident] = person
        if person.external_id is not None:
            self._by_external[person.external_id] = person
        self.name(person)

    def name(self, person: _Person) -> None:
        """They have a name by which they were not known yet."""
        self._by_name.setdefault(person.fields["name"] or "", []).append(person)

    def fields_of(self, row: Row) -> dict[str, str | None]:
        company = row.fields.get("company")
        return dict(row.fields) if company is None else {**row.fields, "company": self.companies.get(company, company)}

    def find(self, row: Row) -> _Person | None:
        """Without an external id the one of that name with an equal address; without addresses as well, who has neither
        and all the rest. Raises Invalid when it may be several."""
        if row.external_id is not None:
            return self._by_external.get(row.external_id)
        named = [
            each for each in self._by_name.get(row.fields["name"], []) if each.fields["name"] == row.fields["name"]
        ]
        if row.addresses:
            keys = set(map(_key, row.addresses))
            # Of a record and one that was merged into it, the one that people see.
            named.sort(key=lambda person: person.ident == person.whose)
            found = {person.whose: person for person in named if not keys.isdisjoint(person.addresses)}
            if len(found) > 1:
                known = ", ".join(str(ident) for ident in sorted(found) if ident > 0)
                raise Invalid(
                    f"{len(found)} customers have this name and one of the addresses{known and f' ({known})'}: "
                    "give the external_id"
                )
            return next(iter(found.values()), None)
        fields = self.fields_of(row).items()
        bare = (each for each in named if not each.addresses and each.external_id is None)
        return next((each for each in bare if each.fields.items() >= fields), None)


async def untold(_done: int, _of: int) -> None:
    """Where nobody watches."""


async def import_list(
    log: ContactLog,
    raw: bytes,
    *,
    region: str,
    users: Collection[str],
    dry: bool,
    actor: int | None,
    now: datetime,
    progress: Callable[[int, int], Awaitable[None]] = untold,
) -> Report:
    """A whole list as it was sent; refused rows in its order. Raises Invalid when it is no list of customers.

    `dry`: nothing is written. In batches, each all or nothing; `progress` is told after each (done, of how many).
    """
    rows, refused = await asyncio.to_thread(_read_list, raw, region=region, users=users)
    if dry:
        report = await _plan_rows(log.pool, rows)
    else:
        report = await _import_rows(log, rows, actor=actor, now=now, progress=progress)
    in_order = sorted([*report.refused, *refused], key=lambda each: each[0].number)
    return replace(report, refused=tuple(in_order))


def _key(address: Address) -> str:
    return f"{address.kind} {address.value}"


def _read_list(raw: bytes, *, region: str, users: Collection[str]) -> tuple[list[Row], list[tuple[Listed, str]]]:
    """Rows that can be kept, and the others with what is wrong. Raises Invalid when it is no list of customers."""
    good: list[Row] = []
    refused: list[tuple[Listed, str]] = []
    seen: set[str] = set()
    for listed in read_rows(raw, COLUMNS, needed=("name",)):
        try:
            row = _read_row(listed, region=region, users=users)
            if row.external_id is not None and row.external_id in seen:
                raise Invalid("an earlier row has the same external_id")
        except Invalid as error:
            refused.append((listed, str(error)))
            continue
        if row.external_id is not None:
            seen.add(row.external_id)
        good.append(row)
    return good, refused


def _read_row(listed: Listed, *, region: str, users: Collection[str]) -> Row:
    """Raises Invalid with what is wrong. Phone numbers of `region` may come without country code; owners: `users`."""
    listed.check_width()
    text = {column: (listed.cells.get(column) or "").strip() for column in COLUMNS}
    if not text["name"]:
        raise Invalid("the name is missing", field="name")
    try:
        fields = customers.checked({column: text[column] for column in _FIELDS})
    except Invalid as error:
        raise Invalid(f"{error.field}: {error}", field=error.field) from None
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
    addresses = list(dict.fromkeys(addresses))
    if len(addresses) > customers.MOST_ADDRESSES:
        raise Invalid(f"at most {customers.MOST_ADDRESSES} addresses, these are {len(addresses)}", field="addresses")
    return Row(text["external_id"] or None, fields, tuple(addresses), listed)


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows with external ids first: whom they make or rename may be meant by one without, wherever that stands."""
    for part in (
        [row for row in rows if row.external_id is not None],
        [row for row in rows if row.external_id is None],
    ):
        for start in range(0, len(part), _BATCH):
            yield part[start : start + _BATCH]


async def _import_rows(
    log: ContactLog,
    rows: Sequence[Row],
    *,
    actor: int | None,
    now: datetime,
    progress: Callable[[int, int], Awaitable[None]],
) -> Report:
    report = Report()
    done = 0
    for batch in _batches(rows):
        report += await _import_batch(log, batch, actor=actor, now=now)
        done += len(batch)
        await progress(done, len(rows))
    return report


async def _plan_rows(pool: Pool, rows: Sequence[Row]) -> Report:
    report = Report()
    book = _Book()
    async with pool.acquire() as connection:
        for batch in _batches(rows):
            await _look_up(connection, batch, book)
            for row in batch:
                report += _plan_row(row, book)
    return report


def _plan_row(row: Row, book: _Book) -> Report:
    try:
        person = book.find(row)
    except Invalid as error:
        return Report(refused=((row.of, str(error)),))
    fields = book.fields_of(row)
    if person is None:
        # Below zero: there is none yet.
        book.add(_new(-1 - len(book), row, book))
        return Report(created=1)
    renamed = fields["name"] != person.fields["name"]
    changed = any(person.fields[name] not in (value, row.fields[name]) for name, value in fields.items())
    person.fields.update(fields)
    if renamed:
        book.name(person)
    return _extended(person, row, changed=changed)


def _new(ident: int, row: Row, book: _Book) -> _Person:
    fields = book.fields_of(row)
    return _Person(
        ident, ident, row.external_id, {name: fields.get(name) for name in _FIELDS}, set(map(_key, row.addresses))
    )


def _extended(person: _Person, row: Row, *, changed: bool) -> Report:
    keys = set(map(_key, row.addresses))
    changed = changed or not keys <= person.addresses
    person.addresses |= keys
    return Report(changed=1) if changed else Report(unchanged=1)


async def _look_up(connection: Connection, rows: Sequence[Row], book: _Book) -> None:
    companies = {company for row in rows if (company := row.fields.get("company"))}
    called = await connection.fetch(COMPANIES.called_all, sorted(companies))
    book.companies |= {row[0]: row[1] for row in called}
    given = [
        (row.fields["name"], each.kind, each.value) for row in rows if not row.external_id for each in row.addresses
    ]
    found = await connection.fetch(
        SQL.of_rows,
        [row.external_id for row in rows if row.external_id],
        *([each[place] for each in given] for place in range(3)),
        [row.fields["name"] for row in rows if not row.external_id and not row.addresses],
    )
    for each in found:
        fields = {name: each[name] for name in _FIELDS}
        book.add(_Person(each["id"], each["now"], each["external_id"], fields, set(each["addresses"])))


async def _import_batch(log: ContactLog, rows: Sequence[Row], *, actor: int | None, now: datetime) -> Report:
    report = Report()
    async with log.transaction() as tx:
        # Whom another import makes at this moment could not be found.
        await tx.connection.execute(SQL.lock_import)
        before = _Book()
        await _look_up(tx.connection, rows, before)
        for ident in sorted({each for person in before for each in (person.ident, person.whose)}):
            await tx.lock_customer(ident)
        # At once and in one order: two lists that bring the same new companies do not wait for each other in a circle.
        await tx.connection.execute(COMPANIES.make, [company for row in rows if (company := row.fields.get("company"))])
        # As they are now that nobody else can change them.
        book = _Book()
        await _look_up(tx.connection, rows, book)
        for row in rows:
            report += await _import_row(tx, row, book, actor=actor, now=now)
    return report


async def _import_row(tx: Transaction, row: Row, book: _Book, *, actor: int | None, now: datetime) -> Report:
    try:
        person = book.find(row)
    except Invalid as error:
        return Report(refused=((row.of, str(error)),))
    if person is None:
        ident = await customers.add(
            tx, row.fields, addresses=row.addresses, external_id=row.external_id, actor=actor, now=now
        )
        book.add(_new(ident, row, book))
        return Report(created=1)
    changed = await customers.change(tx, person.ident, changes=row.fields, version=None, actor=actor, now=now)
    new = [each for each in row.addresses if _key(each) not in person.addresses]
    if new:
        await customers.extend(tx, person.whose, addresses=new, actor=actor, now=now)
    return _extended(person, row, changed=changed)
