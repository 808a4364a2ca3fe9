"""The simulator against what is known exactly: Erlang's formulas, and scenarios that leave nothing to chance."""

from math import exp, factorial, isnan

import pytest

from callcenter import toml
from routing.scenario import SCENARIO, Scenario
from routing.simulate import Outcome, simulate

BASE = """
[simulation]
length = "{length}"
warm_up = "1h"
replications = {replications}
seed = {seed}

[[flows]]
queue = "support"
per_hour = {per_hour}
handle = {{ {handle} }}
{patience}
service_level = {{ within = "20s" }}

[[staff]]
count = {agents}
queues = ["support"]
"""


def read(text: str) -> Scenario:
    return toml.parse(text, "scenario.toml").read_as(SCENARIO)


def support(**changes: object) -> Outcome:
    given = {
        "length": "9h",
        "replications": 12,
        "seed": 1,
        "per_hour": 160,
        "handle": 'exponential = "3m"',
        "patience": "",
        "agents": 10,
        **changes,
    }
    return simulate(read(BASE.format(**given)))


def test_without_abandonment_it_agrees_with_erlang_c() -> None:
    found = support().queues["support"]
    agents, offered, handle, within = 10, 8.0, 180.0, 20.0
    last = offered**agents / factorial(agents) * agents / (agents - offered)
    waits = last / (sum(offered**k / factorial(k) for k in range(agents)) + last)
    asa = waits * handle / (agents - offered)
    level = 1 - waits * exp(-(agents - offered) * within / handle)
    assert abs(found["asa_seconds"].mean - asa) <= found["asa_seconds"].ci95
    assert abs(found["service_level"].mean - level) <= found["service_level"].ci95
    assert abs(found["occupancy"].mean - offered / agents) <= found["occupancy"].ci95
    assert found["abandonment"].mean == 0


def test_with_patience_it_agrees_with_erlang_a() -> None:
    found = support(per_hour=220, patience='patience = { exponential = "60s" }').queues["support"]
    arrival, service, leaving, agents = 220 / 3600, 1 / 180, 1 / 60, 10
    # Birth and death: who is in the system, by the rate in over the rate out.
    weights = [1.0]
    for k in range(1, 400):
        weights.append(weights[-1] * arrival / (min(k, agents) * service + max(0, k - agents) * leaving))
    total = sum(weights)
    waiting = sum(max(0, k - agents) * weight for k, weight in enumerate(weights)) / total
    busy = sum(min(k, agents) * weight for k, weight in enumerate(weights)) / total
    abandoned = waiting * leaving / arrival
    assert abs(found["abandonment"].mean - abandoned) <= found["abandonment"].ci95
    assert abs(found["occupancy"].mean - busy / agents) <= found["occupancy"].ci95


def test_the_same_seed_gives_the_same_day_and_another_one_another() -> None:
    few = {"replications": 2, "length": "2h"}
    assert support(**few) == support(**few)
    assert support(**few) != support(**few, seed=2)


def test_who_gives_up_at_once_is_abandoned_where_nobody_works() -> None:
    text = BASE.format(
        length="3h",
        replications=2,
        seed=1,
        per_hour=60,
        handle='fixed = "1m"',
        patience='patience = { fixed = "10s" }',
        agents=1,
    )
    found = simulate(read(text + 'shifts = [{ begin = "0h", end = "1h" }]\n')).queues["support"]
    assert found["abandonment"].mean == 1
    assert found["service_level"].mean == 0
    assert (found["answered"].mean, found["occupancy"].mean) == (0, 0)


def a_day(*, per_hour: int, shifts: str, within: str = "20s") -> Outcome:
    text = BASE.format(
        length="3h", replications=2, seed=1, per_hour=per_hour, handle='fixed = "1s"', patience="", agents=1
    )
    return simulate(read(text.replace('within = "20s"', f'within = "{within}"') + f"shifts = [{shifts}]\n"))


def test_where_nobody_is_on_shift_all_are_unserved_and_none_in_time() -> None:
    outcome = a_day(per_hour=60, shifts='{ begin = "0h", end = "1h" }', within="1ms")
    found = outcome.queues["support"]
    assert found["service_level"].mean == 0
    assert found["unserved"].mean == found["offered"].mean > 0
    assert found["answered"].mean == 0
    assert isnan(found["asa_seconds"].mean)
    assert {share for _, share in outcome.course["support"]} == {0.0}


def test_who_may_still_be_answered_in_time_when_the_day_is_over_counts_for_and_against_nothing() -> None:
    """The agent serves the second hour in time; all of the third hour are within the limit when it ends."""
    found = a_day(per_hour=60, shifts='{ begin = "0h", end = "2h" }', within="61m").queues["support"]
    assert found["service_level"].mean == 1
    assert found["unserved"].mean + found["answered"].mean == found["offered"].mean
    assert found["unserved"].mean > 30


