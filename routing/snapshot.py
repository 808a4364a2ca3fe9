"""The router's state as the database has it."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from callcenter.domain.capacity import Limits
from callcenter.domain.duration import parse_duration
from callcenter.domain.interaction import Channel, State
from callcenter.domain.order import read_step
from callcenter.store.organisation import rule_of
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan, Rule
from routing.state import RouterState
from routing.tally import Horizon, Tally

_SQL = Queries(Path(__file__).with_suffix(".sql"))
# Strategies that look at what else the day has brought.
_COUNTING = frozenset({"fewest", "round_robin"})


async def load(pool: Pool, *, require_console: bool, day_began: datetime) -> RouterState:
    """One consistent snapshot; events that it shows change nothing."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        plans = _plans(await connection.fetch(_SQL.plans))
        skills = {row["id"]: row["skills"] for row in await connection.fetch(_SQL.skills)}
        shown = await connection.fetchrow(_SQL.shown)
        agents = await connection.fetch(_SQL.agents)
        waiting = await connection.fetch(_SQL.waiting)
        limits = await connection.fetchrow(_SQL.limits)
        capacities = await connection.fetch(_SQL.capacities)
        counting = any(plan.strategy in _COUNTING for plan in plans)
        served = await connection.fetch(_SQL.served, day_began) if counting else []
        turns = await connection.fetch(_SQL.turns, day_began) if counting else []
    assert limits is not None
    assert shown is not None
    tally = Tally(since=day_began)
    tally.served.update({row["agent_id"]: row["contacts"] for row in served})
    tally.turns.update({(row["queue_id"], row["agent_id"]): row["at"] for row in turns})
    state = RouterState(
        plans,
        skills=skills,
        limits=_limits(limits, capacities),
        require_console=require_console,
        tally=tally,
        revision=limits["revision"],
        horizon=Horizon.parse(shown["epoch"], shown["snapshot"]),
    )
    for row in agents:
        state.put_agent(AgentState(*row))
    for row in waiting:
        state.put_waiting(_waiting(dict(row)))
    return state


def _limits(organisation: asyncpg.Record, capacities: Sequence[asyncpg.Record]) -> Limits:
    phoneless = frozenset(row["id"] for row in capacities if row["phoneless"])
    own = {
        row["id"]: {**row["capacity"], Channel.PHONE.value: 0} if row["phoneless"] else row["capacity"]
        for row in capacities
    }
    return Limits(organisation["capacity"], organisation["interrupted_by"], own, phoneless)


async def refresh(pool: Pool, state: RouterState, *, work: Sequence[int], agents: Sequence[int]) -> bool:
    """The truth about some of both, after decisions about them were refused; False: of another organisation."""
    if await pool.fetchval(_SQL.revision) != state.revision:
        return False
    for row in await pool.fetch(_SQL.some_work, work):
        fields = dict(row)
        known = state.waiting.get(row["interaction"])
        if fields.pop("state") != State.QUEUED:
            state.remove(row["interaction"], row["version"])
        elif known is not None and known.version < row["version"]:
            state.put_waiting(_waiting(fields))
    for row in await pool.fetch(_SQL.some_agents, agents):
        state.put_agent(AgentState(*row))
    return True


def _waiting(row: Mapping[str, Any]) -> Waiting:
    contract = timedelta(seconds=row["contract"] or 0)
    lists = {"preferred": tuple(row["preferred"]), "treated": tuple(row["treated"])}
    return Waiting(**{**row, **lists, "contract": contract})


def _plans(rows: Sequence[asyncpg.Record]) -> list[QueuePlan]:
    queues = {row["name"]: row["id"] for row in rows}
    members = {row["id"]: tuple(map(Member, row["agents"], row["delays"], row["shifts"])) for row in rows}
    plans = []
    for row in rows:
        rules = tuple(_rules(row, queues))
        lent = _lent({member.agent for member in members[row["id"]]}, rules, members)
        plans.append(_plan(row, (*members[row["id"]], *lent), rules))
    return plans


def _rules(row: asyncpg.Record, queues: Mapping[str, int]) -> Iterator[Rule]:
    """Rules that lead to a queue which is gone are left out."""
    for kept in row["overflow"]:
        rule = rule_of(kept)
        named = {key: queues.get(name) for key, name in (("to", rule.to), ("lend", rule.lend)) if name is not None}
        if None not in named.values():
            yield Rule(
                key=f"{row['name']}: {rule}",
                after=rule.after,
                expected=rule.expected,
                treatment=rule.treatment,
                **named,
            )


def _lent(own: AbstractSet[int], rules: Sequence[Rule], members: Mapping[int, Sequence[Member]]) -> Iterator[Member]:
    """Agents of other queues who may help out, with each rule that names a queue of theirs."""
    loans: dict[int, dict[tuple[int, timedelta], None]] = {}
    for rule in rules:
        for member in members[rule.lend] if rule.lend is not None else ():
            if rule.lend is not None and member.agent not in own:
                loans.setdefault(member.agent, {})[rule.lend, rule.delay] = None
    return (Member(agent, loans=tuple(theirs)) for agent, theirs in loans.items())


def _plan(row: asyncpg.Record, members: tuple[Member, ...], rules: tuple[Rule, ...]) -> QueuePlan:
    return QueuePlan(
        queue=row["id"],
        members=members,
        overflow=rules,
        strategy=row["strategy"],
        needs=row["needs"],
        steps=tuple(map(read_step, row["steps"])),
        tiers={tier: parse_duration(shift) for tier, shift in row["tiers"].items()},
        language=row["language"],
        default_language=row["default_language"],
        prefer_for=row["prefer_for"] if row["prefer"] else timedelta(),
        proficiency_weight=row["proficiency_weight"],
    )
