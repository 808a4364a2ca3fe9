"""Who gets what: a pure function of the state and the moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.domain.interaction import Proposal
from routing.facts import Waiting
from routing.pool import First, Pool, Turn
from routing.state import RouterState

# The reason for an agent whom the queue prefers for this customer, or whom an arrival named.
PREFERRED = "preferred"


@dataclass(frozen=True, slots=True)
class Decision(Proposal):
    """A proposal for work that waits already."""

    interaction: int


def decide(state: RouterState, now: datetime) -> Iterator[Decision]:
    """The oldest looking work that any free agent may take goes first, to the agent whom its queue's strategy names.

    What waits for agents of its own goes to nobody else. No agent gets anything while something looks older to them.
    Lazily, so that a caller may stop; whoever carries a decision out calls `state.take` before asking for the next one.
    """
    state.settle(now)
    while (ready := state.first_ready()) is not None:
        pool, first = ready
        agent = pool.first_free(first.stage) if first.agent is None else first.agent
        best = state.best_for(agent)
        assert best is not None
        if best != ready and best[1].agent is None:
            # To this agent something else looks older; that may be another's turn.
            pool, first = best
            other = pool.first_free(first.stage)
            if state.best_for(other) == best:
                agent = other
        yield _decision(state, state.waiting[best[1].interaction], *best, agent, now)


def propose(state: RouterState, queue: int, channel: str, now: datetime) -> Proposal | None:
    """Whose turn it is to take what enters this queue now.

    None when nobody is free, when something else comes first, or when that depends on the customer.
    """
    state.settle(now)
    pool = state.pools.get((queue, channel, None))
    if pool is None or not pool.idle[0] or pool.plan.is_personal or state.first_ready() is not None:
        return None
    work = Waiting(0, queue, now, 1, channel=channel)
    return _decision(state, work, pool, First(*state.entry_of(work), 0), pool.first_free(0), now)


def _decision(state: RouterState, work: Waiting, pool: Pool, first: First, agent: int, now: datetime) -> Decision:
    stage = first.stage
    why: dict[str, Any]
    reason = pool.plan.strategy if first.agent is None else PREFERRED
    excluded = {why: count for why, count in pool.doing.items() if count}
    if later := sum(map(len, pool.idle[stage + 1 :])):
        excluded["later_step"] = later
    if first.agent is None:
        free = pool.candidates(stage)
        why = {}
    else:
        free = state.takers(first.interaction)
        why = {"preferred": work.preferred_as}
        if others := pool.free() - later - len(free):
            excluded["not_preferred"] = others
    if work.contract:
        why["contract"] = work.contract.total_seconds()  # of the score
    age, at = _rounded((now - first.place).total_seconds()), now.timestamp()
    return Decision(
        interaction=work.interaction,
        agent=agent,
        agent_version=state.agents[agent].version,
        queue=work.queue,
        reason=reason,
        why={
            "reason": reason,
            **why,
            "step": stage,
            "waited_seconds": _rounded((now - work.queued_at).total_seconds()),
            "candidates": _told(pool, free, age, at),
            "excluded": excluded,
        },
        revision=state.revision,
    )


def _told(pool: Pool, turns: list[Turn], age: float, at: float) -> list[dict[str, Any]]:
    """Who could have been chosen; `age` and `at`: how old the work looks, and the moment, in seconds."""
    told = [
        {"agent": turn[-1], "score": age, "idle_seconds": round((at - turn[-2]) * 1_000) / 1_000, "in_hand": turn[0]}
        for turn in turns
    ]
    if pool.plan.strategy == "weighted":
        for each, turn in zip(told, turns, strict=True):
            each["proficiency_seconds"] = round((turn[-2] - turn[1]) * 1_000) / 1_000
    if pool.shifts:
        for each in told:
            if (shift := pool.shifts.get(each["agent"])) is not None:
                each["score"] = age + shift.total_seconds()
    return told


def _rounded(seconds: float) -> float:
    """To milliseconds; `round(seconds, 3)` would take several times as long."""
    return round(seconds * 1_000) / 1_000
