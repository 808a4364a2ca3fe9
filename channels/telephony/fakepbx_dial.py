"""The application Dial of the fake PBX: ring a phone, connect, and how it ends; order of events as recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from channels.telephony.fakepbx_channel import UNKNOWN, Bridge, Channel
from channels.telephony.fakepbx_phone import Phone

_ANSWERED: Final = re.compile(r"U\(callcenter-answered\^([^)]*)\)")
_VARIABLES: Final = (
    "DIALSTATUS", "ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME_MS", "DIALEDPEERNAME", "DIALEDPEERNUMBER",
)  # fmt: skip
# what the outgoing channel's cause adds up to: (event DialEnd, variable DIALSTATUS), see handle_cause() of app_dial.c
_REFUSED: Final = {17: ("BUSY", "BUSY"), 16: ("NOANSWER", "NOANSWER"), 19: ("NOANSWER", "NOANSWER")}


@dataclass(frozen=True, slots=True)
class DialData:
    """`PJSIP/1001,20,tgU(callcenter-answered^7)` taken apart; `seconds` is None without a time limit."""

    endpoint: str
    seconds: float | None
    flags: str
    answered: str | None

    @staticmethod
    def parse(data: str) -> DialData:
        endpoint, _, rest = data.partition(",")
        seconds, _, options = rest.partition(",")
        answered = _ANSWERED.search(options)
        flags = re.sub(r"\([^)]*\)", "", _ANSWERED.sub("", options))
        return DialData(endpoint, float(seconds) if seconds else None, flags, answered[1] if answered else None)


async def dial(caller: Channel, text: str) -> int:
    """Run Dial on the caller's channel; the result is what EXEC answers: -1 when the channel is to be hung up."""
    data = DialData.parse(text)
    variables = caller.variables
    variables.update(dict.fromkeys(_VARIABLES, ""), HANGUPCAUSE="0")
    phone = caller.pbx.phone_at(data.endpoint)
    cause = 3 if phone is None else phone.absent_cause
    if phone is None or cause is not None:
        caller.cause = cause or 3
        variables.update(DIALSTATUS="CHANUNAVAIL", HANGUPCAUSE=str(caller.cause))
        return 0
    leg = _call_out(caller, phone, data)
    if "m" in data.flags:
        caller.start_music("default")
    status = await _ring(caller, leg, data.seconds)
    if "m" in data.flags:
        caller.stop_music()
    variables["DIALSTATUS"] = status
    if status == "ANSWER":
        return await _talk(caller, leg, data)
    if status == "CANCEL":
        return -1
    variables["HANGUPCAUSE"] = str(leg.cause)
    return 0


def _call_out(caller: Channel, phone: Phone, data: DialData) -> Channel:
    """Make the phone's channel and ring it."""
    pbx = caller.pbx
    number = data.endpoint.partition("/")[2].partition("@")[0]
    leg = Channel(
        pbx,
        phone.endpoint,
        context="agents",
        exten="s",
        number=number,
        caller_name=phone.name,
        linkedid=caller.linkedid,
    )
    leg.watcher = caller
    leg.emit("Newchannel")
    leg.exten = caller.exten
    leg.connect_line(caller.caller_num, caller.caller_name)
    caller.emit("DialBegin", f"DialString: {number}\r\n", dest=leg)
    caller.connect_line(leg.caller_num, leg.caller_name)
    leg.ring()
    phone.rung(leg)
    caller.emit("DialState", "DialStatus: RINGING\r\n", dest=leg)
    phone.tell_state()
    caller.tell("ringing")
    return leg


async def _ring(caller: Channel, leg: Channel, seconds: float | None) -> str:
    """Until the phone or the caller or the time decides; gives DIALSTATUS."""
    loop = caller.pbx.loop
    deadline = None if seconds is None else loop.time() + seconds
    while True:
        if leg.answered_at is not None:
            _end_dial(caller, leg, "ANSWER")
            return "ANSWER"
        if caller.left:
            return _give_up(caller, leg, "CANCEL", 16)
        if leg.hung_up:
            told, status = _REFUSED.get(leg.cause, ("NOANSWER", "CHANUNAVAIL"))
            _end_dial(caller, leg, told)
            leg.gone()
            caller.cause = leg.cause
            return status
        if deadline is not None and loop.time() >= deadline:
            return _give_up(caller, leg, "NOANSWER", 0)
        await caller.changed(deadline)


def _give_up(caller: Channel, leg: Channel, status: str, cause: int) -> str:
    _end_dial(caller, leg, status)
    leg.cause = cause
    leg.gone()
    return status


def _end_dial(caller: Channel, leg: Channel, status: str) -> None:
    caller.emit("DialEnd", f"DialStatus: {status}\r\n", dest=leg)


