"""Work that waits for agents of its own, and work in a language."""

from dataclasses import replace
from datetime import datetime

import pytest

from callcenter.domain.capacity import Limits
from callcenter.domain.order import Step
from routing.decide import propose
from routing.facts import Waiting
from routing.lending import Loan
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from tests.builders import later
from tests.routing.test_decide import an_agent
from tests.routing.test_order import a_state, decided, pairs, seconds

PLAN = QueuePlan(1, (Member(1), Member(2), Member(3)), prefer_for=seconds(20))
FOR_TWO = Waiting(7, 1, later(0), 1, preferred=(2,), preferred_as="last_agent")


def test_it_goes_to_the_last_agent_though_another_has_been_idle_longer() -> None:
    state = a_state(PLAN, idle={1: 0, 2: 50, 3: 10})
    state.put_waiting(FOR_TWO)
    (decision,) = decided(state, later(1))
    assert (decision.agent, decision.reason) == (2, "preferred")
    assert decision.why["preferred"] == "last_agent"
    assert [each["agent"] for each in decision.why["candidates"]] == [2]
    assert decision.why["excluded"] == {"not_preferred": 2}


def test_it_waits_for_a_busy_one_until_the_target_and_then_for_anybody() -> None:
    state = a_state(PLAN, idle={1: 5})
    state.put_agent(an_agent(2, routing_status="interacting", version=2))
    state.put_waiting(FOR_TWO)
    assert pairs(state, later(19)) == []
    assert state.next_wake() == later(20)
    (decision,) = decided(state, later(20))
    assert (decision.agent, decision.reason) == (3, "longest_idle")


@pytest.mark.parametrize(
    ("presence", "status"),
    [("offline", "off_queue"), ("break", "interacting"), ("on_queue", "not_responding"), ("meal", "wrap_up")],
)
def test_it_does_not_wait_for_somebody_who_is_off_shift(presence: str, status: str) -> None:
    state = a_state(PLAN, idle={3: 5})
    state.put_agent(an_agent(2, presence=presence, routing_status=status, version=2))
    state.put_waiting(FOR_TWO)
    assert pairs(state, later(1)) == [(7, 1)]


def test_nobody_is_proposed_before_it_is_known_who_calls() -> None:
    for plan, proposed in ((QueuePlan(1, (Member(1),)), True), (PLAN, False), (LANGUAGE, False)):
        assert (propose(a_state(plan), 1, "phone", later(1)) is not None) == proposed


def test_nobody_is_waited_for_who_is_about_to_leave_or_takes_nothing_of_this_channel() -> None:
    for channel, leaves_for in (("phone", "meal"), ("chat", None)):
        state = RouterState([PLAN], limits=Limits(of_agents={2: {"chat": 0}}), require_console=False)
        state.put_agent(an_agent(1))
        state.put_agent(an_agent(2, routing_status="interacting", load={"phone": 1}, next_presence=leaves_for))
        state.put_waiting(replace(FOR_TWO, channel=channel))
        assert pairs(state, later(1)) == [(7, 1)]


def test_a_preferred_agent_takes_another_chat_beside_those_in_hand() -> None:
    state = a_state(PLAN)
    state.put_agent(an_agent(2, routing_status="interacting", load={"chat": 3}, version=2))
    state.put_waiting(replace(FOR_TWO, channel="chat"))
    state.put_waiting(replace(FOR_TWO, interaction=8, channel="phone"))
    assert pairs(state, later(1)) == [(7, 2)]


def test_it_waits_no_longer_once_they_go_and_again_when_they_come_back_in_time() -> None:
    plan = QueuePlan(1, (Member(1), Member(2)), prefer_for=seconds(20))
    state = a_state(plan)
    state.put_agent(an_agent(1, routing_status="interacting", version=2))
    state.put_agent(an_agent(2, presence="break", version=2))
    state.put_waiting(FOR_TWO)
    assert pairs(state, later(1)) == []
    state.put_agent(an_agent(2, routing_status="wrap_up", version=3))
    assert pairs(state, later(2)) == []
    state.put_agent(an_agent(1, version=4))
    assert pairs(state, later(3)) == []
    assert state.put_agent(an_agent(2, presence="offline", version=5))
    assert pairs(state, later(4)) == [(7, 1)]


def test_of_several_the_first_who_is_free_gets_it() -> None:
    state = a_state(PLAN, idle={1: 0, 2: 5, 3: 9})
    state.put_agent(an_agent(3, routing_status="interacting", version=2))
    state.put_waiting(Waiting(7, 1, later(0), 1, preferred=(3, 2, 1), preferred_as="named"))
    assert pairs(state, later(1)) == [(7, 2)]


