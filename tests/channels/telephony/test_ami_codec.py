"""The AMI codec: messages from bytes cut anywhere, actions that stay one action."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import Invalid
from channels.telephony import ami
from channels.telephony.ami import NEED_DATA, AmiConnection, Banner, Event, MalformedAmi, Response, encode

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
LOGIN = b"Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
NEWCHANNEL = (
    b"Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795309592.311364\r\nChannel: PJSIP/trunk-00000000\r\n"
    b"CallerIDNum: +33612345678\r\nCallerIDName: M\xc3\xbcller: one\r\nAccountCode: \r\nUniqueid: 1795309592.0\r\n"
    b"ChanVariable: CALL_REF=a=b\r\nChanVariable: X=\r\n\r\n"
)
COMMAND = (
    b"Response: Success\r\nActionID: 2\r\nMessage: Command output follows\r\nOutput: Asterisk 22.10.1\r\n"
    b"Output: \r\nOutput:  two\r\n\r\n"
)


def read(*data):
    connection = AmiConnection()
    found = []
    for part in data:
        connection.receive_data(part)
        while (event := connection.next_event()) is not NEED_DATA:
            found.append(event)
    return found


def test_a_log_in_and_an_event_are_read():
    banner, login, event = read(GREETING + LOGIN + NEWCHANNEL)
    assert banner == Banner("11.0.0")
    assert isinstance(login, Response)
    assert (login.action_id, login.success, login.message) == ("1", True, "Authentication accepted")
    assert isinstance(event, Event)
    assert event.name == "Newchannel"
    assert event.fields["CallerIDName"] == "Müller: one"
    assert event.fields["AccountCode"] == ""
    assert event.fields.get("Nothing") is None
    assert list(event.fields)[:2] == ["Event", "Privilege"]


def test_messages_may_be_cut_anywhere():
    stream = GREETING + LOGIN + NEWCHANNEL + COMMAND
    whole = read(stream)
    assert len(whole) == 4
    for cut in range(1, len(stream)):
        assert [repr(event) for event in read(stream[:cut], stream[cut:])] == [repr(event) for event in whole]
    assert len(read(*(stream[i : i + 1] for i in range(len(stream))))) == 4


def test_headers_may_repeat():
    event = read(GREETING + NEWCHANNEL)[1]
    assert isinstance(event, Event)
    assert event.fields.all("ChanVariable") == ["CALL_REF=a=b", "X="]
    assert event.fields.variables() == {"CALL_REF": "a=b", "X": ""}


def test_what_a_user_event_appends_does_not_replace_what_asterisk_wrote():
    event = read(GREETING + b"Event: UserEvent\r\nUniqueid: 1.1\r\nUserEvent: x\r\nUniqueid: 9.9\r\n\r\n")[1]
    assert isinstance(event, Event)
    assert event.fields["Uniqueid"] == "1.1"


def test_the_output_of_a_command_is_kept_line_by_line():
    response = read(GREETING + COMMAND)[1]
    assert isinstance(response, Response)
    assert response.output == ["Asterisk 22.10.1", "", " two"]


def test_a_list_has_a_start_and_an_end():
    _, response, item, end = read(
        GREETING + b"Response: Success\r\nActionID: 3\r\nEventList: start\r\nMessage: Channels will follow\r\n\r\n"
        b"Event: CoreShowChannel\r\nActionID: 3\r\nChannel: PJSIP/1\r\n\r\n"
        b"Event: CoreShowChannelsComplete\r\nActionID: 3\r\nEventList: Complete\r\nListItems: 1\r\n\r\n"
    )
    assert isinstance(response, Response)
    assert response.starts_list
    assert isinstance(item, Event)
    assert (item.action_id, item.ends_list) == ("3", False)
    assert isinstance(end, Event)
    assert end.ends_list


def test_an_error_is_no_success():
    response = read(GREETING + b"Response: Error\r\nActionID: 4\r\nMessage: Permission denied\r\n\r\n")[1]
    assert isinstance(response, Response)
    assert (response.success, response.message) == (False, "Permission denied")


def test_lines_without_a_space_or_a_colon_do_no_harm():
    event = read(GREETING + b"Event: X\r\nKey:value\r\nnonsense\r\nOther: 1\r\n\r\n")[1]
    assert isinstance(event, Event)
    assert dict(event.fields) == {"Event": "X", "Key": "value", "Other": "1"}


def test_an_empty_message_is_passed_over():
    assert read(GREETING + b"\r\n\r\n\r\n\r\n") == [Banner("11.0.0")]


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH_9.2\r\n", b"x" * (ami.MAX_BANNER + 1)])
def test_another_protocol_is_malformed(data):
    with pytest.raises(MalformedAmi):
        read(data)


def test_an_endless_message_is_malformed():
    with pytest.raises(MalformedAmi):
        read(GREETING, b"x" * (ami.MAX_MESSAGE + 1))


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_do_more_than_malform(parts):
    for event in read(GREETING, *parts, b"\r\n\r\n"):
        if isinstance(event, Event | Response):
            assert dict(event.fields) is not None


def test_an_action_is_written():
    assert encode("Originate", "7", {"Channel": "PJSIP/1001", "Variable": ["A=1", "B=2"]}) == (
        b"Action: Originate\r\nActionID: 7\r\nChannel: PJSIP/1001\r\nVariable: A=1\r\nVariable: B=2\r\n\r\n"
    )


@given(st.text(), st.text())
def test_no_value_makes_a_second_header_or_action(key, value):
    try:
        data = encode("Redirect", "1", {key: value})
    except Invalid:
        return
    assert data.count(b"\n") == data.count(b"\r") == 4
    assert data.endswith(b"\r\n\r\n")
    assert b"\0" not in data


@pytest.mark.parametrize(
    "fields",
    [{"Exten": "1\r\nAction: Hangup"}, {"Exten": "1\n"}, {"A\r\nB": "1"}, {"Exten": "x" * 2000}, {"V": ["1"] * 200}],
)
def test_what_would_be_read_otherwise_is_refused(fields):
    with pytest.raises(Invalid):
        encode("Redirect", "1", fields)
