"""What can be done to a company's record; the database makes it with its first customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from callcenter.domain.company import LONGEST_NAME, LONGEST_NOTE, parse_domains
from callcenter.domain.line import can_be_read, tidied
from callcenter.errors import Conflict, Invalid, Outdated
from callcenter.store import companies as store
from callcenter.store.companies import SQL, Company
from callcenter.store.log import ContactLog, Transaction


class Changes(TypedDict, total=False):
    """What is left out stays."""

    name: str
    domains: Sequence[str]
    note: str | None


def _checked(changes: Changes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "name" in changes:
        name = tidied(changes["name"])
        if not name:
            raise Invalid("A company needs a name.", field="name")
        if len(name) > LONGEST_NAME:
            raise Invalid(f"At most {LONGEST_NAME} characters.", field="name")
        if not can_be_read(name):
            raise Invalid("Only characters that can be printed.", field="name")
        found["name"] = name
    if "domains" in changes:
        found["domains"] = tuple(parse_domains(changes["domains"]))
    if "note" in changes:
        note = (changes["note"] or "").strip() or None
        if note is not None and (len(note) > LONGEST_NOTE or "\x00" in note):
            raise Invalid(f"At most {LONGEST_NOTE} characters.", field="note")
        found["note"] = note
    return found


def check_standing(company: Company) -> None:
    """Raises Conflict for one that was merged."""
    if company.merged_into is not None:
        raise Conflict(f"Company {company.id} was merged into {company.merged_into}.")


def is_nothing(company: Company) -> bool:
    """No more than a name that nobody has."""
    return not company.people and not company.domains and company.note is None


async def change(
    log: ContactLog | Transaction,
    company: int,
    *,
    changes: Changes,
    version: int | None,
    actor: int | None,
    now: datetime,
) -> Company:
    """As it stands then; `version` None: whatever it is.

    Its people are of it by its new name; by the old one it is still found. One of which nobody is and nothing is known
    any more is taken away.

    Raises Invalid, NotFound, Conflict for a name that is another company's, and Outdated for another version.
    """
    async with log.transaction() as tx:
        new = _checked(changes)
        await tx.connection.execute(SQL.lock, company)
        before = await store.get(tx.connection, company)
        check_standing(before)
        if version is not None and version != before.version:
            raise Outdated(f"The record was changed meanwhile; it is at version {before.version} now.")
        changed = [field for field, value in new.items() if value != getattr(before, field)]
        if not changed:
            return before
        if "name" in changed:
            await _rename(tx, company, new["name"])
        domains, note = new.get("domains", before.domains), new.get("note", before.note)
        after = await tx.connection.fetchval(SQL.change, company, list(domains), note, now)
        data = {"company": company, "changed": changed}
        await tx.append("company.changed", actor=actor, version=after, data=data, now=now)
        found = await store.get(tx.connection, company)
        await tx.connection.execute(SQL.forget, company)
        return found


async def _rename(tx: Transaction, company: int, name: str) -> None:
    await tx.connection.execute(SQL.rename, company, name)
    # Asked afterwards: who takes the name at the same moment is waited for.
    if await tx.connection.fetchval(SQL.holder, name) != company:
        raise Conflict("Another company has this name, or had it: merge the two.")
