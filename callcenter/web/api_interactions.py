"""Interactions over REST: found, read, handed in, acted on."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from callcenter.actions import interactions as actions
from callcenter.actions import postings
from callcenter.domain.agent import Role
from callcenter.domain.interaction import Channel, ReservationState, State
from callcenter.errors import Conflict, Invalid
from callcenter.ports import Wait
from callcenter.store.directory import Queue
from callcenter.web.auth import Identity, identity
from callcenter.web.body import ID, STRICT, Id, Line, Text, answer, path_id, read_body, read_query
from callcenter.web.chosen import chosen_because
from callcenter.web.interactions import (
    SQL,
    TOP,
    Item,
    Wanted,
    Whole,
    find,
    item,
    standing,
    whole,
    with_external_id,
)
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, SETTINGS, WAITS
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.phones import PHONES, take_up
from callcenter.web.rights import actable, in_hand, readable
from callcenter.web.why import waiting_because

_AT = f"/interactions/{ID}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Agents see what they had a part in, and everything of a customer they ask for."""

    __pydantic_config__ = STRICT
    channel: Channel | None = None
    state: State | None = None
    queue: Line | None = None
    agent: Line | None = None
    customer: Id | None = None
    external_id: Line | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInteraction:
    """`external_id`: the same one in the same channel handed in again opens nothing new.

    `language`: in which it is to be served, rather than in the customer's. `preferred`: agents for whom it waits first,
    the best first, as long as its queue says.
    """

    __pydantic_config__ = STRICT
    channel: Channel
    address: Line | None = None
    external_id: Line | None = None
    queue: Line | None = None
    subject: Line | None = None
    text: Text | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}$")] | None = None
    preferred: Annotated[list[Line], Field(max_length=20)] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Move:
    """`priority`: minutes that it counts as having waited longer (below zero: shorter)."""

    __pydantic_config__ = STRICT
    queue: Line | None = None
    priority: Annotated[int, Field(ge=-1440, le=1440)] | None = None


@dataclass(frozen=True, slots=True)
class TakeOut:
    """`reason`: kept as the interaction's note."""

    __pydantic_config__ = STRICT
    reason: Line | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    __pydantic_config__ = STRICT
    agent: Line


@dataclass(frozen=True, slots=True)
class WrapUp:
    __pydantic_config__ = STRICT
    disposition: Line | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Identification:
    """Null: nobody we know."""

    __pydantic_config__ = STRICT
    customer: Id | None


@dataclass(frozen=True, slots=True)
class Why:
    """`decision`: of the latest offer, and in words `chosen_because`; `waiting_because` is null when nobody waits."""

    decision: dict[str, Any] | None
    chosen_because: str | None
    waiting_because: str | None
    wait: Wait | None


async def _now(request: web.Request, ident: int) -> web.StreamResponse:
    return answer(await item(request.app[POOL], ident))


def _is_wanted(found: Item, query: Filter, who: Identity) -> bool:
    """Whether one that was found by its external id fits the other conditions, and is for these eyes."""
    wanted = {"state": query.state, "queue": query.queue, "agent": query.agent, "customer": query.customer}
    if any(value not in (None, getattr(found, name)) for name, value in wanted.items()):
        return False
    return who.may(Role.SUPERVISOR) or found.agent == who.name or query.customer is not None


@operation("GET", "/interactions", summary="Find interactions", tag="interactions", query=Filter, answer=Page[Item])
async def list_interactions(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Filter)
    who, pool = identity(request), request.app[POOL]
    own = None if who.may(Role.SUPERVISOR) or query.customer is not None else who.user_id
    if query.external_id is not None:
        found = await with_external_id(pool, query.external_id, channel=query.channel)
        return answer(Page([each for each in found if _is_wanted(each, query, who)], None))
    wanted = Wanted(
        channel=query.channel,
        state=query.state,
        queue=queue_id(request, query.queue),
        agent=user_id(request, query.agent, field="agent"),
        customer=query.customer,
        part_of=own,
    )
    items = list(await find(pool, wanted, below=read_place(query.after, start=TOP), limit=query.limit + 1))
    more = len(items) > query.limit
    items = items[: query.limit]
    return answer(Page(items, place_of(items[-1].id) if more else None))