def test_who_waits_longer_than_the_limit_when_the_day_is_over_was_not_served_in_time() -> None:
    found = a_day(per_hour=600, shifts='{ begin = "0h", end = "2h" }', within="20s").queues["support"]
    assert abs(found["service_level"].mean - found["answered"].mean / found["offered"].mean) < 0.01
    assert 0.4 < found["service_level"].mean < 0.6
    assert found["abandonment"].mean == 0


def test_a_queue_without_calls_has_no_service_level() -> None:
    found = a_day(per_hour=0, shifts="").queues["support"]
    assert isnan(found["service_level"].mean)
    assert isnan(found["asa_seconds"].mean)
    assert (found["offered"].mean, found["unserved"].mean, found["occupancy"].mean) == (0, 0, 0)


def test_a_step_that_comes_after_the_last_call_is_taken_all_the_same() -> None:
    text = BASE.format(
        length="2h", replications=2, seed=1, per_hour=60, handle='fixed = "1s"', patience="", agents=1
    ).replace(
        'service_level = { within = "20s" }',
        'needs = { billing = 2 }\nsteps = [{ after = "1h", needs = {} }]\nservice_level = { within = "20s" }',
    )
    found = simulate(read(text)).queues["support"]
    assert found["unserved"].mean == 0
    assert found["asa_seconds"].mean >= 3600


def test_a_step_brings_in_those_who_know_less() -> None:
    text = BASE.format(
        length="4h", replications=2, seed=1, per_hour=20, handle='fixed = "1m"', patience="", agents=1
    ).replace(
        'service_level = { within = "20s" }',
        'needs = { billing = 2 }\nsteps = [{ after = "15s", needs = {} }]\nservice_level = { within = "20s" }',
    )
    found = simulate(read(text)).queues["support"]
    assert found["asa_seconds"].mean >= 15
    assert found["abandonment"].mean == 0


TWO_QUEUES = (
    BASE.format(length="8h", replications=8, seed=1, per_hour=6, handle='fixed = "9m"', patience="", agents=1).replace(
        'service_level = { within = "20s" }', 'needs = { zh = 1 }\nRULE\nservice_level = { within = "20s" }'
    )
    + """skills = { zh = 1 }

[[staff]]
count = 1
queues = ["support", "sales"]
skills = { zh = 3 }
shifts = [SHIFTS]

[[flows]]
queue = "sales"
per_hour = 3
handle = { fixed = "9m" }
service_level = { within = "20s" }
"""
)
ALL_DAY = '{ begin = "0h" }'


def sales(*, rule: str = "", order: str = "last_contact", shifts: str = ALL_DAY, handle: str = "9m") -> float:
    """How long those wait, in seconds, whom only one can help: who helps the others too, and better than the rest."""
    text = TWO_QUEUES.replace("RULE", rule).replace("SHIFTS", shifts).replace("9m", handle)
    found = simulate(read(text.replace("seed = 1", f'seed = 1\nidle_order = "{order}"')))
    return found.queues["sales"]["asa_seconds"].mean


def test_the_stronger_are_asked_more_often_by_weighted_proficiency_the_more_the_higher_the_weight() -> None:
    by_time, by_strength = sales(), sales(rule='strategy = "best_skill"')
    weighted = sales(rule='strategy = "weighted"\nproficiency_weight = "4m"')
    assert by_time < weighted < by_strength
    assert sales(rule='strategy = "weighted"\nproficiency_weight = "8h"') == by_strength


def test_who_comes_back_from_a_break_is_asked_last_where_the_idle_time_counts_from_being_available() -> None:
    breaks = ", ".join(f'{{ begin = "{10 * n + 1}m", end = "{10 * n + 10}m" }}' for n in range(48))
    by_contact, by_break = (sales(shifts=breaks, order=order, handle="2m") for order in ("last_contact", "available"))
    assert by_break < by_contact
    assert sales(order="available") == sales()


def test_rates_follow_their_stretches() -> None:
    text = BASE.format(
        length="4h", replications=4, seed=1, per_hour=60, handle='fixed = "1s"', patience="", agents=5
    ).replace("per_hour = 60", 'arrivals = [{ until = "2h", per_hour = 300 }, { until = "3h", per_hour = 0 }]')
    found = simulate(read(text)).queues["support"]
    assert abs(found["offered"].mean - 300) < 40


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("per_hour = 160", "per_hour = 160\ncolour = 1"),
            "line 11: flows[1].colour: there is no such key",
        ),
        (("per_hour = 160", ""), "expected either per_hour or arrivals"),
        (
            ('exponential = "3m"', 'exponential = "3m", fixed = "1m"'),
            "expected one of exponential, lognormal and fixed",
        ),
        (('queues = ["support"]', 'queues = ["sales"]'), "staff for the queue sales, which no flow has"),
        (('warm_up = "1h"', 'warm_up = "9h"'), "the warm_up is not shorter than the length"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused_with_its_place(change: tuple[str, str], complaint: str) -> None:
    text = BASE.format(
        length="9h", replications=2, seed=1, per_hour=160, handle='exponential = "3m"', patience="", agents=1
    )
    with pytest.raises(toml.BadFile) as refused:
        read(text.replace(*change))
    assert complaint in str(refused.value)
