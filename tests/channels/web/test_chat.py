"""A visitor's connection: what it understands, what it refuses, and that nothing is lost or doubled whatever breaks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.chat import Identity, Line
from callcenter.domain.interaction import State
from callcenter.store.chats import Chat
from channels.web.chat import (
    LARGEST_FILE,
    LARGEST_FRAME,
    Code,
    Drop,
    Hello,
    Read,
    Said,
    Send,
    Session,
    Typing,
    Uploaded,
    first_name,
    in_language,
    where,
)
from channels.web.visitor import Visitor
from tests.builders import NOW, a_wait, later

HELLO = {"type": "hello", "token": "t" * 22, "browser": "b" * 22}


def frame(**fields: Any) -> str:
    return json.dumps(fields)


def greeted() -> Session:
    session = Session()
    (hello,) = session.receive(json.dumps(HELLO), now=NOW)
    assert isinstance(hello, Hello)
    return session


# The whole way, with everything that may break on it.


@dataclass
class Store:
    """What the database promises: each line of a sender once, numbered in order."""

    lines: list[Line] = field(default_factory=list)

    def say(self, client_id: str, text: str, author: int | None) -> None:
        if not any((line.client_id, line.author) == (client_id, author) for line in self.lines):
            n = len(self.lines) + 1
            self.lines.append(Line(n, n, author, text, client_id, NOW))


@dataclass
class Wire:
    """A connection to one of the nodes: frames under way in both directions, lost when it breaks."""

    session: Session = field(default_factory=Session)
    up: list[Mapping[str, Any]] = field(default_factory=list)
    down: list[Mapping[str, Any]] = field(default_factory=list)
    rate: int = 0

    def arrive_up(self, store: Store) -> None:
        """One frame reaches the server, whose answer is under way then."""
        if self.up:
            self.rate += 1
            for act in self.session.receive(json.dumps(self.up.pop(0)), now=NOW + timedelta(seconds=self.rate)):
                if isinstance(act, Hello):
                    self.down.append({"type": "welcome"})
                elif isinstance(act, Said):
                    store.say(act.id, act.text, None)
            self.news(store)

    def news(self, store: Store) -> None:
        if self.session.greeted:
            self.down += self.session.lines((line, {}) for line in store.lines)

    def arrive_down(self, visitor: Visitor) -> None:
        if self.down:
            self.up += visitor.received(self.down.pop(0))


STEPS = st.sampled_from(["say", "answer", "up", "up", "down", "down", "break", "news"])


@given(st.lists(STEPS, max_size=80))
def test_nothing_is_lost_or_doubled_whatever_breaks_and_whoever_serves(steps: list[str]) -> None:
    """Another page, a lost network, a restart and another node are one thing to a chat: the next connection."""
    store, visitor = Store(), Visitor()
    said: list[str] = []
    wire = Wire(up=visitor.connected())
    for n, step in enumerate(steps):
        match step:
            case "say":
                said.append(f"question {n}")
                wire.up += visitor.say(said[-1])
            case "answer":
                store.say(f"agent-{n}", f"answer {n}", 7)
                wire.news(store)
            case "up":
                wire.arrive_up(store)
            case "down":
                wire.arrive_down(visitor)
            case "news":
                wire.news(store)
            case "break":
                wire = Wire(up=visitor.connected())
    for _ in range(3 * len(steps) + 6):  # at last the network holds
        wire.arrive_up(store)
        wire.arrive_down(visitor)
    assert [line.text for line in store.lines if line.author is None] == said
    assert [each["n"] for each in visitor.lines] == [line.n for line in store.lines]
    assert [each["text"] for each in visitor.lines] == [line.text for line in store.lines]
    assert not visitor.unanswered


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=30), st.integers(0, 5))
def test_lines_go_out_in_order_and_once_however_they_are_told(ranges: list[tuple[int, int]], after: int) -> None:
    session = Session(greeted=True, sent=after)
    lines = [Line(n, n, 7, "x", "x", NOW) for n in range(1, 13)]
    out = [each["n"] for low, high in ranges for each in session.lines((line, {}) for line in lines[low - 1 : high])]
    assert out == list(range(after + 1, after + 1 + len(out)))


# What a connection understands.


def test_hello_comes_first_and_once() -> None:
    (drop,) = Session().receive(frame(type="typing"), now=NOW)
    assert drop == Drop(1008, "hello comes first")
    (drop,) = greeted().receive(json.dumps(HELLO), now=NOW)
    assert drop == Drop(1008, "hello comes once")


@pytest.mark.parametrize("changes", [{"token": "short"}, {"token": "t" * 65}, {"browser": "?" * 22}, {"after": -1}])
def test_a_hello_that_cannot_be_meant_ends_the_connection_with_a_reason(changes: dict[str, Any]) -> None:
    (drop,) = Session().receive(json.dumps({**HELLO, **changes}), now=NOW)
    assert isinstance(drop, Drop)
    assert drop.reason


def test_frames_become_what_they_ask_for() -> None:
    session = greeted()
    assert session.receive(frame(type="typing"), now=NOW) == [Typing(type="typing")]
    assert session.receive(frame(type="read", upto=3), now=NOW) == [Read(type="read", upto=3)]
    (said,) = session.receive(frame(type="message", id="a-1", text="Hello", name="Wang"), now=NOW)
    assert said == Said(type="message", id="a-1", text="Hello", name="Wang")


def test_a_frame_that_is_too_large_ends_the_connection_with_a_reason() -> None:
    (drop,) = greeted().receive("x" * (LARGEST_FRAME + 1), now=NOW)
    assert drop == Drop(1009, "a frame has at most 64 KiB")
    (drop,) = greeted().receive_bytes(b"x" * (LARGEST_FRAME + 1))
    assert isinstance(drop, Drop)


def test_a_line_that_is_too_long_is_refused_by_its_id_and_the_connection_stays() -> None:
    (said,) = greeted().receive(frame(type="message", id="a-1", text="x" * 20_000), now=NOW)
    assert isinstance(said, Send)
    assert (said.frame["id"], said.frame["code"]) == ("a-1", Code.BAD)


def test_what_nobody_understands_is_left_out() -> None:
    assert greeted().receive(frame(type="dance"), now=NOW) == []
    (drop,) = greeted().receive("{", now=NOW)
    assert drop == Drop(1007, "a frame is JSON")


@given(st.text(max_size=300))
def test_no_text_breaks_a_connection_otherwise_than_in_words(text: str) -> None:
    for session in (Session(), greeted()):
        assert all(isinstance(act, Drop | Send) for act in session.receive(text, now=NOW))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_json_breaks_a_connection_otherwise_than_in_words(value: Any) -> None:
    for session in (Session(), greeted()):
        assert all(isinstance(act, Drop | Send) for act in session.receive(json.dumps(value), now=NOW))


def test_whoever_sends_without_end_is_held_back_and_let_in_again_later() -> None:
    session = greeted()
    acts = [session.receive(frame(type="message", id=f"a-{n}", text="x"), now=NOW)[0] for n in range(40)]
    assert isinstance(acts[28], Said)
    assert isinstance(acts[29], Send)
    assert acts[29].frame["code"] == Code.RATE
    (again,) = session.receive(frame(type="message", id="a-29", text="x"), now=later(1))
    assert isinstance(again, Said)


def test_a_file_comes_in_pieces_and_is_whole_at_its_last_one() -> None:
    session = greeted()
    begin = frame(type="file", id="f-1", name="led.png", kind="image/png", size=1026)
    assert session.receive(begin, now=NOW) == []
    assert session.receive_bytes(b"a" * 1024) == []
    assert session.receive_bytes(b"de") == [Uploaded("f-1", "led.png", "image/png", b"a" * 1024 + b"de")]
    assert session.receive_bytes(b"more") == []


@pytest.mark.parametrize("piece", [b"", b"ab"])
def test_a_file_in_crumbs_ends_the_connection(piece: bytes) -> None:
    session = greeted()
    session.receive(frame(type="file", id="f-1", name="x", size=LARGEST_FILE), now=NOW)
    (drop,) = session.receive_bytes(piece)
    assert isinstance(drop, Drop)


def test_a_file_before_hello_ends_the_connection() -> None:
    (drop,) = Session().receive_bytes(b"x" * 2000)
    assert isinstance(drop, Drop)


def test_whoever_sends_what_nobody_understands_without_end_is_let_go() -> None:
    session = greeted()
    acts = [act for _ in range(40) for act in session.receive(frame(type="dance"), now=NOW)]
    assert isinstance(acts[-1], Drop)


def test_a_file_that_is_too_large_or_longer_than_it_said_is_refused_by_its_id() -> None:
    session = greeted()
    (huge,) = session.receive(frame(type="file", id="f-1", name="x", size=LARGEST_FILE + 1), now=NOW)
    assert isinstance(huge, Send)
    assert huge.frame["id"] == "f-1"
    assert session.receive_bytes(b"abc") == []
    session.receive(frame(type="file", id="f-2", name="x", size=2), now=NOW)
    (longer,) = session.receive_bytes(b"abc")
    assert isinstance(longer, Send)
    assert longer.frame["id"] == "f-2"


# What a page shows.


def a_chat(state: State, **changes: Any) -> Chat:
    fields: dict[str, Any] = {
        "interaction": 7, "widget": 1, "identity": Identity.ANONYMOUS, "language": "en", "page": None,
        "page_title": None,
        "last": 2, "visitor_read": 2, "agent_read": 1, "gone_at": None, "state": state, "outcome": None, "queue": 1,
        "agent": None, "customer": None, "ticket": None, "name": None, "queued_at": NOW, "ended_at": None,
    }  # fmt: skip
    return Chat(**{**fields, **changes})


def test_who_waits_sees_place_and_wait_in_steps_that_do_not_dance() -> None:
    waiting = a_chat(State.QUEUED)
    shown = where(waiting, agent=None, wait=a_wait(position=2, expected_seconds=97.0), stars=True)
    assert (shown["state"], shown["position"], shown["expected"]) == ("waiting", 2, 90)
    soon = where(waiting, agent=None, wait=a_wait(expected_seconds=3.0), stars=True)
    assert soon["expected"] == 30
    assert where(waiting, agent=None, wait=None, stars=True)["position"] is None


def test_who_talks_sees_with_whom_and_whoever_talked_is_asked_how_it_was() -> None:
    talking = where(a_chat(State.ACTIVE, agent=3), agent="Amy", wait=None, stars=True)
    assert (talking["state"], talking["agent"], talking["read"]) == ("talking", "Amy", 1)
    assert where(a_chat(State.WRAPPING, agent=3), agent="Amy", wait=None, stars=True)["stars"] is True
    assert where(a_chat(State.CLOSED), agent=None, wait=None, stars=True)["stars"] is False


def test_a_state_is_shown_once() -> None:
    session = greeted()
    shown = where(a_chat(State.QUEUED), agent=None, wait=None, stars=False)
    assert len(list(session.state(shown))) == 1
    assert list(session.state(dict(shown))) == []


@pytest.mark.parametrize(("full", "first"), [("Amy Chen", "Amy"), ("陈 静", "陈 静"), ("王芳", "王芳"), ("", "")])
def test_visitors_learn_first_names_only(full: str, first: str) -> None:
    assert first_name(full) == first


@pytest.mark.parametrize(
    ("language", "text"), [("zh-TW", "您好！"), ("zh", "您好"), ("zh_HK", "您好"), ("en-GB", "Hello"), ("fr", "Hello")]
)
def test_a_greeting_is_in_the_language_of_the_page_or_one_like_it(language: str, text: str) -> None:
    assert in_language({"en": "Hello", "zh_CN": "您好", "zh_TW": "您好！"}, language) == text


def test_one_greeting_may_be_for_all() -> None:
    assert in_language({"*": "Hi"}, "fr") == "Hi"
    assert in_language({}, "fr") is None
