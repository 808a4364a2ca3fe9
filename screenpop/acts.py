"""What an agent does at the desk: each a form that calls one action and answers with the desk as it is then."""

from datetime import datetime
from pathlib import Path

import asyncpg
from aiohttp import web

from callcenter.actions import agents, customers, drafts, interactions, notices, tickets
from callcenter.domain.customer import Address, AddressKind
from callcenter.domain.interaction import Channel, ReservationState
from callcenter.domain.phone import NumberKind, parse_number
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store.queries import Queries
from callcenter.web.auth import Identity, identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.phones import PHONES, take_up
from screenpop.console import Selection, desk_part, selection_of
from screenpop.desk import Draft
from screenpop.page import draw

_SQL = Queries(Path(__file__).with_name("desk.sql"))


async def _in_hand(request: web.Request, who: Identity, interaction: int) -> asyncpg.Record:
    row = await request.app[POOL].fetchrow(_SQL.in_hand, interaction, who.user_id)
    if row is None:
        raise NotFound("You do not have this contact in hand.")
    return row


async def _fields(request: web.Request) -> dict[str, str]:
    """The form's text fields, trimmed. Files are none of ours."""
    return {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}


async def post_presence(request: web.Request) -> web.StreamResponse:
    """`presence` is a slug, or one with a reason behind a slash: break/coffee."""
    who = identity(request)
    presence, _, reason = (await _fields(request)).get("presence", "").partition("/")
    await agents.set_presence(
        request.app[LOG],
        who.user_id,
        presence=presence,
        reason=reason or None,
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    return await desk_part(request, who, selection_of(request))


async def post_accept(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    ident = path_id(request)
    held = await _in_hand(request, who, ident)
    if held["channel"] == Channel.PHONE:
        raise Conflict("The call is taken by picking up the phone.")
    await take_up(request, ident, reservation=held["id"], channel=held["channel"], agent=who.user_id)
    return await desk_part(request, who, Selection(interaction=ident))


async def post_reject(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    held = await _in_hand(request, who, path_id(request))
    await interactions.return_to_queue(
        request.app[LOG], held["id"], state=ReservationState.REJECTED, reason="declined", now=request.app[CLOCK]()
    )
    return await desk_part(request, who)


async def post_end(request: web.Request) -> web.StreamResponse:
    """A call is hung up on the PBX, whose events end the interaction; other work ends here."""
    who = identity(request)
    ident = path_id(request)
    held = await _in_hand(request, who, ident)
    if held["channel"] == Channel.PHONE or held["pbx"]:
        phone = request.app[PHONES].get(held["pbx"] or "")
        if phone is None:
            raise Conflict("The telephone that has this call is not connected to this server.")
        await phone.hang_up(ident)
    else:
        await interactions.end_interaction(request.app[LOG], ident, cause="agent", now=request.app[CLOCK]())
    return await desk_part(request, who, Selection(interaction=ident))


async def post_wrap_up(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    held = await _in_hand(request, who, path_id(request))
    fields = await _fields(request)
    released: datetime | None = held["released_at"]
    await interactions.wrap_up(
        request.app[LOG],
        held["id"],
        queue=request.app[DIRECTORY].queues.get(held["queue_id"] or 0),
        disposition=fields.get("disposition") or None,
        note=_note(fields) or None,
        now=request.app[CLOCK](),
        released_at=released,
    )
    return await desk_part(request, who)


def _note(fields: dict[str, str]) -> str:
    # Forms send lines as CR LF.
    note = fields.get("note", "").replace("\r\n", "\n")
    if len(note) > drafts.LONGEST:
        raise Invalid(f"A note has at most {drafts.LONGEST} characters.", field="note")
    return note


async def post_draft(request: web.Request) -> web.StreamResponse:
    """What is being typed; answered with a word that it is kept."""
    who = identity(request)
    ident = path_id(request)
    await _in_hand(request, who, ident)
    fields = await _fields(request)
    await drafts.save(
        request.app[POOL],
        who.user_id,
        interaction=ident,
        note=_note(fields),
        disposition=fields.get("disposition") or None,
        now=request.app[CLOCK](),
    )
    return draw(request, "desk/_saved.html", {"current": {"interaction": ident}, "draft": Draft(saved=True)})


async def post_identify(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    ident = path_id(request)
    await _in_hand(request, who, ident)
    chosen = (await _fields(request)).get("customer", "")
    if not chosen.isascii() or not chosen.isdigit() or len(chosen) > 18:
        raise Invalid("Choose a customer.", field="customer")
    await interactions.identify(
        request.app[LOG], ident, customer=int(chosen), actor=who.user_id, now=request.app[CLOCK]()
    )
    return await desk_part(request, who, Selection(interaction=ident))


async def post_customer(request: web.Request) -> web.StreamResponse:
    """A new customer, who is the one of this contact; a number typed for a withheld one is kept as a guess."""
    who = identity(request)
    ident = path_id(request)
    held = await _in_hand(request, who, ident)
    fields = await _fields(request)
    now = request.app[CLOCK]()
    typed = fields.get("address", "") if held["address_kind"] is None else ""
    customer = await customers.create(
        request.app[LOG],
        name=fields.get("name", ""),
        company=fields.get("company") or None,
        tier=None,
        addresses=[_address(request, typed)] if typed else [],
        actor=who.user_id,
        now=now,
    )
    await interactions.identify(request.app[LOG], ident, customer=customer, actor=who.user_id, now=now)
    return await desk_part(request, who, Selection(interaction=ident))


def _address(request: web.Request, typed: str) -> Address:
    if "@" in typed:
        return Address(AddressKind.EMAIL, typed.casefold())
    number = parse_number(typed, request.app[DIRECTORY].organisation.region)
    if number.kind is not NumberKind.VALID:
        raise Invalid("That is neither a phone number nor a mail address.", field="address")
    return Address(AddressKind.PHONE, number.value)


async def post_ticket(request: web.Request) -> web.StreamResponse:
    """A ticket of this contact, owned by the agent who opens it."""
    who = identity(request)
    ident = path_id(request)
    held = await _in_hand(request, who, ident)
    fields = await _fields(request)
    await tickets.open_ticket(
        request.app[LOG],
        subject=fields.get("subject", ""),
        customer=held["customer_id"],
        interaction=ident,
        queue=held["queue_id"],
        priority=fields.get("priority") or "normal",
        text=None,
        actor=who.user_id,
        owner=who.user_id,
        now=request.app[CLOCK](),
    )
    return await desk_part(request, who, Selection(interaction=ident))


async def post_link(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    ident = path_id(request)
    await _in_hand(request, who, ident)
    ticket = (await _fields(request)).get("ticket", "")
    if not ticket.isascii() or not ticket.isdigit() or len(ticket) > 18:
        raise Invalid("Choose a ticket.", field="ticket")
    await tickets.link(request.app[LOG], int(ticket), interaction=ident, actor=who.user_id, now=request.app[CLOCK]())
    return await desk_part(request, who, Selection(interaction=ident))


async def post_seen(request: web.Request) -> web.StreamResponse:
    """A notice, or without an id all that the user has."""
    who = identity(request)
    notice = path_id(request) if "id" in request.match_info else None
    await notices.see(request.app[LOG], notice, user=who.user_id, now=request.app[CLOCK]())
    return await desk_part(request, who, selection_of(request))


def routes() -> list[web.RouteDef]:
    acts = {
        "accept": post_accept,
        "reject": post_reject,
        "end": post_end,
        "wrap-up": post_wrap_up,
        "draft": post_draft,
        "identify": post_identify,
        "customer": post_customer,
        "ticket": post_ticket,
        "link": post_link,
    }
    return [
        web.post("/desk/presence", post_presence),
        web.post("/desk/notices/seen", post_seen),
        web.post(f"/desk/notices/{ID}/seen", post_seen),
        *[web.post(f"/desk/interactions/{ID}/{name}", handler) for name, handler in acts.items()],
    ]
