"""What we know of a person, whole; and the proof that we know it no more."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO

from callcenter.errors import NotFound
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """`emptied`: rows by table; `by`: the user's name."""

    id: int
    customer: int
    at: datetime
    by: str | None
    reason: str
    emptied: Mapping[str, int]


async def proof(pool: Pool, customer: int) -> Erasure:
    """Raises NotFound."""
    row = await pool.fetchrow(SQL.of_customer, customer)
    if row is None:
        raise NotFound(f"Customer {customer} was not erased.")
    return Erasure(*row)


async def export(pool: Pool, customer: int, into: IO[bytes]) -> None:
    """A zip archive: `person.json`, every message as it came, every file. One file at a time is in memory."""
    ids = await pool.fetchval(SQL.records_now, customer)
    if ids is None:
        raise NotFound(f"There is no customer {customer}.")
    document = await pool.fetchval(SQL.export, ids)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", json.dumps(document, ensure_ascii=False, indent=1))
        for row in await pool.fetch(SQL.files, ids):
            data = await pool.fetchval(SQL.mail if row["kind"] == "mail" else SQL.upload, row["id"])
            folder, _, name = row["name"].partition("/")
            archive.writestr(f"{folder}/{PurePosixPath(name.replace(chr(92), '_')).name or row['id']}", data or b"")
