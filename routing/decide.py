"""Who gets what: a pure function of the state and the moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from routing.pool import Pool
from routing.state import RouterState

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
        yield _decision(state, interaction, agent, pool, stage, now)


def _decision(state: RouterState, interaction: int, agent: int, pool: Pool, stage: int, now: datetime) -> Decision:
    work, chosen = state.waiting[interaction], state.agents[agent]
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
        interaction=interaction,
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
