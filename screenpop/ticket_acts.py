"""What is done to a ticket beside its properties: ties, splits, macros; and what was changed of it."""

from aiohttp import web

from callcenter.actions import rules, ticket_desk, ticket_ties, tickets
from callcenter.actions.tickets import Stale
from callcenter.errors import Conflict, Invalid
from callcenter.store import ticket_family as store
from callcenter.web.auth import identity
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from screenpop.page import draw, language_of
from screenpop.ticket import AT, form_of, lost_of, number_of, region, version_of
from screenpop.ticket_more import steps_of

_STEPS = 50
_LATEST = 2**31 - 1


async def _other(request: web.Request, text: str) -> int:
    """The ticket of a number as people write it. Raises Invalid, NotFound."""
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        raise Invalid("Write the number of a ticket.", field="to")
    return await ticket_desk.id_of(request.app[POOL], int(digits))


async def post_tie(request: web.Request) -> web.StreamResponse:
    """`tie`: relate, unrelate, parent, orphan (no parent) or merge; who merges goes on in the other ticket."""
    fields = await form_of(request)
    pool, log, who, now = request.app[POOL], request.app[LOG], identity(request).user_id, request.app[CLOCK]()
    ident = await ticket_desk.id_of(pool, number_of(request))
    other = await _other(request, fields.get("to", ""))
    try:
        match fields.get("tie"):
            case "relate":
                await ticket_ties.relate(log, ident, to=other, actor=who, now=now)
            case "unrelate":
                await ticket_ties.unrelate(log, ident, to=other, actor=who, now=now)
            case "parent" | "orphan" as tie:
                changes = {"parent": other if tie == "parent" else None}
                await tickets.change(log, ident, changes=changes, version=version_of(fields), actor=who, now=now)
            case "merge":
                target = await ticket_ties.merge(log, ident, into=other, version=version_of(fields), actor=who, now=now)
                return web.Response(status=204, headers={"HX-Redirect": f"/tickets/{target.number}"})
            case _:
                raise Invalid("Choose one of the list.", field="tie")
    except Stale as error:
        return await region(request, lost=lost_of(request, error, {}))
    return await region(request)


async def post_split(request: web.Request) -> web.StreamResponse:
    """One message or contact becomes a ticket of its own, which is opened."""
    fields = await form_of(request)
    part = {name: _id(fields[name]) for name in ("message", "interaction") if fields.get(name)}
    new = await ticket_ties.split(
        request.app[LOG],
        await ticket_desk.id_of(request.app[POOL], number_of(request)),
        subject=fields.get("subject", ""),
        message=part.get("message"),
        interaction=part.get("interaction"),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return web.Response(status=204, headers={"HX-Redirect": f"/tickets/{new.number}"})


def _id(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid("That is no id.", field="message")
    return int(text)


async def post_macro(request: web.Request) -> web.StreamResponse:
    """Raises Conflict when the ticket was changed since the page was drawn: its text may not fit any more."""
    fields = await form_of(request)
    name = fields.get("macro", "")
    if name not in request.app[DIRECTORY].rules.macros:
        raise Conflict("This macro is gone; load the page again.")
    await rules.apply_macro(
        request.app[LOG],
        request.app[DIRECTORY],
        name,
        ticket=await ticket_desk.id_of(request.app[POOL], number_of(request)),
        version=version_of(fields),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await region(request)


async def get_history(request: web.Request) -> web.StreamResponse:
    """What was changed, the latest first; `below`: before that version."""
    identity(request)
    below = request.query.get("below", "")
    start = int(below) if below.isascii() and below.isdecimal() and len(below) < 10 else _LATEST
    ident = await ticket_desk.id_of(request.app[POOL], number_of(request))
    past = await store.history(request.app[POOL], ident, below=start, limit=_STEPS)
    context = {
        "number": number_of(request),
        "steps": steps_of(past, request.app[DIRECTORY], language_of(request), now=request.app[CLOCK]()),
        "below": past[-1].version if len(past) >= _STEPS and past[-1].version > 1 else None,
    }
    return draw(request, "ticket/_history.html", context)


def routes() -> list[web.RouteDef]:
    return [
        web.post(f"{AT}/ties", post_tie),
        web.post(f"{AT}/split", post_split),
        web.post(f"{AT}/macro", post_macro),
        web.get(f"{AT}/history", get_history),
    ]
