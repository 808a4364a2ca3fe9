"""The fake PBX says what a real Asterisk said: AGI lines and AMI events against recorded transcripts."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from channels.telephony.fakepbx import FakePbx
from tests.channels.telephony.fake_tools import agi_server, listen, raw

TRANSCRIPTS = Path(__file__).parent / "transcripts"
VARIABLES = (
    "DIALSTATUS", "ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME_MS", "HANGUPCAUSE", "DIALEDPEERNAME",
    "DIALEDPEERNUMBER",
)  # fmt: skip
KEYS = (
    "Channel", "DestChannel", "ChannelStateDesc", "CallerIDNum", "ConnectedLineNum", "Uniqueid", "Linkedid",
    "DestUniqueid", "DialStatus", "BridgeUniqueid", "Cause", "Cause-txt", "Device", "State", "Result",
    "TransfereeChannel", "Extension", "Reason", "Response", "Class", "Exten",
)  # fmt: skip
# whether there is one CDR or two depends on the dialplan of the recording, which has an extension h
NOT_COMPARED = {"Cdr"}
# what the recorder saw within this time came from different threads of Asterisk, in any order
TOGETHER = 0.012


class Names:
    """Channel names, Uniqueids and bridges by the order in which they appear."""

    def __init__(self):
        self.known = {}

    def plain(self, key, value):
        if key in ("Channel", "DestChannel", "TransfereeChannel"):
            return re.sub(r"-[0-9a-f]{8}$", "", value)
        if key in ("Uniqueid", "Linkedid", "DestUniqueid", "BridgeUniqueid"):
            return self.known.setdefault(value, f"#{len(self.known)}")
        return value

    def event(self, name, fields):
        return name, tuple((key, self.plain(key, fields[key])) for key in KEYS if fields.get(key))


def read_transcript(name):
    """(AGI lines with their way, events with their time)."""
    lines, events, names = [], [], Names()
    for line in (TRANSCRIPTS / f"{name}.txt").read_text().splitlines():
        at, rest = line.split(" ", 1)
        if rest[:2] in ("> ", "< "):
            lines.append((rest[0], rest[2:]))
        elif not rest.startswith("! "):
            event, _, text = rest.partition(": ")
            found = re.findall(r"([A-Za-z-]+)=(.*?)(?= [A-Za-z-]+=|$)", text)
            if event not in NOT_COMPARED:
                events.append((float(at), names.event(event, dict(found))))
    return lines, events


def clusters(events):
    groups: list[list[object]] = []
    last = None
    for at, event in events:
        if last is None or at - last > TOGETHER:
            groups.append([])
        groups[-1].append(event)
        last = at
    return groups


def agi_text(lines):
    """Times and channel numbers differ between two runs, and the recording dialled for 3 s."""
    plain, asked = [], ""
    for way, line in lines:
        if way == ">" and line.startswith("GET VARIABLE "):
            asked = line
        elif asked.endswith(("TIME", "TIME_MS", "UNIQUEID", "CDR(billsec)")) and line != "200 result=1 ()":
            line = re.sub(r"\(.*\)", "(number)", line)
        plain.append((way, re.sub(r"-[0-9a-f]{8}\)", "-N)", line).replace(",3,", ",1,")))
    return plain


class Stage:
    """A fake PBX with the lab's phones, a caller, and a server that does what the recording's server did."""

    def __init__(self):
        self.talked = asyncio.Event()

    async def __aenter__(self):
        self.agi = await agi_server(self.handle)
        self.pbx = FakePbx(
            exit_on_hangup=False,  # as recorded
            aftermath=1.0,  # a server on a busy machine asks later than the one that was recorded

            agi=("127.0.0.1", self.agi.port), context="from-trunk", h_exten=True, dead_delay=0.02,
            read=("system", "call", "user", "dtmf", "cdr"), patience=0.0,
        )  # fmt: skip
        await self.pbx.start()
        for number in ("1001", "1002", "1003"):
            self.pbx.phone(f"PJSIP/{number}", answers_after=0.03)
        self.listener = await listen(self.pbx)
        return self

    async def __aexit__(self, *_):
        await self.pbx.stop()
        self.agi.close()
        self.agi.abort_sessions()
        self.listener.transport.abort()

    async def handle(self, session):
        await self.script(session)
        # the dialplan of the recording does not ask again
        self.call.channel.variables["CC_DONE"] = "1"
        session._transport.close()

    async def queue_then_dial(self, session, agents=("1001",), options="tT", idle=0.02):
        await session.command(raw("ANSWER"))
        await session.command(raw("SET MUSIC ON default"))
        await asyncio.wait([session.gone], timeout=idle)
        if session.gone_reason:
            return
        await session.command(raw("SET MUSIC OFF"))
        for name in agents:
            await session.command(raw(f"EXEC Dial PJSIP/{name},1,{options}"))
            status = await session.command(raw("GET VARIABLE DIALSTATUS"))
            for variable in VARIABLES:
                await session.command(raw(f"GET VARIABLE {variable}"))
            if status.text == "ANSWER":
                break

    async def run(self, script, act):
        self.script = script
        self.call = await self.pbx.call(caller="+33612345678", to="+33100000001", name="Customer")
        await act(self.call)
        await self.call.until("ended")
        self.pbx.emit("End", "")
        await self.listener.event("End")


async def leave_when_talking(call):
    await call.until("talking")
    call.hangup()


async def leave_when_waiting(call):
    await call.until("waiting")
    await asyncio.sleep(0.005)
    call.hangup()


async def leave_when_ringing(call):
    await call.until("ringing")
    call.hangup()


async def agent_leaves(call):
    await call.until("talking")
    call.agent_hangs_up()


async def nothing(call):
    pass


async def transfer_then_leave(call):
    await call.until("talking")
    call.blind_transfer("1002")
    await call.until("ringing")
    await leave_when_talking(call)


async def transfer_by_ami_then_leave(call):
    await call.until("talking")
    listener = STAGE[0].listener
    await listener.asked("BlindTransfer", Channel=call.agent.name, Exten="1002", Context="agents")
    await call.until("ringing")
    await leave_when_talking(call)


async def redirect_then_leave(call):
    await call.until("waiting")
    await STAGE[0].listener.asked("Redirect", Channel=call.channel.name, Context="to-agent", Exten="1001", Priority="1")
    await leave_when_talking(call)


STAGE: list[Stage] = []


async def dead_commands(session):
    await session.command(raw("ANSWER"))
    await session.command(raw("SET MUSIC ON default"))
    await asyncio.wait([session.gone])
    for command in (
        "GET VARIABLE UNIQUEID", "CHANNEL STATUS", "EXEC Dial PJSIP/1001,3", 'STREAM FILE beep ""', "SET VARIABLE a b",
        "HANGUP", "GET VARIABLE CDR(billsec)",
    ):  # fmt: skip
        await asyncio.gather(session.command(raw(command)), return_exceptions=True)


async def inside_music(session):
    await session.command(raw("ANSWER"))
    await session.command(raw("EXEC MusicOnHold default,20"))
    await session.command(raw("GET VARIABLE UNIQUEID"))


async def wait_then_ask(session):
    await session.command(raw("ANSWER"))
    await session.command(raw("SET MUSIC ON default"))
    await asyncio.wait([session.gone])
    await session.command(raw("GET VARIABLE UNIQUEID"))


SCENARIOS: dict[str, tuple[Any, dict[str, dict[str, Any]], Any]] = {
    "answered_customer_hangs_up": (None, {}, leave_when_talking),
    "answered_agent_hangs_up": (None, {}, agent_leaves),
    "agent_hangs_up_caller_goes_on": ({"options": "g"}, {}, agent_leaves),
    "abandoned_while_idle_on_music": ({"idle": 5}, {}, leave_when_waiting),
    "abandoned_then_more_commands": (dead_commands, {}, leave_when_waiting),
    "abandoned_inside_moh_command": (inside_music, {}, leave_when_waiting),
    "abandoned_while_agent_rings": (None, {"PJSIP/1001": {"answers_after": None}}, leave_when_ringing),
    "agent_rejects_then_next": (
        {"agents": ("1001", "1002")}, {"PJSIP/1001": {"answers_after": 0.02, "busy": True}}, leave_when_talking,
    ),
    "agent_does_not_answer": (None, {"PJSIP/1001": {"answers_after": None}}, nothing),
    "agent_not_registered": ({"agents": ("1009",)}, {"PJSIP/1009": {"registered": False}}, nothing),
    "blind_transfer_by_refer": (None, {}, transfer_then_leave),
    "blind_transfer_by_ami": (None, {}, transfer_by_ami_then_leave),
    "redirect_waiting_caller": (wait_then_ask, {}, redirect_then_leave),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_fake_says_what_asterisk_said(name):
    script, phones, act = SCENARIOS[name]
    recorded_lines, recorded_events = read_transcript(name)
    async with Stage() as stage:
        STAGE[:] = [stage]
        for endpoint, behaviour in phones.items():
            stage.pbx.phone(endpoint, **behaviour)
        options = script if isinstance(script, dict) else {}
        chosen = script if callable(script) else lambda session: stage.queue_then_dial(session, **options)
        await stage.run(chosen, act)
    assert agi_text(line[1:] for line in stage.call.history) == agi_text(recorded_lines)
    names = Names()
    happened = [
        names.event(event.name, event.fields)
        for event in stage.listener.events
        if event.name not in NOT_COMPARED and event.name != "End"
    ]
    position = 0
    for group in clusters(recorded_events):
        ours = happened[position : position + len(group)]
        position += len(group)
        assert Counter(ours) == Counter(group)
    assert happened[position:] == []
