"""Making the database say what an organisation file says: a plan in words, then one transaction."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from callcenter import toml
from callcenter.actions import forms, gateway_file, policies, queue_file, rulebook
from callcenter.domain import password as passwords
from callcenter.domain.callback import CallbackRules
from callcenter.domain.mail_rules import MailRules
from callcenter.domain.organisation import Organisation, PolicyEntry, UserEntry, WebhookEntry, WidgetEntry
from callcenter.domain.organisation_file import OrganisationFile, understand
from callcenter.domain.organisation_text import to_toml
from callcenter.domain.plan import Difference, Plan, differences, particulars
from callcenter.domain.rule_keys import KINDS
from callcenter.domain.ticket_rules import TicketRules
from callcenter.errors import Conflict
from callcenter.store import (
    applications,
    canned,
    contract_kinds,
    fax_gateways,
    gateways,
    letters,
    mailboxes,
    web_forms,
    widgets,
)
from callcenter.store import organisation as store
from callcenter.store.applications import Via
from callcenter.store.log import Connection, ContactLog
from callcenter.store.organisation import SQL


class _Entry(Protocol):
    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=_Entry)


def load(path: Path, *, environ: Mapping[str, str]) -> OrganisationFile:
    """Raises BadFile with everything that is wrong in it."""
    return understand(toml.read(path), environ)


async def export(connection: Connection) -> str:
    """The organisation as a file, without passwords."""
    return to_toml(await store.read(connection))


def version_of(text: str) -> str:
    """Two exports that say the same have one version."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def plan(connection: Connection, file: OrganisationFile, *, prune: bool) -> Plan:
    """What `apply` would do. Raises BadFile when the file names something that is neither in it nor here."""
    before = await store.read(connection)
    hashes = await _new_hashes(connection, file.organisation.users)
    return _compare(before, file, prune=prune, hashes=hashes)


async def apply(
    log: ContactLog, file: OrganisationFile, *, prune: bool, actor: int | None, now: datetime, via: Via = Via.FILE,
    version: str | None = None,
) -> Plan:  # fmt: skip
    """Does what the plan says, all of it or nothing. What the file does not name stays, unless `prune`.

    `version`: of what was in force when the file was written; raises Conflict when something else is by now.
    """
    # Hashing takes longer than a transaction may stay open.
    async with log.pool.acquire() as connection:
        hashes = await _new_hashes(connection, file.organisation.users)
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock)
        before = await store.read(tx.connection)
        if version is not None and version != version_of(to_toml(before)):
            raise Conflict("Somebody else has applied something since.")
        found = _compare(before, file, prune=prune, hashes=hashes)
        if found.empty:
            return found
        await _write(tx.connection, before, file.organisation, prune=prune, hashes=hashes, now=now)
        if _touches_promises(found):
            await tx.connection.execute(SQL.revise_promises)
            await tx.connection.execute(contract_kinds.SQL.reschedule, now)
        await rulebook.write(tx.connection, before, file.organisation, prune=prune, plan=found, now=now)
        counts = {"created": len(found.created), "changed": len(found.changed), "removed": len(found.removed)}
        await applications.add(tx.connection, found, via=via, actor=actor, now=now)
        await tx.connection.execute(SQL.revise)
        await tx.append("organisation.applied", actor=actor, data=counts, now=now)
    return found


def _touches_promises(found: Plan) -> bool:
    lines = (*found.created, *found.changed, *found.removed)
    return any(line.startswith(("hours ", "sla_policy ", "sla_policies", "contract ")) for line in lines)


async def _new_hashes(connection: Connection, users: Sequence[UserEntry]) -> dict[str, str]:
    """Of the passwords that this file gives and the last one did not: who has changed theirs since keeps it."""
    given = {user.name: user.password for user in users if user.password is not None}
    rows = await connection.fetch(SQL.file_passwords, list(given))
    known = {row["name"]: row["file_password_hash"] for row in rows}

    def hash_all() -> dict[str, str]:
        return {
            name: passwords.protect(password)
            for name, password in given.items()
            if known.get(name) is None or not passwords.matches(known[name], password)
        }

    return await asyncio.to_thread(hash_all)


