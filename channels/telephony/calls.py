"""The rules of calls: what a dial's end means, and who is connected with whom, from AMI events; no IO."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.domain.interaction import ReservationState


@dataclass(frozen=True, slots=True)
class Missed:
    """Why a dial led to no conversation."""

    state: ReservationState
    reason: str


_NO_ROUTE = {"3", "20"}


def dial_result(status: str, cause: str) -> Missed | None:
    """What (DIALSTATUS, HANGUPCAUSE) mean for the reservation, as measured on Asterisk 22; None when it was answered.

    The cause is the ISDN number of the agent's leg: 17 busy, 21 declined, 3 and 20 not registered or unreachable.
    """
    match status, cause:
        case "ANSWER", _:
            return None
        case "CANCEL", _:
            return Missed(ReservationState.CANCELLED, "caller_left")
        case "NOANSWER", _:
            return Missed(ReservationState.TIMED_OUT, "no_answer")
        case "BUSY", _:
            return Missed(ReservationState.FAILED, "busy")
        case _, "21":
            return Missed(ReservationState.REJECTED, "declined")
        case _, "17":
            return Missed(ReservationState.FAILED, "busy")
        case "CHANUNAVAIL", cause if cause in _NO_ROUTE:
            return Missed(ReservationState.FAILED, "unreachable")
        case _:
            return Missed(ReservationState.FAILED, "no_circuit")


def endpoint_of(channel: str) -> str:
    """PJSIP/1001-0000002a → PJSIP/1001."""
    return channel.rpartition("-")[0]


class Change(StrEnum):
    """What one event meant for a call."""

    RINGING = "ringing"  # the PBX has begun to dial a leg for the caller
    JOINED = "joined"  # a leg that was not in this conversation is connected with the caller
    TRANSFERRING = "transferring"  # the leg gives the caller away
    LEFT = "left"  # a leg that talked with the caller has hung up
    GONE = "gone"  # the caller has hung up
    HELD = "held"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class CallChange:
    """`caller` and `leg` are Uniqueids, `channel` the leg's name (of the caller, where there is no leg)."""

    change: Change
    caller: str
    leg: str | None = None
    channel: str = ""
    cause: str = ""


@dataclass(slots=True)
class _Caller:
    talked: set[str] = field(default_factory=set)
    ringing: str | None = None
    transferring: bool = False
    given_away: bool = False


