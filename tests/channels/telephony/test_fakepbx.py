"""The fake PBX by itself: the dialplan's loop, phones, transfers, AMI actions, and what breaks."""

import asyncio

import pytest

from channels.telephony import agi
from channels.telephony.fakepbx import CallOver, FakePbx
from channels.telephony.fakepbx_agi import split_words
from channels.telephony.fastagi import AgiServer, AgiSession
from tests.channels.telephony.fake_tools import agi_server, listen, raw


class Server:
    """A product in small: waits, dials 1001 when told, and says that it is done."""

    def __init__(self):
        self.sessions: list[AgiSession] = []
        self.port = 0
        self.running: AgiServer | None = None
        self.answered: list[tuple[str, str]] = []
        self.dial = asyncio.Event()
        self.options = "tg"
        self.status = None
        self.done = True

    async def __call__(self, session):
        self.sessions.append(session)
        if session.path == "/answered":
            self.answered.append((session.query["id"], session.environment["channel"]))
            await session.finish()
            return
        await session.command(agi.answer())
        await session.command(agi.music_on())
        dial = asyncio.ensure_future(self.dial.wait())
        await asyncio.wait([dial, session.gone], return_when=asyncio.FIRST_COMPLETED)
        dial.cancel()
        if session.gone_reason is None:
            await session.command(raw(f"EXEC Dial PJSIP/1001,1,{self.options}U(callcenter-answered^7)"))
            self.status = (await session.command(agi.get_variable("DIALSTATUS"))).text
        if self.done:
            await session.finish()


@pytest.fixture
async def server():
    handler = Server()
    running = await agi_server(handler)
    handler.port = running.port
    handler.running = running
    yield handler
    running.close()
    running.abort_sessions()
    async with asyncio.timeout(20):
        await running.wait_closed()


@pytest.fixture
async def pbx(server):
    pbx = FakePbx(agi=("127.0.0.1", server.port), patience=0.05, retry_after=0.01, exit_on_hangup=False)
    await pbx.start()
    pbx.phone("PJSIP/1001", answers_after=0.01)
    pbx.phone("PJSIP/1002", answers_after=0.01)
    yield pbx
    await pbx.stop()


@pytest.fixture
async def heard(pbx):
    listener = await listen(pbx)
    yield listener
    listener.transport.abort()


async def arrive(pbx):
    return await pbx.call(caller="+8613800138000", to="95500", name="王小明")


async def talking(pbx, server):
    call = await arrive(pbx)
    await call.until("waiting")
    server.dial.set()
    await call.until("talking")
    return call


async def test_the_environment_carries_caller_and_called(pbx, server):
    call = await arrive(pbx)
    await call.until("waiting")
    session = server.sessions[0]
    environment = session.environment
    assert (session.path, dict(session.query)) == ("/inbound", {"pbx": "default"})
    assert environment["callerid"] == "+8613800138000"
    assert environment["calleridname"] == "王小明"
    assert environment["extension"] == "95500"
    assert environment["uniqueid"] == call.uniqueid
    assert environment["channel"] == call.channel.name
    call.hangup()
    await call.until("ended")


async def test_a_withheld_number_is_unknown(pbx, server):
    call = await pbx.call(caller="", to="95500")
    await call.until("waiting")
    assert server.sessions[0].environment["callerid"] == "unknown"
    assert server.sessions[0].environment["calleridname"] == "unknown"


async def test_line_breaks_of_a_hostile_caller_come_through_as_from_asterisk(pbx, server):
    call = await pbx.call(caller="1\nagi_request: x", to="95500", name="Eve\r\nEvent: Hangup")
    await call.until("waiting")
    assert server.sessions[0].environment["callerid"] == "1"
    assert server.sessions[0].environment["request"].startswith("agi://127.0.0.1")


