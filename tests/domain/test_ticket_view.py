"""Lists of tickets as values: what is kept comes back, what no index carries is refused, places and words are read."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.domain.ticket_view import BUILTIN, Builtin, Conditions, Order, Place, Search, View, builtin
from callcenter.errors import Invalid

NAMES = st.lists(st.text("abc_@退", min_size=1, max_size=5), max_size=3, unique=True).map(tuple)
CONDITIONS = st.builds(
    Conditions,
    state=st.lists(st.sampled_from(sorted(set(TicketState) - OVER)), max_size=3, unique=True).map(tuple),
    priority=st.lists(st.sampled_from(Priority), max_size=2, unique=True).map(tuple),
    category=NAMES,
    queue=NAMES,
    owner=NAMES,
    customer=st.none() | st.integers(1, 2**62),
    open=st.booleans(),
    breached=st.booleans(),
    words=st.text("refund 退款", max_size=30).map(str.strip),
)


@given(CONDITIONS)
def test_conditions_come_back_as_they_were_kept(conditions: Conditions) -> None:
    assert Conditions.parse(conditions.dump()) == conditions


@given(CONDITIONS)
def test_narrowing_down_by_nothing_changes_nothing(conditions: Conditions) -> None:
    assert conditions.and_(Conditions()) == conditions == Conditions().and_(conditions)


MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


@given(st.integers(0, 2**63 - 1), MOMENTS, st.sampled_from(Order))
def test_a_place_is_read_as_it_was_written(ident: int, at: datetime | None, order: Order) -> None:
    place = Place(ident, at if order in (Order.DUE, Order.QUIET) else None)
    written = place.write(order)
    assert Place.read(written, order) == place
    assert len(written) <= 40


@given(st.text(max_size=30), st.sampled_from(Order))
def test_what_is_no_place_is_refused(text: str, order: Order) -> None:
    with suppress(Invalid):
        assert Place.read(text, order).write(order) == text


@given(st.text("ab 退款热水器，。１", max_size=40))
def test_every_character_of_a_search_is_looked_for(text: str) -> None:
    try:
        search = Search.parse(text)
    except Invalid:
        return
    looked_for = search.spaced + "".join(search.signs)
    assert all(sign in looked_for for sign in text.replace("１", "1") if sign not in " ，。")
    assert all(len(phrase) > 2 for phrase in search.phrases)


def test_a_search_tells_scripts_apart() -> None:
    assert Search.parse("Refund退款 热水器 Ｘ９") == Search("refund x9", ("退款", "热水", "水器"), ("热水器",))
    assert Search.parse("坏。") == Search("", ("坏",), ())


@pytest.mark.parametrize(
    ("conditions", "order", "field"),
    [
        ({}, Order.DUE, "order"),
        ({"open": True}, Order.QUIET, "order"),
        ({"state": ["pending", "open"]}, Order.QUIET, "order"),
        ({"words": "refund"}, Order.OLDEST, "order"),
        ({"state": ["closed"], "breached": True}, Order.NEWEST, "state"),
        ({"owners": ["amy"]}, Order.NEWEST, "owners"),
        ({"state": ["lost"]}, Order.NEWEST, "state"),
        ({"priority": "high"}, Order.NEWEST, "priority"),
        ({"customer": True}, Order.NEWEST, "customer"),
        ({"open": "yes"}, Order.NEWEST, "open"),
        ({"words": 3}, Order.NEWEST, "words"),
        ({"category": [""]}, Order.NEWEST, "category"),
    ],
)
def test_what_will_not_do_is_refused_with_its_field(conditions: dict[str, object], order: Order, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        View(Conditions.parse(conditions), order)
    assert refused.value.field == field


def test_built_in_lists_ask_for_what_they_need_and_can_be_narrowed_down() -> None:
    assert set(BUILTIN) == set(Builtin)
    for name in (Builtin.QUEUE, Builtin.CUSTOMER, Builtin.WORDS):
        with pytest.raises(Invalid, match=f"The view {name} needs"):
            builtin(name, Conditions())
    urgent = builtin(Builtin.MINE, Conditions(priority=(Priority.URGENT,)))
    assert urgent.conditions.owner == ("@me",)
    assert urgent.order is Order.DUE
    assert builtin(Builtin.MINE, Conditions(words="退款")).order is Order.NEWEST
