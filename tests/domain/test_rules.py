"""Rules of an organisation: conditions, what is set, chains that end, and circles that are found beforehand."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.business import Calendar
from callcenter.domain.rules import (
    Automation,
    Chain,
    Happening,
    Step,
    Trigger,
    View,
    changes,
    find_loop,
    judge,
    schedule,
    words_of,
)
from tests.builders import NOW, later

VALUES = {"state": "open", "priority": "normal", "category": "hardware/kettle", "queue": "support", "owner": None}


def trigger(name: str, on: str = "changed", *, when: Any = None, unless: Any = None, **then: Any) -> Trigger:
    steps = tuple(Step(verb, what) for verb, what in then.items())
    return Trigger(name, frozenset(on.split()), when or {}, unless or {}, steps)


def automation(name: str, since: str, after: float = 3600, *, when: Any = None, **then: Any) -> Automation:
    steps = tuple(Step(verb, what) for verb, what in then.items())
    return Automation(name, since, timedelta(seconds=after), Calendar(), when or {}, {}, steps)


def nobody(_: str) -> dict[str, Any]:
    return {}


def run(triggers: list[Trigger], values: dict[str, Any], *happenings: Happening) -> tuple[list[str], dict[str, Any]]:
    """A ticket that is nothing but its values: who fired, and what became of it."""
    chain, waiting, fired = Chain(triggers), list(happenings), []
    while waiting:
        chain.add(waiting.pop(0))
        while not chain.over:
            found = chain.next(View(values))
            if found is None:
                continue
            fired.append(found.name)
            if changed := changes(found.then, values, nobody):
                waiting.append(Happening(words_of(changed, values), frozenset(changed), by="rule"))
                values = {**values, **changed}
    return fired, values


@pytest.mark.parametrize(
    ("conditions", "held"),
    [
        ({}, True),
        ({"priority": "normal"}, True),
        ({"priority": ["high", "urgent"]}, False),
        ({"owner": "none"}, True),
        ({"owner": "any"}, False),
        ({"queue": "any", "state": "open"}, True),
        ({"category": "hardware"}, True),
        ({"category": "hard"}, False),
        ({"tags": "vip"}, True),
        ({"tags": "none"}, False),
        ({"fields.amount": {"above": 100}}, True),
        ({"fields.amount": {"above": 100, "below": 200}}, False),
        ({"fields.missing": {"above": 1}}, False),
        ({"queue": {"above": 1}}, False),
        ({"changed": ["priority", "queue"]}, True),
        ({"changed": "owner"}, False),
        ({"text": ["REFUND", "退款"]}, True),
        ({"text": "lawyer"}, False),
        ({"by": "person"}, True),
        ({"hours": "in:office"}, True),
        ({"hours": "outside:office"}, False),
        ({"hours": "outside:night"}, True),
    ],
)
def test_conditions_hold_for_what_a_ticket_is_and_what_happened(conditions, held):
    values = {**VALUES, "tags": ("vip",), "fields.amount": 250}
    view = View(values, frozenset({"queue"}), "请退款！ refund me", "person", frozenset({"office"}))
    assert judge(conditions, view) is held


def test_what_is_not_known_is_neither_so_nor_not_so():
    view = View({"priority": "high"}, None, None, None, None, whole=False)
    assert judge({"priority": "high", "queue": "support"}, view) is None
    assert judge({"priority": "low", "queue": "support"}, view) is False
    assert (
        judge({"changed": "queue"}, view) is judge({"text": "x"}, view) is judge({"hours": "in:office"}, view) is None
    )


def test_all_that_is_set_is_set_together_and_only_if_it_is_another_value():
    steps = [Step("set", {"state": "open", "category": "none", "tags": ["a"]}), Step("priority", "high")]
    assert changes(steps, VALUES, nobody) == {"category": None, "tags": ("a",), "priority": "high"}
    assert changes([Step("priority", "low")], VALUES, nobody) == {}
    assert changes([Step("tag", "b")], {"tags": ("a",)}, nobody) == {"tags": ("a", "b")}
    assert changes([Step("tag", "a")], {"tags": ("a",)}, nobody) == {}


def test_what_a_rule_changes_sets_off_others_in_the_order_of_the_file():
    rules = [
        trigger("c", when={"queue": "tier2"}, notify="role:supervisor"),
        trigger("a", "opened", set={"priority": "urgent"}),
        trigger("b", when={"priority": "urgent", "changed": "priority"}, set={"queue": "tier2"}),
    ]
    assert run(rules, VALUES, Happening(frozenset({"opened"})))[0] == ["a", "b", "c"]


def test_unless_keeps_a_rule_from_firing():
    rules = [trigger("a", "opened", unless={"queue": "support"}, set={"priority": "urgent"})]
    assert run(rules, VALUES, Happening(frozenset({"opened"})))[0] == []


# -- circles

UP = trigger("up", when={"priority": "low"}, set={"priority": "high"})
DOWN = trigger("down", when={"priority": "high"}, set={"priority": "low"})


@pytest.mark.parametrize(
    "rules",
    [
        [UP, DOWN],
        [trigger("a", set={"priority": "high"}), trigger("b", priority="urgent")],
        [trigger("echo", "replied", reply="Thank you")],
        [trigger("echo", "noted", when={"text": "thank"}, note="Thank you")],
        [
            trigger("a", when={"queue": "x", "changed": "queue"}, set={"queue": "y"}),
            trigger("b", when={"queue": "y"}, set={"queue": "z"}),
            trigger("c", when={"queue": ["z"]}, set={"queue": "x"}),
        ],
        [trigger("a", "resolved", set={"state": "open"}), trigger("b", "reopened", set={"state": "resolved"})],
        [trigger("a", "noted", set={"priority": "low"}), *[UP, DOWN]],
    ],
)
def test_rules_that_set_each_other_off_for_ever_are_found(rules):
    circle = find_loop(rules)
    assert circle[0] == circle[-1]
    assert set(circle) <= {rule.name for rule in rules}


def test_the_names_in_the_circle_are_told_and_no_others():
    by_the_way = trigger("way", "opened", set={"priority": "low"})
    assert set(find_loop([by_the_way, UP, DOWN])) == {"up", "down"}


@pytest.mark.parametrize(
    "rules",
    [
        # The second time round there is nothing to change.
        [
            trigger("a", when={"priority": "urgent"}, set={"queue": "tier2"}),
            trigger("b", when={"queue": "tier2"}, set={"priority": "urgent"}),
        ],
        # One cannot be when the other one is.
        [
            trigger("a", when={"tier": "gold", "priority": "low"}, set={"priority": "high"}),
            trigger("b", when={"tier": "silver", "priority": "high"}, set={"priority": "low"}),
        ],
        [trigger("a", "replied", when={"by": "person"}, reply="Thank you")],
        [trigger("a", "noted", when={"text": "lawyer"}, note="Seen by a rule")],
        [UP],
        [trigger("a", "opened", set={"priority": "low"}), UP],
        [trigger("a", reassign="manager")],
        [
            trigger("a", when={"changed": "queue"}, set={"priority": "high"}),
            trigger("b", when={"changed": "category"}, set={"priority": "low"}),
        ],
        [
            trigger("a", when={"owner": "none"}, set={"owner": "amy"}),
            trigger("b", when={"owner": "any"}, priority="high"),
        ],
    ],
)
def test_harmless_rules_are_not_taken_for_a_circle(rules):
    assert find_loop(rules) == ()


def test_automations_that_send_a_ticket_to_and_fro_are_a_circle():
    there = automation("there", "pending", set={"state": "on_hold"})
    back = automation("back", "on_hold", set={"state": "pending"})
    assert set(find_loop([], [there, back])) == {"there", "back"}
    assert find_loop([], [there, automation("close", "on_hold", set={"state": "closed"})]) == ()
    assert set(find_loop([trigger("back", "on_hold", set={"state": "pending"})], [there])) == {"there", "back"}


# -- moments


def test_an_automations_turn_comes_once_for_each_moment_that_it_counts_from():
    remind = automation("remind", "pending", 60, when={"state": "pending"})
    view = View({**VALUES, "state": "pending"})
    [due] = schedule([remind], {"pending": NOW}, (), view)
    assert (due.at, due.since) == (later(60), NOW)
    assert schedule([remind], {"pending": NOW}, {("remind", NOW)}, view) == []
    assert schedule([remind], {"pending": later(5)}, {("remind", NOW)}, view)[0].at == later(65)
    assert schedule([remind], {"created": NOW}, (), view) == []
    assert schedule([remind], {"pending": NOW}, (), View(VALUES)) == []


def test_the_earliest_turn_comes_first_and_what_is_due_may_be_preceded():
    rules = [automation("late", "created", 7200), automation("soon", "due", -600)]
    found = schedule(rules, {"created": NOW, "due": later(3600)}, (), View(VALUES))
    assert [(each.automation.name, each.at) for each in found] == [("soon", later(3000)), ("late", later(7200))]


# -- whatever the rules

FIELDS = {"priority": ["low", "normal", "high"], "queue": ["a", "b", "none"], "owner": ["amy", "bo", "none"]}
one_field = st.sampled_from(list(FIELDS)).flatmap(
    lambda key: st.tuples(st.just(key), st.sampled_from(FIELDS[key])).map(lambda pair: dict([pair]))
)
conditions: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}), one_field, st.sampled_from([{"changed": key} for key in FIELDS])
)
settings = one_field.filter(lambda values: values.get("priority") != "none")
rules_of_any_kind = st.lists(
    st.builds(
        lambda on, when, values: (on, when, values),
        st.sampled_from(["changed", "opened", "changed opened"]),
        conditions,
        settings,
    ),
    max_size=8,
).map(lambda found: [trigger(f"t{n}", on, when=when, set=values) for n, (on, when, values) in enumerate(found)])
tickets = st.fixed_dictionaries(
    {key: st.sampled_from([None if value == "none" else value for value in values]) for key, values in FIELDS.items()}
)
OPENED = Happening(frozenset({"opened"}))


@given(rules_of_any_kind, tickets)
def test_a_chain_ends_and_no_rule_fires_twice_in_it(rules, values):
    fired, _ = run(rules, values, OPENED, Happening(frozenset({"changed"}), frozenset(FIELDS)))
    assert len(fired) == len(set(fired)) <= len(rules)


@given(rules_of_any_kind, tickets)
def test_the_same_ticket_and_rules_have_the_same_outcome(rules, values):
    turned = dict(reversed(list(values.items())))
    assert run(rules, values, OPENED) == run(rules, turned, OPENED)


@given(settings, tickets)
def test_what_was_set_is_not_set_again(values, ticket):
    after = {**ticket, **changes([Step("set", values)], ticket, nobody)}
    assert changes([Step("set", values)], after, nobody) == {}


def unguarded(rules: list[Trigger], values: dict[str, Any], *, most: int) -> bool:
    """Whether rules that may fire any number of times come to rest."""
    waiting = [OPENED]
    for _ in range(most):
        if not waiting:
            return True
        happening = waiting.pop(0)
        for rule in rules:
            view = View(values, happening.changed, by=happening.by)
            fires = rule.on & happening.words and judge(rule.when, view)
            if fires and (changed := changes(rule.then, values, nobody)):
                waiting.append(Happening(words_of(changed, values), frozenset(changed), by="rule"))
                values = {**values, **changed}
    return not waiting


@given(rules_of_any_kind, tickets)
def test_rules_without_a_circle_come_to_rest_by_themselves(rules, values):
    if not find_loop(rules):
        assert unguarded(rules, values, most=500)
