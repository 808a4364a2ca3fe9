"""The router's state as the database has it."""

from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from callcenter.domain.capacity import Limits
from callcenter.domain.duration import parse_duration
from callcenter.domain.interaction import State
from callcenter.domain.order import read_step
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState

_SQL = Queries(Path(__file__).with_suffix(".sql"))
# Strategies that look at what else the day has brought.
_COUNTING = frozenset({"fewest", "round_robin"})


async def load(pool: Pool, *, require_console: bool, day_began: datetime) -> RouterState:
    """One consistent snapshot; events older than it fall away by their versions."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        plans = [_plan(row) for row in await connection.fetch(_SQL.plans)]
        skills = {row["id"]: row["skills"] for row in await connection.fetch(_SQL.skills)}
        agents = await connection.fetch(_SQL.agents)
        waiting = await connection.fetch(_SQL.waiting)
        limits = await connection.fetchrow(_SQL.limits)
        own = {row["id"]: row["capacity"] for row in await connection.fetch(_SQL.capacities)}
        counting = any(plan.strategy in _COUNTING for plan in plans)
        served = await connection.fetch(_SQL.served, day_began) if counting else []
        turns = await connection.fetch(_SQL.turns, day_began) if counting else []
    assert limits is not None
    state = RouterState(plans, skills=skills, limits=Limits(limits[0], limits[1], own), require_console=require_console)
    state.served.update({row["agent_id"]: row["contacts"] for row in served})
    state.turns.update({(row["queue_id"], row["agent_id"]): row["at"] for row in turns})
    for row in agents:
        state.put_agent(AgentState(*row))
    for row in waiting:
        state.put_waiting(_waiting(row))
    return state


async def refresh(pool: Pool, state: RouterState, *, interaction: int, agent: int) -> None:
    """The truth about two aggregates, after a decision about them was refused."""
    work: asyncpg.Record | None = await pool.fetchrow(_SQL.interaction, interaction)
    if work is None or work["state"] != State.QUEUED:
        state.remove(interaction, work["version"] if work else 0)
    row = await pool.fetchrow(_SQL.agent, agent)
    if row is not None:
        state.put_agent(AgentState(*row))


def _waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(**{**row, "preferred": tuple(row["preferred"])})


def _plan(row: asyncpg.Record) -> QueuePlan:
    members = zip(row["agents"], row["delays"], row["shifts"], strict=True)
    return QueuePlan(
        queue=row["id"],
        members=tuple(Member(agent, delay, shift) for agent, delay, shift in members),
        strategy=row["strategy"],
        needs=row["needs"],
        steps=tuple(map(read_step, row["steps"])),
        tiers={tier: parse_duration(shift) for tier, shift in row["tiers"].items()},
        language=row["language"],
        default_language=row["default_language"],
        prefer_for=row["prefer_for"] if row["prefer"] else timedelta(),
    )
