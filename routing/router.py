"""The loop that carries decisions out: fed by the log on every node, deciding on the leader."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Proposal
from callcenter.feed import Feed
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from routing import snapshot
from routing.decide import Decision, decide, propose
from routing.leadership import Leadership
from routing.state import RouterState

log = structlog.get_logger()

# Bursts are reserved in batches; so many of them are on their way to the database at once.
_BATCH = 16
_AT_ONCE = 4
# After a failure of the database, seconds until the same is tried again.
_AGAIN_IN = 0.5
_FAILURES: tuple[type[Exception], ...] = (*TRY_AGAIN, asyncpg.PostgresError)


class Router:
    """`run` is supervised; after a crash it starts from a fresh snapshot."""

    def __init__(
        self,
        contact_log: ContactLog,
        feed: Feed,
        directory: Directory,
        leadership: Leadership,
        *,
        require_console: bool,
        clock: Callable[[], datetime],
        told: Callable[[int], float | None] = lambda _interaction: None,
    ) -> None:
        """`told`: the wait, in seconds, that was expected for an interaction when it came."""
        self._log = contact_log
        self._directory = directory
        self._leadership = leadership
        self._require_console = require_console
        self._clock = clock
        self._told = told
        self._wake = asyncio.Event()
        # What happens while a snapshot is loaded; None at other times.
        self._early: list[Event] | None = None
        self._day = datetime.min.replace(tzinfo=UTC)
        self._carrying: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None  # of what was to be carried out
        self.state: RouterState | None = None
        # Decisions by what became of them: two leaders at once show as many that are refused.
        self.decided: Counter[str] = Counter(reserved=0, refused=0, proposed=0, withdrawn=0)
        contact_log.listen(self._note)
        feed.subscribe(self._note)

    def will_offer(self, interaction: int) -> bool:
        """Whether what has just entered a queue is decided about here and at once."""
        return self.state is not None and self._leadership.leads and self.state.somebody_free(interaction)

    def propose(self, queue: int, channel: str) -> Proposal | None:
        """See callcenter.ports.Assigner."""
        if self.state is None or not self._leadership.leads:
            return None
        proposal = propose(self.state, queue, channel, self._clock())
        if proposal is not None:
            self.decided["proposed"] += 1
            self.state.take_agent(proposal.agent)
        return proposal

    def withdraw(self, proposal: Proposal) -> None:
        """See callcenter.ports.Assigner."""
        self.decided["withdrawn"] += 1
        if self.state is not None:
            self.state.give_agent_back(proposal.agent)
            self._wake.set()

    def wake(self) -> None:
        """For what changes who may take what without an event: agents are lent, or no longer."""
        self._wake.set()

    def _note(self, events: Sequence[Event]) -> None:
        if self.state is None:
            if self._early is not None:
                self._early.extend(events)
            return
        for event in events:
            if event.noun == "organisation":
                self.state = None
                self._wake.set()
                return
            if self.state.apply(event):
                self._wake.set()

    async def _current(self) -> RouterState:
        return self.state if self.state is not None else await self._load()

    async def _load(self) -> RouterState:
        """Events that arrive during the load are applied after it; old ones fall away by their versions."""
        early: list[Event] = []
        self._early = early
        try:
            state = await self._snapshot()
            while any(event.noun == "organisation" for event in early):
                early.clear()
                state = await self._snapshot()
        finally:
            self._early = None
        for event in early:
            state.apply(event)
        self.state = state
        return state

    async def _snapshot(self) -> RouterState:
        self._day = self._today()
        return await snapshot.load(self._log.pool, require_console=self._require_console, day_began=self._day)

    def _today(self) -> datetime:
        """When the organisation's day began: contacts of the day are counted from there."""
        local = self._clock().astimezone(ZoneInfo(self._directory.organisation.timezone))
        return local.replace(hour=0, minute=0, second=0, microsecond=0)

    async def run(self) -> None:
        self.state = self._fault = None
        try:
            while True:
                if self._fault is not None:
                    raise self._fault
                state = await self._current()
                if not self._leadership.leads:
                    # A standby stays warm; what it knows may be another by the time it leads.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(1.0):
                            await self._leadership.gained.wait()
                    continue
                if self._today() != self._day:
                    self.state = None
                    continue
                self._wake.clear()
                now = self._clock()
                decisions = decide(state, now)
                while len(self._carrying) < _AT_ONCE and (batch := _taken(state, decisions)):
                    task = asyncio.create_task(self._carry_out(state, batch))
                    self._carrying.add(task)
                    task.add_done_callback(self._carried)
                await self._pause(state, now)
        finally:
            for task in self._carrying:
                task.cancel()
            self.state = None

    def _carried(self, task: asyncio.Task[None]) -> None:
        self._carrying.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = error
        self._wake.set()

    async def _pause(self, state: RouterState, now: datetime) -> None:
        due = state.next_wake()
        try:
            async with asyncio.timeout(1.0 if due is None else max(0.0, min(1.0, (due - now).total_seconds()))):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _carry_out(self, state: RouterState, batch: Sequence[Decision]) -> None:
        now = self._clock()
        proposals = {
            decision.interaction: replace(
                decision, why={**decision.why, "told_seconds": self._told(decision.interaction)}
            )
            for decision in batch
        }
        try:
            events = await interactions.reserve_all(
                self._log, proposals, due=now + interactions.RESERVED_FOR, now=now, revision=state.revision
            )
            reserved = {event.interaction for event in events if event.kind == "interaction.reserved"}
            self.decided["reserved"] += len(reserved)
            if refused := [decision for decision in batch if decision.interaction not in reserved]:
                self.decided["refused"] += len(refused)
                # Either moved meanwhile: our picture of them is old, the database's is true.
                pairs = [(decision.interaction, decision.agent) for decision in refused]
                log.info("router.refused", decisions=pairs)
                work, agents = zip(*pairs, strict=True)
                if not await snapshot.refresh(self._log.pool, state, work=work, agents=agents):
                    # Another organisation is in force, and the word of it has not come yet.
                    if self.state is state:
                        self.state = None
                    return
                for interaction, agent in pairs:
                    state.give_back(interaction, agent)
        except _FAILURES as error:
            log.warning("router.database", error=repr(error), decisions=len(batch))
            if len(batch) > 1 and not isinstance(error, TRY_AGAIN):
                # One of them cannot be carried out; that is no fault of the others.
                for decision in batch:
                    await self._carry_out(state, (decision,))
                return
            await asyncio.sleep(_AGAIN_IN)
            for decision in batch:
                state.give_back(decision.interaction, decision.agent)


def _taken(state: RouterState, decisions: Iterator[Decision]) -> list[Decision]:
    """The next few, of whom nobody is decided about again."""
    batch = []
    for decision in islice(decisions, _BATCH):
        state.take(decision.interaction, decision.agent)
        batch.append(decision)
    return batch