async def test_the_answer_is_told_from_the_agents_leg_before_the_two_are_connected(pbx, server, heard):
    call = await talking(pbx, server)
    assert server.answered == [("7", call.agent.name)]
    await heard.event("BridgeEnter", Uniqueid=call.uniqueid)
    names = heard.names()
    assert names.index("DialEnd") < names.index("BridgeEnter")
    call.hangup()
    await call.until("ended")
    assert server.status == "ANSWER"


async def test_a_caller_who_gives_up_ends_the_session(pbx, server):
    call = await pbx.call(caller="1", to="95500", gives_up_after=0.02)
    await call.until("ended")
    assert server.sessions[0].gone_reason == agi.GoneReason.HANGUP
    assert [state for _, state in call.states] == ["arriving", "waiting", "ended"]
    with pytest.raises(CallOver):
        await call.until("talking")


async def test_without_cc_done_the_dialplan_asks_again_with_the_same_uniqueid(pbx, server):
    pbx.patience = 5.0  # it counts from the call's beginning
    server.done = False
    call = await talking(pbx, server)
    server.dial.clear()
    call.agent_hangs_up()
    await call.until("waiting")
    inbound = [session for session in server.sessions if session.path == "/inbound"]
    assert len(inbound) == 2
    assert len({session.environment["uniqueid"] for session in inbound}) == 1


async def test_a_server_that_dies_in_conversation_does_not_end_it(pbx, server):
    pbx.patience = 5.0  # the conversation is short, and so would be the patience after it
    call = await talking(pbx, server)
    server.running.abort_sessions()
    await asyncio.sleep(0.02)  # nothing is to happen: there is no event to wait for
    assert call.state == "talking"
    server.dial.clear()
    call.agent_hangs_up()
    await call.until("waiting")


async def test_another_node_is_asked_when_one_is_down(pbx, server):
    pbx.nodes.insert(0, ("127.0.0.1", 1))
    call = await arrive(pbx)
    await call.until("waiting")
    assert call.asked == 2


async def test_without_any_server_the_fallback_takes_the_call(pbx, server):
    pbx.nodes[:] = [("127.0.0.1", 1)]
    call = await arrive(pbx)
    await call.until("fallback")
    call.hangup()
    await call.until("ended")


@pytest.mark.parametrize(
    ("behaviour", "status", "cause", "told"),
    [
        ({"busy": True, "answers_after": 0.01}, "BUSY", "17", "BUSY"),
        ({"declines": True, "answers_after": None}, "CHANUNAVAIL", "21", "NOANSWER"),
        ({"registered": False}, "CHANUNAVAIL", "3", None),
        ({"reachable": False}, "CHANUNAVAIL", "20", None),
    ],
)
async def test_a_phone_that_refuses_gives_status_and_cause_as_measured(
    pbx, server, heard, behaviour, status, cause, told
):
    pbx.phone("PJSIP/1001", **behaviour)
    server.dial.set()
    call = await arrive(pbx)
    await call.until("ended")
    assert call.channel.variables["DIALSTATUS"] == status
    assert call.channel.variables["HANGUPCAUSE"] == cause
    ends = [event.fields["DialStatus"] for event in heard.events if event.name == "DialEnd"]
    assert ends == ([] if told is None else [told])


async def test_a_phone_may_be_picked_up_by_hand(pbx, server):
    phone = pbx.phone("PJSIP/1001", answers_after=None)
    server.dial.set()
    call = await arrive(pbx)
    await call.until("ringing")
    assert phone.state == "RINGING"
    phone.pick_up()
    await call.until("talking")
    assert phone.state == "INUSE"
    phone.hang_up()
    await call.until("ended")
    assert phone.state == "NOT_INUSE"


async def test_a_ringing_leg_that_ami_hangs_up_ends_the_dial_unanswered(pbx, server, heard):
    pbx.phone("PJSIP/1001", answers_after=None)
    server.dial.set()
    call = await arrive(pbx)
    await call.until("ringing")
    leg = pbx.phones["PJSIP/1001"].legs[0]
    assert (await heard.asked("Hangup", Channel=leg.name)).success
    await call.until("ended")
    assert server.status == "NOANSWER"


