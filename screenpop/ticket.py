"""The page of one ticket: its conversation, what it owes, its properties, and who else is there."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcenter.actions import ticket_desk, tickets
from callcenter.actions.ticket_values import Incomplete
from callcenter.actions.tickets import Stale
from callcenter.domain.agent import Role
from callcenter.domain.ticket_rules import TicketField, TicketRules, read_value
from callcenter.errors import Invalid, NotFound
from callcenter.store.correspondents import SQL as CORRESPONDENTS
from callcenter.store.queries import Queries
from callcenter.web.api_messages import hold_of
from callcenter.web.auth import Identity, identity
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from screenpop.desk import zone_of
from screenpop.mail import file_ids
from screenpop.page import draw, language_of, person_context
from screenpop.readers import come, tell_readers
from screenpop.receiver import receiver_of
from screenpop.tasks import ticket_tasks
from screenpop.ticket_more import field_title, missing_said, ticket_more, value_said
from screenpop.ticket_view import ticket_page
from screenpop.tickets import choices
from screenpop.wallboard import BOARD

_SQL = Queries.beside(__file__)
AT = r"/tickets/{number:[1-9]\d{0,17}}"
_EDITED = ("subject", "state", "priority", "type", "category", "queue", "owner")
_ADDED = ("add_tags", "remove_tags", "add_followers", "remove_followers")


def number_of(request: web.Request) -> int:
    return int(request.match_info["number"])


async def _context(request: web.Request, who: Identity) -> dict[str, object]:
    pool = request.app[POOL]
    row = await pool.fetchrow(_SQL.page, number_of(request), who.user_id, request.app[CLOCK]())
    if row is None:
        raise NotFound(f"There is no ticket {number_of(request)}.")
    directory, language = request.app[DIRECTORY], language_of(request)
    return {
        **ticket_page(dict(row), directory, language, now=request.app[CLOCK]()),
        **ticket_more(dict(row), directory, language, now=request.app[CLOCK]()),
        **await ticket_tasks(request, row["id"]),
        **choices(directory, language, who.user_id),
        "receiver": await receiver_of(pool, row["id"]),
        "addresses": [each["address"] for each in await pool.fetch(CORRESPONDENTS.addresses, row["id"])],
        "kept": (),
        "lost": None,
        "refused": "",
        "wrong": (),
    }


async def get_page(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    cursor = request.app[BOARD].as_of()  # before the query: what happens in between is told again
    context = {**await _context(request, who), **person_context(request, who, at="ticket"), "cursor": str(cursor)}
    return draw(request, "ticket.html", context)


async def region(request: web.Request, **more: object) -> web.Response:
    """The ticket as it is now, and `more`: `lost`, or `refused` with the names of the fields that are `wrong`."""
    who = identity(request)
    return draw(
        request,
        "ticket/_ticket.html",
        {**await _context(request, who), "supervisor": who.may(Role.SUPERVISOR), **more},
    )


async def get_region(request: web.Request) -> web.StreamResponse:
    return await region(request)


# -- acts, each answered with the ticket as it is then


async def form_of(request: web.Request) -> dict[str, str]:
    return {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}


def version_of(fields: Mapping[str, str]) -> int:
    text = fields.get("version", "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid("Which version was seen is missing; load the page again.", field="version")
    return int(text)


def _changes(fields: Mapping[str, str], rules: TicketRules) -> dict[str, Any]:
    """Queue, owner and followers by their ids; nothing empties. Raises Invalid."""
    changes: dict[str, Any] = {name: fields[name] or None for name in _EDITED if name in fields}
    for name in ("queue", "owner"):
        if text := changes.get(name):
            changes[name] = _ident(text, name) or None
    for name in _ADDED:
        if text := fields.get(name):
            tags = [each for each in text.replace("，", ",").split(",") if each.strip()]
            changes[name] = tags if name.endswith("tags") else [_ident(text, name)]
    known = {f"fields.{field.name}": field for field in rules.fields}
    if own := {field.name: _own(field, fields[name]) for name, field in known.items() if name in fields}:
        changes["fields"] = own
    if not changes:
        raise Invalid("Say what is to be changed.")
    if "subject" in changes and changes["subject"] is None:
        raise Invalid("A ticket needs a subject.", field="subject")
    return changes


def _own(field: TicketField, text: str) -> Any:
    return read_value(field, text) if text else None


def _ident(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid("Choose one of the list.", field=name)
    return int(text)


async def post_change(request: web.Request) -> web.StreamResponse:
    """The loser of two who change it sees what the other did, and may go on with what they wanted.

    Two who add or take away tags or followers take nothing from each other, and neither loses.
    """
    fields, rules, language = await form_of(request), request.app[DIRECTORY].ticket_rules, language_of(request)
    version = version_of(fields)
    ident = await ticket_desk.id_of(request.app[POOL], number_of(request))
    who, now = identity(request), request.app[CLOCK]()
    try:
        changes = _changes(fields, rules)
        seen = None if changes.keys() <= set(_ADDED) else version
        await tickets.change(request.app[LOG], ident, changes=changes, version=seen, actor=who.user_id, now=now)
    except Stale as error:
        return await region(request, lost=lost_of(request, error, fields))
    except Incomplete as error:
        wrong = [f"fields.{field.name}" for field in error.missing]
        return await region(request, refused=missing_said(error.missing, language), wrong=wrong)
    except Invalid as error:
        if not (error.field or "").startswith("fields."):
            raise
        title = field_title(str(error.field), request.app[DIRECTORY], language)
        said = language.gettext("%(field)s: this does not fit.") % {"field": title}
        return await region(request, refused=said, wrong=[error.field])
    return await region(request)


def lost_of(request: web.Request, error: Stale, fields: Mapping[str, str]) -> dict[str, object]:
    """For the note to who was slower; `fields`: what they wanted, as it was sent."""
    directory, now, language = request.app[DIRECTORY], request.app[CLOCK](), language_of(request)

    def theirs(change: tickets.Change) -> dict[str, str]:
        user = directory.users.get(change.actor or 0)
        return {
            "field": field_title(change.field, directory, language),
            "now": value_said(change.field, change.now, directory, language),
            "by": user.full_name if user else language.gettext("a rule"),
            "when": language.when(change.at, now, zone_of(directory)),
        }

    wanted = {name: value for name, value in fields.items() if name in _EDITED or name.startswith("fields.")}
    return {
        "theirs": [theirs(each) for each in error.changes],
        "wanted": wanted,
        "mine": [
            (field_title(name, directory, language), value_said(name, value, directory, language))
            for name, value in wanted.items()
        ],
    }


def _draft_of(fields: Mapping[str, str]) -> tuple[str, bool]:
    # Forms send lines as CR LF.
    return fields.get("note", "").replace("\r\n", "\n"), fields.get("public") == "1"


async def post_reply(request: web.Request) -> web.StreamResponse:
    """A note, or what the customer was answered; what was typed is then no draft any more."""
    who, fields = identity(request), await form_of(request)
    text, public = _draft_of(fields)
    ident = await ticket_desk.id_of(request.app[POOL], number_of(request))
    await tickets.reply(
        request.app[LOG],
        ident,
        text=text,
        public=public,
        to=fields.get("to") or None if public else None,
        files=file_ids((await read_form(request)).getall("file", [])),
        hold=hold_of(request),
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    await ticket_desk.drop_draft(request.app[POOL], who.user_id, ticket=ident)
    return await region(request)


async def post_draft(request: web.Request) -> web.StreamResponse:
    """What is being typed; others are told that somebody writes."""
    who, fields = identity(request), await form_of(request)
    text, public = _draft_of(fields)
    public = public and not fields.get("to")  # which a draft does not keep: it would come back as one to the customer
    pool, now = request.app[POOL], request.app[CLOCK]()
    ident = await ticket_desk.id_of(pool, number_of(request))
    await ticket_desk.save_draft(pool, who.user_id, ticket=ident, text=text, public=public, now=now)
    if text:
        await come(request, ident, writes=True)
    return draw(request, "ticket/_saved.html", {"saved": True})


async def post_here(request: web.Request) -> web.StreamResponse:
    """The page is open; answered with who else has it open, or writes."""
    identity(request)
    ident = await ticket_desk.id_of(request.app[POOL], number_of(request))
    others = await come(request, ident, writes=False)
    return draw(request, "ticket/_here.html", {"ticket": {"number": number_of(request)}, "others": others})


async def post_left(request: web.Request) -> web.StreamResponse:
    """The page was closed."""
    who = identity(request)
    ident = await ticket_desk.id_of(request.app[POOL], number_of(request))
    if await ticket_desk.leave(request.app[POOL], who.user_id, ticket=ident):
        await tell_readers(request, ident)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get(AT, get_page),
        web.get(f"{AT}/page", get_region),
        web.post(f"{AT}/change", post_change),
        web.post(f"{AT}/reply", post_reply),
        web.post(f"{AT}/draft", post_draft),
        web.post(f"{AT}/here", post_here),
        web.post(f"{AT}/left", post_left),
    ]
