"""Whose turn it is among those who may: the strategies of queues."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.needs import Skills
from callcenter.domain.order import Step
from routing.facts import Waiting
from routing.plan import Member, QueuePlan
from tests.builders import later
from tests.routing.test_decide import an_agent
from tests.routing.test_order import a_state, an_event, decided, pairs, seconds


def test_the_strategy_chooses_among_those_who_may() -> None:
    idle = {1: 10, 2: 20, 3: 30}
    skills: Mapping[int, Skills] = {1: {"zh": 2}, 2: {"zh": 3}, 3: {"zh": 5}}
    chosen = {}
    for strategy in ("longest_idle", "fewest", "round_robin", "best_skill", "weighted"):
        plan = QueuePlan(1, (Member(1), Member(2), Member(3)), strategy=strategy, needs={"zh": 1})
        state = a_state(plan, skills=skills, idle=idle)
        for interaction, agent in ((4, 1), (5, 3)):
            state.apply(an_event("interaction.answered", interaction=interaction, agent=agent, second=5, version=3))
        for interaction, agent in ((4, 1), (5, 2)):
            state.apply(an_event("interaction.reserved", interaction=interaction, agent=agent, second=4, version=4))
        state.put_waiting(Waiting(7, 1, later(0), 1))
        (decision,) = decided(state, later(100))
        chosen[strategy] = decision.agent
        assert decision.reason == strategy
    assert chosen == {"longest_idle": 1, "fewest": 2, "round_robin": 3, "best_skill": 3, "weighted": 3}


def test_the_best_at_what_is_asked_speaks_the_language_best_where_one_is_asked_for() -> None:
    plan = QueuePlan(1, (Member(1), Member(2)), strategy="best_skill", needs={"billing": 1}, language=1)
    skills: Mapping[int, Skills] = {1: {"billing": 3, "lang:zh": 1}, 2: {"billing": 2, "lang:zh": 5, "lang:en": 1}}
    for language, agent in (("zh", 2), (None, 1)):
        state = a_state(plan, skills=skills)
        state.put_waiting(Waiting(7, 1, later(0), 1, language=language))
        assert pairs(state, later(1)) == [(7, agent)]


def test_the_best_at_what_is_asked_is_measured_by_the_way_that_they_can_go() -> None:
    """The first just knows enough of b and c; what they know of a is too little for a to count."""
    plan = QueuePlan(1, (Member(1), Member(2)), strategy="best_skill", needs="a >= 5 or b >= 1 and c >= 1")
    state = a_state(plan, skills={1: {"a": 4, "b": 1, "c": 1}, 2: {"b": 2, "c": 1}})
    state.put_waiting(Waiting(7, 1, later(0), 1))
    assert pairs(state, later(1)) == [(7, 2)]


WEIGHTED = QueuePlan(
    1, (Member(1), Member(2)), strategy="weighted", needs={"zh": 2}, proficiency_weight=timedelta(seconds=60)
)


@pytest.mark.parametrize(("ahead", "agent"), [(119, 1), (121, 2)])
def test_each_level_above_what_is_asked_makes_the_idle_time_look_longer(ahead: float, agent: int) -> None:
    """The first is two levels stronger, and the second has been idle for so many seconds more."""
    state = a_state(WEIGHTED, skills={1: {"zh": 4}, 2: {"zh": 2}}, idle={1: ahead, 2: 0})
    state.put_waiting(Waiting(7, 1, later(0), 1))
    (decision,) = decided(state, later(200))
    assert (decision.agent, decision.reason) == (agent, "weighted")
    told = {each["agent"]: each for each in decision.why["candidates"]}
    assert (told[1]["proficiency_seconds"], told[2]["proficiency_seconds"]) == (120, 0)
    assert (told[1]["idle_seconds"], told[2]["idle_seconds"]) == (200 - ahead, 200)


def test_by_weighted_proficiency_the_strong_get_more_and_the_weak_get_some() -> None:
    state = a_state(WEIGHTED, skills={1: {"zh": 4}, 2: {"zh": 2}})
    had = {1: 0, 2: 0}
    for n in range(1, 101):
        now = later(30 * n)
        state.put_waiting(Waiting(n, 1, now, 1))
        ((_, agent),) = pairs(state, now)
        had[agent] += 1
        state.remove(n, 2)
        state.put_agent(an_agent(agent, idle=30 * n + 10, version=n + 1))
    assert had[1] > had[2] > 10


@given(
    levels=st.lists(st.integers(1, 5), min_size=2, max_size=6),
    idle=st.lists(st.integers(0, 600), min_size=6, max_size=6),
    weight=st.sampled_from([1, 45, 600]),
    waited=st.integers(0, 90),
)
def test_weighted_proficiency_asks_whose_idle_time_and_levels_are_most_together(
    levels: list[int], idle: list[int], weight: int, waited: int
) -> None:
    """So nobody is passed over for who came idle later by more than the weight of all levels between them."""
    agents = dict(enumerate(levels, 1))
    plan = replace(
        WEIGHTED,
        members=tuple(map(Member, agents)),
        needs={"zh": 3},
        steps=(Step(seconds(30), {"zh": 2}), Step(seconds(60), {})),
        proficiency_weight=seconds(weight),
    )
    since = dict(enumerate(idle, 1))
    state = a_state(plan, skills={agent: {"zh": level} for agent, level in agents.items()}, idle=since)
    state.put_waiting(Waiting(7, 1, later(1000 - waited), 1))
    least = 3 if waited < 30 else 2 if waited < 60 else 1
    able = [agent for agent, level in agents.items() if level >= least]
    made = pairs(state, later(1000))
    assert bool(made) == bool(able)
    for _, chosen in made:
        for other in able:
            assert since[chosen] - since[other] <= weight * (agents[chosen] - agents[other])
