"""Mail on the stage of a desk, with the answers to it, and in the conversation of its ticket."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from callcenter.actions import ticket_desk, tickets
from callcenter.domain.ticket import TicketState
from callcenter.errors import Conflict, NotFound
from callcenter.store.queries import Queries
from callcenter.store.uploads import of_messages
from callcenter.web.api_messages import hold_of
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.rights import actable, readable
from screenpop.desk import zone_of
from screenpop.mail_view import Addresses, attachment_of, frame_of, letter_view, mail_view, raw_of, size_said
from screenpop.page import draw, language_of
from screenpop.readers import tell_readers
from screenpop.receiver import receiver_of

_SQL = Queries.beside(__file__)
_AT = f"/desk/interactions/{ID}"
_TICKET = rf"/tickets/{{number:[1-9]\d{{0,17}}}}/mail/{ID}"


# -- on the desk


async def drawn(
    request: web.Request, ident: int, *, text: str = "", files: Sequence[Mapping[str, object]] = ()
) -> web.Response:
    """`text` and `files`: what stands in the box of the answer."""
    pool, language = request.app[POOL], language_of(request)
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    api = f"/api/v1/interactions/{ident}"
    at = Addresses(f"/desk/interactions/{ident}/mail/frame", f"{api}/mail.eml", f"{api}/attachments/")
    mail = await mail_view(request, ident, at)
    row = await pool.fetchrow(_SQL.ticket, ident)
    if mail is None or row is None:
        return draw(request, "desk/_mail.html", {"mail": None})
    rows = await pool.fetch(_SQL.letters, ident, identity(request).user_id)
    sent = await of_messages(pool, [each["said_id"] for each in rows if each["said_id"] is not None])
    letters = [
        {
            **letter_view(dict(each), now, language),
            "text": each["text"],
            "message": each["said_id"],
            "when": language.when(each["created_at"], now, zone),
            "files": [
                {"id": file.id, "name": file.name, "size": size_said(file.size)}
                for file in sent.get(each["said_id"] or 0, ())
            ],
        }
        for each in rows
    ]
    answerable = row["answerable"] and row["ticket"] is not None and row["state"] != TicketState.CLOSED
    context = {
        "mail": mail,
        "letters": letters,
        "number": row["number"],
        "answerable": answerable,
        "receiver": await receiver_of(pool, row["ticket"], contact=ident) if answerable else None,
        "draft": text,
        "kept": files,
    }
    return draw(request, "desk/_mail.html", context)


async def get_mail(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    return await drawn(request, ident)


async def get_frame(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    return await frame_of(request, ident)


async def ticket_of(request: web.Request, ident: int) -> int:
    """The ticket on which a message is answered. Raises NotFound, Conflict."""
    row = await request.app[POOL].fetchrow(_SQL.ticket, ident)
    if row is None:
        raise NotFound("This contact did not come by mail.")
    if row["ticket"] is None:
        raise Conflict("There is no ticket to answer on; open one first.")
    found: int = row["ticket"]
    return found


async def post_answer(request: web.Request) -> web.StreamResponse:
    """To whoever wrote, in the thread of their message."""
    who, ident = identity(request), path_id(request)
    await actable(request, ident)
    ticket = await ticket_of(request, ident)
    form = await read_form(request)
    await tickets.reply(
        request.app[LOG],
        ticket,
        text=str(form.get("text", "")).replace("\r\n", "\n"),
        public=True,
        contact=ident,
        files=file_ids(form.getall("file", [])),
        hold=hold_of(request),
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    if await ticket_desk.leave(request.app[POOL], who.user_id, ticket=ticket):
        await tell_readers(request, ticket)
    return await drawn(request, ident)


def file_ids(given: Sequence[object]) -> list[int]:
    """Of a form; what is no id is none of ours."""
    texts = [each for each in given if isinstance(each, str) and len(each) < 19]
    return [int(each) for each in texts if each.isascii() and each.isdecimal()]


# -- on the page of its ticket


async def _of_ticket(request: web.Request) -> int:
    ident = path_id(request)
    identity(request)
    if await request.app[POOL].fetchval(_SQL.of_ticket, int(request.match_info["number"]), ident) is None:
        raise NotFound("This contact did not come by mail, or belongs to another ticket.")
    return ident


async def get_message(request: web.Request) -> web.StreamResponse:
    ident, at = await _of_ticket(request), request.path
    view = await mail_view(request, ident, Addresses(f"{at}/frame", f"{at}/message.eml", f"{at}/attachments/"))
    return draw(request, "mail/_message.html", {"mail": view})


async def get_ticket_frame(request: web.Request) -> web.StreamResponse:
    return await frame_of(request, await _of_ticket(request))


async def get_raw(request: web.Request) -> web.StreamResponse:
    return await raw_of(request, await _of_ticket(request))


async def get_attachment(request: web.Request) -> web.StreamResponse:
    return await attachment_of(request, await _of_ticket(request), int(request.match_info["n"]))


def routes() -> list[web.RouteDef]:
    return [
        web.get(f"{_AT}/mail", get_mail),
        web.get(f"{_AT}/mail/frame", get_frame),
        web.post(f"{_AT}/answer", post_answer),
        web.get(_TICKET, get_message),
        web.get(f"{_TICKET}/frame", get_ticket_frame),
        web.get(f"{_TICKET}/message.eml", get_raw),
        web.get(_TICKET + r"/attachments/{n:[1-9]\d{0,5}}", get_attachment),
    ]
