"""Queues and agents over REST: what waits, who does what, and choosing a presence."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web
from pydantic import Field

from callcenter.actions import agents as actions
from callcenter.domain.agent import Presence, Role, RoutingStatus
from callcenter.domain.capacity import AT_ONCE
from callcenter.errors import Forbidden, NotFound
from callcenter.store.queries import Queries
from callcenter.web.auth import identity
from callcenter.web.body import STRICT, answer, path_name, read_body
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, WAITS
from callcenter.web.openapi import operation
from callcenter.web.paging import Page
from callcenter.web.steps import StepFigure, taken_by_step

_SQL = Queries(Path(__file__).with_name("queues.sql"))


@dataclass(frozen=True, slots=True)
class QueueItem:
    """Since midnight of the organisation. `service_level` is a share from 0 to 1, null before there is one.

    It, `longest_wait_seconds` and `expected_wait_seconds` (of one who comes now; null when nobody is at work there) are
    of calls, callbacks and chats: whoever called waits on the line. Of all that is `waiting`, `waiting_deferrable` are
    of the other channels, the oldest for `longest_deferrable_seconds`. `flow_out`: left it for another queue, or was
    turned away; they are no part of the service level. `steps`: where the queue has any.
    """

    name: str
    waiting: int
    longest_wait_seconds: float | None
    waiting_deferrable: int
    longest_deferrable_seconds: float | None
    expected_wait_seconds: float | None
    service_level: float | None
    service_level_target: float
    service_level_within_seconds: float
    answered: int
    abandoned: int
    short_abandoned: int
    flow_out: int
    agents: Mapping[str, int]
    steps: Sequence[StepFigure]


@dataclass(frozen=True, slots=True)
class AgentItem:
    """`next_presence`: chosen with work in hand; begins when the last of it is wrapped up; nothing new comes till then.

    `load` is what is `on` by channel, `capacity` how much of each channel there may be.
    """

    name: str
    full_name: str
    presence: Presence
    reason: str | None
    next_presence: Presence | None
    next_reason: str | None
    routing_status: RoutingStatus
    since: datetime
    on: list[int]
    load: Mapping[str, int]
    capacity: Mapping[str, int]
    queues: list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    __pydantic_config__ = STRICT
    presence: Presence
    reason: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None


def _queue(row: asyncpg.Record, expected: float | None, steps: Sequence[StepFigure]) -> QueueItem:
    # Plain strings: an enumeration's members are no keys of JSON.
    agents = {status.value: int(row["agents"].get(status, 0)) for status in RoutingStatus}
    return QueueItem(
        name=row["name"],
        waiting=row["waiting"],
        longest_wait_seconds=row["longest"],
        waiting_deferrable=row["deferrable"],
        longest_deferrable_seconds=row["longest_deferrable"],
        expected_wait_seconds=expected,
        service_level=row["service_level"],
        service_level_target=row["target"],
        service_level_within_seconds=row["within"],
        answered=row["answered"],
        abandoned=row["abandoned"],
        short_abandoned=row["short_abandoned"],
        flow_out=row["flow_out"],
        agents=agents,
        steps=steps,
    )


@operation("GET", "/queues", summary="Queues as they are now and went today", tag="queues", answer=Page[QueueItem])
async def list_queues(request: web.Request) -> web.StreamResponse:
    now = request.app[CLOCK]()
    zone = ZoneInfo(request.app[DIRECTORY].organisation.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
    pool, waits = request.app[POOL], request.app[WAITS]
    active = [queue for queue in request.app[DIRECTORY].queues.values() if queue.active]
    rows, steps = await asyncio.gather(
        pool.fetch(_SQL.queues, midnight, now, list(AT_ONCE)), taken_by_step(pool, active, since=midnight)
    )
    return answer(Page([_queue(row, waits.for_next(row["id"]), steps.get(row["id"], ())) for row in rows], None))


def _agent(row: asyncpg.Record) -> AgentItem:
    return AgentItem(
        name=row["name"],
        full_name=row["full_name"],
        presence=Presence(row["presence"]),
        reason=row["reason"],
        next_presence=Presence(row["next_presence"]) if row["next_presence"] else None,
        next_reason=row["next_reason"],
        routing_status=RoutingStatus(row["routing_status"]),
        since=row["since"],
        on=list(row["on"]),
        load=row["load"],
        capacity=row["capacity"],
        queues=list(row["queues"]),
    )


@operation("GET", "/agents", summary="Agents and what they do", tag="agents", answer=Page[AgentItem])
async def list_agents(request: web.Request) -> web.StreamResponse:
    rows = await request.app[POOL].fetch(_SQL.agents, None)
    return answer(Page([_agent(row) for row in rows], None))


@operation(
    "PUT", "/agents/{name}/presence", tag="agents",
    summary="Choose a presence, with work in hand the next one; for others only by supervisors",
    body=Choice, answer=AgentItem,
)  # fmt: skip
async def put_presence(request: web.Request) -> web.StreamResponse:
    choice = await read_body(request, Choice)
    who, name = identity(request), path_name(request)
    if name != who.name and not who.may(Role.SUPERVISOR):
        raise Forbidden("Agents choose their own presence only.")
    user = request.app[DIRECTORY].user_named(name)
    if not user.active:
        raise NotFound(f"There is no agent named {name}.")
    await actions.set_presence(
        request.app[LOG],
        user.id,
        presence=choice.presence,
        reason=choice.reason,
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    rows = await request.app[POOL].fetch(_SQL.agents, name)
    if not rows:
        raise NotFound(f"There is no agent named {name}.")
    return answer(_agent(rows[0]))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (list_queues, list_agents, put_presence)]
