"""What can be done to a customer's record. Names and numbers stay in it; the log says which parts were changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from callcenter.actions import value as worth
from callcenter.domain.customer import Address
from callcenter.domain.line import can_be_read, tidied
from callcenter.errors import Conflict, Invalid, Outdated
from callcenter.store import customers as store
from callcenter.store.companies import SQL as COMPANIES
from callcenter.store.contracts import SQL as CONTRACTS
from callcenter.store.customers import SQL
from callcenter.store.log import ContactLog, Transaction

LONGEST_NAME = 200
LONGEST_NOTE = 10_000
MOST_ADDRESSES = 100
_ERASED = "Who was erased is not known any more, and nothing is added to their record."
# `owner` is the name of the user who looks after them.
_FIELDS = {"name": LONGEST_NAME, "company": LONGEST_NAME, "tier": 50, "language": 20, "note": LONGEST_NOTE, "owner": 63}


def _check(field: str, value: str | None, *, longest: int) -> str | None:
    text = None if value is None else (value.strip() if field == "note" else tidied(value)) or None
    if field == "name" and text is None:
        raise Invalid("A customer needs a name.", field="name")
    if text is not None and len(text) > longest:
        raise Invalid(f"At most {longest} characters.", field=field)
    if text is not None and not (can_be_read(text) if field != "note" else "\x00" not in text):
        raise Invalid("Only characters that can be printed.", field=field)
    return text


def checked(fields: Mapping[str, str]) -> dict[str, str]:
    """Those that are not empty, as they will be kept. Raises Invalid for the first that could not be."""
    found = {field: _check(field, value, longest=_FIELDS[field]) for field, value in fields.items() if value}
    return {field: value for field, value in found.items() if value is not None}


async def _check_owner(tx: Transaction, owner: str | None) -> None:
    if owner is not None and not await tx.connection.fetchval(SQL.works_here, owner):
        raise Invalid(f"Nobody named {owner} works here.", field="owner")


async def create(
    log: ContactLog | Transaction,
    *,
    name: str,
    company: str | None,
    tier: str | None,
    addresses: Sequence[Address],
    actor: int | None,
    now: datetime,
    external_id: str | None = None,
    language: str | None = None,
    note: str | None = None,
    owner: str | None = None,
) -> int:
    """The new customer's id. Addresses are those of `domain.address.read_address`.

    Raises Invalid, and Conflict when the external id is another customer's.
    """
    async with log.transaction() as tx:
        return await add(
            tx,
            {"name": name, "company": company, "tier": tier, "language": language, "note": note, "owner": owner},
            addresses=addresses,
            external_id=external_id,
            actor=actor,
            now=now,
        )


async def add(
    tx: Transaction,
    fields: Mapping[str, str | None],
    *,
    addresses: Sequence[Address],
    external_id: str | None,
    actor: int | None,
    now: datetime,
) -> int:
    """`create` inside a transaction of the caller's."""
    values = {field: _check(field, fields.get(field), longest=longest) for field, longest in _FIELDS.items()}
    if len(addresses) > MOST_ADDRESSES:
        raise Invalid(f"At most {MOST_ADDRESSES} addresses.", field="addresses")
    await _check_owner(tx, values["owner"])
    ident: int | None = await tx.connection.fetchval(SQL.add_customer, external_id or None, *values.values(), now)
    if ident is None:
        raise Conflict(f"There is a customer with the external id {external_id} already.")
    await store.add_addresses(tx.connection, ident, addresses, now=now)
    if values["tier"] is not None:
        await worth.note_by_hand(tx, ident, values["tier"], actor=actor, now=now)
    await tx.append("customer.created", customer=ident, actor=actor, version=1, now=now)
    return ident


async def add_address(log: ContactLog, customer: int, *, address: Address, actor: int | None, now: datetime) -> None:
    """An address that the customer has already may become more certain, never less."""
    async with log.transaction() as tx:
        await tx.lock_customer(customer)
        await extend(tx, customer, addresses=[address], actor=actor, now=now)


async def extend(
    tx: Transaction, customer: int, *, addresses: Sequence[Address], actor: int | None, now: datetime
) -> None:
    """`add_address` of a locked customer inside a transaction of the caller's."""
    version = await tx.connection.fetchval(SQL.touch, customer)
    if version is None:
        elsewhere = (await store.get(tx.connection, customer)).merged_into
        if elsewhere is None:
            raise Conflict(_ERASED)
        raise Conflict(f"Customer {customer} was merged into {elsewhere}.")
    await store.add_addresses(tx.connection, customer, addresses, now=now)
    await tx.append(
        "customer.changed", customer=customer, actor=actor, version=version, data={"changed": ["addresses"]}, now=now
    )


async def update(
    log: ContactLog,
    customer: int,
    *,
    changes: Mapping[str, str | None],
    version: int | None,
    actor: int | None,
    now: datetime,
) -> None:
    """Changes name, company, tier, language, note or owner; `version` None: whatever it is.

    Raises Invalid, NotFound, and Outdated for another version.
    """
    if unknown := changes.keys() - _FIELDS.keys():
        raise Invalid(f"A customer has no {', '.join(sorted(unknown))}.", field=min(unknown))
    async with log.transaction() as tx:
        await tx.lock_customer(customer)
        await change(tx, customer, changes=changes, version=version, actor=actor, now=now)


async def change(
    tx: Transaction,
    customer: int,
    *,
    changes: Mapping[str, str | None],
    version: int | None,
    actor: int | None,
    now: datetime,
) -> bool:
    """`update` of a locked customer inside a transaction of the caller's; whether anything changed."""
    before = await store.get(tx.connection, customer)
    if version is not None and version != before.version:
        raise Outdated(f"The record was changed meanwhile; it is at version {before.version} now.")
    old = {field: getattr(before, field) for field in _FIELDS}
    new = {**old, **{field: _check(field, value, longest=_FIELDS[field]) for field, value in changes.items()}}
    if new["company"] not in (None, old["company"]):
        # Whoever is said to be of a company by a name that it had, as in another system's list, is so already.
        new["company"] = await tx.connection.fetchval(COMPANIES.called, new["company"])
    changed = [field for field in _FIELDS if new[field] != old[field]]
    if not changed:
        return False
    if "owner" in changed:
        await _check_owner(tx, new["owner"])
    after = await tx.connection.fetchval(SQL.change, customer, *new.values())
    if after is None:
        raise Conflict(_ERASED)
    if "tier" in changed:
        await worth.note_by_hand(tx, customer, new["tier"], actor=actor, now=now)
    elif "language" in changed:
        # What of theirs waits stands in another line now.
        await tx.connection.execute(CONTRACTS.ask_review, [customer])
    await tx.append(
        "customer.changed", customer=customer, actor=actor, version=after, data={"changed": changed}, now=now
    )
    return True
