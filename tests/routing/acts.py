"""Whatever can happen on a floor, in any order: acts that hypothesis draws, and the database that plays them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from hypothesis import strategies as st

from callcenter.actions import agents, contracts, customer_merges, customers, interactions, transfers
from callcenter.domain.events import Event
from callcenter.domain.interaction import OFFERED_WORK, Arrival, Channel, Outcome, ReservationState
from callcenter.domain.overflow import Treatment
from callcenter.errors import Conflict
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from routing import due, snapshot
from routing.decide import decide
from routing.state import RouterState
from tests.builders import NOW, arrive, later, make_customer, make_node, make_queue, make_user, on_queue, reserve
from tests.routing.papers import Papers, one_of

# A name of a method of Play, and what it is called with.
Act = tuple[str, dict[str, Any]]

PHONES = ["+8613800138000", "+8613800138001", "+8613800138002"]
_BEFORE = NOW - timedelta(hours=1)
_CAPACITIES = [{}, {"chat": 1}, {"chat": 2, "email": 2}, {"phone": 0}]


@dataclass(kw_only=True)
class Play(Papers):
    """Three agents, four queues, three callers, and a router's state that hears of each act as it is done."""

    node: int
    heard: RouterState
    merged: list[tuple[int, int]] = field(default_factory=list)  # the merge, and into whom
    events: list[Event] = field(default_factory=list)  # all of them, whatever the state was loaded anew since

    @classmethod
    async def begin(cls, pool: Pool) -> "Play":
        """Set the floor: skills by step, delays, shifts, tiers, languages, preferred agents, every strategy."""
        log = ContactLog(pool)
        node = await make_node(pool)
        people = [await make_user(pool, f"a{n}") for n in range(3)]
        for agent, skills in zip(people, ({"a": 3}, {"a": 1, "lang:zh": 4}, {"lang:en": 2}), strict=True):
            await pool.execute("update users set skills = $2 where id = $1", agent, skills)
        queues = [
            await make_queue(
                pool,
                members=people,
                tiers={"gold": "60s"},
                language=1,
                strategy="fewest",
                prefer="last_agent",
                needs={"a": 2},
                steps=[{"after": "20s", "needs": {"a": 1}}, {"after": "40s", "needs": {}, "language": 0}],
            ),
            await make_queue(pool, "billing", members=people[:2], language=1, prefer="owner", strategy="round_robin"),
            await make_queue(pool, "tier2", members=people[1:], default_language="en", tiers={"gold": "60s"}),
            await make_queue(pool, "sales", members=people[:2], prefer="owner", strategy="best_skill"),
        ]
        await pool.execute("update queue set offers_tickets = true, offers_tasks = true where name <> 'tier2'")
        await pool.execute("update queue_member set delay = '15s' where user_id = $1", people[2])
        await pool.execute("update queue_member set age_shift = '-30s' where user_id = $1", people[1])
        callers = [await make_customer(pool, name, phone=phone) for name, phone in zip("甲乙丙", PHONES, strict=True)]
        await pool.execute(
            "update customer set tier = 'gold', language = 'zh', owner_id = $2 where id = $1", callers[0], people[0]
        )
        for agent in people:
            await on_queue(log, agent, node=node, now=_BEFORE)
        directory = Directory(pool)
        await directory.load()
        before = await cls._before(log, people, queues)
        offer = await reserve(log, before[-1], people[0], now=_BEFORE)
        play = cls(
            log=log,
            directory=directory,
            agents=people,
            queues=queues,
            customers=callers,
            node=node,
            heard=await cls._load(pool),
            live=before,
            offers=[offer],
        )
        log.listen(play._hear)
        return play

    @staticmethod
    async def _before(log: ContactLog, people: Sequence[int], queues: Sequence[int]) -> list[int]:
        """Calls from before the day began: one that is over, the others wait."""
        over, *waiting = [await arrive(log, queue=queues[n % 4], phone=PHONES[n % 3], now=_BEFORE) for n in range(5)]
        offer = await reserve(log, over, people[2], now=_BEFORE)
        await interactions.answer(log, offer, now=_BEFORE)
        await interactions.end_interaction(log, over, cause="", now=_BEFORE)
        await interactions.wrap_up(log, offer, queue=None, disposition=None, note=None, now=_BEFORE)
        return waiting

    @staticmethod
    async def _load(pool: Pool) -> RouterState:
        return await snapshot.load(pool, require_console=True, day_began=NOW)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.heard.apply(event)
            if event.kind == "interaction.reserved":
                self.offers.append(event.data["reservation"])
            if event.kind == "interaction.arrived" and event.data["channel"] in OFFERED_WORK:
                assert event.interaction is not None
                self.live.append(event.interaction)

    async def fresh(self) -> RouterState:
        """What a router that starts now would know, once changes of customers have reached their waiting work."""
        async with asyncio.timeout(60):
            while await contracts.review(self.log, now=self.now) >= 0:
                pass  # other tests' transactions may hold it back
        return await self._load(self.log.pool)

    async def act(self, act: Act) -> None:
        """Play one; what cannot be done now is refused, as a person would be told."""
        name, arguments = act
        self.now += timedelta(seconds=1)
        with suppress(Conflict):
            await getattr(self, name)(**arguments)

    # -- customers and their work

    async def call(self, queue: int, phone: str, asks: Mapping[str, Any] | None, queued: bool) -> None:
        prefers = {"preferred": [self.agents[n] for n in asks["preferred"]]} if asks and "preferred" in asks else {}
        told = None if asks is None else {**asks, **prefers}
        self.live.append(
            await arrive(self.log, queue=self.queues[queue], phone=phone, asks=told, queued=queued, now=self.now)
        )

    async def write(self, queue: int, channel: Channel, asks: Mapping[str, Any] | None) -> None:
        arrival = Arrival(channel, None, None, None, asks=asks)
        events = await interactions.arrive(
            self.log, arrival, queue=self.queues[queue], queued=True, node=None, now=self.now
        )
        assert events[0].interaction is not None
        self.live.append(events[0].interaction)

    async def enqueue(self, which: int, queue: int) -> None:
        await interactions.enqueue(self.log, one_of(self.live, which), queue=self.queues[queue], now=self.now)

    async def adopt(self, which: int) -> None:
        await interactions.adopt(self.log, one_of(self.live, which), node=self.node, leg=None, now=self.now)

    async def abandon(self, which: int) -> None:
        await interactions.leave_unserved(
            self.log, one_of(self.live, which), outcome=Outcome.ABANDONED, cause="", node=None, now=self.now
        )

    async def identify(self, which: int, customer: int) -> None:
        who = self.customers[customer]
        await interactions.identify(
            self.log, one_of(self.live, which), customer=who, actor=self.agents[0], now=self.now
        )

    async def change(self, customer: int, field: str, value: str | None) -> None:
        await customers.update(
            self.log, self.customers[customer], changes={field: value}, version=None, actor=None, now=self.now
        )

    async def merge(self, source: int, into: int, take: Sequence[str]) -> None:
        into = self.customers[into]
        ident = await customer_merges.merge(
            self.log, self.customers[source], into=into, take=take, actor=None, now=self.now
        )
        self.merged.append((ident, into))

    async def unmerge(self, which: int) -> None:
        if self.merged:
            merge, into = self.merged[which % len(self.merged)]
            await customer_merges.undo(self.log, merge, into=into, actor=None, now=self.now)

    async def review(self) -> None:
        await contracts.review(self.log, now=self.now)

    # -- offers

    async def decide(self, most: int) -> None:
        """As the router does; its picture is new, so the database refuses nothing."""
        made = []
        for decision in islice(decide(self.heard, self.now), most):
            self.heard.take(decision.interaction, decision.agent)
            made.append(decision)
        if made:
            events = await interactions.reserve_all(
                self.log, {each.interaction: each for each in made}, due=later(10, self.now), now=self.now
            )
            reserved = {event.interaction for event in events if event.kind == "interaction.reserved"}
            assert reserved == {each.interaction for each in made}, "a decision was refused"

    async def take(self, most: int) -> None:
        """What is decided is answered at once."""
        known = len(self.offers)
        await self.decide(most)
        for offer in self.offers[known:]:
            await interactions.answer(self.log, offer, now=self.now)

    async def reserve(self, which: int, agent: int) -> None:
        await interactions.reserve(
            self.log,
            one_of(self.live, which),
            agent=self.agents[agent],
            agent_version=None,
            reason="assigned",
            decision=None,
            due=later(10, self.now),
            now=self.now,
        )

    async def offer(self, which: int) -> None:
        await interactions.offer(self.log, one_of(self.offers, which), due=later(15, self.now), now=self.now)

    async def answer(self, which: int) -> None:
        await interactions.answer(self.log, one_of(self.offers, which), now=self.now)

    async def give_up(self, which: int, state: ReservationState) -> None:
        await interactions.return_to_queue(self.log, one_of(self.offers, which), state=state, reason="", now=self.now)

    async def sweep(self) -> None:
        await due.sweep(self.log, self.now)

    # -- conversations

    async def hold(self, which: int, held: bool) -> None:
        await interactions.hold(self.log, one_of(self.live, which), held=held, now=self.now)

    async def transfer(self, which: int, agent: int | None) -> None:
        to = None if agent is None else self.agents[agent]
        await interactions.transfer(
            self.log,
            one_of(self.live, which),
            agent=to,
            endpoint="PJSIP/1",
            leg=None,
            kind="blind",
            now=self.now,
        )

    async def hand_over(self, which: int, queue: int | None, agent: int) -> None:
        to = {"agent": self.agents[agent]} if queue is None else {"queue": self.queues[queue]}
        await transfers.hand_over(
            self.log, one_of(self.offers, which), **to, note=None, actor=self.agents[0], now=self.now
        )

    async def release(self, which: int) -> None:
        await interactions.release(self.log, one_of(self.offers, which), cause="", now=self.now)

    async def end(self, which: int) -> None:
        await interactions.end_interaction(self.log, one_of(self.live, which), cause="", now=self.now)

    async def wrap_up(self, which: int) -> None:
        await interactions.wrap_up(
            self.log, one_of(self.offers, which), queue=None, disposition=None, note=None, now=self.now
        )

    # -- agents, supervisors, and time

    async def presence(self, agent: int, presence: str) -> None:
        await agents.set_presence(
            self.log, self.agents[agent], presence=presence, reason=None, actor=self.agents[agent], now=self.now
        )

    async def desk(self, agent: int, opened: bool) -> None:
        await (agents.open_desk if opened else agents.lose_desk)(
            self.log, self.agents[agent], node=self.node, now=self.now
        )

    async def capacity(self, agent: int, capacity: Mapping[str, int]) -> None:
        """The organisation is another one: the state is loaded anew. What it shows may be heard again."""
        await self.log.pool.execute("update users set capacity = $2 where id = $1", self.agents[agent], dict(capacity))
        async with self.log.transaction() as tx:
            await tx.append("organisation.applied", now=self.now)
        self.heard = await self._load(self.log.pool)

    async def move(self, which: int, queue: int | None, priority: int | None) -> None:
        to = None if queue is None else self.queues[queue]
        await interactions.move(
            self.log, one_of(self.live, which), queue=to, priority=priority, actor=self.agents[0], now=self.now
        )

    async def take_out(self, which: int) -> None:
        await interactions.take_out(self.log, one_of(self.live, which), reason=None, actor=self.agents[0], now=self.now)

    async def overflow(self, which: int, queue: int, to: int) -> None:
        await interactions.overflow(
            self.log,
            one_of(self.live, which),
            queue=self.queues[queue],
            to=self.queues[to],
            rule="late",
            now=self.now,
        )

    async def treat(self, which: int, queue: int) -> None:
        await interactions.treat(
            self.log,
            one_of(self.live, which),
            queue=self.queues[queue],
            treatment=Treatment.CALLBACK,
            rule="long",
            now=self.now,
        )

    async def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)


