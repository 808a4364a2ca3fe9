"""What a ticket may be: values of fields, a tree of categories, tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.business import Calendar
from callcenter.domain.sla import Policy, choose
from callcenter.domain.ticket import TicketState
from callcenter.domain.ticket_rules import (
    Case,
    FieldKind,
    TicketField,
    TicketRules,
    is_below,
    read_rules,
    read_value,
    tag_of,
    tags_of,
    value_of,
    write_rules,
)
from callcenter.errors import Invalid


def a_field(kind: FieldKind = FieldKind.TEXT, **more) -> TicketField:
    return TicketField(**{"name": "serial", "kind": kind, "title": {"en": "Serial number"}, **more})


RULES = TicketRules(
    types=("question", "repair"),
    categories=("hardware/rice_cooker", "hardware/kettle", "delivery"),
    fields=(
        a_field(required=Case(type=("repair",))),
        a_field(FieldKind.CHOICE, name="cause", choices=("wear", "drop"), required=Case(state=("resolved",))),
        a_field(FieldKind.NUMBER, name="amount", required=Case(category=("hardware",), state=("pending",))),
        a_field(FieldKind.DATE, name="bought"),
    ),
)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (FieldKind.TEXT, "  A 12 ", "A 12"),
        (FieldKind.TEXT, "电饭煲", "电饭煲"),
        (FieldKind.NUMBER, 3, 3),
        (FieldKind.NUMBER, 3.0, 3),
        (FieldKind.NUMBER, -0.5, -0.5),
        (FieldKind.DATE, "2028-02-29", "2028-02-29"),
        (FieldKind.CHOICE, "drop", "drop"),
    ],
)
def test_a_value_is_kept_in_one_form(kind, value, kept):
    field = a_field(kind, choices=("wear", "drop"))
    assert value_of(field, value) == kept
    assert type(value_of(field, value)) is type(kept)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.TEXT, "a\nb"),
        (FieldKind.TEXT, "   "),
        (FieldKind.TEXT, "x" * 1001),
        (FieldKind.TEXT, 3),
        (FieldKind.NUMBER, "3"),
        (FieldKind.NUMBER, True),
        (FieldKind.NUMBER, float("nan")),
        (FieldKind.NUMBER, float("inf")),
        (FieldKind.NUMBER, 2**53 + 1),
        (FieldKind.DATE, "2027-02-29"),
        (FieldKind.DATE, "tomorrow"),
        (FieldKind.DATE, 20270101),
        (FieldKind.CHOICE, "other"),
        (FieldKind.CHOICE, 3),
    ],
)
def test_a_value_of_another_kind_is_refused_by_the_fields_name(kind, value):
    with pytest.raises(Invalid, match=r"^Serial number: expected ") as caught:
        value_of(a_field(kind, choices=("wear", "drop")), value)
    assert caught.value.field == "fields.serial"


def test_a_number_is_read_from_a_query():
    assert read_value(a_field(FieldKind.NUMBER), "3.0") == 3
    with pytest.raises(Invalid):
        read_value(a_field(FieldKind.NUMBER), "three")


def test_only_declared_fields_are_written_and_others_can_be_emptied():
    before = {"serial": "A", "gone": "x"}
    assert RULES.merged_fields(before, {"amount": 3, "gone": None, "serial": ""}) == {"amount": 3}
    with pytest.raises(Invalid, match=r"no field 'gone'; there are serial, cause") as caught:
        RULES.merged_fields(before, {"gone": "y"})
    assert caught.value.field == "fields.gone"


@pytest.mark.parametrize("category", ["hardware", "hardware/kettle", "delivery", None, "satisfaction"])
def test_what_is_in_the_tree_or_above_it_may_be_written(category):
    RULES.check_category(category)


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("hardware/toaster", "below hardware there are hardware/kettle, hardware/rice_cooker"),
        ("delivery/late", "nothing is declared below delivery"),
        ("hard", "there are delivery, hardware"),
    ],
)
def test_what_is_not_in_the_tree_is_refused_with_what_is_near(category, words):
    with pytest.raises(Invalid, match=words):
        RULES.check_category(category)


def test_without_a_tree_any_category_may_be_written():
    TicketRules().check_category("what I like")


def test_a_type_must_be_declared():
    assert RULES.type_of("repair") == "repair"
    assert RULES.type_of(None) is None
    with pytest.raises(Invalid, match="expected one of question, repair"):
        RULES.type_of("party")
    with pytest.raises(Invalid, match="none are declared"):
        TicketRules().type_of("party")


@pytest.mark.parametrize(
    ("state", "kind", "category", "missing"),
    [
        ("open", None, None, []),
        ("open", "repair", None, ["serial"]),
        ("resolved", "question", None, ["cause"]),
        ("closed", None, None, ["cause"]),
        ("pending", None, "hardware/kettle", ["amount"]),
        ("pending", None, "delivery", []),
        ("closed", "repair", "hardware", ["serial", "cause"]),
    ],
)
def test_a_field_is_needed_while_its_case_holds(state, kind, category, missing):
    found = RULES.missing({}, state=TicketState(state), kind=kind, category=category)
    assert [field.name for field in found] == missing
    filled = {"serial": "A", "cause": "drop", "amount": 0}
    assert not list(RULES.missing(filled, state=TicketState(state), kind=kind, category=category))


def test_a_policy_for_a_category_holds_for_those_below_it():
    policies = [
        Policy(name, when, Calendar(None), {}, frozenset())
        for name, when in [("hard", {"category": "hardware"}), ("all", {})]
    ]
    for category, name in [("hardware", "hard"), ("hardware/kettle", "hard"), ("hardwares", "all"), (None, "all")]:
        chosen = choose(policies, {"category": category})
        assert chosen is not None
        assert chosen.name == name


def test_rules_come_back_as_they_were_kept():
    assert read_rules(write_rules(RULES)) == RULES
    assert read_rules(write_rules(TicketRules())) == TicketRules()


@pytest.mark.parametrize(
    ("text", "tag"), [("VIP", "vip"), ("  call  back ", "call_back"), ("ＶＩＰ", "vip"), ("退货", "退货")]
)
def test_a_tag_is_kept_in_one_form(text, tag):
    assert tag_of(text) == tag


@pytest.mark.parametrize("text", ["", "  ", "a,b", "x" * 51, "a\x00b"])
def test_what_is_no_tag_is_refused(text):
    with pytest.raises(Invalid):
        tag_of(text)


TEXTS = st.text(max_size=12)
TAGGED = st.text(alphabet="aBß_ 退货Ａ１", min_size=1, max_size=8).map(lambda text: f"t{text}")


def _tag(text: str) -> str | None:
    try:
        return tag_of(text)
    except Invalid:
        return None


@given(TEXTS)
def test_normalising_a_tag_twice_changes_nothing(text):
    tag = _tag(text)
    assert tag is None or tag_of(tag) == tag


@given(st.lists(TAGGED, max_size=10))
def test_tags_stand_once_and_in_one_order_however_they_were_given(texts):
    tags = tags_of(texts)
    assert list(tags) == sorted(set(tags))
    assert tags_of(reversed(texts)) == tags == tags_of(tags)


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)


@given(PATHS, PATHS)
def test_below_is_the_beginning_of_a_path(category, root):
    assert is_below(category, root) == (category.split("/")[: len(root.split("/"))] == root.split("/"))


@given(st.sets(PATHS, min_size=1), PATHS)
def test_a_category_is_allowed_exactly_where_something_declared_is_at_or_below_it(declared, category):
    rules = TicketRules(categories=tuple(sorted(declared)))
    allowed = any(is_below(each, category) for each in declared)
    try:
        rules.check_category(category)
    except Invalid:
        assert not allowed
    else:
        assert allowed
