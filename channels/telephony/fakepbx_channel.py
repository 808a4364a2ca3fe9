"""Channels and bridges of the fake PBX, and how they look in AMI events."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from channels.telephony.fakepbx import FakePbx
    from channels.telephony.fakepbx_phone import Phone

UNKNOWN: Final = "<unknown>"

CAUSES: Final[Mapping[int, str]] = {
    0: "Unknown",
    3: "No route to destination",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    21: "Call Rejected",
}


class ChannelState(IntEnum):
    """Asterisk's states of a channel that occur here."""

    DOWN = 0
    RING = 4  # an incoming call that was not answered yet
    RINGING = 5  # an outgoing call that rings
    UP = 6

    @property
    def text(self) -> str:
        return self.name.capitalize()


class Channel:
    """One leg. Whoever acts on it changes its attributes and pokes it; its own task waits in `changed()`."""

    __slots__ = (
        "answered_at", "application", "bridge", "caller_name", "caller_num", "cause", "connected_name", "connected_num",
        "context", "created_at", "data", "exten", "hung_up", "keys", "linkedid", "music", "name", "on_state", "pbx",
        "phone", "playback", "priority", "redirect", "rejected", "spies", "state", "uniqueid", "variables", "waiter",
        "watcher",
    )  # fmt: skip

    def __init__(
        self, pbx: FakePbx, name: str, *, context: str, exten: str, number: str, caller_name: str,
        linkedid: str | None = None, uniqueid: str | None = None, state: ChannelState = ChannelState.DOWN,
    ) -> None:  # fmt: skip
        self.pbx = pbx
        self.name, self.uniqueid = pbx.identify(name)
        if uniqueid is not None:
            self.uniqueid = uniqueid
        self.linkedid = linkedid or self.uniqueid
        self.state = state
        self.caller_num, self.caller_name = number or UNKNOWN, caller_name or UNKNOWN
        self.connected_num = self.connected_name = UNKNOWN
        self.context, self.exten, self.priority = context, exten, "1"
        self.application = self.data = ""
        self.variables: dict[str, str] = {}
        self.created_at = pbx.loop.time()
        self.answered_at: float | None = None
        self.hung_up = False  # the far end, or AMI, has hung up
        self.rejected: int | None = None  # the cause by which the phone refused
        self.redirect: tuple[str, str] | None = None  # (context, exten) to go to when the application has let go
        self.cause = 0
        self.keys: list[str] = []  # pressed and not used up yet
        self.bridge: Bridge | None = None
        self.music: str | None = None
        self.playback = False  # a prompt runs; cleared by ControlPlayback
        self.phone: Phone | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.watcher: Channel | None = None  # who is poked too: the channel that dials or talks with this one
        self.spies: list[Channel] = []
        self.on_state: Callable[[str], None] | None = None
        pbx.channels[self.name] = self

    @property
    def left(self) -> bool:
        """Whether the running application has to let go of the channel."""
        return self.hung_up or self.redirect is not None

    def poke(self) -> None:
        for channel in (self, self.watcher, *self.spies):
            if channel is not None and channel.waiter is not None and not channel.waiter.done():
                channel.waiter.set_result(None)

    async def changed(self, until: float | None = None) -> None:
        """Wait for the next poke, or for the moment `until` of the loop's clock."""
        loop = self.pbx.loop
        assert self.waiter is None, "only the channel's own task waits"
        self.waiter = loop.create_future()
        timer = None if until is None else loop.call_at(until, self.poke)
        try:
            await self.waiter
        finally:
            self.waiter = None
            if timer is not None:
                timer.cancel()

    async def pause(self, seconds: float) -> bool:
        """Wait; False as soon as the application has to let go of the channel."""
        until = self.pbx.loop.time() + seconds
        while not self.left:
            if self.pbx.loop.time() >= until:
                return True
            await self.changed(until)
        return False

    def tell(self, state: str) -> None:
        if self.on_state is not None:
            self.on_state(state)

    def hang_up(self, cause: int | None = 16) -> None:
        """The far end hangs up."""
        if not self.hung_up:
            if cause is not None:
                self.cause = cause
            self.hung_up = True
            self.emit("HangupRequest", f"Cause: {cause}\r\n" if cause is not None else "")
            self.poke()

    def soft_hang_up(self, cause: int = 16) -> None:
        """AMI, or an application, hangs up: no event tells it before the channel's end."""
        if not self.hung_up:
            self.cause = cause
            self.hung_up = True
            self.poke()

    def answer(self) -> None:
        if self.state is not ChannelState.UP:
            self.state = ChannelState.UP
            self.answered_at = self.pbx.loop.time()
            self.emit("Newstate")

    def ring(self) -> None:
        self.state = ChannelState.RINGING
        self.emit("Newstate")

    def connect_line(self, number: str, name: str) -> None:
        self.connected_num, self.connected_name = number, name
        self.emit("NewConnectedLine")

    def start_music(self, music_class: str) -> None:
        if self.music is None:
            self.music = music_class
            self.emit("MusicOnHoldStart", f"Class: {music_class}\r\n")

    def stop_music(self) -> None:
        if self.music is not None:
            self.music = None
            self.emit("MusicOnHoldStop")

    def gone(self) -> None:
        """The channel ceases to exist."""
        if self.pbx.channels.pop(self.name, None) is not None:
            self.hung_up = True
            self.emit("Hangup", f"Cause: {self.cause}\r\nCause-txt: {CAUSES.get(self.cause, 'Unknown')}\r\n")
            if self.phone is not None:
                self.phone.let_go(self)
            self.poke()

    def snapshot(self, prefix: str = "") -> str:
        p = prefix
        return (
            f"{p}Channel: {self.name}\r\n{p}ChannelState: {int(self.state)}\r\n"
            f"{p}ChannelStateDesc: {self.state.text}\r\n{p}CallerIDNum: {self.caller_num}\r\n"
            f"{p}CallerIDName: {self.caller_name}\r\n{p}ConnectedLineNum: {self.connected_num}\r\n"
            f"{p}ConnectedLineName: {self.connected_name}\r\n{p}Language: en\r\n{p}AccountCode: \r\n"
            f"{p}Context: {self.context}\r\n{p}Exten: {self.exten}\r\n{p}Priority: {self.priority}\r\n"
            f"{p}Uniqueid: {self.uniqueid}\r\n{p}Linkedid: {self.linkedid}\r\n"
        )

    def emit(self, name: str, extra: str = "", *, dest: Channel | None = None, privilege: str = "call,all") -> None:
        """An AMI event of this channel, about another one too where there is `dest`."""
        if self.pbx.watched:
            other = dest.snapshot("Dest") if dest is not None else ""
            self.pbx.emit(name, self.snapshot() + other + extra, privilege=privilege)

    def emit_bridge(self, name: str, bridge: Bridge) -> None:
        if self.pbx.watched:
            self.pbx.emit(name, bridge.snapshot() + self.snapshot())


