"""Several contacts in one hand: who stands in line for what, and in which order they are asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.capacity import CAPACITY, Limits
from routing.decide import Decision, decide
from routing.facts import Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from tests.builders import NOW, later
from tests.routing.test_decide import all_decisions, an_agent, some_state


def work(ident: int, channel: str, *, queue: int = 1, second: float = 0) -> Waiting:
    return Waiting(ident, queue, later(second), 1, channel=channel)


def test_a_call_goes_to_an_agent_who_has_a_mail_in_hand_and_a_mail_to_none_who_talks() -> None:
    state = some_state(an_agent(1, routing_status="interacting", load={"email": 1}))
    state.put_waiting(work(7, "phone"))
    assert all_decisions(state) == [(7, 1)]
    state = some_state(an_agent(1, routing_status="interacting", load={"phone": 1}))
    state.put_waiting(work(7, "email"))
    assert all_decisions(state) == []


def test_who_has_less_in_hand_is_asked_before_who_has_been_idle_longest() -> None:
    state = some_state(
        an_agent(1, idle=0, routing_status="interacting", load={"chat": 2}),
        an_agent(2, idle=40, routing_status="interacting", load={"chat": 1}),
        an_agent(3, idle=50),
    )
    for ident in (7, 8, 9):
        state.put_waiting(work(ident, "chat", second=ident))
    assert all_decisions(state) == [(7, 3), (8, 2), (9, 1)]


def test_an_agent_with_an_offer_a_next_presence_or_no_answer_is_asked_for_nothing() -> None:
    cases: tuple[dict[str, Any], ...] = (
        {"routing_status": "offered", "load": {"email": 1}},
        {"routing_status": "interacting", "load": {"email": 1}, "next_presence": "break"},
        {"routing_status": "not_responding", "load": {"email": 1}},
        {"routing_status": "private_call", "load": {}},
    )
    for changes in cases:
        state = some_state(an_agent(1, **changes))
        state.put_waiting(work(7, "phone"))
        assert all_decisions(state) == []


def test_a_decision_says_how_many_had_no_room() -> None:
    state = some_state(
        an_agent(1),
        an_agent(2, routing_status="interacting", load={"phone": 1}),
        an_agent(3, routing_status="wrap_up", load={"chat": 4}),
        an_agent(4, routing_status="interacting", load={"email": 1}, next_presence="meal"),
        an_agent(5, idle=90, routing_status="interacting", load={"chat": 3}),
    )
    state.put_waiting(work(7, "chat"))
    decision = next(decide(state, later(100)))
    assert decision.agent == 1
    assert decision.why["excluded"] == {"capacity": 2, "next_presence": 1}
    assert [(each["agent"], each["in_hand"]) for each in decision.why["candidates"]] == [(1, 0), (5, 3)]


def test_who_has_no_phone_is_left_out_of_calls_with_that_reason_and_takes_other_work() -> None:
    limits = Limits(of_agents={2: {"phone": 0}, 3: {"phone": 0}}, phoneless={2})
    state = RouterState([QueuePlan(1, (Member(1), Member(2), Member(3)))], limits=limits, require_console=False)
    for agent, idle in ((1, 0), (2, 90), (3, 80)):
        state.put_agent(an_agent(agent, idle=idle))
    state.put_waiting(work(7, "phone"))
    decision = next(decide(state, later(100)))
    assert (decision.agent, decision.why["excluded"]) == (1, {"no_phone": 1, "capacity": 1})
    state.take(7, 1)
    state.put_waiting(work(8, "chat"))
    assert next(decide(state, later(100))).agent in (2, 3)


def test_a_channel_costs_nothing_before_its_first_work_comes() -> None:
    state = some_state(an_agent(1), queues={1: [1], 2: [1]})
    state.settle(NOW)
    assert set(state.pools) == {(1, "phone", None), (2, "phone", None)}
    state.put_waiting(work(7, "fax", queue=2))
    assert all_decisions(state) == [(7, 1)]
    assert set(state.pools) == {(1, "phone", None), (2, "phone", None), (2, "fax", None)}


loads = st.dictionaries(st.sampled_from(["phone", "chat", "email"]), st.integers(1, 4), max_size=2)


@given(
    hands=st.lists(st.tuples(loads, st.integers(0, 20), st.sets(st.integers(1, 2), min_size=1)), max_size=6),
    own=st.dictionaries(st.integers(1, 6), st.just({"chat": 2, "phone": 0})),
    waits=st.lists(
        st.tuples(st.sampled_from(["phone", "chat", "email"]), st.integers(1, 2), st.integers(0, 50)), max_size=12
    ),
)
def test_nobody_gets_more_than_they_have_room_for_and_no_room_stays_empty(
    hands: list[tuple[dict[str, int], int, set[int]]],
    own: dict[int, Mapping[str, int]],
    waits: list[tuple[str, int, int]],
) -> None:
    limits = Limits(of_agents={agent: capacity for agent, capacity in own.items() if agent <= len(hands)})
    members = {queue: [n for n, (_, _, of) in enumerate(hands, 1) if queue in of] for queue in (1, 2)}
    plans = [QueuePlan(queue, tuple(map(Member, of))) for queue, of in members.items()]
    state = RouterState(plans, limits=limits, require_console=False)
    for agent, (load, idle, _) in enumerate(hands, 1):
        state.put_agent(an_agent(agent, idle=idle, routing_status="interacting" if load else "idle", load=load))
    for ident, (channel, queue, second) in enumerate(waits, 1):
        state.put_waiting(work(ident, channel, queue=queue, second=second))

    def may(agent: int, item: Waiting) -> bool:
        known = state.agents[agent]
        return agent in members[item.queue] and limits.may_take(agent, item.channel, known.load)

    def carry_out(decision: Decision) -> None:
        """Accepted at once: the agent has it in hand and may get more."""
        item, agent = state.waiting[decision.interaction], state.agents[decision.agent]
        load = {**agent.load, item.channel: agent.load.get(item.channel, 0) + 1}
        state.remove(item.interaction, 2)
        state.put_agent(replace(agent, routing_status="interacting", load=load, version=agent.version + 1))

    for _ in range(len(waits) + 1):
        now = later(100)
        for decision in decide(state, now):
            item = state.waiting[decision.interaction]
            assert may(decision.agent, item)
            for other in state.waiting.values():
                if may(decision.agent, other):
                    assert (item.queued_at, item.interaction) <= (other.queued_at, other.interaction)
            in_hand = sum(state.agents[decision.agent].load.values())
            assert decision.why["candidates"][0]["in_hand"] <= in_hand
            state.take(decision.interaction, decision.agent)
            carry_out(decision)
    assert not [(agent, item) for item in state.waiting.values() for agent in state.agents if may(agent, item)]
    for agent, known in state.agents.items():
        before = hands[agent - 1][0]
        capacity = {**CAPACITY, **limits.of_agents.get(agent, {})}
        assert all(n <= max(before.get(channel, 0), capacity[channel]) for channel, n in known.load.items())
