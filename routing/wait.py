"""How long somebody who waits will go on waiting, and their place in line: pure, as `decide` is."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from routing.facts import Waiting
from routing.pool import Pool
from routing.state import RouterState


@dataclass(frozen=True, slots=True)
class Pace:
    """How the contacts of a queue and channel that closed in the last hour went, in seconds.

    `handling`: the mean from an agent's answer to the end of the wrap-up; `median` and `p80` of their waits.
    """

    handling: float
    median: float
    p80: float


def expected(*, handling: float, ahead: int, ready: int, share: float) -> float | None:
    """Seconds: handling × max(0, ahead - ready + 1) / share; None, which is no number, where nobody is at work.

    `ahead`: how many the router serves first; `ready`: free agents who may take it; `share`: Σ c/k over the agents at
    work, who each serve k queues and can have c such contacts in hand (domain.md, expected wait). Nothing of it grows
    by waiting.
    """
    before = max(0, ahead - ready + 1)
    if not before:
        return 0.0
    return None if share <= 0 else handling * before / share


def position(state: RouterState, work: Waiting, now: datetime) -> int:
    """The rank among its channel's work in its queue, by the router's order: 1 is served next."""
    state.settle(now)
    return _ahead(state, work) + 1


def expected_wait(state: RouterState, work: Waiting, handling: float, now: datetime) -> float | None:
    """Seconds from now for work that waits, at the logarithm of its line's length."""
    state.settle(now)
    pool = state.line_of(work)
    return expected(
        handling=handling,
        ahead=_ahead(state, work),
        ready=0 if pool is None else _ready(pool, bisect_right(pool.thresholds, now - work.queued_at) - 1),
        share=state.staffing.share(work.queue, work.channel),
    )


def expected_for_next(state: RouterState, queue: int, channel: str, handling: float, now: datetime) -> float | None:
    """Seconds for one who comes into this queue now, without priority, value or language."""
    state.settle(now)
    pool = state.pools.get((queue, channel, None))
    return _for_next(state, queue, channel, handling, ready=0 if pool is None else _ready(pool, 0))


def expected_unhelped(state: RouterState, queue: int, channel: str, handling: float, now: datetime) -> float | None:
    """The same if nobody were lent to this queue: a loan that shortened this wait would end itself."""
    state.settle(now)
    pool = state.pools.get((queue, channel, None))
    return _for_next(state, queue, channel, handling, ready=0 if pool is None else _own_ready(pool))


def _for_next(state: RouterState, queue: int, channel: str, handling: float, *, ready: int) -> float | None:
    ahead = sum(line.waits() for line in state.lines(queue, channel))
    return expected(handling=handling, ahead=ahead, ready=ready, share=state.staffing.share(queue, channel))


def _ahead(state: RouterState, work: Waiting) -> int:
    """Of all languages: whoever speaks several serves the oldest of them all."""
    entry = state.entry_of(work)
    return sum(pool.ahead_of(entry) for pool in state.lines(work.queue, work.channel))


def _ready(pool: Pool, stage: int) -> int:
    return sum(map(len, pool.idle[: stage + 1]))


def _own_ready(pool: Pool) -> int:
    lent = pool.plan.loans()
    return sum(agent not in lent for *_, agent in pool.idle[0])