class Bridge:
    """Where channels hear each other."""

    __slots__ = ("members", "pbx", "uniqueid")

    def __init__(self, pbx: FakePbx) -> None:
        self.pbx = pbx
        self.uniqueid = str(uuid.uuid4())
        self.members: list[Channel] = []
        if pbx.watched:
            pbx.emit("BridgeCreate", self.snapshot())

    def snapshot(self, prefix: str = "") -> str:
        p = prefix
        return (
            f"{p}BridgeUniqueid: {self.uniqueid}\r\n{p}BridgeType: basic\r\n{p}BridgeTechnology: simple_bridge\r\n"
            f"{p}BridgeCreator: {UNKNOWN}\r\n{p}BridgeName: {UNKNOWN}\r\n{p}BridgeNumChannels: {len(self.members)}\r\n"
            f"{p}BridgeVideoSourceMode: none\r\n"
        )

    def enter(self, channel: Channel) -> None:
        self.members.append(channel)
        channel.bridge = self
        channel.emit_bridge("BridgeEnter", self)

    def leave(self, channel: Channel) -> None:
        """Take a channel out; the bridge ends with its last member."""
        if channel in self.members:
            self.members.remove(channel)
            channel.bridge = None
            channel.emit_bridge("BridgeLeave", self)
            if not self.members and self.pbx.watched:
                self.pbx.emit("BridgeDestroy", self.snapshot())

    def dissolve(self, first: Channel) -> None:
        """Everybody leaves, `first` before the others."""
        for channel in (first, *(member for member in list(self.members) if member is not first)):
            self.leave(channel)

    def peer(self, channel: Channel) -> Channel | None:
        return next((member for member in self.members if member is not channel), None)


def headers(**fields: object) -> str:
    """Header lines of an AMI message."""
    return "".join(f"{key}: {value}\r\n" for key, value in fields.items())


def timestamp() -> str:
    return f"{time.time():.6f}"
