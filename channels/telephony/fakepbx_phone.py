"""A telephone on the fake PBX: what it does when it is rung."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from channels.telephony.fakepbx_channel import Channel, ChannelState, headers

if TYPE_CHECKING:
    from channels.telephony.fakepbx import FakePbx


@dataclass(slots=True, eq=False)
class Phone:
    """Times are seconds; a busy or declining phone refuses after `answers_after` too (at once if None)."""

    pbx: FakePbx
    endpoint: str
    answers_after: float | None = 0.3  # None: rings until the PBX gives up, or until `pick_up()`
    talks_for: float | None = None  # then the agent hangs up
    busy: bool = False  # 486
    declines: bool = False  # 603
    registered: bool = True
    reachable: bool = True
    name: str = ""
    legs: list[Channel] = field(default_factory=list)
    timers: dict[Channel, asyncio.TimerHandle] = field(default_factory=dict)

    @property
    def number(self) -> str:
        return self.endpoint.rpartition("/")[2]

    @property
    def state(self) -> str:
        """As in DeviceStateChange."""
        if not (self.registered and self.reachable):
            return "UNAVAILABLE"
        if any(leg.state is ChannelState.UP for leg in self.legs):
            return "INUSE"
        return "RINGING" if self.legs else "NOT_INUSE"

    @property
    def absent_cause(self) -> int | None:
        """Why no call can be sent to it."""
        if not self.registered:
            return 3
        return None if self.reachable else 20

    def rung(self, leg: Channel) -> None:
        """The INVITE has arrived."""
        self.legs.append(leg)
        leg.phone = self
        after = self.answers_after
        if self.busy:
            self._later(leg, after, lambda: self._refuse(leg, 17))
        elif self.declines:
            self._later(leg, after, lambda: self._refuse(leg, 21))
        elif after is not None:
            self._later(leg, after, lambda: self._answer(leg))

    def pick_up(self) -> None:
        """Answer whatever rings."""
        for leg in [leg for leg in self.legs if leg.state is ChannelState.RINGING]:
            self._answer(leg)

    def decline(self) -> None:
        """603 to whatever rings."""
        for leg in [leg for leg in self.legs if leg.state is ChannelState.RINGING]:
            self._refuse(leg, 21)

    def hang_up(self) -> None:
        for leg in [leg for leg in self.legs if leg.state is ChannelState.UP]:
            leg.hang_up()

    def presses(self, digit: str) -> None:
        """Whoever talks on it presses a key."""
        for leg in [leg for leg in self.legs if leg.state is ChannelState.UP]:
            leg.keys.append(digit)
            leg.poke()

    def let_go(self, leg: Channel) -> None:
        timer = self.timers.pop(leg, None)
        if timer is not None:
            timer.cancel()
        if leg in self.legs:
            self.legs.remove(leg)
            self.tell_state()

    def tell_state(self) -> None:
        if self.pbx.watched:
            self.pbx.emit("DeviceStateChange", f"Device: {self.endpoint}\r\nState: {self.state}\r\n")

    def register(self) -> None:
        self.registered = self.reachable = True
        self._tell_contact("Reachable", "Registered")

    def unregister(self) -> None:
        self.registered = False
        self._tell_contact("Removed", "Unregistered")

    def lose(self) -> None:
        """It stays registered and does not answer OPTIONS any more."""
        self.reachable = False
        self._tell_contact("Unreachable", "Unreachable")

    def _tell_contact(self, contact: str, peer: str) -> None:
        if not self.pbx.watched:
            return
        number, uri = self.number, f"sip:{self.number}@127.0.0.4:5080"
        self.pbx.emit(
            "ContactStatus",
            headers(URI=uri, ContactStatus=contact, AOR=number, EndpointName=number, RoundtripUsec=0),
            privilege="system,all",
        )
        self.pbx.emit(
            "PeerStatus",
            headers(ChannelType="PJSIP", Peer=self.endpoint, PeerStatus=peer),
            privilege="system,all",
        )
        self.tell_state()

    def _later(self, leg: Channel, after: float | None, act: Callable[[], None]) -> None:
        self.timers[leg] = self.pbx.loop.call_later(after or 0.0, act)

    def _answer(self, leg: Channel) -> None:
        if leg.hung_up or leg.state is ChannelState.UP:
            return
        leg.answer()
        leg.exten = ""
        self.tell_state()
        if self.talks_for is not None:
            self._later(leg, self.talks_for, leg.hang_up)
        leg.poke()

    def _refuse(self, leg: Channel, cause: int) -> None:
        if not leg.hung_up:
            leg.rejected = cause
            leg.hang_up(cause)
