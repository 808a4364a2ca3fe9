"""A PBX that is the port: speaks AMI and plays Asterisk's side of FastAGI as recorded; for demo, tests, benchmarks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from channels.telephony.fakepbx_agi import AgiSession
from channels.telephony.fakepbx_call import CallOver, FakeCall
from channels.telephony.fakepbx_channel import Channel, ChannelState, timestamp
from channels.telephony.fakepbx_manager import AmiPeer
from channels.telephony.fakepbx_originate import originate
from channels.telephony.fakepbx_phone import Phone

__all__ = ["CallOver", "Channel", "FakeCall", "FakePbx", "Phone"]

# what the account of config/asterisk/ may read and may not do
READ = frozenset({"system", "call", "user", "dtmf"})
DENIED = frozenset({"command", "getconfig", "pjsipshowendpoints"})


class FakePbx:
    """One PBX. Times are seconds; what a real Asterisk needs to think is left out unless set (`dead_delay=0.042`).

    `aftermath`: between the reply of an application that was cut off and the line HANGUP, unless a command comes first.
    `agi`: the server, or several that its dialplan asks in turn. `patience` and `retry_after` are those of the
    dialplan in config/asterisk/. `exit_on_hangup`: the channel variable AGIEXITONHANGUP, which that
    dialplan sets: without it a Redirect does not free a caller from a server that is frozen.
    """

    def __init__(
        self,
        *,
        agi: tuple[str, int] | list[tuple[str, int]],
        name: str = "default",
        user: str = "callcenter",
        secret: str = "fake-secret",  # noqa: S107
        ami_host: str = "127.0.0.1",
        ami_port: int = 0,
        queue: str | None = None,
        context: str = "callcenter-inbound",
        patience: float = 30.0,
        retry_after: float = 1.0,
        dead_delay: float = 0.0,
        aftermath: float = 0.005,
        exit_on_hangup: bool = True,
        h_exten: bool = False,
        prompt_seconds: float = 0.0,
        keep_history: bool = True,
        trunk: str = "PJSIP/trunk",
        read: Collection[str] = READ,
        denied_actions: Collection[str] = DENIED,
    ) -> None:
        self.nodes: list[tuple[str, int]] = [agi] if isinstance(agi, tuple) else list(agi)
        self.name, self.user, self.secret, self.context, self.trunk = name, user, secret, context, trunk
        self.script = f"inbound?pbx={name}" + (f"&queue={queue}" if queue else "")
        self.patience, self.retry_after, self.dead_delay = patience, retry_after, dead_delay
        self.aftermath = aftermath
        self.exit_on_hangup, self.h_exten, self.keep_history = exit_on_hangup, h_exten, keep_history
        self.prompt_seconds = prompt_seconds
        self.prompts: dict[str, float] = {}
        self.missing: set[str] = set()  # sounds that are not there
        self.version = "22.10.1"
        self.loop = asyncio.get_running_loop()
        self.phones: dict[str, Phone] = {}
        self.channels: dict[str, Channel] = {}
        self.calls: dict[str, FakeCall] = {}
        self.read, self.denied_actions = frozenset(read), frozenset(denied_actions)
        self.contexts = {context, "callcenter-answered", "callcenter-fallback", "callcenter-notice", "agents"}
        self.contexts.add("callcenter-callback")
        self.config_files: dict[str, dict[str, list[str]]] = {}
        self.connections: set[AmiPeer] = set()
        self.peers: set[AmiPeer] = set()  # those that have logged in
        self.frozen = False
        self.started_at = datetime.now(UTC)
        self._ami_host, self._ami_port = ami_host, ami_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._counter = 0

    @property
    def ami_port(self) -> int:
        """The port of AMI; it stays the same over restarts."""
        return self._ami_port

    @property
    def watched(self) -> bool:
        return bool(self.peers)

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.started_at = datetime.now(UTC)
        self._server = await self.loop.create_server(lambda: AmiPeer(self), self._ami_host, self._ami_port)
        self._ami_port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Everything is gone, as when the machine loses its power."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop_ami()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for call in list(self.calls.values()):
            call.over()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.channels.clear()
        self.calls.clear()
        for phone in self.phones.values():
            for leg in list(phone.legs):
                phone.let_go(leg)

    async def restart(self, *, away: float = 0.0) -> None:
        """All channels are lost, AMI comes back after `away` seconds with a new start time."""
        before = self.started_at
        await self.stop()
        await asyncio.sleep(away)
        await self.start()
        # Asterisk tells its start in whole seconds
        if int(self.started_at.timestamp()) <= int(before.timestamp()):
            self.started_at = datetime.fromtimestamp(int(before.timestamp()) + 1, UTC)

    def drop_ami(self) -> None:
        """The AMI connections break; calls go on and a client may connect again."""
        for peer in list(self.connections):
            peer.drop()

    def freeze(self) -> None:
        """AMI connections stay open and say nothing, until `thaw()`."""
        self.frozen = True

    def thaw(self) -> None:
        self.frozen = False
        for peer in list(self.connections):
            peer.thaw()

    def phone(
        self,
        endpoint: str,
        *,
        answers_after: float | None = 0.3,
        talks_for: float | None = None,
        busy: bool = False,
        declines: bool = False,
        registered: bool = True,
        reachable: bool = True,
        name: str = "",
    ) -> Phone:
        """A phone such as `PJSIP/1001`, or another behaviour for one that is there (calls it has go on)."""
        phone = Phone(
            self,
            endpoint,
            answers_after=answers_after,
            talks_for=talks_for,
            busy=busy,
            declines=declines,
            registered=registered,
            reachable=reachable,
            name=name or f"Agent {endpoint.rpartition('/')[2]}",
        )
        before = self.phones.get(endpoint)
        if before is not None:
            phone = replace(phone, legs=before.legs, timers=before.timers)
            for leg in phone.legs:
                leg.phone = phone
        self.phones[endpoint] = phone
        return phone

    def phone_at(self, endpoint: str) -> Phone | None:
        """The phone behind a dial string; `PJSIP/number@trunk` is everybody outside: the phone `PJSIP/trunk`."""
        technology, _, number = endpoint.partition("/")
        _, at, trunk = number.partition("@")
        return self.phones.get(f"{technology}/{trunk}" if at else endpoint)

    async def call(
        self,
        *,
        caller: str,
        to: str,
        name: str = "",
        gives_up_after: float | None = None,
        talks_for: float | None = None,
    ) -> FakeCall:
        """A call arrives. It hangs up by itself `gives_up_after` seconds without an agent, or after talking so long."""
        channel = Channel(
            self,
            self.trunk,
            context=self.context,
            exten=_as_sent(to),
            number=_as_sent(caller),
            caller_name=_as_sent(name),
            state=ChannelState.RING,
        )
        call = FakeCall(self, channel, gives_up_after=gives_up_after, talks_for=talks_for)
        self.calls[channel.uniqueid] = call
        task = self.loop.create_task(call.run())
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._call_over(call, done))
        return call

    def _call_over(self, call: FakeCall, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.calls.pop(call.uniqueid, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    def originate(self, fields: Mapping[str, str], variables: Mapping[str, str], action_id: str) -> None:
        """AMI's Originate with Async: ring a phone, then run an extension or ChanSpy on it."""
        task = self.loop.create_task(originate(self, fields, variables, action_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run_answered(self, caller: Channel, leg: Channel, ident: str) -> None:
        """The subroutine callcenter-answered on the agent's leg: it is connected when the server has closed."""
        host, _, port = caller.variables.get("CC_NODE", "").rpartition(":")
        if not port:
            host, port = self.nodes[0][0], str(self.nodes[0][1])
        leg.context, leg.exten = "callcenter-answered", "s"
        call = self.calls.get(caller.uniqueid)
        history = call.answered_history if call is not None and self.keep_history else None
        await AgiSession(leg, history).run(host, int(port), f"answered?id={ident}")
        leg.context, leg.exten = "agents", ""

    def identify(self, device: str) -> tuple[str, str]:
        """The next channel's name and Uniqueid."""
        number = self._counter
        self._counter += 1
        return f"{device}-{number:08x}", f"{int(time.time())}.{number}"

    def emit(self, name: str, text: str, *, privilege: str = "call,all") -> None:
        """An AMI event to whoever listens; `text` are header lines."""
        if self.frozen or privilege.partition(",")[0] not in self.read:
            return
        data = f"Event: {name}\r\nPrivilege: {privilege}\r\nTimestamp: {timestamp()}\r\n{text}\r\n"
        encoded = data.encode("utf-8", "replace")
        for peer in list(self.peers):
            peer.send_event(encoded)


def _as_sent(text: str) -> str:
    """Line breaks come through: a SIP address may hold them as %0D%0A, and Asterisk passes them on to AGI and AMI."""
    return text.replace("\0", "")