def test_nobody_is_waited_for_who_may_not_take_it_in_that_time() -> None:
    plan = QueuePlan(1, (Member(1), Member(2, delay=seconds(30))), prefer_for=seconds(20))
    for preferred in ((2,), (9,)):
        state = a_state(plan)
        state.put_waiting(Waiting(7, 1, later(0), 1, preferred=preferred))
        assert pairs(state, later(1)) == [(7, 1)]


def test_nobody_is_waited_for_who_would_only_help_out() -> None:
    helped = replace(PLAN, members=(Member(1), Member(2, loans=((2, seconds(0)),))))
    for lent in (frozenset[Loan](), frozenset({(1, 2, seconds(0))})):
        state = a_state(helped, QueuePlan(2, (Member(2),)), idle={1: 0, 2: 5})
        state.lend_only(lent)
        state.put_waiting(FOR_TWO)
        assert pairs(state, later(1)) == [(7, 1)]


def test_one_who_may_take_it_after_a_step_is_waited_for() -> None:
    plan = QueuePlan(1, (Member(1), Member(2, delay=seconds(10))), prefer_for=seconds(20))
    state = a_state(plan)
    state.put_waiting(FOR_TWO)
    assert pairs(state, later(9)) == []
    assert pairs(state, later(10)) == [(7, 2)]


def test_what_looks_older_to_a_preferred_agent_still_goes_first() -> None:
    state = a_state(PLAN)
    for busy in (1, 3):
        state.put_agent(an_agent(busy, routing_status="interacting", version=2))
    state.put_waiting(FOR_TWO)
    state.put_waiting(Waiting(8, 1, later(-5), 1))
    assert pairs(state, later(1)) == [(8, 2)]


LANGUAGE = QueuePlan(1, (Member(1), Member(2)), language=1, steps=(Step(seconds(30), language=0),))
SPEAK = {1: {"lang:en": 3}, 2: {"lang:zh": 5}}


@pytest.mark.parametrize(
    ("language", "now", "agent"),
    [("zh_TW", 1, 2), ("en-GB", 1, 1), (None, 1, 1), ("fr", 1, 1), ("en", 31, 1)],
)
def test_a_customer_is_served_in_their_language(language: str | None, now: float, agent: int) -> None:
    state = a_state(LANGUAGE, skills=SPEAK, idle={1: 0, 2: 5})
    state.put_waiting(Waiting(7, 1, later(0), 1, language=language))
    assert pairs(state, later(now)) == [(7, agent)]


def test_a_language_that_only_agents_of_another_queue_speak_is_asked_of_nobody() -> None:
    helped = QueuePlan(1, (Member(1), Member(2, loans=((2, seconds(60)),))), language=1)
    state = a_state(helped, QueuePlan(2, (Member(2),)), skills={2: {"lang:de": 5}})
    state.put_waiting(Waiting(7, 1, later(0), 1, language="de"))
    assert pairs(state, later(1)) == [(7, 1)]


def test_a_language_is_dropped_at_its_step() -> None:
    state = a_state(LANGUAGE, skills=SPEAK)
    state.put_agent(an_agent(2, presence="break", version=2))
    state.put_waiting(Waiting(7, 1, later(0), 1, language="zh"))
    assert pairs(state, later(29)) == []
    assert state.next_wake() == later(30)
    assert pairs(state, later(30)) == [(7, 1)]


def test_languages_of_one_queue_share_one_order() -> None:
    state = a_state(QueuePlan(1, (Member(1),), language=1), skills={1: {"lang:zh": 1, "lang:en": 1}})
    for ident, language, second in ((7, "zh", 5), (8, "en", 3), (9, None, 4)):
        state.put_waiting(Waiting(ident, 1, later(second), 1, language=language))
    order = []
    now: datetime = later(100)
    for version in (2, 3, 4):
        order += [interaction for interaction, _ in pairs(state, now)]
        for done in order:
            state.remove(done, 2)
        state.put_agent(an_agent(1, version=version))
    assert order == [8, 9, 7]


def test_a_queue_may_have_a_language_of_its_own() -> None:
    plan = QueuePlan(1, (Member(1), Member(2)), language=1, default_language="zh")
    state = a_state(plan, skills=SPEAK, idle={2: 5})
    state.put_waiting(Waiting(7, 1, later(0), 1))
    assert pairs(state, later(1)) == [(7, 2)]