async def test_hold_and_keys_are_told(pbx, server, heard):
    call = await talking(pbx, server)
    leg = call.agent.uniqueid
    call.agent_holds()
    await heard.event("Hold", Uniqueid=leg)
    await heard.event("MusicOnHoldStart", Uniqueid=call.uniqueid)
    call.agent_resumes()
    await heard.event("Unhold", Uniqueid=leg)
    call.presses("5")
    await heard.event("DTMFEnd", Uniqueid=call.uniqueid, Digit="5")


async def test_an_attended_transfer_connects_the_other_phone_while_dial_goes_on(pbx, server, heard):
    call = await talking(pbx, server)
    first = call.agent
    assert await call.attended_transfer("1002", consult_seconds=0.01)
    done = await heard.event("AttendedTransfer", Result="Success")
    assert done.fields["OrigTransfererUniqueid"] == first.uniqueid
    assert done.fields["TransfereeUniqueid"] == call.uniqueid
    assert done.fields["SecondTransfererChannel"].startswith("PJSIP/1001-")
    assert done.fields["TransferTargetChannel"] == call.agent.name
    assert call.agent.name.startswith("PJSIP/1002-")
    await heard.event("Hangup", Uniqueid=first.uniqueid)
    assert call.state == "talking"
    assert server.status is None
    call.agent_hangs_up()
    await call.until("ended")
    assert server.status == "ANSWER"
    assert not pbx.channels


async def test_an_attended_transfer_to_nobody_leaves_the_caller_with_the_agent(pbx, server, heard):
    pbx.phone("PJSIP/1002", busy=True, answers_after=0.01)
    call = await talking(pbx, server)
    assert not await call.attended_transfer("1002")
    assert call.agent.name.startswith("PJSIP/1001-")
    assert len(pbx.channels) == 2


async def test_a_blind_transfer_to_a_number_of_ours_asks_the_server_again(pbx, server, heard):
    call = await talking(pbx, server)
    server.dial.clear()
    call.blind_transfer("95501")
    await call.until("waiting")
    assert server.sessions[-1].environment["extension"] == "95501"
    assert server.sessions[-1].environment["uniqueid"] == call.uniqueid


async def test_a_prompt_is_cut_short_by_ami(pbx, server, heard):
    pbx.prompts["long"] = 60.0
    endpos = asyncio.get_running_loop().create_future()

    async def handler(session):
        reply = await session.command(agi.stream_file("long"))
        endpos.set_result((reply.result, reply.endpos))
        await session.finish()

    other = await agi_server(handler)
    pbx.nodes[:] = [("127.0.0.1", other.port)]
    call = await arrive(pbx)
    await call.until("playing")
    await heard.asked("ControlPlayback", Channel=call.channel.name, Control="stop")
    result, position = await endpos
    assert result == "0"
    assert position < 8000 * 60
    other.close()


async def test_a_redirect_leaves_a_frozen_server_only_with_agiexitonhangup(pbx, server, heard):
    frozen = asyncio.Event()

    async def handler(session):
        await session.command(agi.music_on())
        await frozen.wait()
        session.abort()

    other = await agi_server(handler)
    for exit_on_hangup in (False, True):
        pbx.exit_on_hangup = exit_on_hangup
        pbx.nodes[:] = [("127.0.0.1", other.port)]
        call = await arrive(pbx)
        await call.until("waiting")
        pbx.nodes[:] = [("127.0.0.1", server.port)]
        before = len(server.sessions)
        await heard.asked("Redirect", Channel=call.channel.name, Context=pbx.context, Exten="95500", Priority="1")
        await asyncio.sleep(0.03)
        assert len(server.sessions) - before == int(exit_on_hangup)
    frozen.set()
    other.close()


