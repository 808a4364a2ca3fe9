"""Orders from a list of another system: known by their number, each of a customer who must be here already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.errors import Invalid
from callcenter.store.pool import Pool
from callcenter.store.value import SQL, Order

COLUMNS = ("number", "external_id", "phone", "email", "amount", "currency", "date")
MOST_ORDERS = 1000
_LONGEST = 200
# What numeric(14, 2) holds.
_MOST = Decimal(10) ** 12


class At(NamedTuple):
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """An order that can be kept, if there is such a customer: one with `external_id`, or the only one at `address`."""

    number: str
    external_id: str | None
    address: At | None
    ordered_on: date
    amount: Decimal
    currency: str


def read_order(cells: Mapping[str, str | None], *, region: str) -> Row:
    """Raises Invalid with what is wrong. Phone numbers of `region` may come without country code."""
    text = {column: (cells.get(column) or "").strip() for column in COLUMNS}
    for column in ("number", "external_id"):
        if len(text[column]) > _LONGEST or not text[column].isprintable():
            raise Invalid(f"the {column} is too long, or cannot be printed", field=column)
    if not text["number"]:
        raise Invalid("the number is missing", field="number")
    address = None
    for kind in (AddressKind.PHONE, AddressKind.EMAIL):
        if text[kind] and not text["external_id"] and address is None:
            address = At(kind.value, read_address(kind, text[kind], region=region).value)
    if not text["external_id"] and address is None:
        raise Invalid("whose order it is must be said by external_id, phone or email", field="external_id")
    currency = text["currency"].upper()
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
        raise Invalid(f"{currency[:20]!r} is no currency; expected three letters such as CNY", field="currency")
    return Row(
        text["number"], text["external_id"] or None, address, _day(text["date"]), _amount(text["amount"]), currency
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:20]!r} is no date; expected one like 2026-03-31", field="date") from None


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    # Money that was paid back is below zero.
    if not amount.is_finite() or abs(amount) >= _MOST or amount != round(amount, 2):
        raise Invalid(f"{text[:20]!r} is no amount; expected one like 1250.00", field="amount")
    return round(amount, 2)


async def find_customers(pool: Pool, rows: Sequence[Row]) -> tuple[list[Order], list[int]]:
    """The orders with their customers, and the places of rows whose customer is not here, or is not the only one."""
    idents = {row.external_id for row in rows if row.external_id is not None}
    found = await pool.fetch(SQL.customers_by, list(idents))
    by_id = {each["external_id"]: (each["id"], each["record"]) for each in found}
    addresses = list({row.address for row in rows if row.address is not None})
    at = await pool.fetch(SQL.at_addresses, [each.kind for each in addresses], [each.value for each in addresses])
    by_address = {
        At(each["kind"], each["value"]): (each["customer"], each["record"]) for each in at if each["customer"]
    }
    orders, missing = [], []
    for place, row in enumerate(rows):
        whose = by_id.get(row.external_id) if row.external_id is not None else None
        if row.address is not None:
            whose = by_address.get(row.address)
        if whose is None:
            missing.append(place)
        else:
            customer, record = whose
            orders.append(Order(row.number, customer, row.ordered_on, row.amount, row.currency, record))
    return orders, missing
