"""One queue's line: who waits, in the router's order, and what supervisors do about it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from aiohttp import web

from callcenter.actions import interactions
from callcenter.domain.agent import TAKES_WORK, Role
from callcenter.domain.capacity import AT_ONCE
from callcenter.domain.duration import parse_duration
from callcenter.errors import Invalid
from callcenter.store.directory import Queue
from callcenter.store.queries import Queries
from callcenter.web.auth import require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.interactions import standing
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, SETTINGS, WAITS
from callcenter.web.steps import taken_by_step
from callcenter.web.why import waiting_because
from screenpop import words
from screenpop.board_figures import AgentNow
from screenpop.console import number_of
from screenpop.desk import midnight_of, millis, zone_of
from screenpop.i18n import Language, clock
from screenpop.page import draw, language_of, person_context
from screenpop.pop import cut, spaced
from screenpop.wallboard import BOARD

_SQL = Queries.beside(__file__)
_MOST = 200
# Minutes that one press of a button moves work forward or back in line.
_NUDGE = 5
_FURTHEST = 24 * 60


@dataclass(frozen=True, slots=True)
class Place:
    """One who waits, in words."""

    id: int
    position: int | None  # in the line of its channel, from 1; None while it is offered to somebody
    channel: str
    channel_name: str
    name: str
    address: str
    tier: str
    tier_name: str
    since: int
    late: bool
    promised: bool  # whether the queue's service level is about it
    priority: int
    forward: int
    back: int
    asked: str  # who has the offer of it now
    subject: str


def places(rows: Sequence[asyncpg.Record], queue: Queue, language: Language, *, now: datetime) -> list[Place]:
    """In words, in the order of the rows."""
    return [
        Place(
            id=row["id"],
            position=row["position"],
            channel=row["channel"],
            channel_name=language.label(words.CHANNEL, row["channel"]),
            name=cut(row["customer"] or row["address_name"]) or language.gettext("Unknown"),
            address=language.gettext("Anonymous visitor")
            if row["address_kind"] == "web"
            else spaced(row["address_kind"], row["address"]) or language.gettext("Number withheld"),
            tier=row["tier"] or "",
            tier_name=language.label(words.TIER, row["tier"] or ""),
            since=millis(row["queued_at"]),
            late=row["channel"] in AT_ONCE and now - row["entered_at"] > queue.service_level_within,
            promised=row["channel"] in AT_ONCE,
            priority=row["priority"],
            forward=min(_FURTHEST, row["priority"] + _NUDGE),
            back=max(-_FURTHEST, row["priority"] - _NUDGE),
            asked=row["agent"] or "" if row["state"] == "offered" else "",
            subject=cut(row["subject"]),
        )
        for row in rows
    ]


def free_first(agents: Sequence[AgentNow], queue: Queue) -> list[tuple[AgentNow, bool]]:
    """The queue's agents at work, those who may take something now before the others."""
    mine = [agent for agent in agents if agent.user in queue.members and agent.presence == "on_queue"]
    return sorted(
        [(agent, agent.routing_status in TAKES_WORK) for agent in mine],
        key=lambda each: (not each[1], each[0].routing_status != "idle", each[0].full_name),
    )


def _queue(request: web.Request) -> Queue:
    return request.app[DIRECTORY].queue(path_id(request))


async def _context(request: web.Request, queue: Queue) -> dict[str, object]:
    now, language = request.app[CLOCK](), language_of(request)
    expected = request.app[WAITS].for_next(queue.id)
    tiers = {tier: parse_duration(shift).total_seconds() for tier, shift in queue.tiers.items()}
    midnight = midnight_of(now, zone_of(request.app[DIRECTORY]))
    rows, agents, steps = await asyncio.gather(
        request.app[POOL].fetch(_SQL.line, queue.id, _MOST + 1, tiers),
        request.app[BOARD].agents(),
        taken_by_step(request.app[POOL], [queue], since=midnight),
    )
    return {
        "queue": queue,
        "line": places(rows[:_MOST], queue, language, now=now),
        "more": len(rows) > _MOST,
        "by_channel": len({row["channel"] for row in rows}) > 1,
        "agents": [
            (agent.user, agent.full_name, language.label(words.ROUTING, agent.routing_status), free)
            for agent, free in free_first(agents, queue)
        ],
        "queues": [each for each in request.app[DIRECTORY].queues.values() if each.active and each.id != queue.id],
        "within": clock(queue.service_level_within),
        "steps": [
            (
                clock(timedelta(seconds=each.after_seconds)) if each.step else "",
                each.taken,
                None if each.share is None else round(100 * each.share),
            )
            for each in steps.get(queue.id, ())
        ],
        "expected": "" if expected is None else clock(expected),
    }


