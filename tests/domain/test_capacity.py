"""What may come beside what an agent has in hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY, MOST, Limits, may_take
from callcenter.domain.interaction import Channel


@pytest.mark.parametrize(
    ("load", "taken"),
    [
        ({}, set(Channel)),
        ({"email": 1}, {"phone", "callback", "chat"}),
        ({"phone": 1}, set()),
        ({"chat": 1}, {"chat"}),
        ({"chat": 4}, set()),
        ({"chat": 1, "email": 1}, {"chat"}),
        ({"email": 1, "fax": 1}, {"phone", "callback", "chat"}),
        ({"visit": 1}, set()),
    ],
)
def test_a_call_interrupts_a_mail_and_nothing_interrupts_a_call(load: dict[str, int], taken: set[str]) -> None:
    assert {channel.value for channel in Channel if Limits().may_take(1, channel, load)} == {str(c) for c in taken}


def test_every_channel_has_a_capacity_and_a_word_on_interruption() -> None:
    for channel in Channel:
        assert 1 <= CAPACITY[channel] <= MOST
        assert channel not in INTERRUPTED_BY[channel]


def test_an_agents_own_capacity_counts_for_that_channel_alone() -> None:
    limits = Limits(of_agents={1: {"chat": 0, "phone": 2}})
    assert not limits.may_take(1, "chat", {})
    assert limits.may_take(2, "chat", {})
    assert limits.may_take(1, "phone", {"phone": 1})
    assert limits.may_take(1, "email", {})


numbers = st.dictionaries(st.sampled_from(Channel), st.integers(1, 5), max_size=4)


@given(
    channel=st.sampled_from(Channel),
    load=numbers,
    capacity=st.dictionaries(st.sampled_from(Channel), st.integers(0, 6)),
    interrupted_by=st.dictionaries(st.sampled_from(Channel), st.sets(st.sampled_from(Channel))),
)
def test_less_in_hand_never_takes_room_away_and_no_capacity_is_exceeded(
    channel: Channel, load: dict[str, int], capacity: dict[str, int], interrupted_by: dict[str, set[str]]
) -> None:
    def may(held: dict[str, int]) -> bool:
        return may_take(channel, held, capacity=capacity, interrupted_by=interrupted_by)

    if may(load):
        assert load.get(channel, 0) < capacity[channel]
        for gone in load:
            assert may({held: number for held, number in load.items() if held != gone})
    assert not may({**load, channel: capacity.get(channel, 0)})
