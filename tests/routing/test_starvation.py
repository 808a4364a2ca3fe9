"""Nobody waits for ever: how much newer work can go before what waits, whatever its priority, value or agents."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.needs import Skills
from callcenter.domain.order import Step
from routing.decide import decide
from routing.facts import Waiting
from routing.plan import Member, QueuePlan
from routing.state import RouterState
from tests.builders import NOW, later
from tests.routing.test_decide import an_agent
from tests.routing.test_order import eligible, seconds

_PACE = 5  # seconds from one agent's becoming free to the next
_MOST_PRIORITY, _TIER = timedelta(minutes=1), timedelta(seconds=20)
_SHIFTS = st.sampled_from([0, 0, -10, 10])
_SKILLS: dict[int, Skills] = {1: {"a": 5}, 2: {"a": 2}, 3: {}}


@dataclass(frozen=True, slots=True)
class Newer:
    """Work that comes while other work waits."""

    queue: int
    priority: int
    tier: str | None
    preferred: tuple[int, ...]


def overtaken_until(work: Waiting, plans: dict[int, QueuePlan], agent: int) -> datetime:
    """What comes later than this can never go before `work` to `agent`.

    Newer work looks older only when queued_at - tier - priority - shift is earlier, so when it came less than the
    difference of those shifts later: at most the largest that there are.
    """
    own = timedelta(minutes=work.priority) + (_TIER if work.tier == "gold" else timedelta())
    shifts = {
        plan.queue: member.age_shift for plan in plans.values() for member in plan.members if member.agent == agent
    }
    return work.queued_at + (_MOST_PRIORITY + _TIER - own) + (max(shifts.values()) - shifts[work.queue])


newer_work = st.builds(
    Newer,
    st.sampled_from([0, 1]),
    st.sampled_from([0, 1, 1]),
    st.sampled_from([None, "gold", "gold"]),
    st.sampled_from([(), (), (1,), (3, 2)]),
)


@given(
    shifts=st.lists(_SHIFTS, min_size=6, max_size=6),
    first=st.tuples(st.sampled_from([0, 0, 1]), st.sampled_from([None, None, "gold"])),
    stream=st.lists(st.lists(newer_work, max_size=3), min_size=1, max_size=8),
    free=st.lists(st.sampled_from([1, 2, 3]), max_size=5),
)
@settings(max_examples=50)
def test_what_waits_is_decided_after_no_more_than_what_came_within_the_greatest_difference_of_shifts(
    shifts: list[int], first: tuple[int, str | None], stream: list[list[Newer]], free: list[int]
) -> None:
    """The newer work never ends; every five seconds some agent is free who takes the queues of both."""
    members = [tuple(Member(n, age_shift=seconds(shifts[3 * q + n - 1])) for n in (1, 2, 3)) for q in (0, 1)]
    steps = (Step(seconds(30), {"a": 1}), Step(seconds(60), {}))
    plans = {
        0: QueuePlan(0, members[0], needs={"a": 3}, steps=steps, tiers={"gold": _TIER}, prefer_for=seconds(25)),
        1: QueuePlan(1, members[1], tiers={"gold": _TIER}, prefer_for=seconds(25)),
    }
    state = RouterState(plans.values(), skills=_SKILLS, require_console=False)
    for agent in _SKILLS:
        state.put_agent(an_agent(agent, routing_status="interacting"))
    work = Waiting(1, 0, NOW, 1, *first)
    state.put_waiting(work)
    until = {agent: overtaken_until(work, plans, agent) for agent in _SKILLS}
    came: list[datetime] = []
    before = 0
    # Agent 1 may always take it: so every turn of theirs decides about something.
    for turn, (coming, agent) in enumerate(zip(cycle(stream), cycle([*free, 1]), strict=False), 1):
        now = later(turn * _PACE)
        for each in coming:
            came.append(now)
            ident = len(came) + 1
            state.put_waiting(Waiting(ident, each.queue, now, 1, each.priority, each.tier, preferred=each.preferred))
        state.put_agent(an_agent(agent, idle=turn * _PACE, version=turn + 1))
        for decision in decide(state, now):
            chosen = state.waiting[decision.interaction]
            state.take(decision.interaction, decision.agent)
            if chosen is work:
                return
            if eligible(plans[0], decision.agent, _SKILLS, work, now):
                before += 1
                assert chosen.queued_at < until[decision.agent]
        assert agent != 1 or 1 in state.taken_agents
        assert before <= sum(moment < max(until.values()) for moment in came)


def test_at_the_moment_its_age_passes_what_waits_goes_before_the_highest_priority() -> None:
    plan = QueuePlan(0, (Member(1),), tiers={"gold": _TIER})
    plain = Waiting(1, 0, NOW, 1)
    until = overtaken_until(plain, {0: plan}, 1)
    for came, chosen in ((until - seconds(1), 2), (until, 1)):
        state = RouterState([plan], require_console=False)
        state.put_agent(an_agent(1))
        state.put_waiting(plain)
        state.put_waiting(Waiting(2, 0, came, 1, priority=1, tier="gold"))
        assert next(decide(state, came)).interaction == chosen
