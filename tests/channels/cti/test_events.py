"""What PBXs send to Zammad is understood here; what is no event is refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import Invalid
from channels.cti.events import EVENTS, read_event


def test_a_form_and_json_say_the_same():
    form = {
        "event": "newCall",
        "from": "493055571600",
        "to": "1001",
        "direction": "in",
        "callId": "7",
        "user[]": ["Amy"],
    }
    json = {**form, "user": ["Amy"]}
    del json["user[]"]
    event, told = read_event(form)
    assert (event, told) == read_event(json)
    assert (told.caller, told.called, told.users, told.direction) == ("493055571600", "1001", ("Amy",), "inbound")


def test_one_user_may_stand_without_a_list_and_numbers_without_quotes():
    _, told = read_event({"event": "answer", "callId": 12, "user": "amy", "answeringNumber": 1001, "vendor": {"x": 1}})
    assert (told.call, told.users, told.answering) == ("12", ("amy",), "1001")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event": "transfer"}, "event: expected newCall, answer or hangup, not 'transfer'"),
        ({"event": None}, "event: expected"),
        ({"callId": ""}, "callId is missing"),
        ({"direction": "sideways"}, "direction: expected in or out"),
        ({"from": ["1"]}, "from: expected a text"),
        ({"from": "1\r\n2"}, "printable"),
        ({"to": "1" * 201}, "at most 200"),
        ({"user": [1]}, "user: expected names"),
        ({"user": ["amy"] * 101}, "a hundred at most"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], words: str):
    with pytest.raises(Invalid, match=words):
        read_event({"event": "newCall", "callId": "1", **changes})


@given(
    st.dictionaries(
        st.sampled_from(["event", "callId", "from", "to", "user", "user[]", "cause"]),
        st.none() | st.booleans() | st.integers() | st.lists(st.text()) | st.text() | st.sampled_from(EVENTS),
        max_size=7,
    )
)
def test_whatever_comes_is_understood_or_refused(message: dict[str, object]):
    try:
        event, told = read_event(message)
    except Invalid:
        return
    assert event in EVENTS
    assert told.call
