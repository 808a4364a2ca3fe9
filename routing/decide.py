"""Who gets what: a pure function of the state and the moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from callcenter.domain.interaction import Proposal
from routing.pool import Pool
from routing.state import RouterState, Waiting

_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Decision:
    """Offer this interaction to this agent, if both still are as they were."""

    interaction: int
    agent: int
    agent_version: int
    queue: int
    reason: str
    why: dict[str, Any]


def decide(state: RouterState, now: datetime) -> Iterator[Decision]:
    """The oldest looking work that any free agent may take goes first, to the agent whom its queue's strategy names.

    No agent gets anything while something looks older to them. Lazily, so that a caller may stop; whoever carries a
    decision out calls `state.take` before asking for the next one.
    """
    state.settle(now)
    while (ready := state.first_ready()) is not None:
        pool, stage = ready
        agent = pool.first_free(stage)
        best = state.best_for(agent)
        assert best is not None
        pool, stage, interaction = best
        if (pool, stage) != ready:
            # To this agent something else looks older; that may be another's turn.
            other = pool.first_free(stage)
            if state.best_for(other) == best:
                agent = other
        yield _decision(state, state.waiting[interaction], agent, pool, stage, now)


def propose(state: RouterState, queue: int, channel: str, now: datetime) -> Proposal | None:
    """Whose turn it is to take what enters this queue now; None when nobody is free, or something else comes first."""
    state.settle(now)
    pool = state.pools.get((queue, channel))
    if pool is None or not pool.idle[0] or state.first_ready() is not None:
        return None
    decision = _decision(state, Waiting(0, queue, now, 1, channel=channel), pool.first_free(0), pool, 0, now)
    return Proposal(decision.agent, decision.agent_version, decision.reason, decision.why)


def _decision(state: RouterState, work: Waiting, agent: int, pool: Pool, stage: int, now: datetime) -> Decision:
    chosen = state.agents[agent]
    excluded = {why: count for why, count in pool.doing.items() if count}
    if later := sum(map(len, pool.idle[stage + 1 :])):
        excluded["later_step"] = later
    age = round((now - state.place_of(work)).total_seconds(), 3)
    candidates = [
        {
            "agent": ident,
            "score": age if not (shift := pool.shifts[ident]) else age + shift.total_seconds(),
            "idle_seconds": round((now - idle_since).total_seconds(), 3),
            "in_hand": in_hand,
        }
        for (in_hand, *_, idle_since), ident in islice(pool.candidates(stage), _CANDIDATES)
    ]
    return Decision(
        interaction=work.interaction,
        agent=agent,
        agent_version=chosen.version,
        queue=work.queue,
        reason=pool.plan.strategy,
        why={
            "reason": pool.plan.strategy,
            "step": stage,
            "waited_seconds": round((now - work.queued_at).total_seconds(), 3),
            "candidates": candidates,
            "excluded": excluded,
        },
    )
