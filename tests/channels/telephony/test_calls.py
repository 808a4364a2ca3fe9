"""Who talks with whom, told by what a real Asterisk said."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callcenter.domain.interaction import ReservationState
from channels.telephony.calls import CallChange, Change, Legs, dial_result, endpoint_of

TRANSCRIPT = Path(__file__).parents[2] / "telephony" / "transcripts" / "e2e.txt"
_EVENT = re.compile(r"^ +(\d+\.\d+) ([A-Z]\w+): (.*)$")
_FIELD = re.compile(r"([A-Za-z-]+)=(.*?)(?= [A-Za-z-]+=|$)")


def scenario(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The AMI events of one recorded scenario."""
    text = TRANSCRIPT.read_text().partition(f"== {name}\n")[2].partition("\n== ")[0]
    for line in text.splitlines():
        if match := _EVENT.match(line):
            yield match[2], dict(_FIELD.findall(match[3]))


def follow(name: str, look: Callable[[Legs, str], None] = lambda *_: None) -> tuple[Legs, list[CallChange]]:
    """Plays a scenario; the caller of its first channel is ours. `look` is called after each event."""
    legs, caller = Legs(), ""
    changes: list[CallChange] = []
    for event, fields in scenario(name):
        if event in ("BlindTransfer", "AttendedTransfer"):
            # The recording keeps one channel's name of each; Asterisk sends the Uniqueids, of who transfers too.
            names = {channel: unique for unique, channel in legs.channels.items()}
            fields["TransfereeUniqueid"] = names.get(fields.get("TransfereeChannel", ""), "")
            talking = [change for change in changes if change.change is Change.JOINED]
            fields["TransfererUniqueid"] = fields["OrigTransfererUniqueid"] = talking[0].leg or ""
        changes += legs.apply(event, fields)
        if event == "Newchannel" and not caller:
            caller = fields["Uniqueid"]
            legs.serve(caller, fields["Channel"])
        look(legs, caller)
    return legs, changes


def story(changes: list[CallChange]) -> list[tuple[str, str]]:
    return [(change.change, endpoint_of(change.channel)) for change in changes]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "answered_customer_hangs_up",
            [("ringing", "PJSIP/1001"), ("joined", "PJSIP/1001"), ("left", "PJSIP/1001"), ("gone", "PJSIP/trunk")],
        ),
        (
            "blind_transfer_by_refer",
            [
                ("ringing", "PJSIP/1001"),
                ("joined", "PJSIP/1001"),
                ("resumed", "PJSIP/1001"),  # of a hold that never was: the phone says so before it refers
                ("transferring", "PJSIP/1001"),
                ("left", "PJSIP/1001"),
                ("ringing", "PJSIP/1002"),
                ("joined", "PJSIP/1002"),
                ("left", "PJSIP/1002"),
                ("gone", "PJSIP/trunk"),
            ],
        ),
        ("abandoned_while_agent_rings", [("ringing", "PJSIP/1001"), ("gone", "PJSIP/trunk")]),
        ("abandoned_while_idle_on_music", [("gone", "PJSIP/trunk")]),
        (
            "agent_rejects_then_next",
            [
                ("ringing", "PJSIP/1001"),
                ("ringing", "PJSIP/1002"),
                ("joined", "PJSIP/1002"),
                ("left", "PJSIP/1002"),
                ("gone", "PJSIP/trunk"),
            ],
        ),
    ],
)
def test_the_story_of_a_recorded_call(name: str, expected: list[tuple[str, str]]) -> None:
    legs, changes = follow(name)
    assert story(changes) == expected
    assert not legs.channels


def test_an_attended_transfer_is_one_new_leg_and_the_wires_between_bridges_are_none() -> None:
    _, changes = follow("attended_transfer_by_ami")
    told = [pair for pair in story(changes) if pair[0] in ("joined", "transferring", "gone")]
    assert told == [
        ("joined", "PJSIP/1001"),
        ("joined", "PJSIP/1002"),
        ("transferring", "PJSIP/1001"),
        ("gone", "PJSIP/trunk"),
    ]


@pytest.mark.parametrize(("name", "leaves"), [("blind_transfer_by_refer", True), ("attended_transfer_by_ami", False)])
def test_who_left_our_dialplan_by_a_transfer_is_known_as_long_as_they_live(name: str, leaves: bool) -> None:
    known: list[bool] = []
    follow(name, lambda legs, caller: known.append(legs.given_away(caller)) if caller in legs.channels else None)
    assert known[-1] is leaves
    assert known == sorted(known)


@pytest.mark.parametrize(
    ("status", "cause", "state", "reason"),
    [
        ("BUSY", "17", ReservationState.FAILED, "busy"),
        ("CHANUNAVAIL", "21", ReservationState.REJECTED, "declined"),
        ("NOANSWER", "0", ReservationState.TIMED_OUT, "no_answer"),
        ("NOANSWER", "19", ReservationState.TIMED_OUT, "no_answer"),
        ("CHANUNAVAIL", "3", ReservationState.FAILED, "unreachable"),
        ("CHANUNAVAIL", "20", ReservationState.FAILED, "unreachable"),
        ("CONGESTION", "34", ReservationState.FAILED, "no_circuit"),
        ("CANCEL", "0", ReservationState.CANCELLED, "caller_left"),
        ("", "", ReservationState.FAILED, "no_circuit"),
    ],
)
def test_what_the_end_of_a_dial_means(status: str, cause: str, state: ReservationState, reason: str) -> None:
    missed = dial_result(status, cause)
    assert missed is not None
    assert (missed.state, missed.reason) == (state, reason)


def test_an_answered_dial_is_no_miss() -> None:
    assert dial_result("ANSWER", "16") is None


def test_callers_who_left_while_nobody_listened_are_told_after_the_connection_is_back() -> None:
    legs = Legs()
    legs.serve("1.1", "PJSIP/trunk-1")
    legs.serve("1.2", "PJSIP/trunk-2")
    shown = [
        {"Uniqueid": "1.2", "Channel": "PJSIP/trunk-2", "BridgeId": "b"},
        {"Uniqueid": "1.3", "Channel": "PJSIP/1001-3", "BridgeId": "b"},
    ]
    assert story(legs.resync(shown, {"1.1", "1.2"})) == [("gone", "PJSIP/trunk"), ("joined", "PJSIP/1001")]


def test_a_caller_who_came_while_the_list_was_on_its_way_has_not_gone() -> None:
    legs = Legs()
    before = frozenset(legs.channels)
    legs.serve("1.1", "PJSIP/trunk-1")
    assert not legs.resync([], before)
    assert legs.channels == {"1.1": "PJSIP/trunk-1"}
