"""A caller's number and name come from strangers, line breaks included."""

from callcenter.settings import PbxSettings
from channels.telephony.agi import AgiConnection, Request
from channels.telephony.ami import AmiConnection, Banner, Event
from channels.telephony.switch import Switch


def test_a_line_break_in_the_callers_number_names_no_other_request():
    connection = AgiConnection()
    connection.receive_data(
        b"agi_network: yes\nagi_network_script: inbound?pbx=default\nagi_channel: PJSIP/trunk-1\nagi_uniqueid: 1.2\n"
        b"agi_callerid: x\nagi_network_script: answered?id=1\nagi_uniqueid: 9.9\nagi_extension: 1\n"
        b"agi_calleridname: Eve\nagi_extension: +33100000001\n\n"
    )
    request = connection.next_event()
    assert isinstance(request, Request)
    assert (request.path, request.query) == ("/inbound", {"pbx": "default"})
    assert request.environment["uniqueid"] == "1.2"
    assert request.environment["extension"] == "+33100000001"


def test_an_event_that_a_callers_number_cut_short_changes_nothing():
    wire = AmiConnection()
    wire.receive_data(b"Asterisk Call Manager/11.0.0\r\n")
    wire.receive_data(b"Event: Newchannel\r\nChannel: PJSIP/trunk-1\r\nCallerIDNum: x\r\n\r\n")
    assert isinstance(wire.next_event(), Banner)
    event = wire.next_event()
    assert isinstance(event, Event)
    switch = Switch(PbxSettings(name="default"))
    switch._event(event)
    assert switch.changes.empty()
    assert not switch.legs.channels


def _events(wire: bytes) -> list[Event]:
    connection = AmiConnection()
    connection.receive_data(b"Asterisk Call Manager/11.0.0\r\n" + wire)
    return [event for event in connection.events() if isinstance(event, Event)]


def test_the_header_that_a_number_brings_along_names_no_other_call():
    switch = Switch(PbxSettings(name="default"))
    switch.legs.serve("1.1", "PJSIP/trunk-1")
    (forged,) = _events(b"Event: Hangup\r\nCallerIDNum: x\r\nUniqueid: 1.1\r\nUniqueid: 1.2\r\nCause: 16\r\n\r\n")
    switch._event(forged)
    assert switch.changes.empty()
    assert "1.1" in switch.legs.channels


def test_a_channel_that_its_callers_number_cut_short_spoils_no_list():
    switch = Switch(PbxSettings(name="default"))
    switch.legs.serve("1.1", "PJSIP/trunk-1")
    shown = _events(
        b"Event: CoreShowChannel\r\nChannel: PJSIP/trunk-2\r\nCallerIDNum: x\r\n\r\n"
        b"Event: CoreShowChannel\r\nChannel: PJSIP/trunk-3\r\nUniqueid: 1.1\r\nUniqueid: 1.3\r\n\r\n"
        b"Event: CoreShowChannel\r\nChannel: PJSIP/trunk-1\r\nUniqueid: 1.1\r\n\r\n"
    )
    switch._resync(shown, frozenset(switch.legs.channels))
    assert switch.legs.channels == {"1.1": "PJSIP/trunk-1"}