async def _talk(caller: Channel, leg: Channel, data: DialData) -> int:
    variables, loop = caller.variables, caller.pbx.loop
    variables.update(DIALEDPEERNAME=leg.name, DIALEDPEERNUMBER=data.endpoint.partition("/")[2])
    if data.answered is not None:
        await caller.pbx.run_answered(caller, leg, data.answered)
        if leg.hung_up:
            variables["HANGUPCAUSE"] = "16"
            leg.gone()
            return -1 if caller.left or "g" not in data.flags else 0
    caller.stop_music()
    caller.answer()
    bridge = Bridge(caller.pbx)
    bridge.enter(leg)
    bridge.enter(caller)
    caller.tell("talking")
    transferred = await _until_apart(caller, bridge)
    variables["HANGUPCAUSE"] = "16"
    if transferred:
        return 0
    caller.cause = 16
    now = loop.time()
    answered = now - (caller.answered_at or now)
    variables.update(
        ANSWEREDTIME=str(int(answered)),
        ANSWEREDTIME_MS=str(int(answered * 1000)),
        DIALEDTIME_MS=str(int((now - caller.created_at) * 1000)),
    )
    return 0 if "g" in data.flags and not caller.hung_up else -1


async def _until_apart(caller: Channel, bridge: Bridge) -> bool:
    """Until one of the two leaves; whether the caller goes on elsewhere (transfer, redirect)."""
    while True:
        other = bridge.peer(caller)
        if caller.left:
            break
        if other is None or other.hung_up:
            break
        await caller.changed()
    bridge.dissolve(caller if caller.left or other is None else other)
    if other is not None:
        if other.cause == 0:
            other.cause = 16
        other.gone()
    return not caller.hung_up and caller.redirect is not None


def blind_transfer(leg: Channel, context: str, exten: str) -> bool:
    """The phone at `leg` gives the other party of its bridge away, by REFER or by AMI."""
    bridge = leg.bridge
    other = None if bridge is None else bridge.peer(leg)
    if bridge is None or other is None:
        return False
    pbx = leg.pbx
    leg.emit("Unhold")
    if pbx.watched:
        pbx.emit(
            "BlindTransfer",
            f"Result: Success\r\n{leg.snapshot('Transferer')}{other.snapshot('Transferee')}{bridge.snapshot()}"
            f"IsExternal: Yes\r\nContext: {context}\r\nExtension: {exten}\r\n",
        )
    bridge.leave(leg)
    leg.cause = 16
    leg.gone()
    other.context, other.exten = context, exten
    other.redirect = (context, exten)
    other.poke()
    return True


async def attended_transfer(leg: Channel, phone: Phone, seconds: float) -> bool:
    """The phone at `leg` holds its party, talks `seconds` with another phone and connects the two by REFER."""
    bridge = leg.bridge
    other = None if bridge is None else bridge.peer(leg)
    if bridge is None or other is None or phone.absent_cause is not None:
        return False
    pbx = leg.pbx
    hold(leg)
    consult = Channel(
        pbx, leg.name.rpartition("-")[0], context="agents", exten=phone.number, number=leg.caller_num,
        caller_name="" if leg.caller_name == UNKNOWN else leg.caller_name,
    )  # fmt: skip
    consult.phone = leg.phone
    consult.emit("Newchannel")
    target = _call_out(consult, phone, DialData(f"PJSIP/{phone.number}", 30.0, "tT", None))
    if await _ring(consult, target, 30.0) != "ANSWER":
        consult.gone()
        unhold(leg)
        return False
    consult.answer()
    second = Bridge(pbx)
    second.enter(target)
    second.enter(consult)
    until = pbx.loop.time() + seconds
    while pbx.loop.time() < until and not (consult.hung_up or target.hung_up or other.left):
        await consult.changed(until)
    if target.hung_up or other.left or leg.hung_up:
        second.dissolve(consult)
        consult.gone()
        target.gone()
        unhold(leg)
        return False
    _connect(leg, other, consult, target)
    return True


def _connect(leg: Channel, other: Channel, consult: Channel, target: Channel) -> None:
    """REFER with Replaces: the two bridges become the first one, both legs of the transferring phone hang up."""
    first, second, pbx = leg.bridge, consult.bridge, leg.pbx
    assert first is not None
    assert second is not None
    other.stop_music()
    if pbx.watched:
        pbx.emit(
            "AttendedTransfer",
            f"Result: Success\r\n{leg.snapshot('OrigTransferer')}{first.snapshot('Orig')}"
            f"{consult.snapshot('SecondTransferer')}{second.snapshot('Second')}{other.snapshot('Transferee')}"
            f"{target.snapshot('TransferTarget')}DestType: Bridge\r\nDestBridgeUniqueid: {first.uniqueid}\r\n",
        )
    first.leave(leg)
    second.leave(consult)
    second.leave(target)
    target.linkedid = other.linkedid
    target.watcher = other
    first.enter(target)
    for channel in (leg, consult):
        channel.cause = 16
        channel.gone()
    target.connect_line(other.caller_num, other.caller_name)
    other.connect_line(target.caller_num, target.caller_name)
    other.poke()


def hold(leg: Channel) -> None:
    """The phone puts its party on hold."""
    other = None if leg.bridge is None else leg.bridge.peer(leg)
    leg.emit("Hold")
    if other is not None:
        other.start_music("default")


def unhold(leg: Channel) -> None:
    other = None if leg.bridge is None else leg.bridge.peer(leg)
    leg.emit("Unhold")
    if other is not None:
        other.stop_music()
