"""A caller on the fake PBX: the dialplan of config/asterisk/ that the call runs through, and the caller's own acts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from channels.telephony.fakepbx_agi import AgiSession
from channels.telephony.fakepbx_channel import Channel, headers
from channels.telephony.fakepbx_dial import attended_transfer, blind_transfer, dial, hold, unhold

if TYPE_CHECKING:
    from channels.telephony.fakepbx import FakePbx

# it was served for a while before the server was lost: the patience of the dialplan begins anew
_SERVED_SECONDS: Final = 5.0


class CallOver(Exception):
    """The call ended before it came to the state that was waited for."""


class FakeCall:
    """One caller.

    States: arriving, playing (a prompt), asked (for a key), waiting (music), ringing, talking, fallback, ended;
    `states` has their times.
    """

    def __init__(
        self, pbx: FakePbx, channel: Channel, *, gives_up_after: float | None, talks_for: float | None
    ) -> None:
        self.pbx = pbx
        self.channel = channel
        self.state = "arriving"
        self.states: list[tuple[float, str]] = [(pbx.loop.time(), "arriving")]
        self.history: list[tuple[float, str, str]] = []
        self.answered_history: list[tuple[float, str, str]] = []
        self.ended: asyncio.Future[None] = pbx.loop.create_future()
        self.asked = 0
        self._tries = 0
        self._gives_up_after, self._talks_for = gives_up_after, talks_for
        self._waiters: list[tuple[str, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        channel.on_state = self._enter

    @property
    def uniqueid(self) -> str:
        return self.channel.uniqueid

    @property
    def agent(self) -> Channel | None:
        """The leg that talks with the caller."""
        return None if self.channel.bridge is None else self.channel.bridge.peer(self.channel)

    async def until(self, state: str, *, timeout: float = 20.0) -> None:
        """Wait until the call is in this state (it may be already); raises CallOver when it ends before."""
        if self.state == state:
            return
        if self.state == "ended":
            raise CallOver(f"ended, not {state}: {self.states}")
        future: asyncio.Future[None] = self.pbx.loop.create_future()
        self._waiters.append((state, future))
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            raise TimeoutError(f"the call is {self.state} and not {state}: {self.states} {self.history[-6:]}") from None

    def hangup(self) -> None:
        """The caller hangs up; only an answered call in conversation carries a cause (as recorded)."""
        self.channel.hang_up(16 if self.channel.bridge is not None else None)

    def presses(self, digit: str) -> None:
        self.channel.keys.append(digit)
        self.channel.poke()
        if self.pbx.watched:
            for event, extra in (("DTMFBegin", ""), ("DTMFEnd", "DurationMs: 100\r\n")):
                text = f"Digit: {digit}\r\n{extra}Direction: Received\r\n"
                self.channel.emit(event, text, privilege="dtmf,all")

    def agent_hangs_up(self) -> None:
        self._leg().hang_up()

    def agent_holds(self) -> None:
        hold(self._leg())

    def agent_resumes(self) -> None:
        unhold(self._leg())

    def blind_transfer(self, exten: str) -> bool:
        """The agent's phone sends REFER: the caller goes on to this extension of the phones' context."""
        return blind_transfer(self._leg(), "agents", exten)

    async def attended_transfer(self, exten: str, *, consult_seconds: float = 0.05) -> bool:
        """The agent's phone holds the caller, talks with another phone and connects the two."""
        phone = self.pbx.phones.get(f"PJSIP/{exten}")
        return phone is not None and await attended_transfer(self._leg(), phone, consult_seconds)

    def _leg(self) -> Channel:
        leg = self.agent
        if leg is None:
            raise CallOver(f"nobody talks with the caller, who is {self.state}")
        return leg

    def _enter(self, state: str) -> None:
        if state == self.state or self.state == "ended":
            return
        self.state = state
        self.states.append((self.pbx.loop.time(), state))
        waiters, self._waiters = self._waiters, []
        for wanted, future in waiters:
            if future.done():
                continue
            if wanted == state:
                future.set_result(None)
            elif state == "ended":
                future.set_exception(CallOver(f"ended, not {wanted}: {self.states}"))
            else:
                self._waiters.append((wanted, future))
        if state == "talking":
            self._arm(self._talks_for)

    def _arm(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = self.pbx.loop.call_later(seconds, self.hangup)

    async def run(self) -> None:
        """The call's thread in the PBX, from its arrival to its end."""
        self._arm(self._gives_up_after)
        channel = self.channel
        channel.emit("Newchannel")
        try:
            await self._inbound()
            while channel.redirect is not None and not channel.hung_up:
                context, exten = channel.redirect
                channel.context, channel.exten, channel.redirect = context, exten, None
                await self._go_on(exten)
            self._finish()
        finally:
            self._arm(None)
            self.over()

    async def _go_on(self, exten: str) -> None:
        """After a redirect or a transfer: an extension of a phone is dialled, any other number is ours again."""
        phone = self.pbx.phones.get(f"PJSIP/{exten}")
        if phone is None:
            await self._inbound()
        else:
            await dial(self.channel, f"{phone.endpoint},30,tT")

    async def _inbound(self) -> None:
        """callcenter-inbound: ask one server after the other until one says that it is done."""
        channel, pbx = self.channel, self.pbx
        # A redirect away from a frozen server goes on with the next one; a call that was done with begins anew.
        if channel.variables.get("CC_DONE", "") != "":
            self._tries = 0
        channel.variables["CC_DONE"] = ""
        until = pbx.loop.time() + pbx.patience
        while True:
            host, port = pbx.nodes[self._tries % len(pbx.nodes)]
            channel.variables["CC_NODE"] = f"{host}:{port}"
            self._tries += 1
            asked = pbx.loop.time()
            channel.application = "AGI"
            self.asked += 1
            history = self.history if pbx.keep_history else None
            await AgiSession(channel, history).run(host, port, self.pbx.script)
            if channel.left or channel.variables["CC_DONE"] == "1":
                return
            now = pbx.loop.time()
            if now - asked >= _SERVED_SECONDS:
                until = now + pbx.patience
            elif now >= until:
                await self._fallback()
                return
            if self._tries % len(pbx.nodes) == 0 and not await channel.pause(pbx.retry_after):
                return

    async def _fallback(self) -> None:
        """app_queue or voicemail: outside what is played here; the caller stays there until they hang up."""
        self.channel.context, self.channel.exten = "callcenter-fallback", "s"
        self.channel.answer()
        self._enter("fallback")
        while not self.channel.left:
            await self.channel.changed()

    def _finish(self) -> None:
        """The dialplan's Hangup, and the end of the channel."""
        channel = self.channel
        if not channel.hung_up and channel.cause == 0:
            channel.cause = 16
        channel.stop_music()
        channel.emit("SoftHangupRequest", "Cause: 16\r\n")
        if self.pbx.h_exten and channel.context == self.pbx.context:
            channel.exten = "h"
        channel.gone()
        self._write_cdr()

    def _write_cdr(self) -> None:
        channel = self.channel
        if self.pbx.watched:
            self.pbx.emit(
                "Cdr",
                headers(
                    AccountCode="",
                    Source=channel.caller_num,
                    Destination=channel.exten,
                    DestinationContext=channel.context,
                    Channel=channel.name,
                    DestinationChannel=channel.variables.get("DIALEDPEERNAME", ""),
                    UniqueID=channel.uniqueid,
                ),
                privilege="cdr,all",
            )

    def over(self) -> None:
        self._enter("ended")
        if not self.ended.done():
            self.ended.set_result(None)
