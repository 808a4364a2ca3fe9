"""Who gets what."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.events import Event
from routing.decide import Decision, decide
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from tests.builders import NOW, later


def an_agent(ident: int, *, idle: float = 0, **changes: object) -> AgentState:
    fields: dict[str, object] = {
        "agent": ident,
        "presence": "on_queue",
        "routing_status": "idle",
        "idle_since": later(idle),
        "not_before": None,
        "desk": True,
        "desk_lost_at": None,
        "version": 1,
    }
    if "load" not in changes and changes.get("routing_status") in ("offered", "interacting", "wrap_up"):
        fields["load"] = {"phone": 1}
    return AgentState(**{**fields, **changes})  # type: ignore[arg-type]


def some_state(*agents: AgentState, queues: dict[int, list[int]] | None = None) -> RouterState:
    members = queues or {1: [agent.agent for agent in agents]}
    plans = [QueuePlan(queue, tuple(map(Member, of))) for queue, of in members.items()]
    state = RouterState(plans, require_console=True)
    for agent in agents:
        state.put_agent(agent)
    return state


def all_decisions(state: RouterState, now: object = None) -> list[tuple[int, int]]:
    found = []
    for decision in decide(state, later(100) if now is None else now):  # type: ignore[arg-type]
        state.take(decision.interaction, decision.agent)
        found.append((decision.interaction, decision.agent))
    return found


def test_the_longest_idle_agent_gets_the_longest_waiting_call() -> None:
    state = some_state(an_agent(1, idle=50), an_agent(2, idle=10), an_agent(3, idle=30))
    for ident, second in ((7, 60), (8, 40)):
        state.put_waiting(Waiting(ident, 1, later(second), 1))
    assert all_decisions(state) == [(8, 2), (7, 3)]


def test_a_call_that_came_back_keeps_its_place() -> None:
    state = some_state(an_agent(1))
    state.put_waiting(Waiting(7, 1, later(60), 1))
    state.put_waiting(Waiting(8, 1, later(40), 5))
    assert all_decisions(state) == [(8, 1)]


def test_across_queues_the_longest_waiting_goes_first() -> None:
    state = some_state(an_agent(1), queues={1: [1], 2: [1]})
    state.put_waiting(Waiting(7, 1, later(60), 1))
    state.put_waiting(Waiting(8, 2, later(40), 1))
    assert all_decisions(state) == [(8, 1)]


def test_a_queue_without_free_agents_does_not_hold_up_another() -> None:
    state = some_state(an_agent(1), an_agent(2, routing_status="interacting"), queues={1: [2], 2: [1]})
    state.put_waiting(Waiting(7, 1, later(10), 1))
    state.put_waiting(Waiting(8, 2, later(40), 1))
    assert all_decisions(state) == [(8, 1)]


def test_an_agent_left_alone_after_a_failure_is_asked_again_when_the_pause_is_over() -> None:
    state = some_state(an_agent(1, not_before=later(120)))
    state.put_waiting(Waiting(7, 1, later(10), 1))
    assert all_decisions(state, later(100)) == []
    assert state.next_wake() == later(120)
    assert all_decisions(state, later(120)) == [(7, 1)]


def test_an_agent_whose_desk_was_lost_is_offered_work_for_a_minute_more() -> None:
    for lost, expected in ((41, [(7, 1)]), (39, [])):
        state = some_state(an_agent(1, desk=False, desk_lost_at=later(lost)))
        state.put_waiting(Waiting(7, 1, later(10), 1))
        assert all_decisions(state, later(100)) == expected


def test_an_agent_who_never_opened_a_desk_is_offered_nothing_unless_consoles_are_not_required() -> None:
    state = some_state(an_agent(1, desk=False))
    state.put_waiting(Waiting(7, 1, later(10), 1))
    assert all_decisions(state) == []
    state.require_console = False
    state.put_agent(an_agent(1, desk=False, version=2))
    assert all_decisions(state) == [(7, 1)]


def test_a_decision_that_was_refused_is_taken_again() -> None:
    state = some_state(an_agent(1))
    state.put_waiting(Waiting(7, 1, later(10), 1))
    assert all_decisions(state) == [(7, 1)]
    assert all_decisions(state) == []
    state.give_back(7, 1)
    assert all_decisions(state) == [(7, 1)]


def test_an_old_event_does_not_bring_back_work_that_has_left() -> None:
    state = some_state(an_agent(1))
    state.put_waiting(Waiting(7, 1, later(10), 3))
    state.remove(7, 4)
    state.apply(_queued(7, version=3))
    assert all_decisions(state) == []


def _queued(ident: int, *, version: int) -> Event:
    data = {"state": "queued", "queued_at": later(10).isoformat(), "priority": 0, "node": None, "channel": "phone"}
    return Event(1, 1, 1, NOW, "interaction.queued", ident, None, None, 1, None, None, version, data)


@given(
    agents=st.lists(st.tuples(st.integers(0, 20), st.sets(st.integers(1, 3), min_size=1)), max_size=8),
    work=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 3)), max_size=12),
)
def test_no_agent_is_left_idle_while_work_that_they_may_take_waits(
    agents: list[tuple[int, set[int]]], work: list[tuple[int, int]]
) -> None:
    queues: dict[int, list[int]] = {1: [], 2: [], 3: []}
    for ident, (_, memberships) in enumerate(agents, 1):
        for queue in memberships:
            queues[queue].append(ident)
    state = some_state(*(an_agent(n, idle=idle) for n, (idle, _) in enumerate(agents, 1)), queues=queues)
    for ident, (second, queue) in enumerate(work, 1):
        state.put_waiting(Waiting(ident, queue, NOW + timedelta(seconds=second), 1))
    made: list[Decision] = []
    for decision in decide(state, later(100)):
        # What goes out now waited no less than anything else that this agent might have taken.
        for other in state.waiting.values():
            if other.interaction not in state.taken_work and decision.agent in queues[other.queue]:
                assert (state.waiting[decision.interaction].queued_at, decision.interaction) <= (
                    other.queued_at,
                    other.interaction,
                )
        state.take(decision.interaction, decision.agent)
        made.append(decision)
    assert len({d.agent for d in made}) == len({d.interaction for d in made}) == len(made)
    for d in made:
        assert d.agent in queues[d.queue]
    free = set(range(1, len(agents) + 1)) - state.taken_agents
    for ident, (_, queue) in enumerate(work, 1):
        if ident not in state.taken_work:
            assert not free & set(queues[queue])


def test_a_state_that_never_decides_does_not_grow_with_what_it_has_seen() -> None:
    state = some_state(an_agent(1), queues={1: [1], 2: [1]})
    for n in range(2000):
        state.put_agent(an_agent(1, idle=n, version=n + 2))
        state.put_waiting(Waiting(n, 1, later(n), 1))
        if n < 1995:
            state.remove(n, 2)
    assert state.unsettled == 1 + 5
    assert all_decisions(state, later(3000)) == [(1995, 1)]


def test_an_agent_left_out_by_many_queues_wakes_once() -> None:
    state = some_state(an_agent(1, not_before=later(200)), queues={n: [1] for n in range(20)})
    for n in range(20):
        state.put_waiting(Waiting(n, n, later(n), 1))
    assert all_decisions(state, later(100)) == []
    assert state.next_wake() == later(200)
    assert all_decisions(state, later(200)) == [(0, 1)]
    assert state.next_wake() is None
