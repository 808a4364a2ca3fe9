"""Tickets, tasks and contacts without a queue, in any order: the acts beside those of waiting work itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.actions import by_hand, offered_work, outcalls, tasks, tickets
from callcenter.domain.interaction import Channel
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.rules import TaskPlan
from tests.builders import NOW, arrive

QUEUES = ["support", "billing", "tier2", "sales"]


def one_of(things: Sequence[int], which: int) -> int:
    """One of the newest; 0 where there is none, which nothing has as its id."""
    return things[-1 - which % min(len(things), 12)] if things else 0


@dataclass
class Papers:
    """What agents and the back office do on the same floor."""

    log: ContactLog
    directory: Directory
    agents: list[int]
    queues: list[int]
    customers: list[int]
    now: datetime = NOW
    tickets: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    offers: list[int] = field(default_factory=list)

    def _customer(self, which: int | None) -> int | None:
        return None if which is None else self.customers[which]

    async def open_ticket(self, queue: int, customer: int | None, priority: str) -> None:
        ticket = await tickets.open_ticket(
            self.log, subject="No hot water", customer=self._customer(customer), interaction=None,
            queue=self.queues[queue], priority=priority, text=None, actor=None, now=self.now,
        )  # fmt: skip
        self.tickets.append(ticket.id)
        await self.reconcile()

    async def change_ticket(self, which: int, field: str, value: int | str | None) -> None:
        """`value` of people and queues: which of them."""
        named = {"customer": self.customers, "owner": self.agents, "queue": self.queues}.get(field)
        to = named[value] if named is not None and isinstance(value, int) else value
        if ticket := one_of(self.tickets, which):
            await tickets.change(self.log, ticket, changes={field: to}, version=None, actor=None, now=self.now)

    async def open_task(self, queue: int, which: int | None) -> None:
        """Of one of the tickets, or of none."""
        plan = TaskPlan(title="Send the cheque", assignee=f"queue:{QUEUES[queue]}")
        ticket = None if which is None else one_of(self.tickets, which) or None
        task = await tasks.open_task(self.log, self.directory, plan=plan, ticket=ticket, actor=None, now=self.now)
        self.tasks.append(task.id)
        await self.reconcile()

    async def take_task(self, which: int, agent: int) -> None:
        await self._change_task(which, "user", self.agents[agent])

    async def end_task(self, which: int) -> None:
        await self._change_task(which, "state", "done")

    async def _change_task(self, which: int, field: str, to: int | str) -> None:
        if task := one_of(self.tasks, which):
            await tasks.change(
                self.log, self.directory, task, changes={field: to}, version=None, actor=None, now=self.now
            )

    async def reconcile(self) -> None:
        """What the leader does a moment after it hears of them."""
        while await offered_work.reconcile_all(self.log, now=self.now):
            pass

    async def accept(self, which: int) -> None:
        """The offer of a ticket or a task."""
        offer = one_of(self.offers, which)
        row = await self.log.pool.fetchrow("select interaction_id, agent_id from reservation where id = $1", offer)
        if row is not None:
            await offered_work.accept(
                self.log, self.directory, row["interaction_id"], reservation=offer, agent=row["agent_id"], now=self.now
            )

    # -- contacts that no queue gave to anybody

    async def place(self, agent: int, queue: int | None) -> None:
        ident, _ = await outcalls.place(
            self.log,
            self.directory,
            self.directory.user(self.agents[agent]),
            to="+8613800138007",
            queue=None if queue is None else self.queues[queue],
            actor=self.agents[agent],
            now=self.now,
        )
        self.live.append(ident)

    async def connect(self, agent: int | None) -> None:
        """A call that another PBX connected by itself."""
        ident = await arrive(self.log, queued=False, now=self.now)
        to = None if agent is None else self.agents[agent]
        await self.log.write("connect_call", ident, to, None, self.now)
        self.live.append(ident)

    async def note(self, agent: int) -> None:
        noted = by_hand.Noted(channel=Channel.VISIT, began_at=self.now, queue=self.queues[0])
        await by_hand.note(self.log, noted, actor=self.agents[agent], now=self.now)
