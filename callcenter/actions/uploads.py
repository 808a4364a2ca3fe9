"""Files that people upload: kept, sent with a message, and deleted when nobody sends them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from callcenter.domain.file_type import clean_name, type_of
from callcenter.errors import Invalid, TooMany
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.uploads import SQL

LARGEST = 10_000_000  # bytes of one file
LARGEST_OF_MESSAGE = 25_000_000  # bytes of all files of a message
_MOST_FILES = 20
_UNSENT_FOR = timedelta(days=1)
# Of what one who is allowed to upload may have lying about unsent: some messages full.
_MOST_UNSENT = 4 * LARGEST_OF_MESSAGE
_PURGED_AT_ONCE = 100


async def keep(
    log: ContactLog | Transaction,
    name: str,
    declared: str | None,
    data: bytes,
    *,
    now: datetime,
    owner: str | None = None,
    largest: int = LARGEST,
) -> int:
    """The file's id; `declared`: the type that its sender says it has.

    It belongs to nothing until `bind` sends it with a message, and is deleted after a day without. `owner` alone may
    send it: name one wherever ids come back from outside (`user:7`, `chat:3`). Raises Invalid in words for what is
    empty, too large, or no kind of file that is taken, TooMany for an owner who uploads without end.
    """
    called = clean_name(name)
    if not data:
        raise Invalid(f"{called} is empty.", field="file")
    if len(data) > largest:
        raise Invalid(f"{called} is larger than {megabytes(largest)} MB.", field="file")
    kind = type_of(called, declared, data)
    async with log.transaction() as tx:
        if owner is not None and await tx.connection.fetchval(SQL.unsent, owner) + len(data) > _MOST_UNSENT:
            raise TooMany("So many files are waiting to be sent; send those first.")
        ident: int = await tx.connection.fetchval(SQL.keep, owner, called, kind, len(data), data, now)
    return ident


async def bind(
    tx: Transaction,
    ids: Sequence[int],
    *,
    message: int,
    owner: str | None = None,
    largest: int = LARGEST_OF_MESSAGE,
) -> None:
    """They are sent with a message from now on. Raises Invalid for what is not this owner's or sent already, and for
    more than a message may hold.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return
    if len(wanted) > _MOST_FILES:
        raise Invalid(f"At most {_MOST_FILES} files go with a message.", field="files")
    rows = await tx.connection.fetch(SQL.bind, wanted, message, owner)
    if len(rows) < len(wanted):
        raise Invalid("One of the files is no longer here; choose it again.", field="files")
    if sum(row["size"] for row in rows) > largest:
        raise Invalid(f"The files are larger than {megabytes(largest)} MB together.", field="files")


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:g}"


async def purge(log: ContactLog, *, now: datetime) -> None:
    """Deletes what nobody sent for a day."""
    while True:
        done = await log.pool.execute(SQL.purge, now - _UNSENT_FOR, _PURGED_AT_ONCE)
        if int(done.rpartition(" ")[2]) < _PURGED_AT_ONCE:
            return
