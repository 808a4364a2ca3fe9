"""The organisation's settings as administrators change them: by page or program, of the version that they saw."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.agent import Role
from callcenter.domain.organisation_file import OrganisationFile, understand
from callcenter.domain.plan import Plan
from callcenter.errors import Forbidden
from callcenter.store.applications import SQL, Via
from callcenter.store.log import Connection, ContactLog
from callcenter.store.pool import Pool
from callcenter.toml import BadFile, Document, Location, Problem

# What complaints call the text.
NAME = "organisation"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force, without passwords; `newest`: the application that it came of, 0 for none."""

    text: str
    version: str
    newest: int

    def document(self) -> Document:
        return toml.parse(self.text, NAME)


async def standing(pool: Pool) -> Standing:
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        text = await organisation.export(connection)
        newest = await connection.fetchval(SQL.newest)
    return Standing(text, organisation.version_of(text), newest)


async def plan(pool: Pool, text: str, *, prune: bool, actor: int) -> Plan:
    """Raises BadFile with every mistake of the text, Forbidden."""
    async with pool.acquire() as connection:
        file = _read(text, await _account(connection, actor), prune=prune)
        return await organisation.plan(connection, file, prune=prune)


async def apply(
    log: ContactLog, text: str, *, prune: bool, actor: int, via: Via, version: str | None, now: datetime
) -> Plan:
    """Raises BadFile, Forbidden, and Conflict when the version is not in force any more."""
    async with log.pool.acquire() as connection:
        file = _read(text, await _account(connection, actor), prune=prune)
    return await organisation.apply(log, file, prune=prune, actor=actor, now=now, via=via, version=version)


async def _account(connection: Connection, actor: int) -> asyncpg.Record:
    account = await connection.fetchrow(SQL.account, actor)
    if account is None or account["role"] != Role.ADMINISTRATOR:
        raise Forbidden(f"This needs the role {Role.ADMINISTRATOR}.")
    return account


def _read(text: str, account: asyncpg.Record, *, prune: bool) -> OrganisationFile:
    document = toml.parse(text, NAME)
    # The server's environment has secrets of others: only who has a file on the server may name them.
    if hidden := [
        document.problem(where, "only a file on the server may name its environment; a value was expected in its place")
        for where in _environment_keys((), document.data)
    ]:
        raise BadFile(hidden)
    file = understand(document, {})
    if problem := _locks_out(file, account["name"], prune=prune):
        raise BadFile([problem])
    return file


def _environment_keys(where: Location, value: Any) -> Iterator[Location]:
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        if key in ("password_env", "secret_env", "secrets_env"):
            yield (*where, key)
        else:
            yield from _environment_keys((*where, key), each)


def _locks_out(file: OrganisationFile, name: str, *, prune: bool) -> Problem | None:
    """Nobody takes away their own right to undo it."""
    for at, user in enumerate(file.organisation.users):
        if user.name == name:
            wrong = user.role is not Role.ADMINISTRATOR
            return file.document.problem(("users", at, "role"), "this is your own account") if wrong else None
    return file.document.problem(("users",), f"{name} is missing: this is your own account") if prune else None
