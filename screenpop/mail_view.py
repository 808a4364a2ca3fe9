"""A message that came by mail as people read it, on the desk and in the conversation of its ticket."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from callcenter.domain.quotes import Kind, passages
from callcenter.domain.transfer import from_encoding
from callcenter.errors import NotFound
from callcenter.store.mail_in import SQL as MAIL
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.web.files import as_download
from callcenter.web.keys import CLOCK, DIRECTORY, POOL
from screenpop.desk import millis, zone_of
from screenpop.i18n import Language
from screenpop.mail_frame import SANDBOX, Framed, framed, inline_ids, policy
from screenpop.mail_notes import noted, without_notes
from screenpop.page import language_of

T = TypeVar("T")
_SQL = Queries.beside(__file__)
# Of the images that stand in the text; they are part of the document.
_LARGEST_PICTURES = 8_000_000
# Characters of HTML that are looked through within some milliseconds.
_SHORT = 8_000
_STAND_IN = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts of a message are to be had; `attachment` is followed by its number."""

    frame: str
    raw: str
    attachment: str


async def mail_view(request: web.Request, interaction: int, at: Addresses) -> dict[str, object] | None:
    """For `mail/_message.html`; None for what did not come by mail."""
    pool, language = request.app[POOL], language_of(request)
    row = await pool.fetchrow(_SQL.mail, interaction)
    if row is None:
        return None
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    attachments = await pool.fetch(MAIL.attachments, interaction)
    parts = [part for part in passages(without_notes(row["text"] or "", row["notes"])) if part.text.strip()]
    shown = None
    if row["html"]:
        shown = await _beside(row["html"], partial(_stood_in, row["html"]))
    return {
        "interaction": interaction,
        "sender": row["sender"] or "",
        "sender_name": row["sender_name"] or "",
        "mailbox": row["mailbox"] or "",
        "when": language.when(row["received_at"], now, zone),
        "exactly": language.exactly(row["received_at"], zone),
        "passages": parts,
        "only_earlier": all(part.kind is not Kind.SAID for part in parts),
        "frame": at.frame if shown is not None else "",
        "sandbox": SANDBOX,
        "height": shown.height if shown is not None else 0,
        "blocked": shown.blocked if shown is not None else 0,
        "notes": [noted(language, note) for note in row["notes"]],
        "raw": at.raw,
        "raw_size": size_said(row["size"]),
        "attachments": [{**each, "size": size_said(each["size"])} for each in attachments],
        "attachment_at": at.attachment,
    }


def _stood_in(html: str) -> Framed:
    """As its frame will be, without the content of its pictures."""
    stand_ins = dict.fromkeys(inline_ids(html), _STAND_IN)
    return framed(html, images=False, pictures=stand_ins, title="", language="", earlier="")


async def _beside(html: str, work: Callable[[], T]) -> T:
    """What takes seconds for the longest texts is done in a thread, where calls and other pages go on meanwhile."""
    return work() if len(html) <= _SHORT else await asyncio.to_thread(work)


def size_said(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f}".removesuffix(".0") + " MB"


async def frame_of(request: web.Request, interaction: int) -> web.Response:
    """The document of its frame; with `?images=1` those from elsewhere load too. Raises NotFound."""
    pool, language = request.app[POOL], language_of(request)
    row = await pool.fetchrow(_SQL.html, interaction)
    if row is None or not row["html"]:
        raise NotFound("This message has no formatted text.")
    images = request.query.get("images") == "1"
    html = row["html"]
    ids = await _beside(html, partial(inline_ids, html))
    framing = partial(
        framed,
        html,
        images=images,
        pictures=await _pictures(pool, interaction, ids),
        title=row["subject"] or "",
        language=language.code.replace("_", "-"),
        earlier=language.gettext("earlier messages"),
    )
    shown = await _beside(html, framing)
    headers = {
        "Content-Security-Policy": policy(images=images),
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=shown.document, content_type="text/html", headers=headers)


async def _pictures(pool: Pool, interaction: int, ids: Sequence[str]) -> dict[str, bytes]:
    """Those of its attachments that its text shows."""
    if not ids:
        return {}
    rows = await pool.fetch(_SQL.pictures, interaction, list(ids), _LARGEST_PICTURES)
    return {row["cid"]: from_encoding(row["encoded"], row["encoding"]) for row in rows}


async def attachment_of(request: web.Request, interaction: int, n: int) -> web.Response:
    """Always to be saved. Raises NotFound."""
    pool = request.app[POOL]
    row = await pool.fetchrow(MAIL.attachment, interaction, n)
    if row is None:
        raise NotFound("There is no such attachment.")
    raw = await pool.fetchval(MAIL.raw, interaction, row["start"] + 1, row["length"])
    return as_download(from_encoding(raw, row["encoding"]), row["name"])


async def raw_of(request: web.Request, interaction: int) -> web.Response:
    """The message as it came. Raises NotFound."""
    raw = await request.app[POOL].fetchval(MAIL.raw, interaction, 1, 2**30)
    if raw is None:
        raise NotFound("This contact did not come by mail.")
    return as_download(raw, f"message-{interaction}.eml")


def letter_view(letter: Mapping[str, Any], now: datetime, language: Language) -> dict[str, object]:
    """What became of a letter, of its row of the outbox; `until`: its writer can take it back, in milliseconds."""
    held = letter["own"] and letter["state"] == "waiting" and letter["attempts"] == 0 and letter["due_at"] > now
    return {
        "state": "bounced" if letter["bounced_at"] is not None else letter["state"],
        "error": noted(language, letter["last_error"] or ""),
        "recipient": letter["recipient"],
        "since": millis(letter["created_at"]) if held else None,
        "until": millis(letter["due_at"]) if held else None,
    }
