"""`callcenter call`: plays one caller by hand, with the telephones of the agents, through the AGI port of a server."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress

from callcenter.settings import Settings
from channels.telephony.fakepbx import CallOver, FakeCall, FakePbx, Phone

_LONGEST_WAIT = 600.0
_TALK = 20.0
_REACH = 2.0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "call",
        description="Plays Asterisk's side of one call: the caller and, when it is dialled, the agent's phone, which "
        "answers by itself. Exit 0: the server took the call; 1: it did not.",
    )
    parser.add_argument("--from", dest="caller", metavar="NUMBER", required=True, help="who calls; '' withholds it")
    parser.add_argument("--to", metavar="NUMBER", required=True, help="the called number, such as 95500")
    parser.add_argument(
        "--for", dest="stay", metavar="SECONDS", type=_seconds, help="hang up after so long, whatever has become of it"
    )
    parser.add_argument("--name", default="", help="the caller's name, if the network sends one")
    parser.add_argument(
        "--answer-after", metavar="SECONDS", type=_seconds, default=3.0, help="how long the agent's phone rings (3)"
    )
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("expected seconds from 0 to 86400")
    return seconds


class PhonesOnDemand(FakePbx):
    """Has a telephone at every endpoint that the server dials, and call ids that no other process gives out."""

    def __init__(self, *, agi: tuple[str, int], name: str, answers_after: float, rings: Callable[[str], None]) -> None:
        super().__init__(agi=agi, name=name, patience=_REACH, retry_after=0.5)
        self._answers_after = answers_after
        self._rings = rings
        self._ours = secrets.randbelow(10**9)

    def phone_at(self, endpoint: str) -> Phone | None:
        self._rings(endpoint)
        return super().phone_at(endpoint) or self.phone(endpoint, answers_after=self._answers_after)

    def identify(self, device: str) -> tuple[str, str]:
        name, unique = super().identify(device)
        return name, f"{unique}{self._ours:09}"


class Narrator:
    """Tells what happens to the caller, with seconds since the call began."""

    def __init__(self, began: float) -> None:
        self._began = began
        self.endpoint = ""
        self.seen: set[str] = set()

    def say(self, words: str) -> None:
        seconds = asyncio.get_running_loop().time() - self._began
        print(f"{seconds:8.1f} s  {words}", flush=True)

    def state(self, state: str) -> None:
        again = state in self.seen
        self.seen.add(state)
        match state:
            case "waiting":
                self.say("waits again; music plays" if again else "waits; music plays")
            case "ringing":
                self.say(f"{self.endpoint} rings")
            case "talking":
                self.say(f"{self.endpoint} has answered; they talk")

    def rings(self, endpoint: str) -> None:
        self.endpoint = endpoint


async def run(given: argparse.Namespace, settings: Settings) -> int:
    server = settings.agi_host, settings.agi_port
    narrator = Narrator(asyncio.get_running_loop().time())
    pbx = PhonesOnDemand(agi=server, name=settings.pbx[0].name, answers_after=given.answer_after, rings=narrator.rings)
    narrator.say(f"{given.caller or 'a caller without number'} calls {given.to}")
    call = await pbx.call(
        caller=given.caller,
        to=given.to,
        name=given.name,
        gives_up_after=_LONGEST_WAIT,
        talks_for=_TALK if given.stay is None else None,
    )
    try:
        taken = await _follow(call, narrator, stay=given.stay)
    finally:
        await pbx.stop()
    if taken:
        return 0
    if await _listens(*server):
        print("The server did not take the call; its log says why.", file=sys.stderr)
    else:
        print(f"Nobody listens for AGI on {server[0]}:{server[1]}: is the server running?", file=sys.stderr)
    return 1


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _REACH)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _follow(call: FakeCall, narrator: Narrator, *, stay: float | None) -> bool:
    """Until the call is over, the caller's time is up, or nobody takes it: then False."""
    entered = call.channel.on_state

    def on_state(state: str) -> None:
        narrator.state(state)
        if entered is not None:
            entered(state)

    call.channel.on_state = on_state
    unserved = asyncio.ensure_future(_unserved(call))
    try:
        await asyncio.wait([call.ended, unserved], timeout=stay, return_when=asyncio.FIRST_COMPLETED)
    finally:
        unserved.cancel()
    ours = not call.ended.done() or call.channel.hung_up
    if not call.ended.done():
        call.hangup()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(call.ended), _REACH)
    if "fallback" in narrator.seen or not any(way == ">" for _, way, _ in call.history):
        return False
    narrator.say(_farewell(narrator.seen, ours=ours))
    return True


async def _unserved(call: FakeCall) -> None:
    with suppress(CallOver):
        await call.until("fallback", timeout=_LONGEST_WAIT + _TALK)


def _farewell(seen: set[str], *, ours: bool) -> str:
    talked = "talking" in seen
    if ours:
        return "the caller hangs up" + ("" if talked else " without having talked to anybody")
    return "the agent hangs up" if talked else "the server ends the call"