def _merged(before: Sequence[E], wanted: Sequence[E], *, prune: bool) -> list[E]:
    """What there is afterwards."""
    names = {entry.name for entry in wanted}
    return [*([] if prune else [entry for entry in before if entry.name not in names]), *wanted]


def _kept(before: Organisation, entry: UserEntry) -> UserEntry:
    """A user's language is their own choice unless the file makes it."""
    old = next((user for user in before.users if user.name == entry.name), None)
    return replace(entry, language=old.language) if old is not None and entry.language is None else entry


def _compare(before: Organisation, file: OrganisationFile, *, prune: bool, hashes: Mapping[str, str]) -> Plan:
    wanted = file.organisation
    _check(before, file, prune=prune)
    created: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    details: dict[str, tuple[Difference, ...]] = {}
    for name, found in _sections_changed(before, wanted, prune=prune):
        changed.append(_line(name, found, details))
    users = [_kept(before, user) for user in wanted.users]
    pairs: list[tuple[str, Sequence[_Entry], Sequence[_Entry]]] = [
        ("user", before.users, users),
        ("hours", before.hours, wanted.hours),
        ("queue", before.queues, wanted.queues),
        ("sla_policy", before.policies, wanted.policies),
        ("webhook", before.webhooks, wanted.webhooks),
        *((kind[:-1], getattr(before, kind), getattr(wanted, kind)) for kind in KINDS),
        *forms.pairs(before, wanted),
        ("contract", before.contracts, wanted.contracts),
        ("mailbox", before.mailboxes, wanted.mailboxes),
        ("letter", before.letters, wanted.letters),
        ("widget", before.widgets, wanted.widgets),
        ("canned answer", before.canned_answers, wanted.canned_answers),
        ("web_form", before.web_forms, wanted.web_forms),
        ("gateway", before.gateways, wanted.gateways),
        ("fax_gateway", before.fax_gateways, wanted.fax_gateways),
    ]
    for noun, old, new in pairs:
        by_name = {entry.name: entry for entry in old}
        for entry in new:
            what = f"{noun} {entry.name}"
            if entry.name not in by_name:
                created.append(what)
                details[what] = particulars(entry)
            elif words := _changes(noun, by_name[entry.name], entry, hashes):
                changed.append(_line(what, words, details))
        removed += [f"{noun} {name}" for name in _dropped(old, new) if prune]
    changed += _another_order("sla_policies", before.policies, _merged(before.policies, wanted.policies, prune=prune))
    for kind in KINDS:
        old = getattr(before, kind)
        changed += _another_order(kind, old, _merged(old, getattr(wanted, kind), prune=prune))
    for what in ("value", "portal"):
        old, new = getattr(before, what), getattr(wanted, what)
        if new is None or old is None:
            created += [what] if new is not None else []
            removed += [what] if old is not None and prune else []
        elif found := differences(old, new):
            changed.append(_line(what, found, details))
    return Plan(tuple(created), tuple(changed), tuple(removed), tuple(_warnings(before, wanted)), details)


def _line(what: str, found: Sequence[Difference], details: dict[str, tuple[Difference, ...]]) -> str:
    line = f"{what}: {', '.join(map(str, found))}"
    details[line] = tuple(found)
    return line


def _ticket_rules(wanted: Organisation, *, prune: bool) -> TicketRules | None:
    """A file has all of them or says nothing of them."""
    return TicketRules() if wanted.tickets is None and prune else wanted.tickets


