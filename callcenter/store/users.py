"""Accounts, sessions and tokens: what a secret that somebody shows us stands for."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import asyncpg

from callcenter.domain.agent import Role
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


def secret_hash(secret: str) -> bytes:
    """What is kept of a session or token. They are 256 random bits, so that a fast hash is enough."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    name: str
    full_name: str
    role: Role
    language: str | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(row["id"], row["name"], row["full_name"], Role(row["role"]), row["language"])


@dataclass(frozen=True, slots=True)
class Session:
    account: Account
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


async def find_session(pool: Pool, secret: str, *, now: datetime) -> Session | None:
    """The session that this cookie opens; None when it has ended or never was."""
    row = await pool.fetchrow(SQL.find_session, secret_hash(secret), now)
    if row is None:
        return None
    return Session(Account.of(row), row["csrf"], row["created_at"], row["seen_at"], row["expires_at"])


async def find_token(pool: Pool, secret: str, *, now: datetime) -> Account | None:
    """Whose bearer token this is; None when it has expired or never was."""
    row = await pool.fetchrow(SQL.find_token, secret_hash(secret), now)
    return None if row is None else Account.of(row)


async def add_user(
    connection: Connection, *, name: str, full_name: str, role: Role, password_hash: str | None, now: datetime
) -> int | None:
    """The new user's id; None when the name is taken. Whoever works here may take work."""
    ident: int | None = await connection.fetchval(SQL.add_user, name, full_name, role, password_hash, now)
    if ident is not None:
        await connection.execute(SQL.add_agent, ident, now)
    return ident
