"""In which order, and to whom: priority, value, delays, skills by step, and the strategies of queues."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.agent import on_shift
from callcenter.domain.events import Event
from callcenter.domain.needs import Skills, fulfils, spoken
from callcenter.domain.order import Step
from routing.decide import Decision, decide
from routing.facts import Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from routing.wait import position
from tests.builders import NOW, later
from tests.routing.test_decide import an_agent


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def a_state(
    *plans: QueuePlan, skills: Mapping[int, Skills] | None = None, idle: Mapping[int, float] | None = None
) -> RouterState:
    """All members of all queues are free, idle since `idle` seconds."""
    state = RouterState(plans, skills=skills, require_console=False)
    for agent in sorted({member.agent for plan in plans for member in plan.members}):
        state.put_agent(an_agent(agent, idle=(idle or {}).get(agent, 0)))
    return state


def decided(state: RouterState, now: datetime) -> list[Decision]:
    made = []
    for decision in decide(state, now):
        state.take(decision.interaction, decision.agent)
        made.append(decision)
    return made


def pairs(state: RouterState, now: datetime) -> list[tuple[int, int]]:
    return [(decision.interaction, decision.agent) for decision in decided(state, now)]


ONE = QueuePlan(1, (Member(1),))
TWO = QueuePlan(2, (Member(1),), tiers={"gold": seconds(60)}, prefer_for=seconds(3600))


def test_priority_counts_as_minutes_of_waiting() -> None:
    state = a_state(ONE)
    state.put_waiting(Waiting(7, 1, later(0), 1))
    state.put_waiting(Waiting(8, 1, later(90), 1, priority=2))
    assert pairs(state, later(100)) == [(8, 1)]


def test_a_valued_customer_looks_older_and_nobody_starves() -> None:
    plan = QueuePlan(1, (Member(1),), tiers={"gold": seconds(60)})
    for came, first in ((50, 8), (70, 7)):
        state = a_state(plan)
        state.put_waiting(Waiting(7, 1, later(0), 1))
        state.put_waiting(Waiting(8, 1, later(came), 1, tier="gold"))
        assert pairs(state, later(100)) == [(first, 1)]


def test_a_contract_makes_work_look_older_beside_priority_and_tier_and_nobody_starves() -> None:
    plan = QueuePlan(1, (Member(1),), tiers={"gold": seconds(60)})
    for came, first in ((170, 8), (190, 7)):
        state = a_state(plan)
        state.put_waiting(Waiting(7, 1, later(0), 1))
        state.put_waiting(Waiting(8, 1, later(came), 1, priority=1, tier="gold", contract=seconds(60)))
        [decision] = decided(state, later(200))
        assert decision.interaction == first
        assert decision.why["candidates"][0]["score"] == (210 if first == 8 else 200)
        assert decision.why.get("contract") == (60 if first == 8 else None)


def test_of_two_that_look_equally_old_the_one_that_waits_longer_goes_first() -> None:
    for ids in ((7, 8), (8, 7)):
        state = a_state(ONE)
        state.put_waiting(Waiting(ids[0], 1, later(0), 1))
        state.put_waiting(Waiting(ids[1], 1, later(60), 1, priority=1))
        assert pairs(state, later(100)) == [(ids[0], 1)]


# Of what came at four moments, priority, tier and contract make the most look equally old.
shifted = st.builds(
    Waiting,
    st.just(0),
    st.sampled_from([1, 2]),
    st.sampled_from([later(0), later(60), later(120), later(180)]),
    st.just(1),
    priority=st.sampled_from([0, 1, 2]),
    tier=st.sampled_from([None, "gold"]),
    preferred=st.sampled_from([(), (1,)]),
    contract=st.sampled_from([seconds(0), seconds(60)]),
)


@given(drawn=st.lists(shifted, min_size=2, max_size=12).flatmap(st.permutations))
def test_equals_of_all_queues_go_by_their_wait_whoever_they_wait_for(drawn: list[Waiting]) -> None:
    state = a_state(ONE, TWO)
    work = [replace(each, interaction=ident) for ident, each in enumerate(drawn, 1)]
    for each in work:
        state.put_waiting(each)
    now, served = later(200), []
    while (decision := next(decide(state, now), None)) is not None:
        item = state.waiting[decision.interaction]
        assert position(state, item, now) == 1
        served.append((state.place_of(item), item.queued_at, item.interaction))
        state.remove(item.interaction, 2)
    assert len(served) == len(work)
    assert served == sorted(served)


def test_a_delayed_member_helps_out_after_the_delay_only() -> None:
    plan = QueuePlan(1, (Member(1, delay=seconds(20)),))
    state = a_state(plan)
    state.put_waiting(Waiting(7, 1, later(0), 1))
    assert pairs(state, later(19)) == []
    assert state.next_wake() == later(20)
    assert pairs(state, later(20)) == [(7, 1)]


def test_a_delayed_member_may_take_what_has_waited_though_something_newer_goes_first() -> None:
    plan = QueuePlan(1, (Member(1, delay=seconds(20)),))
    state = a_state(plan)
    state.put_waiting(Waiting(7, 1, later(0), 1))
    state.put_waiting(Waiting(8, 1, later(15), 1, priority=10))
    assert pairs(state, later(30)) == [(7, 1)]


def test_an_age_shift_makes_one_queues_work_older_to_this_agent_alone() -> None:
    first = QueuePlan(1, (Member(1), Member(2)))
    second = QueuePlan(2, (Member(1, age_shift=seconds(30)), Member(2)))
    for agent, expected in ((1, 8), (2, 7)):
        state = a_state(first, second)
        state.put_agent(an_agent(3 - agent, routing_status="interacting", version=2))
        state.put_waiting(Waiting(7, 1, later(0), 1))
        state.put_waiting(Waiting(8, 2, later(20), 1))
        assert pairs(state, later(100)) == [(expected, agent)]


STEPS = QueuePlan(
    1,
    (Member(1), Member(2), Member(3)),
    needs={"billing": 3},
    steps=(Step(seconds(30), {"billing": 1}), Step(seconds(60), {})),
)
SKILLS = {1: {"billing": 1}, 2: {"billing": 5}}


@pytest.mark.parametrize(("now", "busy", "agent"), [(0, 2, None), (29, 2, None), (30, 2, 1), (59, 1, 2)])
def test_who_may_take_it_is_asked_for_less_with_each_step(now: float, busy: int, agent: int | None) -> None:
    state = a_state(STEPS, skills=SKILLS)
    for other in {busy, 3}:
        state.put_agent(an_agent(other, routing_status="wrap_up", version=2))
    state.put_waiting(Waiting(7, 1, later(0), 1))
    assert pairs(state, later(now)) == ([] if agent is None else [(7, agent)])


def test_at_the_last_step_anybody_may() -> None:
    state = a_state(STEPS, skills=SKILLS)
    for other in (1, 2):
        state.put_agent(an_agent(other, presence="break", version=2))
    state.put_waiting(Waiting(7, 1, later(0), 1))
    assert pairs(state, later(59)) == []
    assert state.next_wake() == later(60)
    assert pairs(state, later(60)) == [(7, 3)]


def test_six_steps_ask_for_less_one_after_the_other() -> None:
    steps = tuple(Step(seconds(10 * number), {"billing": 6 - number} if number < 6 else {}) for number in range(1, 7))
    plan = QueuePlan(1, tuple(Member(agent) for agent in range(7)), needs={"billing": 6}, steps=steps)
    for able in range(7):  # agent and level are the same number
        state = a_state(plan, skills={agent: {"billing": agent} for agent in range(1, 7)})
        for other in set(range(7)) - {able}:
            state.put_agent(an_agent(other, routing_status="wrap_up", version=2))
        state.put_waiting(Waiting(7, 1, later(0), 1))
        turn = 10 * (6 - able)
        if turn:
            assert pairs(state, later(turn - 1)) == []
            assert state.next_wake() == later(turn)
        assert pairs(state, later(turn)) == [(7, able)]


def an_event(kind: str, *, interaction: int, agent: int, second: float, version: int) -> Event:
    data = {"state": "active", "queued_at": None, "priority": 0, "node": None, "segment": 1}
    return Event(1, 1, 1, later(second), kind, interaction, None, agent, 1, None, None, version, data)


def test_an_event_heard_twice_counts_once() -> None:
    state = a_state(ONE)
    answered = an_event("interaction.answered", interaction=4, agent=1, second=5, version=3)
    state.apply(answered)
    state.apply(answered)
    assert state.tally.served[1] == 1


def test_a_decision_says_who_else_could_have_and_why_others_could_not() -> None:
    plan = QueuePlan(1, tuple(Member(n) for n in range(1, 7)), needs={"zh": 1}, steps=(Step(seconds(60), {}),))
    state = a_state(plan, skills={n: {"zh": 1} for n in (1, 2, 3, 4, 5)}, idle={1: 5, 2: 3})
    state.put_agent(an_agent(3, presence="break", version=2))
    state.put_agent(an_agent(4, routing_status="interacting", version=2))
    state.put_agent(an_agent(5, routing_status="interacting", version=2))
    state.put_waiting(Waiting(7, 1, later(0), 1, priority=1))
    (decision,) = decided(state, later(30))
    assert decision.why == {
        "reason": "longest_idle",
        "step": 0,
        "waited_seconds": 30.0,
        "candidates": [
            {"agent": 2, "score": 90.0, "idle_seconds": 27.0, "in_hand": 0},
            {"agent": 1, "score": 90.0, "idle_seconds": 25.0, "in_hand": 0},
        ],
        "excluded": {"break": 1, "capacity": 2, "later_step": 1},
    }


plans_of_anything = st.builds(
    lambda queue, members, needs, steps, strategy, language, prefer_for: QueuePlan(
        queue,
        tuple(Member(agent, seconds(delay), seconds(shift)) for agent, (delay, shift) in members.items()),
        strategy=strategy,
        needs=needs,
        steps=tuple(Step(seconds(after), *less) for after, *less in steps),
        tiers={"gold": seconds(40)},
        language=language[0],
        default_language=language[1],
        prefer_for=seconds(prefer_for),
    ),
    st.just(0),
    st.dictionaries(
        st.integers(1, 6), st.tuples(st.sampled_from([0, 0, 15]), st.sampled_from([0, 0, -20, 30])), max_size=6
    ),
    st.sampled_from([{}, {"a": 1}, {"a": 3}, "a >= 4 or lang:zh >= 2", "a >= 2 and (lang:en >= 2 or lang:zh >= 4)"]),
    st.sampled_from(
        [(), ((20, {"a": 1}),), ((10, {"a": 2}), (40, {}, 0)), ((30, None, 0),), ((15, "a >= 1"), (50, {}))]
    ),
    st.sampled_from(["longest_idle", "fewest", "round_robin", "best_skill", "weighted"]),
    st.sampled_from([(0, None), (1, None), (2, "zh"), (1, "fr")]),
    st.sampled_from([0, 25, 70]),
)
STATUSES = st.sampled_from(["interacting", "not_responding", "idle"])
TONGUES = st.sampled_from([{}, {"lang:zh": 5}, {"lang:en": 2}, {"lang:zh": 1, "lang:en": 5}])


def eligible(plan: QueuePlan, agent: int, skills: Mapping[int, Skills], work: Waiting, now: datetime) -> bool:
    """The rule in its plainest form: at this moment, and at every later step, the agent has what is asked for."""
    member = next((member for member in plan.members if member.agent == agent), None)
    waited = now - work.queued_at
    if member is None or waited < member.delay:
        return False
    moments = [waited, *(step.after for step in plan.steps if step.after > waited)]
    has = skills.get(agent, {})
    language = spoken(work.language) or plan.default_language
    if not any(f"lang:{language}" in skills.get(member.agent, {}) for member in plan.members):
        language = None
    return all(fulfils(has, plan.needs_after(moment, language)) for moment in moments)


@dataclass(frozen=True)
class Centre:
    """Queues, agents and work of any kind, and the rules of the order in their plainest form."""

    queues: Mapping[int, QueuePlan]
    skills: Mapping[int, Skills]
    state: RouterState

    def may(self, item: Waiting, agent: int, now: datetime) -> bool:
        plan = self.queues[item.queue]
        if item.interaction in self.state.taken_work or not eligible(plan, agent, self.skills, item, now):
            return False
        return now >= item.queued_at + plan.prefer_for or agent in (self.waited_for(item) or {agent})

    def waited_for(self, item: Waiting) -> set[int]:
        """In its time: those who are on shift and may take it before that time is over."""
        plan, agents = self.queues[item.queue], self.state.agents
        last = item.queued_at + plan.prefer_for - timedelta(microseconds=1)
        there = {each for each, is_ in agents.items() if on_shift(is_.presence, is_.routing_status)}
        return {each for each in there & set(item.preferred) if eligible(plan, each, self.skills, item, last)}

    def looks(self, item: Waiting, agent: int) -> tuple[datetime, datetime, int]:
        shift = next(member.age_shift for member in self.queues[item.queue].members if member.agent == agent)
        return self.state.place_of(item) - shift, item.queued_at, item.interaction

    def check(self, decision: Decision, now: datetime) -> None:
        item = self.state.waiting[decision.interaction]
        assert self.may(item, decision.agent, now)
        for other in self.state.waiting.values():
            if self.may(other, decision.agent, now):
                assert self.looks(item, decision.agent) <= self.looks(other, decision.agent)


@st.composite
def centres(draw: st.DrawFn) -> Centre:
    plans = draw(st.lists(plans_of_anything, min_size=1, max_size=3))
    queues = {n: replace(plan, queue=n) for n, plan in enumerate(plans)}
    levels = draw(st.lists(st.integers(0, 5), min_size=6, max_size=6))
    idle = draw(st.lists(st.integers(0, 30), min_size=6, max_size=6))
    skills: dict[int, Skills] = {agent: {"a": level, **draw(TONGUES)} for agent, level in enumerate(levels, 1)}
    state = a_state(*queues.values(), skills=skills, idle=dict(enumerate(idle, 1)))
    for agent in draw(st.sets(st.integers(1, 6))) & state.agents.keys():
        state.put_agent(an_agent(agent, routing_status=draw(STATUSES), version=2))
    tiers = st.sampled_from([None, "gold"])
    languages = st.sampled_from([None, "zh_TW", "en", "fr"])
    preferred = st.lists(st.integers(1, 7), max_size=2, unique=True).map(tuple)
    channels = st.sampled_from(["phone", "phone", "chat"])
    work = st.tuples(
        st.sampled_from(sorted(queues)), st.integers(0, 60), st.integers(0, 2), tiers, channels, languages, preferred
    )
    for ident, (queue, second, *rest) in enumerate(draw(st.lists(work, max_size=10)), 1):
        state.put_waiting(Waiting(ident, queue, NOW + seconds(second), 1, *rest))
    return Centre(queues, skills, state)


@given(
    centre=centres(),
    moments=st.lists(st.integers(60, 130), min_size=1, max_size=4),
    moves=st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["on_queue", "break"]), STATUSES), max_size=4),
)
def test_whatever_is_asked_for_no_rule_of_the_order_is_broken(
    centre: Centre, moments: list[int], moves: list[tuple[int, str, str]]
) -> None:
    state = centre.state
    for number, moment in enumerate(sorted(moments)):
        now = NOW + seconds(moment)
        for agent, presence, status in moves[number : number + 1]:
            if agent in state.agents and agent not in state.taken_agents:
                state.put_agent(an_agent(agent, presence=presence, routing_status=status, version=number + 3))
        for decision in decide(state, now):
            assert decision.interaction not in state.taken_work
            assert decision.agent not in state.taken_agents
            centre.check(decision, now)
            state.take(decision.interaction, decision.agent)
        idle = {
            ident for ident, is_ in state.agents.items() if (is_.presence, is_.routing_status) == ("on_queue", "idle")
        }
        free = idle - state.taken_agents
        assert not [item for item in state.waiting.values() for agent in free if centre.may(item, agent, now)]
