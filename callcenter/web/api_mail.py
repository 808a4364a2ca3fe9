"""Messages that came by mail, over REST: what was understood, what is attached, and the message as it came."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from callcenter.domain.mail import Nature
from callcenter.domain.transfer import from_encoding
from callcenter.errors import NotFound
from callcenter.store.mail_in import SQL
from callcenter.web.body import ID, answer, path_id
from callcenter.web.files import as_download
from callcenter.web.keys import POOL
from callcenter.web.openapi import operation
from callcenter.web.rights import readable

_AT = f"/interactions/{ID}"


@dataclass(frozen=True, slots=True)
class AttachmentItem:
    """`type` is what the sender says it is; whoever downloads it gets bytes of no type."""

    n: int
    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailItem:
    """`html` is harmless: nothing in it runs; its images may lead elsewhere. `notes`: what could not be understood."""

    message_id: str | None
    sender: str | None
    sender_name: str | None
    mailbox: str | None
    nature: Nature
    html: str | None
    notes: list[str]
    size: int
    received_at: datetime
    attachments: list[AttachmentItem]


@operation("GET", f"{_AT}/mail", summary="What came by mail", tag="interactions", answer=MailItem)
async def get_mail(request: web.Request) -> web.StreamResponse:
    ident, pool = path_id(request), request.app[POOL]
    await readable(request, ident)
    row = await pool.fetchrow(SQL.mail, ident)
    if row is None:
        raise NotFound(f"The interaction {ident} did not come by mail.")
    attachments = [AttachmentItem(*each) for each in await pool.fetch(SQL.attachments, ident)]
    fields = {name: value for name, value in row.items() if name != "id"}
    return answer(MailItem(**fields, attachments=attachments))


@operation(
    "GET", f"{_AT}/mail.eml", summary="The message as it came", tag="interactions", answer=bytes,
    answer_type="application/octet-stream",
)  # fmt: skip
async def get_raw(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    row = await request.app[POOL].fetchrow(SQL.raw, ident, 1, 2**30)
    if row is None:
        raise NotFound(f"The interaction {ident} did not come by mail.")
    return as_download(row["raw"], f"message-{ident}.eml")


@operation(
    "GET", f"{_AT}/attachments/{{n:[1-9]\\d{{0,5}}}}", summary="One attachment of a message", tag="interactions",
    answer=bytes, answer_type="application/octet-stream",
)  # fmt: skip
async def get_attachment(request: web.Request) -> web.StreamResponse:
    ident, pool = path_id(request), request.app[POOL]
    await readable(request, ident)
    row = await pool.fetchrow(SQL.attachment, ident, int(request.match_info["n"]))
    if row is None:
        raise NotFound("There is no such attachment.")
    raw = await pool.fetchrow(SQL.raw, ident, row["start"] + 1, row["length"])
    assert raw is not None
    return as_download(from_encoding(raw["raw"], row["encoding"]), row["name"])


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (get_mail, get_raw, get_attachment)]
