"""Who gets what: a pure function of the state and the moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from callcenter.domain.interaction import Proposal
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
        agent = state.first_candidate(*ready)
        best = state.best_for(agent)
        assert best is not None
        queue, stage, interaction = best
        if (queue, stage) != ready:
            # To this agent something else looks older; that may be another's turn.
            other = state.first_candidate(queue, stage)
            if state.best_for(other) == best:
                agent = other
        yield _decision(state, state.waiting[interaction], agent, stage, now)


def propose(state: RouterState, queue: int, now: datetime) -> Proposal | None:
    """Whose turn it is to take what enters this queue now; None when nobody is free, or something else comes first."""
    state.settle(now)
    if state.first_ready() is not None or not state.somebody_free(queue):
        return None
    decision = _decision(state, Waiting(0, queue, now, 1), state.first_candidate(queue, 0), 0, now)
    return Proposal(decision.agent, decision.agent_version, decision.reason, decision.why)


def _decision(state: RouterState, work: Waiting, agent: int, stage: int, now: datetime) -> Decision:
    pool, chosen = state.pools[work.queue], state.agents[agent]
    excluded = {why: count for why, count in pool.doing.items() if count}
    if later := sum(map(len, pool.idle[stage + 1 :])):
        excluded["later_step"] = later
    age = round((now - state.place_of(work)).total_seconds(), 3)
    candidates = [
        {
            "agent": ident,
            "score": age if not (shift := pool.shifts[ident]) else age + shift.total_seconds(),
            "idle_seconds": round((now - idle_since).total_seconds(), 3),
        }
        for (*_, idle_since), ident in islice(pool.candidates(stage), _CANDIDATES)
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
