"""How much of a queue's work was taken before its steps, and after each of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.store.directory import Queue
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class StepFigure:
    """`step` 0: as the queue asks at first, 1: once its first step has begun.

    `share`: of all that the router gave out, from 0 to 1; null before there is any.
    """

    step: int
    after_seconds: float
    taken: int
    share: float | None


async def taken_by_step(
    pool: Pool, queues: Iterable[Queue], *, since: datetime
) -> Mapping[int, tuple[StepFigure, ...]]:
    """Of contacts that came since then, by queue; of queues without steps nothing.

    By how long they had waited when the router decided, and by the steps that the queue has now.
    """
    after = {queue.id: [step.after.total_seconds() for step in queue.steps] for queue in queues if queue.steps}
    if not after:
        return {}
    pairs = [(queue, seconds) for queue, steps in after.items() for seconds in steps]
    of_steps, seconds = zip(*pairs, strict=True)
    rows = await pool.fetch(SQL.taken, since, list(after), list(of_steps), list(seconds))
    found = {(row["queue_id"], row["step"]): row["taken"] for row in rows}
    return {
        queue: _figures([0.0, *begins], [found.get((queue, step), 0) for step in range(len(begins) + 1)])
        for queue, begins in after.items()
    }


def _figures(after: Sequence[float], taken: Sequence[int]) -> tuple[StepFigure, ...]:
    of = sum(taken)
    return tuple(
        StepFigure(step, begin, number, number / of if of else None)
        for step, (begin, number) in enumerate(zip(after, taken, strict=True))
    )
