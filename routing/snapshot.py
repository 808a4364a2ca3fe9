"""The router's state as the database has it."""

from pathlib import Path

import asyncpg

from callcenter.domain.interaction import State
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from routing.state import AgentState, RouterState, Waiting

_SQL = Queries(Path(__file__).with_suffix(".sql"))


async def load(pool: Pool, *, require_console: bool) -> RouterState:
    """One consistent snapshot; events older than it fall away by their versions."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        members = await connection.fetch(_SQL.members)
        agents = await connection.fetch(_SQL.agents)
        waiting = await connection.fetch(_SQL.waiting)
    state = RouterState({row["queue_id"]: row["agents"] for row in members}, require_console=require_console)
    for row in agents:
        state.put_agent(AgentState(*row))
    for row in waiting:
        state.put_waiting(Waiting(*row))
    return state


async def refresh(pool: Pool, state: RouterState, *, interaction: int, agent: int) -> None:
    """The truth about two aggregates, after a decision about them was refused."""
    work: asyncpg.Record | None = await pool.fetchrow(_SQL.interaction, interaction)
    if work is None or work["state"] != State.QUEUED:
        state.remove(interaction, work["version"] if work else 0)
    row = await pool.fetchrow(_SQL.agent, agent)
    if row is not None:
        state.put_agent(AgentState(*row))
