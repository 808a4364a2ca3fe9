"""How fast the wire formats are read, without any socket."""

import time
from collections.abc import Callable

from channels.telephony import agi, ami
from tests.bench.figures import Row, Unit
from tests.bench.pbx import environment

_CALLER = environment(
    {
        "network_script": "inbound?pbx=default",
        "request": "agi://127.0.0.1:4573/inbound?pbx=default",
        "channel": "PJSIP/trunk-00000001",
        "uniqueid": "1795000000.1",
        "callerid": "+8613800000001",
        "calleridname": "王 Müller",
        "dnid": "95500",
        "extension": "95500",
    }
)
_COMMANDS = (agi.answer(), agi.music_on(), agi.get_variable("DIALSTATUS"), agi.set_variable("CC_DONE", "1"))
_REPLIES = (b"200 result=0\n", b"200 result=0\n", b"200 result=1 (ANSWER)\n", b"200 result=1\n")
_EVENT = b"""\
Event: DialState
Privilege: call,all
Channel: PJSIP/trunk-00000001
ChannelState: 6
ChannelStateDesc: Up
CallerIDNum: 13800000001
CallerIDName: <unknown>
ConnectedLineNum: 1001
ConnectedLineName: Amy
Language: en
Context: callcenter
Exten: 95500
Priority: 2
Uniqueid: 1795000000.1
Linkedid: 1795000000.1
DestChannel: PJSIP/1001-00000002
DestChannelState: 5
DestUniqueid: 1795000000.2
DestLinkedid: 1795000000.1
DialStatus: RINGING

""".replace(b"\n", b"\r\n")
_BATCH = 100


def codecs(*, seconds: float) -> list[Row]:
    """Sessions and events a second on one processor."""
    return [
        Row("AGI codec: environment and four commands", Unit.PER_SECOND, _rate(_session, seconds), note="sessions"),
        Row(
            "AMI codec: events read, three headers looked at",
            Unit.PER_SECOND,
            _rate(_events, seconds) * _BATCH,
            note=f"{len(_EVENT)} bytes each",
        ),
    ]


def _session() -> None:
    connection = agi.AgiConnection()
    connection.receive_data(_CALLER)
    assert isinstance(connection.next_event(), agi.Request)
    for command, reply in zip(_COMMANDS, _REPLIES, strict=True):
        connection.send(command)
        connection.receive_data(reply)
        assert isinstance(connection.next_event(), agi.Reply)


def _events() -> None:
    connection = ami.AmiConnection()
    connection.receive_data(b"Asterisk Call Manager/11.0.0\r\n" + _EVENT * _BATCH)
    read = 0
    for event in connection.events():
        if isinstance(event, ami.Event):
            read += event.fields["Uniqueid"] == "1795000000.1" and event.fields["DialStatus"] == "RINGING"
    assert read == _BATCH


def _rate(act: Callable[[], None], seconds: float) -> float:
    act()
    begun, times = time.perf_counter(), 0
    while (taken := time.perf_counter() - begun) < seconds:
        act()
        times += 1
    return times / taken
