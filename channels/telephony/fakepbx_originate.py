"""AMI's Originate on the fake PBX: click to call, and listening in; order of events as recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from channels.telephony.fakepbx_agi import AgiSession
from channels.telephony.fakepbx_channel import UNKNOWN, Channel, headers
from channels.telephony.fakepbx_dial import dial

if TYPE_CHECKING:
    from channels.telephony.fakepbx import FakePbx

_SCRIPTS = {"callcenter-notice": "notice", "callcenter-callback": "callback"}
_CALLER_ID = re.compile(r'\s*"?([^"<]*?)"?\s*<([^>]*)>\s*')


async def originate(pbx: FakePbx, fields: Mapping[str, str], variables: Mapping[str, str], action_id: str) -> None:
    """Rings `Channel`; then `Context`/`Exten` (a phone, or a number outside through the trunk) or ChanSpy of `Data`."""
    endpoint = fields.get("Channel", "")
    match = _CALLER_ID.fullmatch(fields.get("CallerID", ""))
    name, number = (match[1], match[2]) if match else ("", fields.get("CallerID", ""))
    phone = pbx.phone_at(endpoint)
    cause = 3 if phone is None else phone.absent_cause
    if phone is None or cause is not None:
        _respond(pbx, fields, action_id, "Failure", "0", "", "<null>", (number, name))
        return
    leg = Channel(
        pbx, endpoint, context="agents", exten="s", number=phone.number, caller_name=phone.name,
        uniqueid=fields.get("ChannelId") or None,
    )  # fmt: skip
    leg.linkedid = leg.uniqueid
    leg.variables.update(variables)
    leg.emit("Newchannel")
    if number:
        leg.caller_num, leg.caller_name = number, name
        leg.emit("NewCallerid", "CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n")
        leg.connect_line(number, name)
    pbx.emit("DialBegin", leg.snapshot("Dest") + f"DialString: {phone.number}\r\n")
    leg.ring()
    phone.rung(leg)
    pbx.emit("DialState", leg.snapshot("Dest") + "DialStatus: RINGING\r\n")
    phone.tell_state()
    until = pbx.loop.time() + float(fields.get("Timeout") or 30_000) / 1000
    while leg.answered_at is None and not leg.hung_up and pbx.loop.time() < until:
        await leg.changed(until)
    status = "ANSWER" if leg.answered_at is not None else "BUSY" if leg.cause == 17 else "NOANSWER"
    pbx.emit("DialEnd", leg.snapshot("Dest") + f"DialStatus: {status}\r\n")
    if status != "ANSWER":
        # 3: rang out, 5: busy
        reason = "5" if status == "BUSY" else "3"
        _respond(pbx, fields, action_id, "Failure", reason, leg.name, leg.uniqueid, (number, name))
        leg.gone()
        return
    _respond(pbx, fields, action_id, "Success", "4", leg.name, leg.uniqueid, (number, name))
    leg.exten = fields.get("Exten", "s")
    if (script := _SCRIPTS.get(fields.get("Context", ""))) is not None:
        host, port = pbx.nodes[0]
        await AgiSession(leg, None).run(host, port, f"{script}?id={leg.exten}")
        _end(leg)
        return
    if fields.get("Application") == "ChanSpy":
        await _spy(pbx, leg, fields.get("Data", ""))
    elif exten := fields.get("Exten"):
        target = f"PJSIP/{exten}"
        await dial(leg, f"{target if target in pbx.phones else target + '@trunk'},30,tT")
    _end(leg)


def _end(leg: Channel) -> None:
    if leg.cause == 0 and not leg.hung_up:
        leg.cause = 16
    leg.emit("SoftHangupRequest", "Cause: 16\r\n")
    leg.gone()


def _respond(
    pbx: FakePbx, fields: Mapping[str, str], action_id: str, response: str, reason: str, channel: str, uniqueid: str,
    caller: tuple[str, str],
) -> None:  # fmt: skip
    where = "".join(f"{key}: {fields[key]}\r\n" for key in ("Context", "Exten", "Application", "Data") if key in fields)
    action = headers(ActionID=action_id) if action_id else ""
    number, name = caller[0] or UNKNOWN, caller[1] or UNKNOWN
    pbx.emit(
        "OriginateResponse",
        action
        + headers(Response=response, Channel=channel or fields.get("Channel", ""))
        + where
        + headers(Reason=reason, Uniqueid=uniqueid, CallerIDNum=number, CallerIDName=name),
    )


async def _spy(pbx: FakePbx, leg: Channel, data: str) -> None:
    """ChanSpy with option E: until the spied channel ends."""
    spied = pbx.channels.get(data.partition(",")[0])
    if spied is None:
        return
    both = f"{leg.snapshot('Spyer')}{spied.snapshot('Spyee')}"
    pbx.emit("ChanSpyStart", both)
    spied.spies.append(leg)
    while spied.name in pbx.channels and not leg.hung_up:
        await leg.changed()
    pbx.emit("ChanSpyStop", both)
