"""A chat on the stage of a desk: what is said, who reads it, and what the agent says next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from aiohttp import web

from callcenter.actions import chats, drafts, transfers
from callcenter.domain.chat import Line
from callcenter.domain.interaction import State
from callcenter.errors import Conflict, Invalid
from callcenter.feed import Signal
from callcenter.store import chats as store
from callcenter.store import uploads
from callcenter.store.chats import Chat
from callcenter.store.directory import User
from callcenter.store.queries import Queries
from callcenter.store.uploads import Upload
from callcenter.web.api_transfers import target
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, FEED, LOG, POOL
from callcenter.web.rights import in_hand, readable
from screenpop import words
from screenpop.console import desk_part
from screenpop.desk import millis, zone_of
from screenpop.i18n import Language
from screenpop.page import draw, language_of

_SQL = Queries(Path(__file__).with_name("chat.sql"))
_AT = f"/desk/interactions/{ID}"


def _(text: str) -> str:
    """Marks what is translated where it is shown."""
    return text


IDENTITY = {"anonymous": _("Anonymous visitor"), "typed": _("Typed, not proven"), "verified": _("Proven by the site")}
IDENTITY_MEANS = {
    "anonymous": _("Known by their browser alone"),
    "typed": _("They typed who they are: ask before you rely on it"),
    "verified": _("The site that they are signed in to vouches for them"),
}


@dataclass(frozen=True, slots=True)
class LineView:
    """`kind`: theirs, ours or note. `n`: its number in the chat; 0 for a note."""

    n: int
    kind: str
    author: str
    text: str
    when: str
    exactly: str
    read: bool
    files: Sequence[Mapping[str, object]]


def lines_view(
    chat: Chat,
    lines: Sequence[Line],
    notes: Sequence[asyncpg.Record],
    *,
    users: Mapping[int, User],
    files: Mapping[int, Sequence[Upload]],
    language: Language,
    now: datetime,
    zone: tzinfo,
) -> list[LineView]:
    """All that was said in its order, with the notes of colleagues where they were written."""

    def at(moment: datetime) -> tuple[str, str]:
        return language.when(moment, now, zone), language.exactly(moment, zone)

    said: list[tuple[int, int, LineView]] = []
    for line in lines:
        ours = line.author is not None
        author = users[line.author].full_name if line.author is not None and line.author in users else ""
        read = line.n <= (chat.visitor_read if ours else chat.agent_read)
        shown = [
            {"id": each.id, "name": each.name, "size": size_words(each.size)} for each in files.get(line.message, ())
        ]
        view = LineView(line.n, "ours" if ours else "theirs", author, line.text, *at(line.at), read, shown)
        said.append((line.n, 0, view))
    said += [
        (note["after"], 1, LineView(0, "note", note["author"] or "", note["text"], *at(note["at"]), True, ()))
        for note in notes
    ]
    return [view for _, _, view in sorted(said, key=lambda each: each[:2])]


def size_words(size: int) -> str:
    """Of a file, in bytes."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def asked_since(lines: Sequence[Line]) -> datetime | None:
    """When the visitor said what nobody has answered yet; None when the last word is ours."""
    last = max((line.n for line in lines if line.author is not None), default=0)
    return min((line.at for line in lines if line.n > last), default=None)


async def _log(request: web.Request, chat: Chat) -> dict[str, object]:
    pool, directory, language = request.app[POOL], request.app[DIRECTORY], language_of(request)
    lines = await store.lines(pool, chat.interaction)
    notes = await pool.fetch(_SQL.notes, chat.interaction)
    files = await uploads.of_messages(pool, [line.message for line in lines])
    asked = asked_since(lines) if chat.state is State.ACTIVE else None
    return {
        "chat": chat,
        "identity": language.gettext(IDENTITY[chat.identity]),
        "identity_means": language.gettext(IDENTITY_MEANS[chat.identity]),
        # Only what leads to a page is a link, whatever the visitor's browser said.
        "page": chat.page if chat.page and urlsplit(chat.page).scheme in ("http", "https") else None,
        "asked": None if asked is None else millis(asked),
        "gone": None if chat.gone_at is None else millis(chat.gone_at),
        "lines": lines_view(
            chat, lines, notes, users=directory.users, files=files, language=language, now=request.app[CLOCK](),
            zone=zone_of(directory),
        ),
    }  # fmt: skip


async def _drawn(request: web.Request, ident: int, template: str = "desk/_chat_log.html") -> web.Response:
    pool, who = request.app[POOL], identity(request)
    chat = await store.get(pool, ident)
    context = await _log(request, chat)
    context["ours"] = chat.state is State.ACTIVE and chat.agent == who.user_id
    # Desks are told of what is in their own hand; who reads along asks.
    context["along"] = chat.open and chat.agent != who.user_id
    if template == "desk/_chat.html":
        context["answer"] = await pool.fetchval(_SQL.answer, who.user_id, ident) or ""
    return draw(request, template, context)


