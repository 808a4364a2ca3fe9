"""What those who wait may be told, on every node, and how right it was."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.capacity import AT_ONCE
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel
from callcenter.ports import Due, Wait
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from routing import overflow, wait
from routing.facts import Waiting
from routing.leadership import Leadership
from routing.state import RouterState
from routing.wait import Pace

_SQL = Queries.beside(__file__)
_EVERY = 60.0
# What is put off waits for its hour, not for an agent: an estimate is made anew when it is due again.
_OVER = frozenset({"interaction.answered", "interaction.abandoned", "interaction.closed", "interaction.put_off"})


@dataclass(frozen=True, slots=True)
class _Told:
    """What was expected of one, in seconds (None: nobody was at work), when it came into its first queue."""

    seconds: float | None
    at: datetime


class Waits:
    """Implements callcenter.ports.Waits. `run` is supervised; events are heard after the router has heard them."""

    def __init__(
        self,
        pool: Pool,
        directory: Directory,
        leadership: Leadership,
        *,
        state: Callable[[], RouterState | None],
        clock: Callable[[], datetime],
        missed_by: Callable[[str, float], None] = lambda _channel, _seconds: None,
    ) -> None:
        """`missed_by` hears by how many seconds a channel's estimate was off; on the leader alone: each counts once."""
        self._pool = pool
        self._directory = directory
        self._leadership = leadership
        self._state = state
        self._clock = clock
        self._missed_by = missed_by
        self._paces: Mapping[tuple[int, str], Pace] = {}
        self._told: dict[int, _Told] = {}
        # The share in time of the last half hour, by queue.
        self.held: Mapping[int, float] = {}

    # -- what may be told

    def of(self, interaction: int) -> Wait | None:
        """See callcenter.ports.Waits."""
        state = self._state()
        if state is None or (work := state.waiting.get(interaction)) is None or work.queue not in state.plans:
            return None
        now = self._clock()
        pace = self._paces.get((work.queue, work.channel))
        return Wait(
            position=wait.position(state, work, now),
            expected_seconds=_rounded(wait.expected_wait(state, work, self.handling(work.queue, work.channel), now)),
            told_seconds=self.told(interaction),
            median_seconds=_rounded(pace.median) if pace else None,
            p80_seconds=_rounded(pace.p80) if pace else None,
            due=self._due(state, work, now),
        )

    def _due(self, state: RouterState, work: Waiting, now: datetime) -> Due | None:
        step = overflow.next_step(state.plans[work.queue].overflow, work, now)
        if step is None:
            return None
        rule, left = step
        named = rule.to if rule.to is not None else rule.lend
        queue = None if named is None else self._directory.queues.get(named)
        return Due(
            action=rule.action,
            queue=queue.name if queue else None,
            in_seconds=None if left is None else _rounded(left.total_seconds()),
            longer_than_seconds=None if rule.expected is None else rule.expected.total_seconds(),
        )

    def for_next(self, queue: int, channel: str | None = None) -> float | None:
        """See callcenter.ports.Waits."""
        state, now = self._state(), self._clock()
        if state is None or queue not in state.plans:
            return None
        waiting = [each for each in AT_ONCE if any(line.waits() for line in state.lines(queue, each))]
        longest = 0.0
        for each in [channel] if channel is not None else waiting or [Channel.PHONE]:
            expected = wait.expected_for_next(state, queue, each, self.handling(queue, each), now)
            if expected is None:
                return None
            longest = max(longest, expected)
        return _rounded(longest)

    def told(self, interaction: int) -> float | None:
        told = self._told.get(interaction)
        return None if told is None else told.seconds

    def handling(self, queue: int, channel: str) -> float:
        """Seconds that an agent has one in hand."""
        pace = self._paces.get((queue, channel))
        return pace.handling if pace else self._directory.organisation.default_handling.total_seconds()

    # -- by events

    def committed(self, events: Sequence[Event]) -> None:
        """Of this process, once: an arrival that was offered in the same breath was never seen waiting."""
        queued = {event.interaction: event.at for event in events if event.kind == "interaction.queued"}
        for event in events:
            if event.kind == "interaction.reserved" and event.interaction is not None and event.interaction in queued:
                self._told[event.interaction] = _Told(0.0, queued[event.interaction])
        self.note(events)

    def note(self, events: Sequence[Event]) -> None:
        """By the feed, perhaps for the second time."""
        for event in events:
            if event.interaction is None:
                continue
            if event.kind == "interaction.queued" and "returned" not in event.data:
                self._queued(event.interaction, event.at)
            elif event.kind in _OVER:
                self._over(event, event.interaction)

    def _queued(self, interaction: int, at: datetime) -> None:
        """Told twice (by this process, by the feed) it is noted once, and not again when it is over."""
        state = self._state()
        if interaction in self._told or state is None:
            return
        work = state.waiting.get(interaction)
        if work is not None and work.queue in state.plans:
            handling = self.handling(work.queue, work.channel)
            seconds = _rounded(wait.expected_wait(state, work, handling, self._clock()))
            self._told[interaction] = _Told(seconds, at)

    def _over(self, event: Event, interaction: int) -> None:
        told = self._told.pop(interaction, None)
        if told is None or told.seconds is None or event.kind != "interaction.answered" or not self._leadership.leads:
            return
        # Not from `queued_at`: a callback keeps the place of the call that it stands for, which may be a day old when
        # it becomes due and an estimate is made.
        waited = event.at - told.at
        self._missed_by(event.data["channel"], abs(told.seconds - waited / timedelta(seconds=1)))

    # -- by the minute

    async def run(self) -> None:
        """The leader measures, the others read what it found: the same figures on every node."""
        while True:
            await self.refresh()
            if self._leadership.leads:
                await asyncio.sleep(_EVERY)
            else:
                # What is kept may be a day old when nobody led meanwhile.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_EVERY):
                        await self._leadership.gained.wait()

    async def refresh(self) -> None:
        if self._leadership.leads:
            found = await self._pool.fetchval(_SQL.measure, self._clock())
        else:
            found = await self._pool.fetchval(_SQL.read)
        if found is not None:
            self._take(found)

    def _take(self, found: Mapping[str, Any]) -> None:
        self._paces = {
            (each["queue"], each["channel"]): Pace(each["handling"], each["median"], each["p80"])
            for each in found["paces"]
        }
        self.held = {int(queue): share for queue, share in found["held"].items()}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