async def test_a_restart_loses_every_channel_and_tells_another_start(pbx, server, heard):
    before = (await heard.asked("CoreStatus")).fields["CoreStartupTime"]
    call = await talking(pbx, server)
    port = pbx.ami_port
    await pbx.restart()
    assert call.state == "ended"
    assert (pbx.channels, pbx.ami_port) == ({}, port)
    async with asyncio.timeout(20):
        await heard.lost.wait()
    again = await listen(pbx)
    assert (await again.asked("CoreStatus")).fields["CoreStartupTime"] != before
    again.transport.abort()


async def test_originate_rings_the_agent_and_then_the_number_outside(pbx, server, heard):
    pbx.phone("PJSIP/trunk", answers_after=0.01)
    answer = await heard.asked(
        "Originate", Channel="PJSIP/1001", Context="agents", Exten="+33699999999", Priority="1", Async="true",
        CallerID="Click to call <+33699999999>", ChannelId="ctc-1",
    )  # fmt: skip
    assert answer.message == "Originate successfully queued"
    response = await heard.event("OriginateResponse", Response="Success")
    assert response.fields["Uniqueid"] == "ctc-1"
    enter = await heard.event("BridgeEnter", Uniqueid="ctc-1")
    assert enter.fields["Linkedid"] == "ctc-1"
    outside = await heard.event("DialBegin", Uniqueid="ctc-1")
    assert outside.fields["DestChannel"].startswith("PJSIP/trunk-")
    pbx.phones["PJSIP/1001"].hang_up()
    await heard.event("Hangup", Uniqueid="ctc-1")


async def test_originate_to_a_phone_that_is_not_there_fails(pbx, server, heard):
    await heard.asked("Originate", Channel="PJSIP/1009", Context="agents", Exten="1", Priority="1", Async="true")
    await heard.event("OriginateResponse", Response="Failure")


async def test_listening_in_is_told(pbx, server, heard):
    call = await talking(pbx, server)
    await heard.asked(
        "Originate", Channel="PJSIP/1002", Application="ChanSpy", Data=f"{call.agent.name},qES", Async="true"
    )
    start = await heard.event("ChanSpyStart", SpyeeUniqueid=call.agent.uniqueid)
    call.hangup()
    await heard.event("ChanSpyStop", SpyerUniqueid=start.fields["SpyerUniqueid"])


async def test_phones_tell_when_they_come_and_go(pbx, heard):
    phone = pbx.phones["PJSIP/1001"]
    phone.unregister()
    await heard.event("ContactStatus", AOR="1001", ContactStatus="Removed")
    await heard.event("DeviceStateChange", Device="PJSIP/1001", State="UNAVAILABLE")
    phone.register()
    await heard.event("PeerStatus", Peer="PJSIP/1001", PeerStatus="Registered")


async def test_actions_need_a_log_in_and_a_right(pbx, heard):
    assert (await heard.asked("Command", Command="core show version")).message == "Permission denied"
    assert "Invalid/unknown command: Nope" in (await heard.asked("Nope")).message
    assert (await heard.asked("Redirect", Channel="x")).message == "Channel does not exist: x"


async def test_an_overlong_line_is_read_as_two_commands_as_by_asterisk(pbx):
    async def handler(session):
        await session.command(raw("VERBOSE " + "x" * 2100))
        await session.finish()

    other = await agi_server(handler)
    pbx.nodes[:] = [("127.0.0.1", other.port)]
    call = await arrive(pbx)
    await call.until("ended")
    assert [line for _, _, line in call.history][2:4] == ["200 result=1", "510 Invalid or unknown command"]
    other.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SET VARIABLE A b", ["SET", "VARIABLE", "A", "b"]),
        ('SET VARIABLE A ""', ["SET", "VARIABLE", "A", ""]),
        ('A "b c\\"d\\\\"', ["A", 'b c"d\\']),
        ("  a\t b  ", ["a", "b"]),
    ],
)
def test_words_are_split_as_by_asterisk(line, words):
    assert split_words(line) == words
