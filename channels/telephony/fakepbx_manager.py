"""The AMI port of the fake PBX: log-in, actions and events, worded as a real Asterisk 22 words them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, cast

from channels.telephony.ami import AmiFraming, Fields, MalformedAmi
from channels.telephony.fakepbx_channel import Channel, headers
from channels.telephony.fakepbx_dial import blind_transfer

if TYPE_CHECKING:
    from channels.telephony.fakepbx import FakePbx
    from channels.telephony.fakepbx_phone import Phone

BANNER: Final = b"Asterisk Call Manager/11.0.0\r\n"
# a client that reads nothing is dropped, as by `writetimeout` of manager.conf
_MAX_UNREAD: Final = 8 << 20
_DEVICE_STATES: Final = {
    "NOT_INUSE": "Not in use",
    "INUSE": "In use",
    "RINGING": "Ringing",
    "UNAVAILABLE": "Unavailable",
}


class AmiPeer(asyncio.Protocol):
    """One AMI client."""

    def __init__(self, pbx: FakePbx) -> None:
        self._pbx = pbx
        self._framing = AmiFraming()
        self._transport: asyncio.Transport | None = None
        self._logged_in = False
        self._events = True
        self._held: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._pbx.connections.add(self)
        if not self._pbx.frozen:
            self._transport.write(BANNER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pbx.peers.discard(self)
        self._pbx.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._framing.receive_data(data)
        if self._pbx.frozen:
            return
        try:
            for raw in self._framing.messages():
                self._act(Fields(raw.lstrip(b"\r\n")))
        except MalformedAmi:
            self.drop()

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def thaw(self) -> None:
        """What came while the PBX was frozen is worked off."""
        self.data_received(b"")

    def send_event(self, data: bytes) -> None:
        if not self._events or self._transport is None:
            return
        if self._transport.get_write_buffer_size() > _MAX_UNREAD:
            self.drop()
        else:
            self._transport.write(data)

    def _reply(self, fields: Fields, response: str, lines: Mapping[str, object] | str = "") -> None:
        action = fields.get("ActionID")
        head = f"Response: {response}\r\n" + (f"ActionID: {action}\r\n" if action else "")
        text = lines if isinstance(lines, str) else headers(**lines)
        self._write(head + text + "\r\n")

    def _write(self, text: str) -> None:
        if self._transport is not None:
            self._transport.write(text.encode("utf-8", "replace"))

    def _refuse(self, fields: Fields, message: str) -> None:
        self._reply(fields, "Error", {"Message": message})

    def _list(self, fields: Fields, message: str, item: str, items: Iterable[str], end: str) -> None:
        """A list-style answer: the response, an event for each item (header lines), and the event that ends it."""
        action = fields.get("ActionID")
        ident = f"ActionID: {action}\r\n" if action else ""
        self._reply(fields, "Success", {"EventList": "start", "Message": message})
        count = 0
        for count, text in enumerate(items, 1):  # noqa: B007
            self._write(f"Event: {item}\r\n{ident}{text}\r\n")
        self._write(f"Event: {end}\r\n{ident}EventList: Complete\r\nListItems: {count}\r\n\r\n")

    def _act(self, fields: Fields) -> None:
        name = fields.get("Action", "").lower()
        if name == "login":
            self._log_in(fields)
        elif not self._logged_in or name in self._pbx.denied_actions:
            self._refuse(fields, "Permission denied")
        elif name in _ACTIONS:
            _ACTIONS[name](self, fields)
        else:
            unknown = f"Invalid/unknown command: {fields.get('Action', '')}."
            self._refuse(fields, f"{unknown} Use Action: ListCommands to show available commands.")

    def _log_in(self, fields: Fields) -> None:
        if (fields.get("Username"), fields.get("Secret")) != (self._pbx.user, self._pbx.secret):
            self._refuse(fields, "Authentication failed")
            if self._transport is not None:
                self._transport.close()
            return
        self._logged_in = True
        self._events = fields.get("Events", "on").lower() != "off"
        self._pbx.peers.add(self)
        self._reply(fields, "Success", {"Message": "Authentication accepted"})
        if self._events:
            uptime = int(time.time() - self._pbx.started_at.timestamp())
            self._write(
                f"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: {uptime}\r\nLastReload: {uptime}\r\n"
                "Status: Fully Booted\r\n\r\n"
            )

    def act_log_off(self, fields: Fields) -> None:
        self._reply(fields, "Goodbye", {"Message": "Thanks for all the fish."})
        if self._transport is not None:
            self._transport.close()

    def act_ping(self, fields: Fields) -> None:
        self._reply(fields, "Success", {"Ping": "Pong", "Timestamp": f"{time.time():.6f}"})

    def act_set_events(self, fields: Fields) -> None:
        self._events = fields.get("EventMask", "").lower() not in ("off", "none", "")
        self._reply(fields, "Success", {"Events": "On" if self._events else "Off"})

    def act_core_status(self, fields: Fields) -> None:
        day, _, clock = self._pbx.started_at.strftime("%Y-%m-%d %H:%M:%S").partition(" ")
        values = {
            "CoreStartupDate": day, "CoreStartupTime": clock, "CoreReloadDate": day, "CoreReloadTime": clock,
            "CoreCurrentCalls": str(len(self._pbx.calls)), "CoreProcessedCalls": "0",
        }  # fmt: skip
        self._reply(fields, "Success", values)

    def act_core_settings(self, fields: Fields) -> None:
        values = {
            "AMIversion": "11.0.0", "AsteriskVersion": self._pbx.version, "SystemName": "", "CoreMaxCalls": "0",
            "CoreCDRenabled": "Yes", "CoreHTTPenabled": "No",
        }  # fmt: skip
        self._reply(fields, "Success", values)

    def act_show_channels(self, fields: Fields) -> None:
        now = self._pbx.loop.time()

        def lines(channel: Channel) -> str:
            seconds = int(now - channel.created_at)
            clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            bridge = "" if channel.bridge is None else channel.bridge.uniqueid
            return (
                f"{channel.snapshot()}Application: {channel.application}\r\nApplicationData: {channel.data}\r\n"
                f"Duration: {clock}\r\nBridgeId: {bridge}\r\n"
            )

        items = (lines(channel) for channel in list(self._pbx.channels.values()))
        self._list(fields, "Channels will follow", "CoreShowChannel", items, "CoreShowChannelsComplete")

    def act_show_endpoints(self, fields: Fields) -> None:
        def lines(phone: Phone) -> str:
            number = phone.number
            return headers(
                ObjectType="endpoint",
                ObjectName=number,
                Transport="udp",
                Aor=number,
                Auths=number,
                OutboundAuths="",
                Contacts=f"{number}/sip:{number}@127.0.0.4," if phone.registered else "",
                DeviceState=_DEVICE_STATES[phone.state],
                ActiveChannels=len(phone.legs),
            )

        items = (lines(phone) for phone in list(self._pbx.phones.values()))
        message = "A listing of Endpoints follows, presented as EndpointList events"
        self._list(fields, message, "EndpointList", items, "EndpointListComplete")

    def act_show_devices(self, fields: Fields) -> None:
        items = (f"Device: {phone.endpoint}\r\nState: {phone.state}\r\n" for phone in list(self._pbx.phones.values()))
        message = "Device State Changes will follow"
        self._list(fields, message, "DeviceStateChange", items, "DeviceStateListComplete")

    def act_show_dialplan(self, fields: Fields) -> None:
        context = fields.get("Context", "")
        if context and context not in self._pbx.contexts:
            self._refuse(fields, f"Did not find context {context}")
            return
        items = (
            headers(Context=name, Extension="s", Priority=1, Application="AGI", AppData="", Registrar="pbx_config")
            for name in ([context] if context else sorted(self._pbx.contexts))
        )
        self._list(fields, "DialPlan list will follow", "ListDialplan", items, "ShowDialPlanComplete")

    def act_get_config(self, fields: Fields) -> None:
        lines = self._pbx.config_files.get(fields.get("Filename", ""))
        if lines is None:
            self._refuse(fields, "Config file not found")
            return
        text = ""
        for number, (category, values) in enumerate(lines.items()):
            text += f"Category-{number:06}: {category}\r\n"
            text += "".join(f"Line-{number:06}-{index:06}: {value}\r\n" for index, value in enumerate(values))
        self._reply(fields, "Success", text)

    def act_command(self, fields: Fields) -> None:
        command = fields.get("Command", "")
        if command == "core show version":
            lines = [f"Asterisk {self._pbx.version} built by nobody @ fake on a x86_64 running Linux"]
        elif command in ("core show channels count", "core show channels"):
            lines = [f"{len(self._pbx.channels)} active channels", f"{len(self._pbx.calls)} active calls"]
        else:
            text = f"No such command '{command}' (type 'core show help {command}' for other possible commands)"
            self._reply(fields, "Error", f"Message: Command output follows\r\nOutput: {text}\r\n")
            return
        output = "".join(f"Output: {line}\r\n" for line in lines)
        self._reply(fields, "Success", f"Message: Command output follows\r\n{output}")

    def _channel(self, fields: Fields, message: str = "No such channel") -> Channel | None:
        name = fields.get("Channel", "")
        channel = self._pbx.channels.get(name)
        if channel is None:
            self._refuse(fields, message)
        return channel

    def act_redirect(self, fields: Fields) -> None:
        channel = self._channel(fields, f"Channel does not exist: {fields.get('Channel', '')}")
        if channel is not None:
            channel.redirect = (fields.get("Context", channel.context), fields.get("Exten", "s"))
            self._reply(fields, "Success", {"Message": "Redirect successful"})
            channel.poke()

    def act_hangup(self, fields: Fields) -> None:
        channel = self._channel(fields)
        if channel is not None:
            self._reply(fields, "Success", {"Message": "Channel Hungup"})
            channel.soft_hang_up(int(fields.get("Cause", "16") or 16))

    def act_control_playback(self, fields: Fields) -> None:
        channel = self._channel(fields)
        if channel is not None:
            if channel.playback and fields.get("Control") == "stop":
                channel.playback = False
                channel.poke()
            self._reply(fields, "Success")

    def act_blind_transfer(self, fields: Fields) -> None:
        channel = self._channel(fields, "Channel specified does not exist")
        if channel is None:
            return
        if blind_transfer(channel, fields.get("Context", "agents"), fields.get("Exten", "")):
            self._reply(fields, "Success", {"Message": "Transfer succeeded"})
        else:
            self._refuse(fields, "Transfer failed")

    def act_mix_monitor(self, fields: Fields) -> None:
        channel = self._channel(fields)
        if channel is not None:
            self._reply(fields, "Success")
            channel.emit("MixMonitorStart")

    def act_originate(self, fields: Fields) -> None:
        pairs = (value.partition("=") for value in fields.all("Variable"))
        self._reply(fields, "Success", {"Message": "Originate successfully queued"})
        self._pbx.originate(dict(fields), {name: value for name, _, value in pairs}, fields.get("ActionID", ""))

    def act_get_variable(self, fields: Fields) -> None:
        channel = self._channel(fields)
        if channel is not None:
            name = fields.get("Variable", "")
            self._reply(fields, "Success", {"Variable": name, "Value": channel.variables.get(name, "")})

    def act_set_variable(self, fields: Fields) -> None:
        channel = self._channel(fields)
        if channel is not None:
            channel.variables[fields.get("Variable", "")] = fields.get("Value", "")
            self._reply(fields, "Success", {"Message": "Variable Set"})


_ACTIONS: Final[Mapping[str, Callable[[AmiPeer, Fields], None]]] = {
    "blindtransfer": AmiPeer.act_blind_transfer,
    "command": AmiPeer.act_command,
    "controlplayback": AmiPeer.act_control_playback,
    "coresettings": AmiPeer.act_core_settings,
    "coreshowchannels": AmiPeer.act_show_channels,
    "corestatus": AmiPeer.act_core_status,
    "devicestatelist": AmiPeer.act_show_devices,
    "events": AmiPeer.act_set_events,
    "getconfig": AmiPeer.act_get_config,
    "getvar": AmiPeer.act_get_variable,
    "hangup": AmiPeer.act_hangup,
    "logoff": AmiPeer.act_log_off,
    "mixmonitor": AmiPeer.act_mix_monitor,
    "originate": AmiPeer.act_originate,
    "ping": AmiPeer.act_ping,
    "pjsipshowendpoints": AmiPeer.act_show_endpoints,
    "redirect": AmiPeer.act_redirect,
    "setvar": AmiPeer.act_set_variable,
    "showdialplan": AmiPeer.act_show_dialplan,
}
