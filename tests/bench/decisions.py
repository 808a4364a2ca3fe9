"""The router's decisions, in memory: how many a second, what more a large centre costs, and what its state weighs."""

import gc
import random
import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from callcenter import toml
from callcenter.domain.order import Step
from routing.decide import decide
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan
from routing.scenario import SCENARIO
from routing.simulate import simulate
from routing.state import RouterState
from tests.bench.figures import Row, Target, Unit

_NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
_SMALL, _LARGE = (100, 1_000), (10_000, 100_000)
_SKILLS = ("billing", "technical", "zh", "en")


def decisions(*, rounds: int) -> list[Row]:
    """Both sizes in turn; each decision is taken before the next one, as the router does."""
    small, large = [], []
    for number in range(rounds):
        # A small state has few decisions in it: several of them, for a time that can be measured.
        small.append(median(_cost(_state(*_SMALL, seed=number * 100 + n)) for n in range(30)))
        large.append(_cost(_state(*_LARGE, seed=number)))
    growth = median(each / few for each, few in zip(large, small, strict=True))
    size = f"{_LARGE[0]:,} agents, {_LARGE[1]:,} waiting"
    return [
        Row(
            f"decisions, {size}", Unit.PER_SECOND, 1 / median(large), target=Target(10_000, least=True), note="one core"
        ),
        Row(
            f"one decision, {size}",
            Unit.MS,
            median(large) * 1e3,
            ratio=growth,
            target=Target(1.5, ratio=True),
            note=f"with its why; ratio: to {_SMALL[0]} agents, {_SMALL[1]:,} waiting",
        ),
        Row(f"the router's state, {size}", Unit.MB, _weight(*_LARGE), target=Target(300)),
    ]


def simulated_day() -> list[Row]:
    """A day of 2,000 agents and 100,000 calls through the simulator."""
    seconds: list[float] = []
    text = _DAY.format(calls_per_hour=5_000, agents=1_000)
    scenario = toml.parse(text, "day.toml").read_as(SCENARIO)
    begun = time.perf_counter()
    outcome = simulate(scenario, progress=lambda done, of: seconds.append(time.perf_counter() - begun))
    calls = sum(of_queue["offered"].mean for of_queue in outcome.queues.values())
    each = seconds[-1] / len(seconds)
    return [Row("a simulated day, 2,000 agents", Unit.SECONDS, each, target=Target(60), note=f"{calls:,.0f} calls")]


_DAY = """
[simulation]
length = "10h"
replications = 2

[[flows]]
queue = "support"
per_hour = {calls_per_hour}
handle = {{ lognormal = {{ mean = "5m", sd = "3m" }} }}
patience = {{ exponential = "2m" }}
needs = {{ zh = 2 }}
steps = [{{ after = "20s", needs = {{ zh = 1 }} }}]
service_level = {{ within = "20s" }}

[[flows]]
queue = "billing"
per_hour = {calls_per_hour}
handle = {{ exponential = "4m" }}
patience = {{ exponential = "90s" }}
strategy = "round_robin"
service_level = {{ within = "30s" }}

[[staff]]
count = {agents}
queues = ["support", "billing"]
skills = {{ zh = 3 }}

[[staff]]
count = {agents}
queues = ["billing", "support"]
skills = {{ zh = 1 }}
delay = "5s"
"""


def _state(agents: int, waiting: int, *, seed: int) -> RouterState:
    """Queues of a hundred agents, who sit in two of them and differ in skills; the day's work waits."""
    dice = random.Random(seed)
    queues = max(2, agents // 100)
    members: list[list[Member]] = [[] for _ in range(queues)]
    for agent in range(agents):
        for queue in {agent % queues, (agent * 7 + 1) % queues}:
            delay = timedelta(seconds=20) if dice.random() < 0.1 else timedelta()
            members[queue].append(Member(agent, delay))
    steps = (Step(timedelta(seconds=30), {"billing": 1}), Step(timedelta(seconds=60), {}))
    strategies = ("longest_idle", "fewest", "round_robin", "best_skill")
    plans = [
        QueuePlan(
            queue,
            tuple(of),
            strategy=strategies[queue % 4],
            needs={"billing": 3},
            steps=steps,
            tiers={"gold": timedelta(minutes=5)},
        )
        for queue, of in enumerate(members)
    ]
    skills = {agent: {skill: dice.randint(1, 5) for skill in dice.sample(_SKILLS, 2)} for agent in range(agents)}
    state = RouterState(plans, skills=skills, require_console=True)
    for agent in range(agents):
        idle = _NOW - timedelta(seconds=dice.uniform(0, 600))
        state.put_agent(AgentState(agent, "on_queue", "idle", idle, None, True, None, 1))
    for number in range(waiting):
        queued_at = _NOW - timedelta(seconds=dice.expovariate(1 / 60))
        tier = "gold" if dice.random() < 0.05 else None
        state.put_waiting(Waiting(number, dice.randrange(queues), queued_at, 1, dice.choice((0, 0, 0, 2)), tier))
    state.settle(_NOW)
    return state


def _cost(state: RouterState) -> float:
    """Seconds of a decision, until nobody is free any more."""
    made = 0
    gc.collect()
    begun = time.perf_counter()
    for decision in decide(state, _NOW):
        state.take(decision.interaction, decision.agent)
        made += 1
    return (time.perf_counter() - begun) / made


def _weight(agents: int, waiting: int) -> float:
    """Megabytes of memory."""
    tracemalloc.start()
    try:
        state: Sequence[RouterState] = [_state(agents, waiting, seed=1)]
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
        assert state
        return held / 1e6
    finally:
        tracemalloc.stop()
