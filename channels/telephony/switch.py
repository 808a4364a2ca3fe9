"""One PBX as this node sees it: who may speak for it, its AMI connection, its channels and bridges."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

import structlog

from callcenter.errors import ChannelError
from callcenter.settings import PbxSettings
from channels.telephony.ami import Event
from channels.telephony.calls import CallChange, Legs
from channels.telephony.manager import Manager

log = structlog.get_logger()

# All others of the 33 events of a call change nothing for us.
FOLLOWED: Final = frozenset(
    [
        "Newchannel",
        "Rename",
        "DialBegin",
        "BridgeEnter",
        "BridgeLeave",
        "BlindTransfer",
        "AttendedTransfer",
        "Hold",
        "Unhold",
        "Hangup",
    ]
)
INBOUND: Final = "callcenter-inbound"
# Where a caller of ours is on the way to ask us.
_OURS: Final = frozenset([INBOUND, "callcenter-clean"])


@dataclass(frozen=True, slots=True)
class Asking:
    """A caller whose AGI request no server has answered with a command; `since`: how long the channel is there."""

    unique: str
    channel: str
    called: str
    since: timedelta


def asking_of(channel: Mapping[str, str]) -> Asking | None:
    """Read one CoreShowChannel; an EXEC of ours would stand there as the application."""
    if channel.get("Context") != INBOUND or channel.get("Application") != "AGI":
        return None
    try:
        hours, minutes, seconds = map(int, channel.get("Duration", "").split(":"))
    except ValueError:
        return None
    since = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return Asking(channel.get("Uniqueid", ""), channel.get("Channel", ""), channel.get("Exten", ""), since)


def _is_forged(event: Event) -> bool:
    """A line break in a stranger's number or name writes headers of its own, before the true ones."""
    return any(event.fields.is_doubled(key) for key in ("Uniqueid", "DestUniqueid", "DestChannel"))


def _is_whole(event: Event) -> bool:
    """Two line breaks there end a channel's entry before its time."""
    return "Channel" in event.fields and "Uniqueid" in event.fields and not _is_forged(event)


