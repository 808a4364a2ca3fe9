"""What happens around an answer before it goes: files that go with it, others who write too, and taking it back."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from callcenter.actions import ticket_desk, uploads, withdrawals
from callcenter.actions.withdrawals import Withdrawn
from callcenter.domain.agent import Role
from callcenter.domain.file_type import clean_name
from callcenter.errors import Invalid
from callcenter.store.queries import Queries
from callcenter.web.api_uploads import Naming, owner_of
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form, read_query
from callcenter.web.files import read_bytes
from callcenter.web.keys import CLOCK, LOG, POOL, SETTINGS
from callcenter.web.problem import Refused
from callcenter.web.rights import actable, readable
from screenpop import mail, ticket
from screenpop.i18n import mark as _
from screenpop.mail_view import size_said
from screenpop.page import draw, language_of
from screenpop.readers import come

_SQL = Queries.beside(__file__)
_AT = f"/desk/interactions/{ID}"
_MESSAGE = r"{message:[1-9]\d{0,17}}"
_REFUSED = _("%(name)s is not taken. Photos, documents and text are, up to %(size)s each.")


async def post_file(request: web.Request) -> web.StreamResponse:
    """A file for an answer, kept until that is sent; answered with its row in the box, or why it is not taken."""
    query, owner = read_query(request, Naming), owner_of(identity(request))
    log, largest, now = request.app[LOG], request.app[SETTINGS].largest_upload, request.app[CLOCK]()
    try:
        data = await read_bytes(request, largest=largest)
        ident = await uploads.keep(log, query.name, request.content_type, data, owner=owner, largest=largest, now=now)
    except (Invalid, Refused):
        said = language_of(request).gettext(_REFUSED)
        said %= {"name": clean_name(query.name), "size": size_said(largest)}
        return draw(request, "mail/_file.html", {"file": None, "refused": said})
    return draw(request, "mail/_file.html", {"file": (await _files(request, [ident]))[0], "refused": ""})


async def _files(request: web.Request, ids: Sequence[int]) -> Sequence[Mapping[str, object]]:
    rows = await request.app[POOL].fetch(_SQL.files, list(ids))
    return [{"id": row["id"], "name": row["name"], "size": size_said(row["size"])} for row in rows]


# -- others


async def _draw_others(request: web.Request, *, writes: bool) -> web.Response:
    ident = path_id(request)
    others = await come(request, await mail.ticket_of(request, ident), writes=writes)
    return draw(request, "desk/_beside.html", {"interaction": ident, "others": others})


async def post_here(request: web.Request) -> web.StreamResponse:
    """The message is on a stage; answered with who else has its ticket open, or writes."""
    await readable(request, path_id(request))
    return await _draw_others(request, writes=False)


async def post_writing(request: web.Request) -> web.StreamResponse:
    """An answer is being typed."""
    await actable(request, path_id(request))
    return await _draw_others(request, writes=bool((await read_form(request)).get("text")))


# -- taking it back


async def _withdraw(request: web.Request) -> Withdrawn:
    who = identity(request)
    return await withdrawals.withdraw(
        request.app[LOG],
        int(request.match_info["message"]),
        actor=who.user_id,
        of_others=who.may(Role.SUPERVISOR),
        now=request.app[CLOCK](),
    )


async def post_undo_on_desk(request: web.Request) -> web.StreamResponse:
    """The text and the files are back in the box."""
    ident = path_id(request)
    await actable(request, ident)
    back = await _withdraw(request)
    return await mail.drawn(request, ident, text=back.text, files=await _files(request, back.files))


async def post_undo_on_ticket(request: web.Request) -> web.StreamResponse:
    """What was to be sent is its writer's draft again, above what they have typed since.

    As a note where it was to go to another address than the customer's: the draft does not know that one.
    """
    back = await _withdraw(request)
    pool, now = request.app[POOL], request.app[CLOCK]()
    typed = await pool.fetchval(_SQL.draft, back.author, back.ticket)
    text = "\n\n".join(filter(None, [back.text, typed]))[: ticket_desk.LONGEST]
    await ticket_desk.save_draft(pool, back.author, ticket=back.ticket, text=text, public=not back.elsewhere, now=now)
    return await ticket.region(request, kept=await _files(request, back.files))


def routes() -> list[web.RouteDef]:
    return [
        web.post("/desk/files", post_file),
        web.post(f"{_AT}/here", post_here),
        web.post(f"{_AT}/writing", post_writing),
        web.post(f"{_AT}/undo/{_MESSAGE}", post_undo_on_desk),
        web.post(f"{ticket.AT}/undo/{_MESSAGE}", post_undo_on_ticket),
    ]
