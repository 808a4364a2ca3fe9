"""What is due for work that waits too long, and when agents are lent: pure functions of rules, state and moment."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from callcenter.domain.capacity import AT_ONCE
from routing.facts import Waiting
from routing.plan import Rule
from routing.state import RouterState


def since(work: Waiting) -> datetime:
    """When it came into its queue, from when the queue's promise and the rules about its work count."""
    return work.entered_at or work.queued_at


def _falls_due_at(rule: Rule, after: timedelta, work: Waiting) -> datetime:
    """Who is lent sees what has waited so long in all, as a queue's own members with a delay do."""
    return (since(work) if rule.lend is None else work.queued_at) + after


def pending(rules: Sequence[Rule], work: Waiting) -> Iterator[Rule]:
    """Those that may still be carried out on it, in order; lending is no matter of a single piece of work."""
    return (rule for rule in rules if rule.lend is None and rule.key not in work.treated)


def due(
    rules: Sequence[Rule],
    work: Waiting,
    now: datetime,
    *,
    expected: float | None,
    is_open: Callable[[int], bool],
) -> Rule | None:
    """The first that is to be carried out now. Nothing moves into a queue that is closed: nobody would ever come."""
    for rule in pending(rules, work):
        is_due = rule.exceeded_by(expected) if rule.after is None else now - since(work) >= rule.after
        if is_due and (rule.to is None or is_open(rule.to)):
            return rule
    return None


def falls_due(rules: Sequence[Rule], work: Waiting) -> datetime | None:
    """When time alone will make the next rule due."""
    return min((since(work) + rule.after for rule in pending(rules, work) if rule.after is not None), default=None)


def next_step(rules: Sequence[Rule], work: Waiting, now: datetime) -> tuple[Rule, timedelta | None] | None:
    """What happens to it next and in how long, to be told; without a time where that depends on the expected wait."""
    coming = list(pending(rules, work))
    times = (
        (_falls_due_at(rule, rule.after, work), rule) for rule in (*coming, *lendings(rules)) if rule.after is not None
    )
    later = [(at, rule) for at, rule in times if at > now]
    if later:
        at, rule = min(later, key=itemgetter(0))
        return rule, at - now
    return next(((rule, None) for rule in coming if rule.after is None), None)


def by_expectation(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Those that a change of the queue can make due, rather than time."""
    return (rule for rule in rules if rule.expected is not None)


def lendings(rules: Sequence[Rule]) -> Iterator[Rule]:
    return (rule for rule in rules if rule.lend is not None)


def holds(
    state: RouterState, queue: int, now: datetime, *, share_in_time: float | None, target: float, within: timedelta
) -> bool:
    """Whether a queue keeps its own promise, so that its agents may help out: lately, and towards all who wait now.

    `share_in_time` of the last half hour; None where nobody came. Only people who wait at the other end count, and how
    long they have been in this queue: it promised nothing for the time before. The cost is that of looking at those who
    came within the promise, and one more.
    """
    if share_in_time is not None and share_in_time < target:
        return False
    state.settle(now)
    pools = [pool for channel in AT_ONCE for pool in state.lines(queue, channel)]
    lines = [line for pool in pools for line in (*pool.waiting, pool.held.entries)]
    return not any(now - since(state.waiting[ident]) > within for line in lines for *_, ident in line)