class Switch:
    """`run` is supervised. Changes of calls come in order, timed, through `changes`; `seen` is told of each at once."""

    def __init__(self, settings: PbxSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = settings.name
        self.legs = Legs()
        self.dial_out = settings.dial_out
        # Told of calls that we asked for and that came to nothing.
        self.not_originated: Callable[[Mapping[str, str]], None] = lambda _: None
        # At the last comparison:
        self.asking: Sequence[Asking] = ()
        self._elsewhere: Collection[str] = frozenset()
        self.changes: asyncio.Queue[tuple[CallChange, datetime]] = asyncio.Queue()
        self._clock = clock
        self.seen: Callable[[CallChange], None] = lambda change: None
        self.connected_again = asyncio.Event()
        self._addresses = settings.addresses
        self._peers: dict[str, bool] = {}
        self.manager: Manager | None = None
        if settings.ami_host is not None and settings.ami_secret is not None:
            self.manager = Manager(
                settings.name,
                host=settings.ami_host,
                port=settings.ami_port,
                user=settings.ami_user,
                secret=settings.ami_secret.get_secret_value(),
                on_event=self._event,
                on_connected=self._connected,
            )

    def may_speak(self, peer: str) -> bool:
        """Whether an address may speak AGI for this PBX."""
        known = self._peers.get(peer)
        if known is None:
            try:
                address = ip_address(peer)
            except ValueError:
                return False
            mapped = getattr(address, "ipv4_mapped", None) or address
            known = any(mapped in network for network in self._addresses)
            if len(self._peers) < 1000:
                self._peers[peer] = known
        return known

    @property
    def connected(self) -> bool:
        """Whether AMI tells us what happens; without it transfers and hang-ups look alike."""
        return self.manager is not None and self.manager.connected

    async def run(self) -> None:
        if self.manager is not None:
            await self.manager.run()

    def _event(self, event: Event) -> None:
        if event.name == "OriginateResponse" and event.fields.get("Response") == "Failure":
            self.not_originated(event.fields)
        if event.name not in FOLLOWED:
            return
        if _is_forged(event):
            log.warning("ami.event_forged", pbx=self.name, kind=event.name)
            return
        try:
            changes = self.legs.apply(event.name, event.fields)
        except KeyError as error:
            # A line break in a caller's name ends the event before its time: Asterisk passes it on as it came.
            log.warning("ami.event_cut_short", pbx=self.name, kind=event.name, missing=str(error))
        else:
            self._tell(changes)

    def _tell(self, changes: Sequence[CallChange]) -> None:
        for change in changes:
            self.seen(change)
            self.note(change)

    def tell_who_joined(self, caller: str) -> None:
        self._tell(self.legs.joined(caller))

    def note(self, change: CallChange) -> None:
        """Puts a change in line: it may wait there, for the database or for those before it."""
        self.changes.put_nowait((change, self._clock()))

    async def _connected(self, restarted: bool) -> None:
        log.info("pbx.connected", pbx=self.name, restarted=restarted)
        await self.show_channels()
        self.connected_again.set()

    async def show_channels(self) -> None:
        """Brings our picture in line with the PBX's own: what was missed while the connection was down is told now."""
        if self.manager is not None:
            # AGI tells of callers on another socket: who comes while the list is on its way is not among those shown.
            before = frozenset(self.legs.channels)
            await self.manager.listing("CoreShowChannels", then=lambda shown: self._resync(shown, before))

    def _resync(self, shown: Sequence[Event], before: Collection[str]) -> None:
        channels = [event.fields for event in shown if event.name == "CoreShowChannel" and _is_whole(event)]
        self.asking = [asking for channel in channels if (asking := asking_of(channel)) is not None]
        self._elsewhere = {channel["Uniqueid"] for channel in channels if channel.get("Context", INBOUND) not in _OURS}
        self._tell(self.legs.resync(channels, before))

    def is_elsewhere(self, unique: str) -> bool:
        """Whether a caller had left our part of the dialplan at the last comparison: the fallback, another context."""
        return unique in self._elsewhere

    # -- what we ask of it

    async def hang_up(self, channel: str) -> bool:
        return await self._ask("Hangup", {"Channel": channel, "Cause": "16"})

    async def stop_playback(self, channel: str) -> None:
        await self._ask("ControlPlayback", {"Channel": channel, "Control": "stop"})

    async def take_over(self, channel: str, called: str) -> bool:
        """Pulls a caller out of a dead node's AGI session; the dialplan asks the next node, and the Uniqueid stays."""
        return await self._ask("Redirect", {"Channel": channel, "Context": INBOUND, "Exten": called, "Priority": "1"})

    async def originate(
        self,
        endpoint: str,
        *,
        context: str,
        exten: str,
        ring_ms: int,
        channel_id: str | None = None,
        caller: str | None = None,
    ) -> bool:
        """Rings a phone and, when it is answered, sends it to a place in the dialplan. True: the PBX will try.

        `channel_id`: its Uniqueid from then on; `caller`: the number that the phone shows.
        """
        fields = {"Channel": endpoint, "Context": context, "Exten": exten, "Priority": "1", "Timeout": str(ring_ms)}
        shown = {"CallerID": '"Callcenter" <0>' if caller is None else f"<{caller}>"}
        own = {} if channel_id is None else {"ChannelId": channel_id}
        return await self._ask("Originate", {**fields, **shown, **own, "Async": "true"})

    async def _ask(self, action: str, fields: Mapping[str, Any]) -> bool:
        """What it refuses is logged: the channel has mostly gone in the meantime, and its end is told by events."""
        if self.manager is None:
            raise ChannelError(f"PBX {self.name} has no AMI connection in the settings.", permanent=True)
        try:
            response = await self.manager.action(action, fields, timeout=5)
        except (ChannelError, TimeoutError) as error:
            log.warning("pbx.no_answer", pbx=self.name, action=action, error=str(error))
            return False
        if not response.success:
            log.info("pbx.refused", pbx=self.name, action=action, message=response.message)
        return response.success
