"""Contracts from a list of another system: known by their external id, made or brought up to date row by row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.actions import contracts
from callcenter.actions.contracts import NewContract
from callcenter.domain.contract import term
from callcenter.errors import CallcenterError, Invalid
from callcenter.store.contracts import SQL
from callcenter.store.log import ContactLog, Transaction

COLUMNS = (
    "external_id", "customer", "kind", "name", "starts_on", "ends_on", "owner", "queues", "categories", "products",
    "note",
)  # fmt: skip
_SEPARATOR = ";"
# An import holds back the readers of the log for the time of one transaction.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be kept, if there is a customer with this external id. `terms`: as the action takes them."""

    external_id: str
    customer: str
    terms: Mapping[str, Any]


def read_row(
    cells: Mapping[str, str | None],
    *,
    zone: ZoneInfo,
    kinds: Collection[str],
    queues: Collection[str],
    users: Mapping[str, int],
) -> Row:
    """Raises Invalid with what is wrong. An empty cell leaves what there is; of a new contract, what the kind says."""
    text = {column: (cells.get(column) or "").strip() for column in COLUMNS}
    for column in ("external_id", "customer"):
        if not text[column] or len(text[column]) > contracts.LONGEST_NAME or not text[column].isprintable():
            raise Invalid(f"the {column} is missing, too long, or cannot be printed", field=column)
    if text["kind"] not in kinds:
        raise Invalid(f"there is no kind of contract named {text['kind'][:60]!r}", field="kind")
    terms: dict[str, Any] = {"kind": text["kind"], "starts_on": _day("starts_on", text["starts_on"])}
    if text["ends_on"]:
        terms["ends_on"] = _day("ends_on", text["ends_on"])
    term(terms["starts_on"], terms.get("ends_on"), zone)
    if text["owner"]:
        if text["owner"] not in users:
            raise Invalid(f"nobody named {text['owner']} works here", field="owner")
        terms["owner"] = users[text["owner"]]
    terms |= {column: text[column] for column in ("name", "note") if text[column]}
    for column in ("queues", "categories", "products"):
        if words := tuple(each.strip() for each in text[column].split(_SEPARATOR) if each.strip()):
            terms[column] = words
    if unknown := [name for name in terms.get("queues", ()) if name not in queues]:
        raise Invalid(f"there is no queue named {unknown[0]}", field="queues")
    contracts.check(NewContract(customer=0, **terms), zone)
    return Row(text["external_id"], text["customer"], terms)


def _day(column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{column}: {text[:20]!r} is no date; expected one like 2026-03-31", field=column) from None


@dataclass(slots=True)
class Outcome:
    """`refused`: rows by their place, and why."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[tuple[int, str], ...] = ()


async def import_rows(
    log: ContactLog, rows: Sequence[Row], *, zone: ZoneInfo, actor: int | None, now: datetime
) -> Outcome:
    """In batches. A row whose customer is not here, or that the contract's state forbids, is refused alone."""
    outcome = Outcome()
    for begin in range(0, len(rows), _BATCH):
        batch = rows[begin : begin + _BATCH]
        async with log.transaction() as tx:
            found = await tx.connection.fetch(SQL.customer_ids, [row.customer for row in batch])
            customers = {each["external_id"]: (each["id"], each["record"]) for each in found}
            found = await tx.connection.fetch(SQL.by_external_ids, [row.external_id for row in batch])
            known = {each["external_id"]: each["id"] for each in found}
            for ident in sorted(known.values()):
                await tx.connection.execute(SQL.lock, ident)
            for place, row in enumerate(batch, begin):
                try:
                    await _import(tx, row, customers, known, outcome, zone=zone, actor=actor, now=now)
                except CallcenterError as error:
                    outcome.refused = (*outcome.refused, (place, str(error).rstrip(".")))
    return outcome


async def _import(
    tx: Transaction,
    row: Row,
    customers: Mapping[str, tuple[int, int]],
    known: Mapping[str, int],
    outcome: Outcome,
    *,
    zone: ZoneInfo,
    actor: int | None,
    now: datetime,
) -> None:
    if row.customer not in customers:
        raise Invalid(f"there is no customer with the external id {row.customer}", field="customer")
    if row.external_id not in known:
        customer, record = customers[row.customer]
        new = NewContract(customer=customer, record=record, external_id=row.external_id, **row.terms)
        await contracts.create(tx, new, zone=zone, actor=actor, now=now)
        outcome.created += 1
    elif await contracts.change(
        tx, known[row.external_id], changes=row.terms, version=None, zone=zone, actor=actor, now=now
    ):
        outcome.changed += 1
    else:
        outcome.unchanged += 1
