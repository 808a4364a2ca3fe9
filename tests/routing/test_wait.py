"""What one who waits may be told: the place in line, and how long it will take."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from callcenter.domain.capacity import Limits
from routing.decide import decide
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from routing.wait import expected, expected_for_next, expected_unhelped, expected_wait, position
from tests.builders import NOW, later
from tests.routing.test_decide import an_agent
from tests.routing.test_order import seconds

HANDLING = 100.0
NOW_IS = later(100)


def a_state(agents: Mapping[int, str], *, queues: Mapping[int, list[int]] | None = None) -> RouterState:
    """Agents by their routing status; all of them in queue 1 unless `queues` says otherwise."""
    members = queues or {1: list(agents)}
    state = RouterState(
        [QueuePlan(queue, tuple(map(Member, of)), tiers={"gold": seconds(30)}) for queue, of in members.items()],
        require_console=False,
    )
    for agent, status in agents.items():
        state.put_agent(an_agent(agent, routing_status=status))
    return state


def waits(state: RouterState, *seconds_: float, queue: int = 1) -> list[Waiting]:
    work = [Waiting(number, queue, later(second), 1) for number, second in enumerate(seconds_, 10 * queue)]
    for each in work:
        state.put_waiting(each)
    return work


def test_with_nobody_ahead_and_somebody_free_there_is_no_wait() -> None:
    state = a_state({1: "idle"})
    assert expected_for_next(state, 1, "phone", HANDLING, NOW_IS) == 0
    (work,) = waits(state, 0)
    assert (position(state, work, NOW_IS), expected_wait(state, work, HANDLING, NOW_IS)) == (1, 0)


def test_with_nobody_at_work_the_wait_is_unknown() -> None:
    for status in ("not_responding", "private_call", "off_queue"):
        state = a_state({1: status})
        (work,) = waits(state, 0)
        assert expected_wait(state, work, HANDLING, NOW_IS) is None
    assert expected_for_next(a_state({}, queues={1: []}), 1, "phone", HANDLING, NOW_IS) is None


def test_those_who_are_busy_shorten_the_wait_of_whoever_comes_next() -> None:
    state = a_state({1: "interacting", 2: "wrap_up", 3: "offered", 4: "interacting"})
    first, second = waits(state, 0, 10)
    assert expected_wait(state, first, HANDLING, NOW_IS) == 25
    assert expected_wait(state, second, HANDLING, NOW_IS) == 50
    assert expected_for_next(state, 1, "phone", HANDLING, NOW_IS) == 75


def test_an_agent_of_two_queues_counts_half_in_each() -> None:
    state = a_state({1: "interacting", 2: "interacting"}, queues={1: [1, 2], 2: [2]})
    (work,) = waits(state, 0)
    assert expected_wait(state, work, HANDLING, NOW_IS) == HANDLING / 1.5
    assert expected_for_next(state, 2, "phone", HANDLING, NOW_IS) == HANDLING / 0.5


def test_an_agent_who_lacks_the_skills_is_no_help() -> None:
    plan = QueuePlan(1, (Member(1), Member(2)), needs={"zh": 1})
    state = RouterState([plan], skills={1: {"zh": 2}}, require_console=False)
    for agent in (1, 2):
        state.put_agent(an_agent(agent, routing_status="interacting"))
    (work,) = waits(state, 0)
    assert expected_wait(state, work, HANDLING, NOW_IS) == HANDLING


def test_agents_who_can_have_several_in_hand_serve_several_at_once() -> None:
    limits = Limits(of_agents={2: {"chat": 2}})
    state = RouterState([QueuePlan(1, (Member(1), Member(2)))], limits=limits, require_console=False)
    for agent, chats in ((1, 4), (2, 2)):
        state.put_agent(an_agent(agent, routing_status="interacting", load={"chat": chats}))
    work = Waiting(7, 1, later(0), 1, channel="chat")
    state.put_waiting(work)
    assert expected_wait(state, work, HANDLING, NOW_IS) == HANDLING / 6
    call = Waiting(8, 1, later(10), 1)
    state.put_waiting(call)
    assert (position(state, call, NOW_IS), expected_wait(state, call, HANDLING, NOW_IS)) == (1, HANDLING / 2)


def test_who_has_no_console_is_not_there_where_consoles_are_required() -> None:
    state = RouterState([QueuePlan(1, (Member(1),))], require_console=True)
    state.put_agent(an_agent(1, routing_status="interacting", desk=False))
    assert expected_for_next(state, 1, "phone", HANDLING, NOW_IS) is None
    state.put_agent(an_agent(1, routing_status="interacting", version=2))
    assert expected_for_next(state, 1, "phone", HANDLING, NOW_IS) == HANDLING


def test_who_has_just_lost_the_console_is_there_for_as_long_as_work_is_still_offered() -> None:
    state = RouterState([QueuePlan(1, (Member(1),))], require_console=True)
    state.put_agent(an_agent(1, routing_status="interacting", desk=False, desk_lost_at=later(90)))
    assert expected_for_next(state, 1, "phone", HANDLING, later(100)) == HANDLING
    assert expected_for_next(state, 1, "phone", HANDLING, later(151)) is None


def test_only_those_whom_the_router_serves_first_are_ahead() -> None:
    state = a_state({1: "interacting"})
    (plain,) = waits(state, 20)
    state.put_waiting(Waiting(1, 1, later(40), 1, tier="gold"))
    state.put_waiting(Waiting(2, 1, later(40), 1, priority=1))
    state.put_waiting(Waiting(3, 1, later(30), 1))
    assert position(state, plain, NOW_IS) == 3
    assert expected_wait(state, plain, HANDLING, NOW_IS) == 300


def test_what_waits_in_another_queue_is_not_ahead() -> None:
    state = a_state({1: "interacting", 2: "interacting"}, queues={1: [1], 2: [2]})
    waits(state, 0, 1, 2, queue=2)
    (work,) = waits(state, 50)
    assert position(state, work, NOW_IS) == 1


numbers = st.integers(0, 50)
shares = st.fractions(0, 50).map(float)


@given(ahead=numbers, ready=numbers, share=shares, more=st.integers(1, 20))
def test_more_ahead_is_never_shorter_and_more_agents_never_longer(
    ahead: int, ready: int, share: float, more: int
) -> None:
    def wait(*, ahead: int = ahead, ready: int = ready, share: float = share) -> float | None:
        return expected(handling=HANDLING, ahead=ahead, ready=ready, share=share)

    now = wait()
    assume(now is not None)
    assert now is not None
    further, helped, staffed = wait(ahead=ahead + more), wait(ready=ready + more), wait(share=share + more)
    assert further is None or further >= now
    assert helped is not None
    assert helped <= now
    assert staffed is not None
    assert staffed <= now


statuses = st.sampled_from(["idle", "interacting", "wrap_up", "not_responding"])
places = st.tuples(st.integers(0, 60), st.integers(0, 2), st.sampled_from([None, "gold"]))


@given(work=st.lists(places, min_size=1, max_size=12))
def test_the_position_is_the_order_in_which_identical_agents_would_serve(
    work: list[tuple[int, int, str | None]],
) -> None:
    state = a_state({1: "interacting"})
    for ident, (second, priority, tier) in enumerate(work, 1):
        state.put_waiting(Waiting(ident, 1, later(second), 1, priority, tier))
    told = {each.interaction: position(state, each, NOW_IS) for each in state.waiting.values()}
    served = []
    for version in range(2, len(work) + 2):
        state.put_agent(an_agent(1, version=version))
        (decision,) = decide_one(state)
        served.append(decision)
    assert [told[ident] for ident in served] == list(range(1, len(work) + 1))


def decide_one(state: RouterState) -> list[int]:
    made = []
    for decision in decide(state, NOW_IS):
        state.take(decision.interaction, decision.agent)
        made.append(decision.interaction)
    return made


@given(
    agents=st.lists(statuses, max_size=5),
    work=st.lists(places, min_size=1, max_size=8),
    waited=st.lists(st.integers(0, 500), min_size=1, max_size=5),
)
def test_nobody_is_told_more_because_they_have_waited(
    agents: list[str], work: list[tuple[int, int, str | None]], waited: list[int]
) -> None:
    state = a_state(dict(enumerate(agents, 1)), queues={1: list(range(1, len(agents) + 1))})
    for ident, (second, priority, tier) in enumerate(work, 1):
        state.put_waiting(Waiting(ident, 1, later(second), 1, priority, tier))
    one = state.waiting[1]
    told = [expected_wait(state, one, HANDLING, later(100 + second)) for second in sorted(waited)]
    known = [each for each in told if each is not None]
    assert known in ([], sorted(known, reverse=True))


steps = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["idle", "interacting", "off_queue"])), max_size=30)


@given(steps=steps, memberships=st.lists(st.sets(st.integers(1, 3)), min_size=4, max_size=4))
def test_staff_who_come_and_go_are_counted_as_if_they_had_just_come(
    steps: list[tuple[int, str]], memberships: list[set[int]]
) -> None:
    queues = {queue: [a for a, of in enumerate(memberships, 1) if queue in of] for queue in (1, 2, 3)}
    state = a_state({}, queues=queues)
    last: dict[int, AgentState] = {}
    for version, (agent, status) in enumerate(steps, 1):
        last[agent] = an_agent(agent, routing_status=status, version=version)
        state.put_agent(last[agent])
    state.settle(NOW_IS)
    for queue, members in queues.items():
        there = [agent for agent in members if agent in last and last[agent].routing_status != "off_queue"]
        assert (
            abs(state.staffing.share(queue, "phone") - sum(1 / len(memberships[agent - 1]) for agent in there)) < 1e-9
        )


def test_an_estimate_does_not_disturb_what_is_decided_next() -> None:
    state = a_state({1: "idle", 2: "idle"})
    work = waits(state, 0, 10, 20)
    for each in work:
        expected_wait(state, each, HANDLING, NOW_IS)
    assert [decision.interaction for decision in taken(state)] == [10, 11]
    assert expected_wait(state, work[2], HANDLING, NOW_IS) == 50
    state.put_waiting(replace(work[2], version=2))
    assert position(state, work[2], NOW + seconds(200)) == 1


def taken(state: RouterState):
    for decision in decide(state, NOW_IS):
        state.take(decision.interaction, decision.agent)
        yield decision


def test_who_comes_next_on_a_channel_on_which_all_came_in_one_language_is_told_their_wait() -> None:
    plan = QueuePlan(1, (Member(1),), language=1)
    state = RouterState([plan], skills={1: {"lang:zh": 5}}, require_console=False)
    state.put_agent(an_agent(1, routing_status="interacting", load={"chat": 4}))
    state.put_waiting(Waiting(7, 1, NOW, 1, channel="chat", language="zh"))
    for estimate in (expected_for_next, expected_unhelped):
        assert estimate(state, 1, "chat", HANDLING, NOW_IS) == HANDLING * 2 / 4


def test_who_is_lent_shortens_the_wait_but_not_what_the_loan_depends_on() -> None:
    helped = QueuePlan(1, (Member(1), Member(2), Member(3, loans=((2, seconds(0)),))))
    state = RouterState([helped, QueuePlan(2, (Member(3),))], require_console=False)
    state.put_agent(an_agent(1, routing_status="interacting"))
    state.put_agent(an_agent(3))
    estimates = expected_for_next, expected_unhelped
    assert [estimate(state, 1, "phone", HANDLING, NOW_IS) for estimate in estimates] == [100, 100]
    assert state.lend_only(frozenset({(1, 2, seconds(0))}))
    assert [estimate(state, 1, "phone", HANDLING, NOW_IS) for estimate in estimates] == [0, 100]
    assert not state.lend_only(frozenset({(1, 2, seconds(0))}))
    state.put_agent(an_agent(2))
    assert [estimate(state, 1, "phone", HANDLING, NOW_IS) for estimate in estimates] == [0, 0]
