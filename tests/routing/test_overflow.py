"""What becomes of work that waits too long, and whose agents help out."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.order import Step
from callcenter.domain.overflow import Overflow, Treatment, find_circle
from routing.decide import decide
from routing.facts import Waiting
from routing.overflow import due, falls_due, holds, next_step
from routing.plan import Member, QueuePlan, Rule
from routing.state import RouterState
from tests.builders import NOW, later
from tests.routing.test_decide import an_agent
from tests.routing.test_order import pairs, seconds

MOVE = Rule(key="move", after=seconds(60), to=2)
CALLBACK = Rule(key="callback", after=seconds(90), treatment=Treatment.CALLBACK)
LONG = Rule(key="long", expected=seconds(120), treatment=Treatment.VOICEMAIL)
LEND = Rule(key="lend", after=seconds(30), lend=2)


def next_of(rules, work, waited, *, expected=0.0, open_queues=(1, 2, 3)):
    return due(rules, work, later(waited), expected=expected, is_open=open_queues.__contains__)


def some_work(**changes) -> Waiting:
    return Waiting(7, 1, NOW, 1, **changes)


def test_rules_are_carried_out_in_their_order_when_their_time_has_come() -> None:
    work = some_work()
    assert next_of((CALLBACK, MOVE), work, 59) is None
    assert next_of((CALLBACK, MOVE), work, 60) is MOVE
    assert next_of((CALLBACK, MOVE), work, 95) is CALLBACK


def test_a_treatment_is_decided_once() -> None:
    work = some_work(treated=("callback",))
    assert next_of((CALLBACK,), work, 95) is None
    assert falls_due((CALLBACK,), work) is None


def test_time_counts_from_when_it_came_into_this_queue() -> None:
    work = some_work(entered_at=later(50))
    assert next_of((MOVE,), work, 60) is None
    assert falls_due((MOVE,), work) == later(110)
    assert next_of((MOVE,), work, 110) is MOVE


@pytest.mark.parametrize(("expected", "rule"), [(120.0, None), (120.1, LONG), (None, LONG)])
def test_an_expected_wait_is_too_long_above_its_limit_and_when_nobody_is_at_work(expected, rule) -> None:
    assert next_of((LONG,), some_work(), 0, expected=expected) is rule


def test_nothing_moves_into_a_closed_queue() -> None:
    assert next_of((MOVE, CALLBACK), some_work(), 60, open_queues=(1,)) is None
    assert next_of((MOVE, CALLBACK), some_work(), 90, open_queues=(1,)) is CALLBACK


def test_what_comes_next_is_told_with_its_time() -> None:
    work = some_work()
    assert next_step((CALLBACK, MOVE, LEND), work, later(10)) == (LEND, seconds(20))
    assert next_step((CALLBACK, MOVE, LEND), work, later(40)) == (MOVE, seconds(20))
    assert next_step((LONG, MOVE), work, later(70)) == (LONG, None)
    assert next_step((MOVE,), work, later(70)) is None


def test_a_loan_counts_the_whole_wait_as_it_is_told() -> None:
    state, work = a_lending_state(), some_work(entered_at=later(20))
    state.lend_only(frozenset({(1, 2, seconds(30))}))
    state.put_waiting(work)
    assert next_step((LEND, MOVE), work, later(21)) == (LEND, seconds(9))
    assert pairs(state, later(29)) == []
    assert pairs(state, later(30)) == [(7, 2)]
    assert next_step((LEND, MOVE), work, later(30)) == (MOVE, seconds(50))


rules_of_anything = st.lists(
    st.builds(
        lambda number, after, treatment: Rule(
            key=str(number), after=seconds(after), to=None if treatment else 2, treatment=treatment
        ),
        st.integers(0, 99),
        st.integers(1, 100),
        st.sampled_from([None, *Treatment]),
    ),
    max_size=5,
    unique_by=lambda rule: rule.key,
)


@given(rules=rules_of_anything, waited=st.integers(0, 120))
def test_something_is_due_exactly_from_the_moment_it_falls_due(rules: list[Rule], waited: int) -> None:
    moment, work = falls_due(rules, some_work()), some_work()
    rule = next_of(rules, work, waited)
    assert (rule is not None) == (moment is not None and later(waited) >= moment)
    step = next_step(rules, work, later(waited))
    if step is not None and step[1] is not None:
        assert next_of([step[0]], work, waited + step[1].total_seconds()) is step[0]


@given(rules=rules_of_anything)
def test_each_treatment_happens_once_however_long_it_waits(rules: list[Rule]) -> None:
    rules = [rule for rule in rules if rule.treatment is not None]
    done: tuple[str, ...] = ()
    while (rule := next_of(rules, some_work(treated=done), 1000)) is not None:
        done += (rule.key,)
    assert sorted(done) == sorted(rule.key for rule in rules)


@given(edges=st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), max_size=6))
def test_a_circle_is_found_when_there_is_one(edges: dict[str, list[str]]) -> None:
    circle = find_circle(edges)
    if circle:
        assert circle[0] == circle[-1]
        assert all(b in edges[a] for a, b in pairwise(circle))
        return
    # Without one the queues can be put into an order in which work only goes on.
    left = dict(edges)
    while left:
        last = [name for name, ways in left.items() if not any(way in left for way in ways)]
        assert last
        for name in last:
            del left[name]


def test_a_rule_is_written_as_people_say_it() -> None:
    said = [
        str(Overflow(after=seconds(90), to="sales")),
        str(Overflow(expected=timedelta(minutes=2), lend="billing")),
        str(Overflow(after=seconds(5), treatment=Treatment.CALLBACK)),
    ]
    assert said == ["after 1m30s: to sales", "expected over 2m: lend billing", "after 5s: callback"]


def a_lending_state() -> RouterState:
    """Agent 1 in queue 1, agents 2 and 3 in queue 2, which lends them to queue 1 for what has waited 30 seconds."""
    helped = QueuePlan(
        1, (Member(1), Member(2, loans=((2, seconds(30)),)), Member(3, loans=((2, seconds(30)),))), overflow=(LEND,)
    )
    state = RouterState([helped, QueuePlan(2, (Member(2), Member(3)))], require_console=False)
    state.put_agent(an_agent(1, routing_status="interacting"))
    for agent in (2, 3):
        state.put_agent(an_agent(agent))
    return state


def test_lent_agents_take_work_only_while_they_are_lent_and_only_what_has_waited() -> None:
    state = a_lending_state()
    state.put_waiting(Waiting(7, 1, later(0), 1))
    assert pairs(state, later(40)) == []
    state.lend_only(frozenset({(1, 2, seconds(30))}))
    assert pairs(state, later(40)) == [(7, 2)]
    state.put_waiting(Waiting(8, 1, later(35), 1))
    assert pairs(state, later(64)) == []
    state.lend_only(frozenset())
    assert pairs(state, later(70)) == []
    state.put_waiting(Waiting(9, 2, later(50), 1))
    assert pairs(state, later(71)) == [(9, 3)]


def test_an_agent_who_is_lent_still_takes_the_own_queues_work_when_it_looks_older() -> None:
    state = a_lending_state()
    state.lend_only(frozenset({(1, 2, seconds(30))}))
    state.put_waiting(Waiting(7, 1, later(20), 1))
    state.put_waiting(Waiting(8, 2, later(10), 1))
    assert pairs(state, later(60)) == [(8, 2), (7, 3)]


def test_lent_agents_count_as_staff_of_their_own_queue_alone() -> None:
    state = a_lending_state()
    state.settle(later(0))
    assert (state.staffing.share(1, "phone"), state.staffing.share(2, "phone")) == (1, 2)


changes = st.lists(st.tuples(st.sampled_from(["lend", "keep", "idle", "busy", "work"]), st.integers(2, 3)), max_size=20)


@given(changes=changes)
def test_however_lending_and_agents_change_nobody_who_is_not_lent_gets_the_others_work(
    changes: list[tuple[str, int]],
) -> None:
    state, lent = a_lending_state(), False
    for step, (change, agent) in enumerate(changes, 2):
        match change:
            case "lend" | "keep":
                lent = change == "lend"
                state.lend_only(frozenset({(1, 2, seconds(30))} if lent else ()))
            case "idle" | "busy":
                status = "idle" if change == "idle" else "interacting"
                state.put_agent(an_agent(agent, routing_status=status, version=step))
            case _:
                state.put_waiting(Waiting(step, 1, NOW, 1))
        free = {a.agent for a in state.agents.values() if a.routing_status == "idle"} - state.taken_agents
        waits = state.waiting.keys() - state.taken_work
        made = []
        for decision in decide(state, later(100)):
            state.take(decision.interaction, decision.agent)
            made.append(decision.agent)
        assert set(made) <= free
        assert len(made) == (min(len(free), len(waits)) if lent else 0)


@pytest.mark.parametrize(
    ("share", "came", "expected"), [(None, 90, True), (0.8, 90, True), (0.79, 90, False), (None, 79, False)]
)
def test_a_queue_lends_while_it_keeps_its_promise_itself(share: float | None, came: float, expected: bool) -> None:
    state = a_lending_state()
    for agent in (2, 3):
        state.put_agent(an_agent(agent, routing_status="interacting", version=2))
    state.put_waiting(Waiting(7, 2, later(came), 1))
    assert holds(state, 2, later(100), share_in_time=share, target=0.8, within=seconds(20)) == expected


def test_a_promise_is_about_the_time_in_this_queue_alone() -> None:
    state = RouterState([QueuePlan(2, (Member(2),))], require_console=False)
    state.put_waiting(Waiting(7, 2, NOW, 1, entered_at=later(180)))
    kept = [
        holds(state, 2, later(second), share_in_time=0.95, target=0.8, within=seconds(20)) for second in (181, 200, 201)
    ]
    assert kept == [True, True, False]


def test_each_rule_lends_with_a_delay_of_its_own() -> None:
    """Agent 2 is lent by queue 2 after 30 s, or at once while another rule says so, and by queue 3 after 60 s."""
    loans = ((2, seconds(30)), (2, seconds(0)), (3, seconds(60)))
    helped = QueuePlan(1, (Member(1), Member(2, loans=loans)), steps=(Step(seconds(45), {}, None),))
    state = RouterState([helped, QueuePlan(2, (Member(2),)), QueuePlan(3, (Member(2),))], require_console=False)
    state.put_agent(an_agent(2))
    pool = state.pools[1, "phone", None]
    assert pool.thresholds == tuple(map(seconds, (0, 30, 45, 60)))
    seen = []
    for which in ((), (0,), (0, 1), (1,), (2,), (0, 2), ()):
        state.lend_only(frozenset((1, *loans[number]) for number in which))
        state.settle(NOW)
        seen.append([stage for stage, line in enumerate(pool.idle) for _ in line])
    assert seen == [[], [1], [0], [0], [3], [1], []]