async def get_chat(request: web.Request) -> web.StreamResponse:
    """The whole panel: with a box to write into for whoever has it in hand, to be read along by others."""
    ident = path_id(request)
    await readable(request, ident)
    return await _drawn(request, ident, "desk/_chat.html")


async def get_log(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    return await _drawn(request, ident)


async def _fields(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in (await read_form(request)).items() if isinstance(value, str)}


async def _mine(request: web.Request) -> tuple[int, int]:
    """The interaction in one's own hand, and its reservation. Raises Conflict."""
    ident = path_id(request)
    held = await in_hand(request, ident)
    if held["holder"] != identity(request).user_id or held["state"] != State.ACTIVE:
        raise Conflict("You do not have this contact in hand.")
    return ident, held["reservation"]


async def post_say(request: web.Request) -> web.StreamResponse:
    """Once for a `client_id`; the line's files were uploaded before. Answered with all that is said by then."""
    fields, who, (ident, _) = await _fields(request), identity(request), await _mine(request)
    files = fields.get("files", "")
    if not all(each.isascii() and each.isdigit() and len(each) < 19 for each in files.split()):
        raise Invalid("That is no id.", field="files")
    now = request.app[CLOCK]()
    await chats.say(
        request.app[LOG], ident, author=who.user_id, text=fields.get("text", ""),
        client_id=fields.get("client_id", ""), files=[int(each) for each in files.split()], now=now,
    )  # fmt: skip
    await request.app[POOL].execute(_SQL.save_answer, who.user_id, ident, "", now)
    return await _drawn(request, ident)


async def post_draft(request: web.Request) -> web.StreamResponse:
    who, (ident, _) = identity(request), await _mine(request)
    text = (await _fields(request)).get("text", "").replace("\r\n", "\n").replace("\x00", "")
    if len(text) > drafts.LONGEST:
        raise Invalid(f"A text has at most {drafts.LONGEST} characters.", field="text")
    await request.app[POOL].execute(_SQL.save_answer, who.user_id, ident, text, request.app[CLOCK]())
    return web.Response()


async def post_read(request: web.Request) -> web.StreamResponse:
    """Whoever has it in hand looks at the lines up to this one."""
    who, (ident, _) = identity(request), await _mine(request)
    upto = (await _fields(request)).get("upto", "")
    if not upto.isascii() or not upto.isdigit() or len(upto) > 9:
        raise Invalid("Lines are counted from 1.", field="upto")
    await chats.read(request.app[LOG], ident, reader=who.user_id, upto=int(upto), now=request.app[CLOCK]())
    return web.Response(status=204)


async def post_typing(request: web.Request) -> web.StreamResponse:
    """No fact, and nothing is kept of it."""
    ident, _ = await _mine(request)
    request.app[FEED].signal(Signal(ident, "typing", "agent"))
    return web.Response(status=204)


async def get_transfer(request: web.Request) -> web.StreamResponse:
    """To whom it may go."""
    who, ident, directory = identity(request), path_id(request), request.app[DIRECTORY]
    held = await in_hand(request, ident)
    language = language_of(request)
    colleagues = [
        {**row, "doing": language.label(words.ROUTING, row["routing_status"])}
        for row in await request.app[POOL].fetch(_SQL.colleagues, who.user_id, held["channel"])
    ]
    queues = sorted([queue for queue in directory.queues.values() if queue.active], key=lambda queue: queue.name)
    context = {"ident": ident, "queues": queues, "colleagues": colleagues, "longest": transfers.LONGEST_NOTE}
    return draw(request, "desk/_transfer.html", context)


async def post_transfer(request: web.Request) -> web.StreamResponse:
    """`to`: queue:NAME or agent:NAME; answered with the desk as it is without the contact."""
    who, (_, reservation) = identity(request), await _mine(request)
    fields = await _fields(request)
    queue, agent = target(request, fields.get("to", ""))
    await transfers.hand_over(
        request.app[LOG], reservation, queue=queue, agent=agent, note=fields.get("note", "").replace("\r\n", "\n"),
        actor=who.user_id, now=request.app[CLOCK](),
    )  # fmt: skip
    return await desk_part(request, who)


def routes() -> list[web.RouteDef]:
    return [
        web.get(f"{_AT}/chat", get_chat),
        web.get(f"{_AT}/chat/log", get_log),
        web.post(f"{_AT}/chat/say", post_say),
        web.post(f"{_AT}/chat/draft", post_draft),
        web.post(f"{_AT}/chat/read", post_read),
        web.post(f"{_AT}/chat/typing", post_typing),
        web.get(f"{_AT}/transfer", get_transfer),
        web.post(f"{_AT}/transfer", post_transfer),
    ]