class Legs:
    """All channels and bridges of one PBX, and the callers among them whom we serve.

    Local channels are wires between bridges, not people: they are never a leg.
    """

    def __init__(self) -> None:
        self.channels: dict[str, str] = {}
        self._bridge_of: dict[str, str] = {}
        self._bridges: dict[str, set[str]] = {}
        self._callers: dict[str, _Caller] = {}
        self._caller_of: dict[str, str] = {}

    # -- which callers are ours

    def serve(self, caller: str, channel: str, *, talked: Iterable[str] = ()) -> None:
        """From now on changes of this caller are told; `talked`: legs that are known already."""
        self.channels.setdefault(caller, channel)
        self._callers[caller] = _Caller(set(talked))
        for leg in talked:
            self._caller_of[leg] = caller

    def forget(self, caller: str) -> None:
        known = self._callers.pop(caller, None)
        if known is not None:
            for leg in (*known.talked, known.ringing):
                if leg is not None:
                    self._caller_of.pop(leg, None)

    def transferring(self, caller: str) -> bool:
        """Whether the caller has been given away (also: has left our AGI for it)."""
        known = self._callers.get(caller)
        return known is not None and known.transferring

    def given_away(self, caller: str) -> bool:
        """Whether the caller has left our AGI by a transfer at some time, whoever talks with them now."""
        known = self._callers.get(caller)
        return known is not None and known.given_away

    def ringing(self, caller: str) -> str | None:
        """The channel name of the leg that is being dialled for this caller."""
        known = self._callers.get(caller)
        return None if known is None or known.ringing is None else self.channels.get(known.ringing)

    def talking(self, caller: str) -> dict[str, str]:
        """The people who are connected with the caller: their channels' names by Uniqueid."""
        bridge = self._bridge_of.get(caller)
        members = self._connected(bridge) - {caller} if bridge is not None else set()
        names = {leg: self.channels.get(leg, "") for leg in members}
        return {leg: name for leg, name in names.items() if name and not name.startswith("Local/")}

    # -- events

    def joined(self, caller: str) -> list[CallChange]:
        """Who is connected with the caller and was not told yet."""
        bridge = self._bridge_of.get(caller)
        return [] if bridge is None else self._entered(caller, bridge)

    def resync(self, shown: Iterable[Mapping[str, str]], before: Collection[str]) -> list[CallChange]:
        """The events of CoreShowChannels: who was known `before` it was asked for and is not among them has gone."""
        channels = {event["Uniqueid"]: event for event in shown}
        changes = []
        for unique in [unique for unique in self.channels if unique in before and unique not in channels]:
            changes += self._hung_up(unique, "")
        for unique, event in channels.items():
            self.channels[unique] = event["Channel"]
            bridge = event.get("BridgeId") or event.get("BridgeUniqueid") or ""
            if bridge and self._bridge_of.get(unique) != bridge:
                changes += self._entered(unique, bridge)
        return changes

    def apply(self, name: str, event: Mapping[str, str]) -> list[CallChange]:
        """What an AMI event changed for our callers, in order. Names of events not listed here change nothing."""
        match name:
            case "Newchannel" | "Rename":
                self.channels[event["Uniqueid"]] = event.get("Newname") or event["Channel"]
            case "DialBegin":
                return self._dialled(event.get("Uniqueid", ""), event["DestUniqueid"], event["DestChannel"])
            case "BridgeEnter":
                self.channels.setdefault(event["Uniqueid"], event["Channel"])
                return self._entered(event["Uniqueid"], event["BridgeUniqueid"])
            case "BridgeLeave":
                self._left_bridge(event["Uniqueid"], event["BridgeUniqueid"])
            case "BlindTransfer" if event.get("Result", "Success") == "Success":
                return self._given_away(event.get("TransfereeUniqueid", ""), event.get("TransfererUniqueid", ""))
            case "AttendedTransfer" if event.get("Result", "Success") == "Success":
                leg = event.get("OrigTransfererUniqueid", "")
                caller = event.get("TransfereeUniqueid") or self._caller_of.get(leg, "")
                return self._given_away(caller, leg)
            case "Hold" | "Unhold":
                caller = self._caller_of.get(event["Uniqueid"], "")
                if caller in self._callers:
                    change = Change.HELD if name == "Hold" else Change.RESUMED
                    return [CallChange(change, caller, event["Uniqueid"], event["Channel"])]
            case "Hangup":
                return self._hung_up(event["Uniqueid"], event.get("Cause", ""))
        return []

    def _dialled(self, caller: str, leg: str, channel: str) -> list[CallChange]:
        self.channels[leg] = channel
        known = self._callers.get(caller)
        if known is None or channel.startswith("Local/"):
            return []
        known.ringing = leg
        self._caller_of[leg] = caller
        return [CallChange(Change.RINGING, caller, leg, channel)]

    def _entered(self, unique: str, bridge: str) -> list[CallChange]:
        before = self._bridge_of.get(unique)
        if before is not None:
            self._left_bridge(unique, before)
        self._bridge_of[unique] = bridge
        self._bridges.setdefault(bridge, set()).add(unique)
        members = self._connected(bridge)
        changes = []
        for caller in members & self._callers.keys():
            known = self._callers[caller]
            for leg in members - {caller} - known.talked:
                channel = self.channels.get(leg, "")
                if leg in self._callers or channel.startswith("Local/"):
                    continue
                known.talked.add(leg)
                known.ringing = None
                known.transferring = False
                self._caller_of[leg] = caller
                changes.append(CallChange(Change.JOINED, caller, leg, channel))
        return changes

    def _connected(self, bridge: str) -> set[str]:
        """Who hears whom: the members of this bridge and of those that Local channels wire to it."""
        found: set[str] = set()
        bridges = [bridge]
        while bridges:
            for unique in self._bridges.get(bridges.pop(), set()) - found:
                found.add(unique)
                twin = self._twin(self.channels.get(unique, ""))
                if twin is not None and (there := self._bridge_of.get(twin)) is not None:
                    bridges.append(there)
        return found

    def _twin(self, channel: str) -> str | None:
        """The Uniqueid of the other end of a Local channel."""
        if not channel.startswith("Local/"):
            return None
        name = channel[:-1] + ("2" if channel.endswith("1") else "1")
        return next((unique for unique, known in self.channels.items() if known == name), None)

    def _left_bridge(self, unique: str, bridge: str) -> None:
        if self._bridge_of.get(unique) == bridge:
            del self._bridge_of[unique]
        members = self._bridges.get(bridge)
        if members is not None:
            members.discard(unique)
            if not members:
                del self._bridges[bridge]

    def _given_away(self, caller: str, leg: str) -> list[CallChange]:
        known = self._callers.get(caller)
        if known is None:
            return []
        # After an attended transfer the new leg is there before the event is.
        known.transferring = not known.talked - {leg}
        known.given_away |= known.transferring
        return [CallChange(Change.TRANSFERRING, caller, leg, self.channels.get(leg, ""))]

    def _hung_up(self, unique: str, cause: str) -> list[CallChange]:
        channel = self.channels.pop(unique, "")
        if (bridge := self._bridge_of.get(unique)) is not None:
            self._left_bridge(unique, bridge)
        if unique in self._callers:
            self.forget(unique)
            return [CallChange(Change.GONE, unique, None, channel, cause)]
        caller = self._caller_of.pop(unique, None)
        if caller is None or (known := self._callers.get(caller)) is None:
            return []
        if known.ringing == unique:
            known.ringing = None
        if unique not in known.talked:
            return []
        known.talked.discard(unique)
        return [CallChange(Change.LEFT, caller, unique, channel, cause)]