def _act(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Act]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


_WHICH, _THREE, _FOUR, _FLAG = st.integers(0, 11), st.integers(0, 2), st.integers(0, 3), st.booleans()
_SOMEBODY = st.one_of(st.none(), _THREE)
_PRIORITY = st.sampled_from(["low", "normal", "high", "urgent"])
_NEWEST = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8])
_ASKS = st.sampled_from([None, {}, {"language": "en"}, {"language": "zh_TW"}])
_NAMED = st.sampled_from([{"preferred": [2]}, {"preferred": [0, 1]}])
_MISSED = st.sampled_from([ReservationState.FAILED, ReservationState.TIMED_OUT, ReservationState.REJECTED])

# Those that most others need come more often.
_COMMON = [
    _act("call", queue=_FOUR, phone=st.sampled_from(PHONES), asks=st.one_of(_ASKS, _NAMED), queued=st.just(True)),
    _act("write", queue=_FOUR, channel=st.sampled_from([Channel.CHAT, Channel.CHAT, Channel.EMAIL]), asks=_ASKS),
    _act("decide", most=st.integers(1, 4)),
    _act("take", most=st.integers(1, 4)),
    _act("answer", which=st.just(0)),
    _act("end", which=_WHICH),
    _act("wrap_up", which=_NEWEST),
]
_RARE = [
    _act("call", queue=_FOUR, phone=st.sampled_from(PHONES), asks=_ASKS, queued=st.just(False)),
    _act("enqueue", which=_NEWEST, queue=_FOUR),
    _act("adopt", which=_NEWEST),
    _act("abandon", which=_WHICH),
    _act("identify", which=_WHICH, customer=_THREE),
    _act("change", customer=_THREE, field=st.just("tier"), value=st.sampled_from([None, "gold"])),
    _act("change", customer=_THREE, field=st.just("language"), value=st.sampled_from([None, "en", "zh"])),
    st.permutations([0, 1, 2]).flatmap(
        lambda pair: _act(
            "merge",
            source=st.just(pair[0]),
            into=st.just(pair[1]),
            take=st.sampled_from([(), ("tier",), ("tier", "language", "owner")]),
        )
    ),
    _act("unmerge", which=_THREE),
    _act("review"),
    _act("reserve", which=_NEWEST, agent=_THREE),
    _act("offer", which=_NEWEST),
    _act("give_up", which=_NEWEST, state=_MISSED),
    _act("sweep"),
    _act("hold", which=_WHICH, held=_FLAG),
    _act("transfer", which=_WHICH, agent=st.one_of(st.none(), _THREE)),
    _act("hand_over", which=_NEWEST, queue=st.one_of(st.none(), _FOUR), agent=_THREE),
    _act("release", which=_NEWEST),
    _act("presence", agent=_THREE, presence=st.sampled_from(["on_queue", "on_queue", "break", "meal", "offline"])),
    _act("desk", agent=_THREE, opened=_FLAG),
    _act("capacity", agent=_THREE, capacity=st.sampled_from(_CAPACITIES)),
    _act("move", which=_NEWEST, queue=st.one_of(st.none(), _FOUR), priority=st.sampled_from([None, 0, 5])),
    _act("take_out", which=_NEWEST),
    _act("overflow", which=_NEWEST, queue=_FOUR, to=_FOUR),
    _act("treat", which=_NEWEST, queue=_FOUR),
    _act("open_ticket", queue=_FOUR, customer=_SOMEBODY, priority=_PRIORITY),
    _act("open_ticket", queue=_FOUR, customer=_SOMEBODY, priority=_PRIORITY),
    _act("change_ticket", which=_NEWEST, field=st.just("customer"), value=_SOMEBODY),
    _act("change_ticket", which=_NEWEST, field=st.just("priority"), value=_PRIORITY),
    _act("change_ticket", which=_NEWEST, field=st.just("owner"), value=_SOMEBODY),
    _act("change_ticket", which=_NEWEST, field=st.just("queue"), value=_FOUR),
    _act("change_ticket", which=_NEWEST, field=st.just("state"), value=st.sampled_from(["open", "pending", "closed"])),
    _act("open_task", queue=_FOUR, which=st.one_of(st.none(), _NEWEST)),
    _act("take_task", which=_NEWEST, agent=_THREE),
    _act("end_task", which=_NEWEST),
    _act("reconcile"),
    _act("accept", which=_NEWEST),
    _act("place", agent=_THREE, queue=st.one_of(st.none(), _FOUR)),
    _act("connect", agent=_SOMEBODY),
    _act("note", agent=_THREE),
    _act("wait", seconds=st.sampled_from([5, 20, 60])),
]
ACTS: st.SearchStrategy[Act] = st.sampled_from([*_COMMON * 4, *_RARE]).flatmap(lambda act: act)
