"""Carries out what queues' overflow rules say, on the leader: moves, treatments, and who helps out where."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush

import structlog

from callcenter.actions import interactions
from callcenter.domain.capacity import AT_ONCE
from callcenter.domain.events import Event
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from routing import overflow, wait
from routing.facts import Waiting
from routing.leadership import Leadership
from routing.lending import Loan
from routing.plan import Rule
from routing.state import RouterState
from routing.waits import Waits

log = structlog.get_logger()

_EVERY = 0.5
# What could not be done (its target is closed, it was being offered) is looked at again after this time.
_AGAIN_IN = timedelta(seconds=5)


class Relief:
    """`run` is supervised; `note` hears of events after the router has.

    Work is looked at when something happened to it, when time makes a rule due, and, where a rule asks for the expected
    wait, while that is long: not all that waits, again and again.
    """

    def __init__(
        self,
        contact_log: ContactLog,
        directory: Directory,
        leadership: Leadership,
        waits: Waits,
        *,
        state: Callable[[], RouterState | None],
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`wake`: makes the router look again, after agents have been lent."""
        self._log = contact_log
        self._directory = directory
        self._leadership = leadership
        self._waits = waits
        self._state = state
        self._wake = wake
        self._clock = clock
        # The state that what follows belongs to.
        self._of: RouterState | None = None
        self._fresh: set[int] = set()
        self._timers: list[tuple[datetime, int]] = []
        self._by_expectation: dict[tuple[int, str], set[int]] = {}  # queue and channel → work

    def note(self, events: Sequence[Event]) -> None:
        if not self._leadership.leads:
            self._of = None
            return
        self._fresh.update(event.interaction for event in events if event.interaction is not None)

    async def run(self) -> None:
        self._of = None  # what a crash left undone is looked at again
        while True:
            await self._leadership.gained.wait()
            await self.sweep(self._clock())
            await asyncio.sleep(_EVERY)

    async def sweep(self, now: datetime) -> None:
        """All that is due, each by compare-and-set: where somebody was faster nothing happens."""
        state = self._state()
        if state is None or not self._leadership.leads:
            return
        if state is not self._of:
            self._of, self._fresh = state, set(state.waiting)
            self._timers, self._by_expectation = [], {}
        if state.lend_only(self._lending(state, now)):
            self._wake()
        for ident in set(self._to_look_at(state, now)):
            work = state.waiting.get(ident)
            if work is not None and work.queue in state.plans:
                await self._relieve(state, work, now)

    # -- agents

    def _lending(self, state: RouterState, now: datetime) -> frozenset[Loan]:
        return frozenset(
            (queue, rule.lend, rule.delay)
            for queue, plan in state.plans.items()
            for rule in overflow.lendings(plan.overflow)
            if rule.lend is not None and self._may_lend(state, queue, rule, rule.lend, now)
        )

    def _may_lend(self, state: RouterState, queue: int, rule: Rule, lender: int, now: datetime) -> bool:
        if rule.after is None and not self._is_exceeded(state, queue, rule, now):
            return False
        promise = self._directory.queues.get(lender)
        return promise is not None and overflow.holds(
            state,
            lender,
            now,
            share_in_time=self._waits.held.get(lender),
            target=promise.service_level_target,
            within=promise.service_level_within,
        )

    def _is_exceeded(self, state: RouterState, queue: int, rule: Rule, now: datetime) -> bool:
        """On any channel where people wait at the other end now: nobody is to be helped on the others.

        Mail and tickets wait for hours by nature; by them the agents of other queues would be lent all day.
        """
        state.settle(now)
        return any(
            rule.exceeded_by(wait.expected_unhelped(state, queue, channel, self._waits.handling(queue, channel), now))
            for channel in AT_ONCE
            if any(pool.waits() for pool in state.lines(queue, channel))
        )

    # -- work

    def _to_look_at(self, state: RouterState, now: datetime) -> Iterator[int]:
        fresh, self._fresh = self._fresh, set()
        for ident in fresh:
            for idents in self._by_expectation.values():
                idents.discard(ident)
            if (work := state.waiting.get(ident)) is not None and work.queue in state.plans:
                yield from self._watch(state.plans[work.queue].overflow, work, now)
        while self._timers and self._timers[0][0] <= now:
            yield heappop(self._timers)[1]
        for line, idents in self._by_expectation.items():
            if not idents:
                continue
            rules = overflow.by_expectation(state.plans[line[0]].overflow)
            # Whoever comes next waits longest.
            expected = self._expected_next(state, line, now)
            if any(rule.exceeded_by(expected) for rule in rules):
                yield from tuple(idents)

    def _watch(self, rules: Sequence[Rule], work: Waiting, now: datetime) -> Iterator[int]:
        due = overflow.falls_due(rules, work)
        if due is not None and due <= now:
            yield work.interaction
        elif due is not None:
            heappush(self._timers, (due, work.interaction))
        if any(overflow.by_expectation(overflow.pending(rules, work))):
            self._by_expectation.setdefault((work.queue, work.channel), set()).add(work.interaction)

    async def _relieve(self, state: RouterState, work: Waiting, now: datetime) -> None:
        rules = state.plans[work.queue].overflow
        rule = overflow.due(
            rules, work, now, expected=self._expected(state, work, now), is_open=lambda queue: self._is_open(queue, now)
        )
        events: Sequence[Event] = ()
        if rule is not None and work.interaction not in state.taken_work:
            events = await self._carry_out(rule, work, now)
        if not events and (due := overflow.falls_due(rules, work)) is not None and due <= now:
            heappush(self._timers, (now + _AGAIN_IN, work.interaction))

    async def _carry_out(self, rule: Rule, work: Waiting, now: datetime) -> Sequence[Event]:
        log.info("overflow.due", interaction=work.interaction, rule=rule.key)
        if rule.to is not None:
            return await interactions.overflow(
                self._log, work.interaction, queue=work.queue, to=rule.to, rule=rule.key, now=now
            )
        assert rule.treatment is not None
        return await interactions.treat(
            self._log, work.interaction, queue=work.queue, treatment=rule.treatment, rule=rule.key, now=now
        )

    # -- what is asked of others

    def _is_open(self, queue: int, now: datetime) -> bool:
        found = self._directory.queues.get(queue)
        return found is not None and (found.hours is None or found.hours.is_open(now))

    def _expected(self, state: RouterState, work: Waiting, now: datetime) -> float | None:
        return wait.expected_wait(state, work, self._waits.handling(work.queue, work.channel), now)

    def _expected_next(self, state: RouterState, line: tuple[int, str], now: datetime) -> float | None:
        return wait.expected_for_next(state, *line, self._waits.handling(*line), now)