async def get_page(request: web.Request) -> web.StreamResponse:
    who, queue = require(request, Role.SUPERVISOR), _queue(request)
    cursor = request.app[BOARD].as_of()  # before the queries: what happens in between is told again
    context = {**await _context(request, queue), **person_context(request, who, at="line"), "cursor": str(cursor)}
    return draw(request, "line.html", context)


async def get_region(request: web.Request) -> web.StreamResponse:
    require(request, Role.SUPERVISOR)
    return draw(request, "line/_line.html", await _context(request, _queue(request)))


async def get_why(request: web.Request) -> web.StreamResponse:
    """Why nobody has it yet, in the reader's language."""
    who, language = require(request, Role.SUPERVISOR), language_of(request)
    ident = number_of(request, "interaction") or 0
    row = await standing(request.app[POOL], ident, asks=who.user_id)
    wait = request.app[WAITS].of(ident)
    because = await waiting_because(
        request.app[POOL],
        request.app[DIRECTORY],
        row,
        wait,
        require_console=request.app[SETTINGS].require_console,
        now=request.app[CLOCK](),
    )
    return draw(request, "line/_why.html", {"ident": ident, "said": words.in_language(because, language)})


# -- acts: each a form with the interaction in it, answered with the line as it is then


async def _acted(
    request: web.Request, act: Callable[[Queue, int, Mapping[str, str], int], Awaitable[object]]
) -> web.Response:
    who, queue = require(request, Role.SUPERVISOR), _queue(request)
    form = {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}
    await act(queue, _number(form, "interaction"), form, who.user_id)
    return draw(request, "line/_line.html", await _context(request, queue))


def _number(form: Mapping[str, str], name: str, *, least: int = 1) -> int:
    text = form.get(name, "")
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 18 or int(text) < least:
        raise Invalid("That is no number.", field=name)
    return int(text)


async def post_move(request: web.Request) -> web.StreamResponse:
    """Into another queue; its time goes with it."""

    async def move(queue: Queue, ident: int, form: Mapping[str, str], by: int) -> None:
        to = request.app[DIRECTORY].queue(_number(form, "queue"))
        if not to.active:
            raise Invalid("This queue takes no more work.", field="queue")
        await interactions.move(request.app[LOG], ident, queue=to.id, priority=None, actor=by, now=request.app[CLOCK]())

    return await _acted(request, move)


async def post_priority(request: web.Request) -> web.StreamResponse:
    """Forward or back in line, by minutes."""

    async def shift(queue: Queue, ident: int, form: Mapping[str, str], by: int) -> None:
        minutes = _number(form, "priority", least=-_FURTHEST)
        if minutes > _FURTHEST:
            raise Invalid("That is more than a day.", field="priority")
        await interactions.move(
            request.app[LOG], ident, queue=None, priority=minutes, actor=by, now=request.app[CLOCK]()
        )

    return await _acted(request, shift)


async def post_assign(request: web.Request) -> web.StreamResponse:
    """To an agent of one's choice, who must have room for it."""

    async def assign(queue: Queue, ident: int, form: Mapping[str, str], by: int) -> None:
        name = request.app[DIRECTORY].user(by).name
        agent = _number(form, "agent")
        await interactions.assign(request.app[LOG], ident, agent=agent, by=name, actor=by, now=request.app[CLOCK]())

    return await _acted(request, assign)


async def post_take_out(request: web.Request) -> web.StreamResponse:
    """Nobody serves it; a caller hears that it is closed."""

    async def take_out(queue: Queue, ident: int, form: Mapping[str, str], by: int) -> None:
        reason = form.get("reason", "")[:500] or None
        await interactions.take_out(request.app[LOG], ident, reason=reason, actor=by, now=request.app[CLOCK]())

    return await _acted(request, take_out)


def routes() -> list[web.RouteDef]:
    at = f"/queues/{ID}"
    return [
        web.get(at, get_page),
        web.get(f"{at}/line", get_region),
        web.get(f"{at}/why", get_why),
        web.post(f"{at}/move", post_move),
        web.post(f"{at}/priority", post_priority),
        web.post(f"{at}/assign", post_assign),
        web.post(f"{at}/take-out", post_take_out),
    ]
