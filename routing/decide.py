"""Who gets what: a pure function of the state and the moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing.state import AgentState, RouterState, Waiting


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
    """The longest waiting work that any free agent may take goes first, to the longest idle of its agents.

    Lazily, so that a caller may stop; whoever carries a decision out calls `state.take` before asking for the next one.
    """
    state.wake(now)
    open_queues = set(state.pools)
    while open_queues:
        best: tuple[Waiting, AgentState] | None = None
        for queue in tuple(open_queues):
            work = state.first_waiting(queue)
            agent = state.first_idle(queue, now) if work else None
            if work is None or agent is None:
                open_queues.discard(queue)
            elif best is None or (work.queued_at, work.interaction) < (best[0].queued_at, best[0].interaction):
                best = work, agent
        if best is None:
            return
        yield _decision(*best, now)


def _decision(work: Waiting, agent: AgentState, now: datetime) -> Decision:
    assert agent.idle_since is not None
    return Decision(
        interaction=work.interaction,
        agent=agent.agent,
        agent_version=agent.version,
        queue=work.queue,
        reason="longest_idle",
        why={
            "reason": "longest_idle",
            "waited_seconds": round((now - work.queued_at).total_seconds(), 3),
            "idle_seconds": round((now - agent.idle_since).total_seconds(), 3),
        },
    )
