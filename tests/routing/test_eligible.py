"""Whoever says in words why an agent is not asked says what the router does."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.agent import RoutingStatus
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY, Limits
from callcenter.domain.eligible import Asking, Bar, Colleague, bars
from callcenter.domain.needs import Skills
from callcenter.domain.order import Step
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from tests.builders import later

NOW_IS = later(60)


def a_colleague(**changes: Any) -> Colleague:
    """Free, and fit for everything."""
    fields: dict[str, Any] = {
        "name": "amy", "presence": "on_queue", "routing_status": "idle", "next_presence": None,
        "idle_since": later(-100), "not_before": None, "desk": True, "desk_lost_at": None, "load": {},
        "skills": {"tea": 3}, "capacity": CAPACITY,
    }  # fmt: skip
    return Colleague(**{**fields, **changes})


def asking(**changes: Any) -> Asking:
    fields: dict[str, Any] = {"channel": "phone", "queued_at": later(0), "needs": [({},)]}
    return Asking(**{**fields, "interrupted_by": INTERRUPTED_BY, **changes})


@pytest.mark.parametrize(
    ("agent", "work", "why"),
    [
        ({}, {}, []),
        ({"presence": "meal"}, {}, [Bar("meal")]),
        ({"routing_status": "not_responding"}, {}, [Bar("not_responding")]),
        ({"next_presence": "meal"}, {}, [Bar("next_presence")]),
        ({"not_before": later(70)}, {}, [Bar("left_alone", later(70))]),
        ({"not_before": later(60)}, {}, []),
        ({"desk": False}, {}, [Bar("no_console")]),
        ({"desk": False}, {"require_console": False}, []),
        ({"desk": False, "desk_lost_at": later(0)}, {}, [Bar("no_console")]),
        ({"desk": False, "desk_lost_at": later(1)}, {}, []),
        ({}, {"needs": [({"tea": 4},)]}, [Bar("skills", None, "tea 4")]),
        ({}, {"needs": [({"tea": 4},), ({"tea": 3},)]}, [Bar("later_step", None, "tea 4")]),
        ({}, {"needs": [({"tea": 3},), ({"tea": 5},)]}, [Bar("skills", None, "tea 5")]),
        ({"delay": timedelta(seconds=61)}, {}, [Bar("later_step", later(61))]),
        ({"delay": timedelta(seconds=60)}, {}, []),
        ({"phoneless": True}, {}, [Bar("no_phone")]),
        ({"phoneless": True}, {"channel": "chat"}, []),
        ({"capacity": {"phone": 1}}, {"channel": "chat"}, [Bar("capacity")]),
        ({"load": {"phone": 1}, "routing_status": "interacting"}, {}, [Bar("capacity")]),
        ({"load": {"email": 1}, "routing_status": "interacting"}, {}, []),
        ({"lender": "sales"}, {}, [Bar("not_lent")]),
        ({"lender": "sales", "desk": False}, {}, [Bar("no_console")]),
        (
            {"desk": False, "phoneless": True},
            {"needs": [({"tea": 4},)]},
            [Bar("no_console"), Bar("skills", None, "tea 4"), Bar("no_phone")],
        ),
    ],
)
def test_each_reason_is_told_and_all_of_them(agent: dict[str, Any], work: dict[str, Any], why: list[Bar]) -> None:
    assert bars(a_colleague(**agent), asking(**work), NOW_IS) == why


def moment(*seconds: float) -> st.SearchStrategy[datetime | None]:
    return st.sampled_from([None, *map(later, seconds)])


levels = st.dictionaries(st.sampled_from(["tea", "coffee", "lang:zh"]), st.integers(1, 5), max_size=3)
colleagues = st.builds(
    a_colleague,
    presence=st.sampled_from(["on_queue", "on_queue", "on_queue", "break"]),
    routing_status=st.sampled_from(["idle", "idle", "interacting", "wrap_up", "idle", *RoutingStatus]).map(str),
    next_presence=st.sampled_from([None, None, None, "meal"]),
    idle_since=moment(-100, -5),
    not_before=moment(0, 60, 65),
    desk=st.booleans(),
    desk_lost_at=moment(-50, 0, 1, 59),
    load=st.dictionaries(st.sampled_from(["phone", "chat", "email"]), st.integers(1, 4), max_size=2),
    skills=levels,
    capacity=st.sampled_from([{}, {"chat": 0}, {"phone": 2}]).map(lambda own: {**CAPACITY, **own}),
    delay=st.sampled_from([0, 30, 60, 61, 90]).map(lambda seconds: timedelta(seconds=seconds)),
    phoneless=st.booleans(),
)
steps = st.lists(
    st.tuples(st.sampled_from([20, 60, 70, 120]), levels, st.integers(0, 3)), max_size=3, unique_by=lambda step: step[0]
).map(
    lambda found: tuple(
        Step(timedelta(seconds=after), needs, level) for after, needs, level in sorted(found, key=_first)
    )
)


def _first(step: tuple[int, Skills, int]) -> int:
    return step[0]


@given(
    agents=st.lists(colleagues, min_size=1, max_size=4),
    needs=levels,
    language=st.integers(0, 3),
    steps=steps,
    channel=st.sampled_from(["phone", "chat", "email"]),
    spoken=st.sampled_from([None, "zh", "fr"]),
    require_console=st.booleans(),
)
def test_who_is_free_and_eligible_by_the_routers_state_has_no_reason_and_the_others_have_the_routers(
    agents: list[Colleague],
    needs: Skills,
    language: int,
    steps: tuple[Step, ...],
    channel: str,
    spoken: str | None,
    require_console: bool,
) -> None:
    plan = QueuePlan(
        queue=1,
        members=tuple(Member(ident, delay=agent.delay) for ident, agent in enumerate(agents)),
        needs=needs,
        steps=steps,
        language=language,
    )
    phoneless = {ident for ident, agent in enumerate(agents) if agent.phoneless}
    own = {
        ident: {**agent.capacity, "phone": 0} if ident in phoneless else agent.capacity
        for ident, agent in enumerate(agents)
    }
    skills = {ident: agent.skills for ident, agent in enumerate(agents)}
    state = RouterState(
        [plan], skills=skills, limits=Limits(of_agents=own, phoneless=phoneless), require_console=require_console
    )
    for ident, agent in enumerate(agents):
        state.put_agent(
            AgentState(
                ident,
                agent.presence,
                agent.routing_status,
                agent.idle_since,
                agent.not_before,
                agent.desk,
                agent.desk_lost_at,
                1,
                agent.load,
                agent.next_presence,
            )
        )
    work = Waiting(7, 1, later(0), 1, channel=channel, language=spoken)
    state.put_waiting(work)
    state.settle(NOW_IS)
    pool = state.line_of(work)
    assert pool is not None
    stage = state._places[7].stage
    waited = NOW_IS - work.queued_at
    coming = (waited, *(step.after for step in steps if step.after > waited))
    asked = asking(
        channel=channel,
        needs=[plan.needs_after(each, pool.language) for each in coming],
        require_console=require_console,
    )
    for ident, agent in enumerate(agents):
        found = bars(Colleague(**{**_fields(agent), "capacity": own[ident]}), asked, NOW_IS)
        barred = [why for of, why in state._barred[ident] if of is pool]
        lined = next((n for n, line in enumerate(pool.idle) if any(turn[-1] == ident for turn in line)), None)
        if barred:
            assert found[0].why == barred[0]
            continue
        assert lined is not None
        assert [bar.why for bar in found][:1] == (["later_step"] if lined > stage else [])


def _fields(agent: Colleague) -> dict[str, Any]:
    return {name: getattr(agent, name) for name in Colleague.__dataclass_fields__}
