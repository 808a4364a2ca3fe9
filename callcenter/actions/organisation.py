"""Making the database say what an organisation file says: a plan in words, then one transaction."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

from callcenter import toml
from callcenter.actions import policies
from callcenter.domain import password as passwords
from callcenter.domain.duration import format_duration
from callcenter.domain.organisation import Organisation, PolicyEntry, QueueEntry, UserEntry
from callcenter.domain.organisation_file import OrganisationFile, understand
from callcenter.domain.organisation_text import to_toml
from callcenter.domain.overflow import find_circle
from callcenter.store import organisation as store
from callcenter.store.log import Connection, ContactLog
from callcenter.store.organisation import SQL


class _Entry(Protocol):
    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=_Entry)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an application would do, a line each; `warnings` are for people and change nothing."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not (self.created or self.changed or self.removed)

    def lines(self) -> Iterator[str]:
        yield from (f"+ {line}" for line in self.created)
        yield from (f"~ {line}" for line in self.changed)
        yield from (f"- {line}" for line in self.removed)
        yield from (f"! {line}" for line in self.warnings)


def load(path: Path, *, environ: Mapping[str, str]) -> OrganisationFile:
    """Raises BadFile with everything that is wrong in it."""
    return understand(toml.read(path), environ)


async def export(connection: Connection) -> str:
    """The organisation as a file, without passwords."""
    return to_toml(await store.read(connection))


async def plan(connection: Connection, file: OrganisationFile, *, prune: bool) -> Plan:
    """What `apply` would do. Raises BadFile when the file names something that is neither in it nor here."""
    before = await store.read(connection)
    hashes = await _new_hashes(connection, file.organisation.users)
    return _compare(before, file, prune=prune, hashes=hashes)


async def apply(log: ContactLog, file: OrganisationFile, *, prune: bool, actor: int | None, now: datetime) -> Plan:
    """Does what the plan says, all of it or nothing. What the file does not name stays, unless `prune`."""
    # Hashing takes longer than a transaction may stay open.
    async with log.pool.acquire() as connection:
        hashes = await _new_hashes(connection, file.organisation.users)
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock)
        before = await store.read(tx.connection)
        found = _compare(before, file, prune=prune, hashes=hashes)
        if found.empty:
            return found
        await _write(tx.connection, before, file.organisation, prune=prune, hashes=hashes, now=now)
        if _touches_promises(found):
            await tx.connection.execute(SQL.revise_promises)
        counts = {"created": len(found.created), "changed": len(found.changed), "removed": len(found.removed)}
        await tx.append("organisation.applied", actor=actor, data=counts, now=now)
    return found


def _touches_promises(found: Plan) -> bool:
    lines = (*found.created, *found.changed, *found.removed)
    return any(line.startswith(("hours ", "sla_policy ", "sla_policies")) for line in lines)


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
    if wanted.general is not None and before.general is not None and wanted.general != before.general:
        changed.append(f"organisation: {_differences(before.general, wanted.general)}")
    users = [_kept(before, user) for user in wanted.users]
    pairs: list[tuple[str, Sequence[_Entry], Sequence[_Entry]]] = [
        ("user", before.users, users),
        ("hours", before.hours, wanted.hours),
        ("queue", before.queues, wanted.queues),
        ("sla_policy", before.policies, wanted.policies),
    ]
    for noun, old, new in pairs:
        by_name = {entry.name: entry for entry in old}
        for entry in new:
            words = [] if entry.name not in by_name else _changes(noun, by_name[entry.name], entry, hashes)
            if entry.name not in by_name:
                created.append(f"{noun} {entry.name}")
            elif words:
                changed.append(f"{noun} {entry.name}: {', '.join(words)}")
        if prune:
            names = {entry.name for entry in new}
            removed += [f"{noun} {entry.name}" for entry in old if entry.name not in names]
    changed += _another_order(before.policies, _merged(before.policies, wanted.policies, prune=prune))
    return Plan(tuple(created), tuple(changed), tuple(removed), tuple(_warnings(before, wanted)))


def _another_order(before: Sequence[PolicyEntry], after: Sequence[PolicyEntry]) -> Iterator[str]:
    """The first policy that fits is chosen, so their order matters."""
    old, new = [entry.name for entry in before], [entry.name for entry in after]
    both = [[name for name in names if name in old and name in new] for names in (old, new)]
    if both[0] != both[1]:
        yield f"sla_policies: order {', '.join(both[0])} → {', '.join(both[1])}"


def _changes(noun: str, old: _Entry, new: _Entry, hashes: Mapping[str, str]) -> list[str]:
    words = [_differences(old, new)] if old != new else []
    return [*words, "password"] if noun == "user" and new.name in hashes else words


def _warnings(before: Organisation, wanted: Organisation) -> Iterator[str]:
    there = {user.name for user in before.users}
    for user in wanted.users:
        if user.password is None and user.name not in there:
            yield f"user {user.name} has no password yet and cannot sign in"
        elif user.password is not None and (complaint := passwords.complaint(user.password, name=user.name)):
            yield f"user {user.name}: {complaint}"
    yield from policies.warnings(before, wanted)


def _differences(old: Any, new: Any) -> str:
    names = [each.name for each in fields(old) if each.compare]
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in names]
    return ", ".join(f"{name} {_word(a)} → {_word(b)}" for name, a, b in pairs if a != b)


def _word(value: Any) -> str:
    match value:
        case None | "":
            return "none"
        case timedelta():
            return format_duration(value)
        case Mapping():
            return "{" + ", ".join(f"{key} = {_word(each)}" for key, each in value.items()) + "}"
        case tuple():
            return "[" + ", ".join(_word(each) for each in value) + "]"
        case _ if hasattr(value, "__dataclass_fields__"):
            return "{" + ", ".join(f"{each.name} = {_word(getattr(value, each.name))}" for each in fields(value)) + "}"
        case _:
            return str(value)


def _check(before: Organisation, file: OrganisationFile, *, prune: bool) -> None:
    """The whole that comes of the file and of what is here already must fit together."""
    wanted = file.organisation
    users = _merged(before.users, wanted.users, prune=prune)
    queues = _merged(before.queues, wanted.queues, prune=prune)
    there = {
        "users": {user.name for user in users},
        "hours": {hours.name for hours in _merged(before.hours, wanted.hours, prune=prune)},
        "queues": {queue.name for queue in queues},
    }
    problems = [
        file.document.problem(each.location, f"there are no {each.table} of the name {each.name!r}")
        for each in file.references
        if each.name not in there[each.table]
    ]
    kept_users, kept_queues = users[: -len(wanted.users) or None], queues[: -len(wanted.queues) or None]
    for at, user in enumerate(wanted.users):
        for other in kept_users:
            if user is not other and user.endpoint is not None and user.endpoint == other.endpoint:
                where = ("users", at, "endpoint")
                problems.append(file.document.problem(where, f"this is the phone of {other.name}"))
    for at, queue in enumerate(wanted.queues):
        problems += _clashes(file, at, queue, [other for other in kept_queues if other.name != queue.name])
    problems += _overflow_circles(file, queues)
    problems += policies.problems(file, users, _merged(before.policies, wanted.policies, prune=prune))
    if problems:
        raise toml.BadFile(problems)


def _overflow_circles(file: OrganisationFile, queues: Sequence[QueueEntry]) -> Iterator[toml.Problem]:
    """Work that overflows must not come back to a queue where it was."""
    circle = find_circle({queue.name: [rule.to for rule in queue.overflow if rule.to] for queue in queues})
    for at, queue in enumerate(file.organisation.queues):
        for index, rule in enumerate(queue.overflow):
            if rule.to is not None and (queue.name, rule.to) in pairwise(circle):
                where = ("queues", at, "overflow", index, "to")
                yield file.document.problem(where, f"work would come back on the way {' → '.join(circle)}")
                return


def _clashes(
    file: OrganisationFile, at: int, queue: QueueEntry, others: Sequence[QueueEntry]
) -> Iterator[toml.Problem]:
    for other in others:
        for number in sorted(set(queue.numbers) & set(other.numbers)):
            where = ("queues", at, "numbers")
            yield file.document.problem(where, f"{number} leads to the queue {other.name} already")
        if queue.default and other.default:
            where = ("queues", at, "default")
            yield file.document.problem(where, f"the default queue is {other.name} already")


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
    if prune:
        await connection.execute(SQL.drop_policies, _dropped(before.policies, wanted.policies))
        await connection.execute(SQL.retire_queues, _dropped(before.queues, wanted.queues))
        await connection.execute(SQL.retire_users, _dropped(before.users, wanted.users))
    await store.put_users(connection, wanted.users, hashes=hashes, now=now)
    await store.put_hours(connection, wanted.hours)
    await store.put_queues(connection, wanted.queues)
    promises: list[PolicyEntry] = _merged(before.policies, wanted.policies, prune=prune)
    await store.put_policies(connection, promises)
    if prune:
        await connection.execute(SQL.drop_hours, _dropped(before.hours, wanted.hours))