def _sections_changed(
    before: Organisation, wanted: Organisation, *, prune: bool
) -> Iterator[tuple[str, tuple[Difference, ...]]]:
    """Tables that every organisation has once."""
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("organisation", before.general, wanted.general),
        ("tickets", before.tickets, _ticket_rules(wanted, prune=prune)),
        ("mail", before.mail, _mail_rules(wanted, prune=prune)),
        ("callbacks", before.callbacks, _callback_rules(wanted, prune=prune)),
    )
    for name, old, new in pairs:
        if new is not None and old is not None and new != old:
            yield name, differences(old, new)


def _mail_rules(wanted: Organisation, *, prune: bool) -> MailRules | None:
    return MailRules() if wanted.mail is None and prune else wanted.mail


def _callback_rules(wanted: Organisation, *, prune: bool) -> CallbackRules | None:
    return CallbackRules() if wanted.callbacks is None and prune else wanted.callbacks


def _another_order(kind: str, before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[str]:
    """The first policy that fits is chosen, and rules are asked in turn, so their order matters."""
    old, new = [entry.name for entry in before], [entry.name for entry in after]
    both = [[name for name in names if name in old and name in new] for names in (old, new)]
    if both[0] != both[1]:
        yield f"{kind}: order {', '.join(both[0])} → {', '.join(both[1])}"


def _changes(noun: str, old: _Entry, new: _Entry, hashes: Mapping[str, str]) -> list[Difference]:
    found = [*differences(old, new)]
    signed = (WebhookEntry, WidgetEntry)
    if isinstance(old, signed) and isinstance(new, signed) and new.secret not in (None, old.secret):
        found.append(Difference("secret"))
    if gateway_file.changes_secrets(old, new):
        found.append(Difference("secrets"))
    return [*found, Difference("password")] if noun == "user" and new.name in hashes else found


def _warnings(before: Organisation, wanted: Organisation) -> Iterator[str]:
    there = {user.name for user in before.users}
    for user in wanted.users:
        if user.password is None and user.name not in there:
            yield f"user {user.name} has no password yet and cannot sign in"
        elif user.password is not None and (complaint := passwords.complaint(user.password, name=user.name)):
            yield f"user {user.name}: {complaint}"
    yield from policies.warnings(before, wanted)


def _check(before: Organisation, file: OrganisationFile, *, prune: bool) -> None:
    """The whole that comes of the file and of what is here already must fit together."""
    wanted = file.organisation
    users = _merged(before.users, wanted.users, prune=prune)
    queues = _merged(before.queues, wanted.queues, prune=prune)
    there = {
        "users": {user.name for user in users},
        "hours": {hours.name for hours in _merged(before.hours, wanted.hours, prune=prune)},
        "queues": {queue.name for queue in queues},
        **forms.names(before, wanted, prune=prune),
        "webhooks": {webhook.name for webhook in _merged(before.webhooks, wanted.webhooks, prune=prune)},
        "web_forms": {form.name for form in _merged(before.web_forms, wanted.web_forms, prune=prune)},
        "contracts": {kind.name for kind in _merged(before.contracts, wanted.contracts, prune=prune)},
    }
    problems = [
        file.document.problem(each.location, f"there are no {each.table} of the name {each.name!r}")
        for each in file.references
        if each.name not in there[each.table]
    ]
    kept_users = users[: -len(wanted.users) or None]
    for at, user in enumerate(wanted.users):
        for other in kept_users:
            if user is not other and user.endpoint is not None and user.endpoint == other.endpoint:
                where = ("users", at, "endpoint")
                problems.append(file.document.problem(where, f"this is the phone of {other.name}"))
    problems += queue_file.problems(file, queues, users)
    signed = {webhook.name for webhook in before.webhooks if webhook.secret}
    problems += [
        file.document.problem(("webhooks", at), "secret or secret_env is needed: what it gets is signed")
        for at, webhook in enumerate(wanted.webhooks)
        if webhook.secret is None and webhook.name not in signed
    ]
    problems += gateway_file.problems(file, before.gateways)
    problems += policies.problems(file, users, _merged(before.policies, wanted.policies, prune=prune))
    rules = {kind: _merged(getattr(before, kind), getattr(wanted, kind), prune=prune) for kind in KINDS}
    declared = _ticket_rules(wanted, prune=prune) or before.tickets or TicketRules()
    problems += rulebook.problems(file, rules, users=users, names=there, tickets=declared)
    if problems:
        raise toml.BadFile(problems)


def _dropped(before: Sequence[_Entry], wanted: Sequence[_Entry]) -> list[str]:
    names = {entry.name for entry in wanted}
    return [entry.name for entry in before if entry.name not in names]


async def _write(
    connection: Connection,
    before: Organisation,
    wanted: Organisation,
    *,
    prune: bool,
    hashes: dict[str, str],
    now: datetime,
) -> None:
    if wanted.general is not None:
        await store.put_general(connection, wanted.general)
    if (rules := _ticket_rules(wanted, prune=prune)) is not None:
        await store.put_ticket_rules(connection, rules)
    if (called_back := _callback_rules(wanted, prune=prune)) is not None:
        await store.put_callbacks(connection, called_back)
    if prune:
        await connection.execute(SQL.drop_policies, _dropped(before.policies, wanted.policies))
        await connection.execute(SQL.retire_webhooks, _dropped(before.webhooks, wanted.webhooks))
        await connection.execute(contract_kinds.SQL.retire, _dropped(before.contracts, wanted.contracts))
        await connection.execute(SQL.retire_queues, _dropped(before.queues, wanted.queues))
        await connection.execute(SQL.retire_users, _dropped(before.users, wanted.users))
    await store.put_users(connection, wanted.users, hashes=hashes, now=now)
    await store.put_hours(connection, wanted.hours)
    await store.put_reach(connection, wanted.users)
    await store.put_webhooks(connection, wanted.webhooks)
    await store.put_queues(connection, wanted.queues)
    await _write_doors(connection, before, wanted, prune=prune)
    promises: list[PolicyEntry] = _merged(before.policies, wanted.policies, prune=prune)
    await store.put_policies(connection, promises)
    await forms.write(connection, before.forms, wanted.forms, prune=prune, now=now)
    await contract_kinds.put(connection, wanted.contracts)
    if wanted.value is not None or prune:
        await contract_kinds.put_value(connection, wanted.value)
    if prune:
        await connection.execute(SQL.drop_hours, _dropped(before.hours, wanted.hours))


async def _write_doors(connection: Connection, before: Organisation, wanted: Organisation, *, prune: bool) -> None:
    """Where customers come in by themselves, and what they are written."""
    if prune:
        await mailboxes.drop(connection, _dropped(before.mailboxes, wanted.mailboxes))
        await widgets.drop(connection, _dropped(before.widgets, wanted.widgets))
        await canned.drop(connection, _dropped(before.canned_answers, wanted.canned_answers))
        await web_forms.drop(connection, _dropped(before.web_forms, wanted.web_forms))
        await gateways.retire(connection, _dropped(before.gateways, wanted.gateways))
        await fax_gateways.retire(connection, _dropped(before.fax_gateways, wanted.fax_gateways))
        gone = set(_dropped(before.letters, wanted.letters))
        await letters.drop(connection, [each for each in before.letters if each.name in gone])
    await mailboxes.put(connection, wanted.mailboxes)
    await letters.put(connection, wanted.letters)
    await letters.put_signatures(connection, wanted.users, wanted.queues)
    if (mail := _mail_rules(wanted, prune=prune)) is not None:
        await letters.put_rules(connection, mail)
    await widgets.put(connection, wanted.widgets)
    await canned.put(connection, wanted.canned_answers)
    await web_forms.put(connection, wanted.web_forms)
    await gateways.put(connection, wanted.gateways)
    await fax_gateways.put(connection, wanted.fax_gateways)
    if wanted.portal is not None or prune:
        await web_forms.put_portal(connection, wanted.portal)
