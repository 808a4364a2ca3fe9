"""How tickets belong together, what was changed of them, and what they may be, over REST."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from callcenter.actions import ticket_ties as actions
from callcenter.actions.tickets import Stale
from callcenter.domain.ticket_rules import TicketField, write_case
from callcenter.store import ticket_family as store
from callcenter.store import tickets
from callcenter.store.directory import Directory
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Name, answer, path_id, read_body, read_query
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.ticket_items import TicketItem, outdated, say
from callcenter.web.versions import expected_version

_AT = f"/tickets/{ID}"
_OTHER = ID.replace("id", "other", 1)
_LATEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Into:
    __pydantic_config__ = STRICT
    into: Id


@dataclass(frozen=True, slots=True)
class Part:
    """One of `message` and `interaction`, by id."""

    __pydantic_config__ = STRICT
    subject: Name
    message: Id | None = None
    interaction: Id | None = None


@dataclass(frozen=True, slots=True)
class Other:
    __pydantic_config__ = STRICT
    ticket: Id


@dataclass(frozen=True, slots=True)
class Paging:
    __pydantic_config__ = STRICT
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One field of one version. `actor` null: no person but `rule`, or an escalation, as `kind` of the log says.

    People and queues by name, customers, tickets and interactions by id.
    """

    version: int
    at: datetime
    actor: str | None
    field: str
    before: Any
    after: Any
    kind: str | None
    rule: str | None


@dataclass(frozen=True, slots=True)
class FieldItem:
    """`required`: true, or when: `state`, `type` and `category` of which all that is given must hold; null: never."""

    name: str
    type: str
    title: Mapping[str, str]
    choices: Sequence[str]
    required: bool | dict[str, list[str]] | None


@dataclass(frozen=True, slots=True)
class RulesItem:
    """`categories`: all that may be written, sorted; none: any."""

    types: Sequence[str]
    categories: Sequence[str]
    fields: list[FieldItem]


@operation(
    "POST", f"{_AT}/merge", summary="Go on with it in another ticket, which is answered", tag="tickets", body=Into,
    answer=TicketItem, acts=True, refusals=(412,),
)  # fmt: skip
async def post_merge(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Into)
    try:
        ticket = await actions.merge(
            request.app[LOG],
            path_id(request),
            into=given.into,
            version=expected_version(request),
            actor=identity(request).user_id,
            now=request.app[CLOCK](),
        )
    except Stale as error:
        raise outdated(error, request.app[DIRECTORY]) from None
    return await say(request, ticket)


@operation(
    "POST", f"{_AT}/split", summary="Make a ticket of its own of a message or an interaction", tag="tickets", body=Part,
    answer=TicketItem, status=201, acts=True,
)  # fmt: skip
async def post_split(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Part)
    ticket = await actions.split(
        request.app[LOG],
        path_id(request),
        subject=given.subject,
        message=given.message,
        interaction=given.interaction,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await say(request, ticket, status=201)


@operation("POST", f"{_AT}/related", summary="Relate it to another one", tag="tickets", body=Other, answer=TicketItem)
async def post_related(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Other)
    who, now = identity(request).user_id, request.app[CLOCK]()
    return await say(
        request, await actions.relate(request.app[LOG], path_id(request), to=given.ticket, actor=who, now=now)
    )


@operation(
    "DELETE",
    f"{_AT}/related/{{other:[1-9]\\d{{0,17}}}}",
    summary="Relate it no longer",
    tag="tickets",
    answer=TicketItem,
)
async def delete_related(request: web.Request) -> web.StreamResponse:
    other = int(request.match_info["other"])
    who, now = identity(request).user_id, request.app[CLOCK]()
    return await say(request, await actions.unrelate(request.app[LOG], path_id(request), to=other, actor=who, now=now))


@operation(
    "GET", f"{_AT}/history", summary="What was changed, the latest first", tag="tickets", query=Paging,
    answer=Page[HistoryItem],
)  # fmt: skip
async def get_ticket_history(request: web.Request) -> web.StreamResponse:
    query, ident = read_query(request, Paging), path_id(request)
    await tickets.get(request.app[POOL], ident)
    below = read_place(query.after, start=_LATEST)
    found = await store.history(request.app[POOL], ident, below=min(below, _LATEST), limit=query.limit)
    items = [_past(each, request.app[DIRECTORY]) for each in found]
    more = len(found) >= query.limit and found[-1].version > 1
    return answer(Page(items, place_of(found[-1].version) if more else None))


def _past(past: store.Past, directory: Directory) -> HistoryItem:
    actor = directory.users.get(past.actor or 0)
    return HistoryItem(
        version=past.version,
        at=past.at,
        actor=actor.name if actor else None,
        field=past.field,
        before=_shown(past.field, past.before, directory),
        after=_shown(past.field, past.after, directory),
        kind=past.kind,
        rule=past.rule,
    )


def _shown(field: str, value: Any, directory: Directory) -> Any:
    names: Mapping[int, Any] = directory.queues if field == "queue" else directory.users
    if value is None or field not in ("queue", "owner", "followers"):
        return value
    if field == "followers":
        return [names[each].name if each in names else each for each in value]
    return names[value].name if value in names else value


@operation("GET", "/tickets/rules", summary="Types, categories and fields of tickets", tag="tickets", answer=RulesItem)
async def get_ticket_rules(request: web.Request) -> web.StreamResponse:
    rules = request.app[DIRECTORY].ticket_rules
    fields = [FieldItem(each.name, each.kind, each.title, each.choices, _required(each)) for each in rules.fields]
    return answer(RulesItem(rules.types, rules.tree(), fields))


def _required(field: TicketField) -> bool | dict[str, list[str]] | None:
    return None if field.required is None else write_case(field.required) or True


def routes() -> list[web.RouteDef]:
    found = (post_merge, post_split, post_related, delete_related, get_ticket_history, get_ticket_rules)
    return [each.route() for each in found]
