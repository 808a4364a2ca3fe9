"""The AGI codec: every event from bytes, every command to bytes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import Invalid
from channels.telephony import agi
from channels.telephony.agi import NEED_DATA, AgiConnection, Command, Gone, GoneReason, MalformedAgi, Reply, Request

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: inbound?pbx=default&queue=support\n"
    b"agi_request: agi://127.0.0.1:4573/inbound?pbx=default&queue=support\nagi_channel: PJSIP/trunk-00000010\n"
    b"agi_uniqueid: 1795309361.16\nagi_callerid: +33612345678\nagi_calleridname: M\xc3\xbcller\n"
    b"agi_accountcode: \nagi_extension: +33100000001\n\n"
)


def events(connection):
    found = []
    while (event := connection.next_event()) is not NEED_DATA:
        found.append(event)
    return found


def opened():
    connection = AgiConnection()
    connection.receive_data(ENVIRONMENT)
    assert isinstance(connection.next_event(), Request)
    return connection


def reply_to(command, data):
    connection = opened()
    connection.send(command)
    connection.receive_data(data)
    return events(connection)


def asterisk_words(line: bytes) -> list[bytes]:
    """parse_args() of res_agi.c as its source describes it, byte by byte."""
    words: list[bytearray] = []
    quoted = escaped = False
    between = True

    def put(byte: int) -> None:
        nonlocal between, escaped
        if between:
            words.append(bytearray())
            between = False
        words[-1].append(byte)
        escaped = False

    for byte in line:
        if byte == ord('"') and not escaped:
            quoted = not quoted
            if quoted and between:
                words.append(bytearray())
                between = False
        elif byte in b" \t" and not quoted and not escaped:
            between = True
        elif byte == ord("\\") and not escaped:
            escaped = True
        else:
            put(byte)
    return [bytes(word) for word in words]


def test_the_environment_becomes_one_request():
    connection = AgiConnection()
    connection.receive_data(ENVIRONMENT)
    (request,) = events(connection)
    assert request.path == "/inbound"
    assert request.query == {"pbx": "default", "queue": "support"}
    assert request.environment["uniqueid"] == "1795309361.16"
    assert request.environment["calleridname"] == "Müller"
    assert request.environment["accountcode"] == ""


def test_the_environment_may_come_byte_by_byte():
    connection = AgiConnection()
    seen = []
    for byte in ENVIRONMENT:
        connection.receive_data(bytes([byte]))
        seen += events(connection)
    assert [type(event) for event in seen] == [Request]


def test_the_request_is_read_from_the_address_when_there_is_no_script():
    connection = AgiConnection()
    connection.receive_data(b"agi_request: agi://h:4573/answered?id=7%2D9\n\n")
    (request,) = events(connection)
    assert (request.path, request.query) == ("/answered", {"id": "7-9"})


def test_names_in_latin_1_are_replaced_not_refused():
    connection = AgiConnection()
    connection.receive_data(b"agi_request: agi://h/inbound\nagi_calleridname: M\xfcller\n\n")
    (request,) = events(connection)
    assert request.environment["calleridname"] == "M\ufffdller"


def test_lines_without_a_colon_are_left_out():
    connection = AgiConnection()
    connection.receive_data(b"agi_network: yes\nno colon here\n: empty key\nagi_network_script\n\n")
    (request,) = events(connection)
    assert request.environment == {"network": "yes"}
    assert request.path == "/"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\n",
        b"\n\n\n\n",
        b"agx",
        b"agi_a: " + b"x" * (agi.MAX_ENVIRONMENT + 1),
        b"agi_a: " + b"x" * (agi.MAX_ENVIRONMENT + 1) + b"\n\n",
        b"agi_network_script: i?" + b"&".join(b"a=1" for _ in range(100)) + b"\n\n",
        b"agi_request: agi://[::1/inbound\n\n",
    ],
)
def test_what_is_no_environment_is_malformed(data):
    connection = AgiConnection()
    connection.receive_data(data)
    with pytest.raises(MalformedAgi):
        connection.next_event()


def test_an_end_before_the_environment_is_gone():
    connection = AgiConnection()
    connection.receive_data(b"agi_network: y")
    connection.receive_data(b"")
    assert events(connection) == [Gone(GoneReason.EOF)]


@given(st.binary(max_size=300), st.lists(st.binary(max_size=80), max_size=20))
def test_no_bytes_do_more_than_malform(first, rest):
    connection = AgiConnection()
    try:
        for data in [first, b"agi_a: b\n\n", *rest]:
            if data:
                connection.receive_data(data)
            for event in events(connection):
                if isinstance(event, Request):
                    connection.send(agi.hangup())
        connection.receive_data(b"")
        assert sum(isinstance(event, Gone) for event in events(connection)) <= 1
    except MalformedAgi:
        pass


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"200 result=0\n", Reply(200, "0", None)),
        (b"200 result=0\r\n", Reply(200, "0", None)),
        (b"200 result=1 (ANSWER)\n", Reply(200, "1", "ANSWER")),
        (b"200 result=1 ()\n", Reply(200, "1", "")),
        (b"200 result=1 (a (b) c)\n", Reply(200, "1", "a (b) c")),
        (b"200 result=1 (two\nlines)\n", Reply(200, "1", "two\nlines")),
        (b"200 result=0 endpos=8000\n", Reply(200, "0", None, 8000)),
        (b"200 result=1 (speech) endpos=0\n", Reply(200, "1", "speech", 0)),
        (b"510 Invalid or unknown command\n", Reply(510, None, "Invalid or unknown command")),
    ],
)
def test_a_reply_is_read(data, reply):
    assert reply_to(agi.get_variable("X"), data) == [reply]


def test_a_provisional_reply_is_passed_over():
    assert reply_to(agi.hangup(), b"100 result=0 Trying...\n200 result=1\n") == [Reply(200, "1", None)]


def test_a_usage_of_many_lines_is_one_reply():
    usage = b"520-Invalid command syntax.  Proper usage follows:\n Usage: X <a>\n\tMore.\n520 End of proper usage.\n"
    (reply,) = reply_to(agi.hangup(), usage)
    assert reply.code == 520
    assert "Usage: X <a>" in reply.text


def test_a_usage_split_anywhere_is_one_reply():
    usage = b"520-Invalid command syntax.\n Usage: X <a>\n520 End of proper usage.\n"
    for cut in range(1, len(usage)):
        connection = opened()
        connection.send(agi.hangup())
        connection.receive_data(usage[:cut])
        assert events(connection) == []
        connection.receive_data(usage[cut:])
        assert [event.code for event in events(connection)] == [520]


def test_hangup_is_gone_once_and_variables_are_still_answered():
    connection = opened()
    connection.receive_data(b"HANGUP\n")
    assert events(connection) == [Gone(GoneReason.HANGUP)]
    connection.send(agi.get_variable("UNIQUEID"))
    connection.receive_data(b"200 result=1 (1795309377.23)\n")
    assert events(connection) == [Reply(200, "1", "1795309377.23")]
    connection.send(agi.stream_file("beep"))
    connection.receive_data(b"511 Command Not Permitted on a dead channel or intercept routine\nHANGUP\n")
    assert [event.code for event in events(connection)] == [511]
    connection.receive_data(b"")
    assert events(connection) == []


def test_511_is_gone():
    assert reply_to(agi.hangup(), b"511 Command Not Permitted on a dead channel\n") == [
        Reply(511, None, "Command Not Permitted on a dead channel"),
        Gone(GoneReason.DEAD_CHANNEL),
    ]


def test_minus_one_is_gone_where_it_can_mean_nothing_else():
    failed = [Reply(200, "-1", None), Gone(GoneReason.FAILED)]
    assert reply_to(agi.answer(), b"200 result=-1\n") == failed
    # a Dial without option g also ends in -1 when the agent hangs up, a prompt where there is no such sound
    for command in (
        agi.dial("PJSIP/1001", timeout=timedelta(seconds=3)),
        agi.stream_file("hello"),
        agi.say_number(7),
    ):
        assert reply_to(command, b"200 result=-1\n") == [Reply(200, "-1", None)]


def test_hangup_between_a_command_and_its_reply_keeps_both():
    assert reply_to(agi.get_variable("DIALSTATUS"), b"HANGUP\n200 result=1 (ANSWER)\n") == [
        Gone(GoneReason.HANGUP),
        Reply(200, "1", "ANSWER"),
    ]


def test_the_end_of_the_connection_is_gone():
    assert reply_to(agi.hangup(), b"") == [Gone(GoneReason.EOF)]


def test_an_endless_line_is_malformed():
    with pytest.raises(MalformedAgi):
        reply_to(agi.hangup(), b"2" * (agi.MAX_LINE + 1))


@pytest.mark.parametrize("start", [b"520-usage\n", b"200 result=1 (open\n"])
def test_an_endless_reply_is_malformed(start):
    with pytest.raises(MalformedAgi):
        reply_to(agi.hangup(), start + b"x\n" * agi.MAX_LINE)


def test_a_few_stray_lines_are_passed_over_many_are_malformed():
    connection = opened()
    connection.receive_data(b"200 result=0\n" * agi.MAX_STRAY_LINES)
    assert events(connection) == []
    connection.receive_data(b"noise\n")
    with pytest.raises(MalformedAgi):
        connection.next_event()


def test_only_one_command_is_in_flight():
    connection = opened()
    connection.send(agi.hangup())
    with pytest.raises(RuntimeError):
        connection.send(agi.hangup())


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (agi.answer(), b"EXEC Answer ,i\n"),
        (agi.music_on("default"), b"SET MUSIC ON default\n"),
        (agi.music_off(), b"SET MUSIC OFF\n"),
        (agi.get_variable("CDR(billsec)"), b"GET VARIABLE CDR(billsec)\n"),
        (agi.set_variable("CC_DONE", "1"), b"SET VARIABLE CC_DONE 1\n"),
        (agi.set_variable("A", ""), b'SET VARIABLE A ""\n'),
        (agi.stream_file("beep"), b'STREAM FILE beep ""\n'),
        (agi.hangup(), b"HANGUP\n"),
        (agi.verbose("hello there"), b'VERBOSE "hello there" 1\n'),
        (agi.exec_("Wait", "1"), b"EXEC Wait 1\n"),
        (agi.exec_("MusicOnHold"), b"EXEC MusicOnHold\n"),
        (agi.dial("PJSIP/1001", timeout=timedelta(seconds=3), options="tT"), b"EXEC Dial PJSIP/1001,3,tT\n"),
        (
            agi.dial("PJSIP/1001", timeout=timedelta(seconds=2.5), options="g", answered="7-9"),
            b"EXEC Dial PJSIP/1001,2.5,gU(callcenter-answered^7-9)\n",
        ),
        (agi.dial("PJSIP/1001", timeout=timedelta(seconds=20)), b"EXEC Dial PJSIP/1001,20\n"),
    ],
)
def test_a_command_is_written(command, line):
    assert command.line == line


@pytest.mark.parametrize(
    "build",
    [
        lambda: agi.set_variable("A", "a\nHANGUP"),
        lambda: agi.set_variable("A", "a\rHANGUP"),
        lambda: agi.set_variable("A", "a\0b"),
        lambda: agi.set_variable("A", "x" * 10_000),
        lambda: agi.set_variable("A b", "x"),
        lambda: agi.get_variable("A\nHANGUP"),
        lambda: agi.get_variable('SHELL(rm "-r")'),
        lambda: agi.exec_("System x", "y"),
        lambda: agi.exec_("Playback", "a,b"),
        lambda: agi.dial("PJSIP/1001&PJSIP/1002", timeout=timedelta(seconds=3)),
        lambda: agi.dial("PJSIP/1001,3,tT", timeout=timedelta(seconds=3)),
        lambda: agi.dial("PJSIP/1001", timeout=timedelta(seconds=3), answered="7)U(other"),
        lambda: agi.dial("PJSIP/1001", timeout=timedelta(seconds=3), options="t,http://x"),
    ],
)
def test_what_would_be_read_otherwise_is_refused(build):
    with pytest.raises(Invalid):
        build()


@given(st.text())
def test_asterisk_reads_back_every_value_that_is_not_refused(value):
    try:
        command = agi.set_variable("NAME", value)
    except Invalid:
        assert set(value) & set("\r\n\0") or len(value.encode("utf-8", "replace")) > 900
        return
    assert asterisk_words(command.line.removesuffix(b"\n")) == [
        b"SET", b"VARIABLE", b"NAME", value.encode("utf-8", "replace"),
    ]  # fmt: skip


@given(st.text(alphabet='\\" \t\r\n\0a,()ü', max_size=3000), st.text(alphabet='\\" \t\r\n#*', max_size=20))
def test_no_value_makes_a_second_command_or_an_overlong_line(one, other):
    for build in (lambda: agi.stream_file(one, other), lambda: agi.verbose(one), lambda: agi.exec_("Playback", one)):
        try:
            command: Command = build()
        except Invalid:
            continue
        assert command.line.endswith(b"\n")
        assert not set(command.line[:-1]) & set(b"\r\n\0")
        assert len(command.line) < 2048
        assert len(asterisk_words(command.line[:-1])) <= 4