@operation("GET", _AT, summary="One interaction with all that happened to it", tag="interactions", answer=Whole)
async def get_interaction(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    return answer(await whole(request.app[POOL], ident, now=request.app[CLOCK]()))


def _asks(request: web.Request, given: NewInteraction, queue: Queue) -> dict[str, Any]:
    """Raises Invalid for agents that nobody knows, or for whom the queue lets nothing wait."""
    asks: dict[str, Any] = {} if given.language is None else {"language": given.language}
    if given.preferred:
        if queue.prefer is None:
            raise Invalid(f"In the queue {queue.name} nothing waits for agents of its own.", field="preferred")
        idents = [
            user_id(request, name, field=f"preferred[{at}]", active=True) for at, name in enumerate(given.preferred)
        ]
        asks["preferred"] = list(dict.fromkeys(idents))
    return asks


@operation(
    "POST", "/interactions", summary="Hand in work from another system", tag="interactions", body=NewInteraction,
    answer=Item, status=201, also=(200,),
)  # fmt: skip
async def post_interaction(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewInteraction)
    directory = request.app[DIRECTORY]
    named = queue_id(request, given.queue, active=True)
    queue = directory.queue_for_number("") if named is None else directory.queue(named)
    if queue is None:
        raise Invalid("There is no default queue, so name one.", field="queue")
    arrival = postings.arrival_of(
        given.channel,
        address=given.address,
        external_id=given.external_id or None,
        subject=given.subject,
        region=directory.organisation.region,
        asks=_asks(request, given, queue),
    )
    now = request.app[CLOCK]()
    ident, new = await postings.post(request.app[LOG], arrival, queue=queue.id, text=given.text, now=now)
    return answer(await item(request.app[POOL], ident), status=201 if new else 200)


@operation("POST", f"{_AT}/accept", summary="Take what is offered to me", tag="interactions", answer=Item, acts=True)
async def accept(request: web.Request) -> web.StreamResponse:
    who, ident = identity(request), path_id(request)
    row = await actable(request, ident)
    if row["channel"] == Channel.PHONE:
        raise Conflict("Answer a call on the phone.")
    if row["holder"] != who.user_id:
        raise Conflict("It is not offered to you.")
    await take_up(request, ident, reservation=row["reservation"], channel=row["channel"], agent=who.user_id)
    return await _now(request, ident)


@operation("POST", f"{_AT}/reject", summary="Decline the offer", tag="interactions", answer=Item, acts=True)
async def reject(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    held = await in_hand(request, ident)
    events = await actions.return_to_queue(
        request.app[LOG],
        held["reservation"],
        state=ReservationState.REJECTED,
        reason="declined",
        now=request.app[CLOCK](),
    )
    if not events:
        raise Conflict("The offer is over.")
    return await _now(request, ident)


@operation(
    "POST", f"{_AT}/end", summary="End the conversation; a call is hung up on the PBX, whose events then end it",
    tag="interactions", answer=Item, acts=True,
)  # fmt: skip
async def end(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    row = await in_hand(request, ident)
    if row["state"] != State.ACTIVE:
        raise Conflict(f"It is {row['state']}, so there is no conversation to end.")
    if row["channel"] == Channel.PHONE or row["pbx"]:
        phone = request.app[PHONES].get(row["pbx"] or "")
        if phone is None:
            raise Conflict("The PBX that has this call is not connected to this server.")
        await phone.hang_up(ident)
    elif not await actions.end_interaction(request.app[LOG], ident, cause="agent", now=request.app[CLOCK]()):
        raise Conflict("It is over already.")
    return await _now(request, ident)


@operation(
    "POST", f"{_AT}/wrap-up", summary="Say what came of it", tag="interactions", body=WrapUp, answer=Item, acts=True
)
async def wrap_up(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, WrapUp)
    ident = path_id(request)
    held = await in_hand(request, ident)
    await actions.wrap_up(
        request.app[LOG],
        held["reservation"],
        queue=request.app[DIRECTORY].queues.get(held["queue_id"] or 0),
        disposition=given.disposition or None,
        note=given.note or None,
        now=request.app[CLOCK](),
        released_at=held["released_at"],
    )
    return await _now(request, ident)


@operation(
    "POST",
    f"{_AT}/identify",
    summary="Say who this is",
    tag="interactions",
    body=Identification,
    answer=Item,
    acts=True,
)
async def identify(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Identification)
    who, ident = identity(request), path_id(request)
    await actable(request, ident)
    await actions.identify(
        request.app[LOG], ident, customer=given.customer, actor=who.user_id, now=request.app[CLOCK]()
    )
    return await _now(request, ident)


@operation(
    "POST", f"{_AT}/move", summary="Put waiting work into another queue, or forward or back in line",
    tag="interactions", role=Role.SUPERVISOR, body=Move, answer=Item, acts=True,
)  # fmt: skip
async def move(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Move)
    who, ident = identity(request), path_id(request)
    if given.queue is None and given.priority is None:
        raise Invalid("Name a queue, a priority, or both.")
    queue = queue_id(request, given.queue, active=True)
    await standing(request.app[POOL], ident, asks=who.user_id)
    await actions.move(
        request.app[LOG], ident, queue=queue, priority=given.priority, actor=who.user_id, now=request.app[CLOCK]()
    )
    return await _now(request, ident)


@operation(
    "POST", f"{_AT}/take-out", summary="Take waiting work out of its queue; a caller hears that it is closed",
    tag="interactions", role=Role.SUPERVISOR, body=TakeOut, answer=Item, acts=True,
)  # fmt: skip
async def take_out(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, TakeOut)
    who, ident = identity(request), path_id(request)
    await standing(request.app[POOL], ident, asks=who.user_id)
    await actions.take_out(
        request.app[LOG], ident, reason=given.reason or None, actor=who.user_id, now=request.app[CLOCK]()
    )
    return await _now(request, ident)


@operation(
    "POST", f"{_AT}/assign", summary="Offer waiting work to an agent of one's choice, who must have room for it",
    tag="interactions", role=Role.SUPERVISOR, body=Assignment, answer=Item, acts=True,
)  # fmt: skip
async def assign(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Assignment)
    who, ident = identity(request), path_id(request)
    agent = user_id(request, given.agent, field="agent", active=True)
    assert agent is not None
    await standing(request.app[POOL], ident, asks=who.user_id)
    await actions.assign(request.app[LOG], ident, agent=agent, by=who.name, actor=who.user_id, now=request.app[CLOCK]())
    return await _now(request, ident)


@operation("GET", f"{_AT}/why", summary="Why this agent, why still waiting", tag="interactions", answer=Why)
async def why(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    row = await readable(request, ident)
    made = await request.app[POOL].fetchrow(SQL.decision, ident)
    decision = None
    if made is not None:
        # `candidates`, `excluded` and `step` are there even when the router had no choice to explain.
        blank: dict[str, Any] = {"agent": made["agent"], "candidates": [], "excluded": {}, "step": 0}
        decision = {**blank, "reason": made["reason"], **(made["decision"] or {})}
        users = request.app[DIRECTORY].users
        decision["candidates"] = [
            {**candidate, "agent": users[candidate["agent"]].name}
            for candidate in decision["candidates"]
            if candidate["agent"] in users
        ]
    because = None if decision is None else chosen_because(decision)
    wait = request.app[WAITS].of(ident)
    waiting = await waiting_because(
        request.app[POOL],
        request.app[DIRECTORY],
        row,
        wait,
        require_console=request.app[SETTINGS].require_console,
        now=request.app[CLOCK](),
    )
    return answer(Why(decision, None if because is None else str(because), " ".join(map(str, waiting)) or None, wait))


@operation(
    "GET", f"{_AT}/wait", summary="Place in line and expected wait of what waits for an agent", tag="interactions",
    answer=Wait,
)  # fmt: skip
async def get_wait(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    row = await readable(request, ident)
    wait = request.app[WAITS].of(ident)
    if wait is None:
        queued = row["state"] == State.QUEUED
        raise Conflict("It is not known yet: ask again in a moment." if queued else "It is not waiting in a queue.")
    return answer(wait)


def routes() -> list[web.RouteDef]:
    found = (
        list_interactions, get_interaction, post_interaction, accept, reject, end, wrap_up, move, take_out, assign,
        identify, why, get_wait,
    )  # fmt: skip
    return [each.route() for each in found]
