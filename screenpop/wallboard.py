"""The wall: queues and agents at a glance, computed once however many look."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Generic, TypeVar

from aiohttp import web

from callcenter.actions import notices as notice_acts
from callcenter.domain.agent import Role
from callcenter.domain.capacity import AT_ONCE
from callcenter.domain.events import Cursor
from callcenter.domain.survey import Question, Tally
from callcenter.feed import Feed
from callcenter.ports import Waits
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.web.auth import Identity, require
from callcenter.web.body import ID, path_id
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, WAITS
from screenpop import words
from screenpop.board_figures import NOBODY, AgentNow, NextPromise, PromisesNow, Today, Waiting
from screenpop.desk import midnight_of, millis, mood_of, zone_of
from screenpop.i18n import Language, clock
from screenpop.notices import load_notices, notices_context
from screenpop.page import draw, language_of, person_context
from screenpop.promise import OwedClock, promise_view
from screenpop.regions import SHARED_FOR
from screenpop.satisfaction import figure_words

_SQL = Queries.beside(__file__)
_MOST_CELLS = 160
# A day has too few answers to say anything.
_SATISFACTION_OVER = timedelta(days=30)
T = TypeVar("T")


class Shared(Generic[T]):
    """A figure that is asked for at most once in `seconds`, by whoever comes first; the others wait for that answer."""

    def __init__(self, load: Callable[[], Awaitable[T]], *, seconds: float, cursor: Callable[[], Cursor]) -> None:
        self._load = load
        self._seconds = seconds
        self._cursor = cursor
        self._begun_at = cursor()
        self._until = 0.0
        self._value: asyncio.Task[T] | None = None

    def as_of(self) -> Cursor:
        """All that happened up to here is in what `get` would answer."""
        return self._begun_at if asyncio.get_running_loop().time() < self._until else self._cursor()

    async def get(self) -> T:
        now = asyncio.get_running_loop().time()
        if self._value is None or now >= self._until:
            self._until = now + self._seconds
            self._begun_at = self._cursor()
            self._value = asyncio.ensure_future(self._load())
            self._value.add_done_callback(self._loaded)
        return await asyncio.shield(self._value)

    def _loaded(self, value: "asyncio.Task[T]") -> None:
        """One that failed is no answer for those who come later."""
        if value is self._value and (value.cancelled() or value.exception() is not None):
            self._until = 0.0


class Board:
    """The figures of this process, shared by all its walls and desks."""

    def __init__(self, pool: Pool, directory: Directory, feed: Feed, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._directory = directory
        self._now = now
        self._feed = feed
        self._waiting = Shared(self._load_waiting, seconds=SHARED_FOR, cursor=self._read_to)
        self._agents = Shared(self._load_agents, seconds=SHARED_FOR, cursor=self._read_to)
        self._today = Shared(self._load_today, seconds=2, cursor=self._read_to)
        self._satisfaction = Shared(self._load_satisfaction, seconds=30, cursor=self._read_to)
        self._promises = Shared(self._load_promises, seconds=SHARED_FOR, cursor=self._read_to)
        self._next_promises = Shared(self._load_next_promises, seconds=2, cursor=self._read_to)

    def _read_to(self) -> Cursor:
        return self._feed.cursor

    def as_of(self) -> Cursor:
        """For a page: asked before its figures are, what happens later is told to it again."""
        figures = (self._waiting, self._agents, self._today, self._promises, self._next_promises)
        return min(figure.as_of() for figure in figures)

    async def waiting(self) -> Mapping[int, Waiting]:
        return await self._waiting.get()

    async def agents(self) -> Sequence[AgentNow]:
        return await self._agents.get()

    async def today(self) -> Mapping[int, Today]:
        return await self._today.get()

    async def satisfaction(self) -> Mapping[tuple[int, Question], Tally]:
        """By queue and question, of the last 30 days. Nothing moves on a page when it does."""
        return await self._satisfaction.get()

    async def promises(self) -> PromisesNow:
        return await self._promises.get()

    async def _load_promises(self) -> PromisesNow:
        row = await self._pool.fetchrow(_SQL.promises, self._now())
        assert row is not None
        return PromisesNow(*row)

    async def next_promises(self) -> Mapping[int, NextPromise]:
        return await self._next_promises.get()

    async def _load_next_promises(self) -> Mapping[int, NextPromise]:
        rows = await self._pool.fetch(_SQL.next_promises, self._now())
        return {
            row["queue_id"]: NextPromise(
                row["ticket_id"],
                OwedClock(
                    clock=row["clock"], state="running", due_at=row["due_at"].isoformat(),
                    risk_at=row["risk_at"].isoformat() if row["risk_at"] else None, breached_at=None,
                    remaining_seconds=None,
                ),
            )
            for row in rows
        }  # fmt: skip

    async def _load_waiting(self) -> Mapping[int, Waiting]:
        rows = await self._pool.fetch(_SQL.waiting, list(AT_ONCE))
        return {row["queue_id"]: Waiting(*row[1:]) for row in rows}

    async def _load_agents(self) -> Sequence[AgentNow]:
        return [AgentNow(*row) for row in await self._pool.fetch(_SQL.agents)]

    async def _load_today(self) -> Mapping[int, Today]:
        now = self._now()
        rows = await self._pool.fetch(_SQL.today, midnight_of(now, zone_of(self._directory)), now, list(AT_ONCE))
        return {row["queue_id"]: Today(*row[1:]) for row in rows}

    async def _load_satisfaction(self) -> Mapping[tuple[int, Question], Tally]:
        counts: dict[tuple[int, Question], dict[int, int]] = {}
        for row in await self._pool.fetch(_SQL.satisfaction, self._now() - _SATISFACTION_OVER):
            counts.setdefault((row["queue_id"], Question(row["ask"])), {})[row["score"]] = row["count"]
        return {(queue, ask): Tally(ask, given) for (queue, ask), given in counts.items()}


BOARD: web.AppKey[Board] = web.AppKey("board")


def _why(queue: Queue, waiting: Waiting, language: Language, now: datetime) -> str:
    words_ = language.ngettext(
        "%(num)d waiting, longest %(longest)s, target %(target)s",
        "%(num)d waiting, longest %(longest)s, target %(target)s",
        waiting.count,
    )
    longest, target = clock(waiting.longest(now)), clock(queue.service_level_within)
    return words_ % {"num": waiting.count, "longest": longest, "target": target}


def _deferrable(waiting: Waiting, language: Language, now: datetime) -> str:
    """What can wait for hours, in words; empty where there is none."""
    if waiting.oldest_deferrable is None:
        return ""
    words_ = language.ngettext(
        "%(num)d of mail, tickets and the like, the oldest %(longest)s",
        "%(num)d of mail, tickets and the like, the oldest %(longest)s",
        waiting.deferrable,
    )
    return words_ % {"num": waiting.deferrable, "longest": clock(now - waiting.oldest_deferrable)}


def strip_view(
    queues: Sequence[Queue], board: Mapping[int, Waiting], waits: Waits, language: Language, *, now: datetime
) -> list[dict[str, object]]:
    """The queues of one agent, for the line above the desk; `expected` is the wait of one who comes now."""
    seen = []
    for queue in queues:
        waiting, expected = board.get(queue.id, NOBODY), waits.for_next(queue.id)
        why = _why(queue, waiting, language, now) if waiting.count else language.gettext("Nobody waits.")
        if expected is not None:
            why += language.gettext(" · expected wait %(wait)s") % {"wait": clock(expected)}
        if deferrable := _deferrable(waiting, language, now):
            why += f" · {deferrable}"
        seen.append(
            {
                "id": queue.id,
                "name": queue.name,
                "waiting": waiting.count,
                "oldest": millis(waiting.oldest) if waiting.oldest else 0,
                "deferrable": waiting.deferrable,
                "late": waiting.longest(now) > queue.service_level_within,
                "expected": clock(expected) if expected else "",
                "why": why,
            }
        )
    return seen


def queue_tile(
    queue: Queue,
    waiting: Waiting,
    today: Today,
    agents: Sequence[AgentNow],
    *,
    expected: float | None,
    tally: Tally | None = None,
    language: Language,
    now: datetime,
) -> dict[str, object]:
    """One queue on the wall. `state`: calm, waiting, late (beyond the promise) or breach (four times beyond it).

    `deferrable`: in words, beside the large figures, which are of people who wait now. `expected`: seconds that one who
    comes now will wait. `tally`: what was answered to the question that it asks.
    """
    state = "calm"
    if waiting.count:
        longest = waiting.longest(now)
        state = "waiting" if longest <= queue.service_level_within else "late"
        if longest > 4 * queue.service_level_within:
            state = "breach"
    level = today.service_level
    mine = [agent for agent in agents if agent.user in queue.members]
    return {
        "id": queue.id,
        "name": queue.name,
        "state": state,
        "waiting": waiting.count,
        "oldest": millis(waiting.oldest) if waiting.oldest else None,
        "deferrable": _deferrable(waiting, language, now),
        "expected": "" if expected is None else clock(expected),
        "level": None if level is None else round(level * 100),
        "below": level is not None and level < queue.service_level_target,
        "target": round(queue.service_level_target * 100),
        "within": round(queue.service_level_within / timedelta(seconds=1)),
        "answered": today.answered,
        "abandoned": today.abandoned,
        "flow_out": today.flow_out,
        "satisfaction": None if queue.survey is None else figure_words(tally) if tally else "",
        "answers": tally.answers if tally else 0,
        "idle": sum(agent.routing_status == "idle" for agent in mine),
        "busy": sum(agent.routing_status in ("offered", "interacting", "wrap_up") for agent in mine),
    }


# The order of the cells: who needs help, who works, who is free, who is away.
_GROUPS = ("not_responding", "offered", "interacting", "wrap_up", "private_call", "idle")


def agent_groups(agents: Sequence[AgentNow], language: Language) -> list[dict[str, object]]:
    """Cells by state, each with the moment since when; those away by what they chose."""
    groups: dict[str, list[dict[str, object]]] = {}
    names: dict[str, str] = {}
    for agent in agents[:_MOST_CELLS]:
        at_work = agent.routing_status in _GROUPS
        state = agent.routing_status if at_work else agent.presence
        names[state] = language.label(words.ROUTING if at_work else words.PRESENCE, state)
        groups.setdefault(state, []).append(
            {
                "user": agent.user,
                "name": agent.full_name,
                "since": millis(agent.routing_at if at_work else agent.presence_at),
                "reason": language.label(words.BREAK_REASONS, agent.reason) if agent.reason and not at_work else "",
            }
        )
    ranks = {state: rank for rank, state in enumerate((*_GROUPS, *words.PRESENCE))}
    return [
        {
            "state": state,
            "name": names[state],
            "mood": mood_of("on_queue" if state == "idle" else state, state),
            "cells": groups[state],
        }
        for state in sorted(groups, key=lambda state: ranks.get(state, len(ranks)))
    ]


def next_promise(
    owed: NextPromise | None, language: Language, *, now: datetime, zone: tzinfo
) -> dict[str, object] | None:
    """What a queue must do next, with the clock that counts down to it."""
    if owed is None:
        return None
    return {"ticket": owed.ticket, "view": promise_view([owed.clock], language, now=now, zone=zone)}


def alerts(queues: Sequence[Queue], board: Mapping[int, Waiting], language: Language, *, now: datetime) -> list[str]:
    """In words, what is worse than promised."""
    return [
        f"{queue.name}: {_why(queue, waiting, language, now)}"
        for queue in queues
        if (waiting := board.get(queue.id, NOBODY)).longest(now) > queue.service_level_within
    ]


async def _context(request: web.Request, who: Identity) -> dict[str, object]:
    board, now, language = request.app[BOARD], request.app[CLOCK](), language_of(request)
    waiting, agents, today, satisfaction, promises, notices = await asyncio.gather(
        board.waiting(),
        board.agents(),
        board.today(),
        board.satisfaction(),
        board.promises(),
        load_notices(request.app[POOL], who.user_id),
    )
    owed = await board.next_promises()
    queues = [queue for queue in request.app[DIRECTORY].queues.values() if queue.active]
    waits, zone = request.app[WAITS], zone_of(request.app[DIRECTORY])
    return {
        "tiles": [
            queue_tile(
                queue,
                waiting.get(queue.id, NOBODY),
                today.get(queue.id, Today()),
                agents,
                expected=waits.for_next(queue.id),
                tally=satisfaction.get((queue.id, queue.survey.ask)) if queue.survey else None,
                language=language,
                now=now,
            )
            | {"promise": next_promise(owed.get(queue.id), language, now=now, zone=zone)}
            for queue in queues
        ],
        "groups": agent_groups(agents, language),
        "more_agents": max(0, len(agents) - _MOST_CELLS),
        "alerts": alerts(queues, waiting, language, now=now),
        "zone": request.app[DIRECTORY].organisation.timezone,
        "breached": promises.breached,
        "at_risk": promises.at_risk,
        "selection": "",
        **notices_context(notices, language, now=now, zone=zone, place="wall"),
    }


async def get_wall(request: web.Request) -> web.StreamResponse:
    who = require(request, Role.SUPERVISOR)
    cursor = request.app[BOARD].as_of()
    context = {**await _context(request, who), **person_context(request, who, at="wall"), "cursor": str(cursor)}
    return draw(request, "wall.html", context)


async def get_region(request: web.Request) -> web.StreamResponse:
    who = require(request, Role.SUPERVISOR)
    return draw(request, "wall/_wall.html", await _context(request, who))


async def post_seen(request: web.Request) -> web.StreamResponse:
    """A notice, or without an id all that the user has."""
    who = require(request, Role.SUPERVISOR)
    notice = path_id(request) if "id" in request.match_info else None
    await notice_acts.see(request.app[LOG], notice, user=who.user_id, now=request.app[CLOCK]())
    return draw(request, "wall/_wall.html", await _context(request, who))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/wall", get_wall),
        web.get("/wall/region", get_region),
        web.post("/wall/notices/seen", post_seen),
        web.post(f"/wall/notices/{ID}/seen", post_seen),
    ]
