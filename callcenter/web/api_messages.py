"""Messages over REST: what became of one of ours, and taking it back before it goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from aiohttp import web

from callcenter.actions import withdrawals
from callcenter.domain.agent import Role
from callcenter.errors import NotFound
from callcenter.store.answers import SQL
from callcenter.store.uploads import Upload, of_messages
from callcenter.web.auth import identity
from callcenter.web.body import ID, Id, answer, path_id
from callcenter.web.keys import CLOCK, LOG, POOL, SETTINGS
from callcenter.web.openapi import operation
from callcenter.web.rights import readable

_AT = f"/messages/{ID}"


@dataclass(frozen=True, slots=True)
class FileItem:
    """To be had from /uploads/{id}."""

    id: Id
    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class LetterItem:
    """`state`: waiting, sent, failed or bounced; `error`: words of the mail server; `undo_until`: else it goes."""

    recipient: str
    state: str
    error: str | None
    undo_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextItem:
    id: Id
    ticket: Id | None
    interaction: Id | None
    kind: str
    public: bool
    text: str
    at: datetime
    author: str | None
    files: Sequence[FileItem]
    letter: LetterItem | None


@dataclass(frozen=True, slots=True)
class WithdrawnItem:
    """What was to be sent; `files` are uploads that can be sent again."""

    ticket: Id
    text: str
    files: Sequence[Id]


def hold_of(request: web.Request) -> timedelta:
    """For how long an answer by mail waits, so that its writer can take it back."""
    return timedelta(seconds=request.app[SETTINGS].undo_seconds)


def undo_until(row: asyncpg.Record, now: datetime) -> datetime | None:
    """Until when it can be taken back, of the state, attempts and due moment of its letter; None: not any more."""
    due: datetime | None = row["due_at"]
    held = row["state"] == "waiting" and row["attempts"] == 0 and due is not None and due > now
    return due if held else None


def _letter(row: asyncpg.Record, now: datetime) -> LetterItem | None:
    if row["state"] is None:
        return None
    state = "bounced" if row["bounced_at"] is not None else row["state"]
    return LetterItem(row["recipient"], state, row["last_error"], undo_until(row, now))


def _file(upload: Upload) -> FileItem:
    return FileItem(upload.id, upload.name, upload.type, upload.size)


@operation("GET", _AT, summary="A message, its files, and what became of its letter", tag="messages", answer=TextItem)
async def get_message(request: web.Request) -> web.StreamResponse:
    ident, pool = path_id(request), request.app[POOL]
    row = await pool.fetchrow(SQL.message, ident)
    if row is None:
        raise NotFound(f"There is no message {ident}.")
    if row["ticket"] is None and row["interaction"] is not None:
        await readable(request, row["interaction"])
    fields = {name: row[name] for name in ("ticket", "interaction", "kind", "public", "text", "at", "author")}
    files = [_file(each) for each in (await of_messages(pool, [ident])).get(ident, ())]
    return answer(TextItem(id=ident, **fields, files=files, letter=_letter(row, request.app[CLOCK]())))


@operation(
    "POST", f"{_AT}/withdraw", summary="Take an answer back before its letter goes", tag="messages",
    answer=WithdrawnItem, acts=True,
)  # fmt: skip
async def post_withdraw(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    back = await withdrawals.withdraw(
        request.app[LOG],
        path_id(request),
        actor=who.user_id,
        of_others=who.may(Role.SUPERVISOR),
        now=request.app[CLOCK](),
    )
    return answer(WithdrawnItem(back.ticket, back.text, back.files))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (get_message, post_withdraw)]
