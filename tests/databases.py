"""Databases for tests: a copy of the migrated template, put back into its first state and used again by the next test.

Making and dropping a database costs about 150 ms of a core, emptying one about 30. What cannot be put back for certain
(a changed catalogue, statistics, large tables) is dropped instead, so no test finds what another one left.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import asyncpg

LARGEST = 4 * 1024 * 1024  # bytes in tables; deleted rows stay in them until they are vacuumed

_numbers = count(1)

_END_OTHERS = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""

# Every row of the catalogue about our tables and functions, with the transaction that wrote it: whatever is created,
# altered or dropped changes the sum. `planned_rows`: what the planner believes to be in the tables.
_STATE = """
with ours as (
    select c.oid, c.xmin, c.relkind, c.relname, c.reltuples from pg_class c
    where c.relnamespace = 'public'::regnamespace
)
select (select sum(hashint8(o.oid::bigint << 32 | o.xmin::text::bigint)) from ours o) as relations,
       (select sum(hashint8(a.attrelid::bigint << 32 | a.xmin::text::bigint) + a.attnum)
        from pg_attribute a join ours o on o.oid = a.attrelid) as columns,
       (select sum(hashint8(p.oid::bigint << 32 | p.xmin::text::bigint))
        from pg_proc p where p.pronamespace = 'public'::regnamespace) as functions,
       (select sum(hashint8(d.oid::bigint << 32 | d.xmin::text::bigint)) from pg_attrdef d) as defaults,
       (select sum(reltuples) from ours where reltuples > 0)::bigint as planned_rows,
       (select coalesce(sum(pg_relation_size(oid)), 0) from ours where relkind = 'r')::bigint as bytes,
       (select coalesce(array_agg(quote_ident(relname)), '{}')
        from ours where relkind = 'r' and pg_relation_size(oid) > 0) as written
"""
_SEQUENCES = """
select seqrelid::regclass::text as name, pg_sequence_last_value(seqrelid) as last from pg_sequence
where pg_sequence_last_value(seqrelid) is not null
"""
_RESTART = (
    "select setval(seqrelid, seqstart, false) from pg_sequence where pg_sequence_last_value(seqrelid) is not null"
)

_FILL = "insert into {0} overriding system value select * from json_populate_recordset(null::{0}, {1})"


@dataclass(frozen=True, slots=True)
class Pristine:
    """What a database of the template is: its catalogue, the rows that the migrations wrote, its sequences."""

    catalogue: tuple[int, ...]
    rows: dict[str, str]
    sequences: dict[str, int]

    @classmethod
    async def of(cls, conn: asyncpg.Connection) -> "Pristine":
        """Read it from a database that nothing has happened in."""
        state = (await conn.fetch(_STATE))[0]
        rows = {name: await conn.fetchval(f"select json_agg(t) from {name} t") for name in state["written"]}
        sequences = {row["name"]: row["last"] for row in await conn.fetch(_SEQUENCES)}
        return cls(_catalogue(state), {name: text for name, text in rows.items() if text}, sequences)

    async def restore(self, conn: asyncpg.Connection) -> bool:
        """Put the database back into this state; False: it cannot be, and is to be dropped."""
        await conn.execute(_END_OTHERS)
        state = (await conn.fetch(_STATE))[0]
        if _catalogue(state) != self.catalogue or state["bytes"] > LARGEST:
            return False
        wipe = [f"delete from {name}" for name in state["written"]]
        fill = [_FILL.format(name, _quoted(text)) for name, text in self.rows.items()]
        begin = [f"select setval({_quoted(name)}, {last})" for name, last in self.sequences.items()]
        # Without triggers and foreign keys, so in any order.
        await conn.execute(";".join(["set session_replication_role = replica", *wipe, *fill, _RESTART, *begin]))
        return True


def _catalogue(state: asyncpg.Record) -> tuple[int, ...]:
    return tuple(state[name] for name in ("relations", "columns", "functions", "defaults", "planned_rows"))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(slots=True)
class Databases:
    """The databases of one worker on a server; `clean` are those that the next test may have."""

    dsn_of: Callable[[str], str]
    template: str
    pristine: Pristine
    clean: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """Give the address of a database in the template's state, for this test alone."""
        name = self.clean.pop() if self.clean else await self._make(self.template)
        try:
            yield self.dsn_of(name)
        finally:
            if await self._restored(name):
                self.clean.append(name)
            else:
                await self._drop(name)

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """Give the address of a database without anything in it."""
        name = await self._make("template0")
        try:
            yield self.dsn_of(name)
        finally:
            await self._drop(name)

    async def close(self) -> None:
        """Drop what is left."""
        while self.clean:
            await self._drop(self.clean.pop())

    async def _restored(self, name: str) -> bool:
        conn = await asyncpg.connect(self.dsn_of(name), command_timeout=60)
        try:
            return await self.pristine.restore(conn)
        except asyncpg.InsufficientPrivilegeError:  # on a server that is not ours
            return False
        finally:
            await conn.close()

    async def _make(self, template: str) -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        await self._admin(f"create database {name} template {template} strategy file_copy")
        return name

    async def _drop(self, name: str) -> None:
        await self._admin(f"drop database if exists {name} with (force)")

    async def _admin(self, statement: str) -> None:
        conn = await asyncpg.connect(self.dsn_of("postgres"), command_timeout=60)
        try:
            await conn.execute(statement)
        finally:
            await conn.close()
