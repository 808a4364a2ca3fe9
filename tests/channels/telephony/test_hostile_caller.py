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
