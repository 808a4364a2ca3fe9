"""Plays callers: whole FastAGI sessions at a rate or as fast as they end; a stalled server does not flatter the times.

A program of its own: `python -m tests.bench.load --agi-port …`; what it saw goes as JSON to standard output.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from tests.bench.dataset import phone_of
from tests.bench.pbx import Channel, Wish, environment

# A stride without a common factor with any round number: callers repeat only when all have called.
_STRIDE = 7_919


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, times in seconds. `rate` 0 is a closed loop of `lanes` calls at once; `lanes` also caps an open loop."""

    agi_port: int
    calls: int
    rate: float = 0.0
    lanes: int = 5_000
    ring: float = 0.05
    talk: float = 0.2
    customers: int = 10_000
    first_caller: int = 0
    called: str = "95500"
    script: str = "inbound"
    patience: float = 30.0
    wait: bool = False
    desks_port: int = 0


@dataclass(slots=True)
class Times:
    """When a call's moments were, in nanoseconds of CLOCK_MONOTONIC; 0 means never."""

    unique_id: str
    due: int
    sent: int = 0
    first_command: int = 0
    answered: int = 0
    ended: int = 0
    done: bool = False
    timed_out: bool = False


class Caller(asyncio.Protocol):
    """One call from its environment to the end of its connection."""

    __slots__ = ("_buffer", "_channel", "_number", "_office", "_patience", "_transport", "finished", "times")

    def __init__(self, office: "Office", number: int, due: int) -> None:
        self._office = office
        self._number = number
        self._channel = Channel()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.times = Times(f"{office.epoch}.{number}", due)
        self.finished: asyncio.Future[None] = office.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._patience = self._office.loop.call_later(self._office.plan.patience, self._give_up)
        block = self._office.block(self.times.unique_id, self._number)
        self.times.sent = time.monotonic_ns()
        self._say(block)

    def data_received(self, data: bytes) -> None:
        if not self.times.first_command:
            self.times.first_command = time.monotonic_ns()
            self._office.greeted()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            answer = self._channel.take(line.decode())
            self._say(answer.text.encode())
            if answer.wish is Wish.DIAL:
                self._office.loop.call_later(self._office.plan.ring, self._pick_up, answer.answered_id)

    def connection_lost(self, exc: Exception | None) -> None:
        self.times.ended = time.monotonic_ns()
        self.times.done = self._channel.done
        if self._patience:
            self._patience.cancel()
        if not self.finished.done():
            self.finished.set_result(None)

    def hang_up(self) -> None:
        """The caller leaves while no command is in flight."""
        self._channel.dead = True
        self._say(self._channel.notice().encode())

    def _pick_up(self, answered_id: str | None) -> None:
        if answered_id is None:
            self._talk()
            return
        leg = AgentLeg(self._office, answered_id, self._number, self._talk)
        self._office.spawn(self._office.loop.create_connection(lambda: leg, "127.0.0.1", self._office.plan.agi_port))

    def _talk(self) -> None:
        self.times.answered = time.monotonic_ns()
        self._channel.variables |= {"DIALSTATUS": "ANSWER", "HANGUPCAUSE": "16"}
        self._office.loop.call_later(self._office.plan.talk, self._end_talk)

    def _end_talk(self) -> None:
        # The caller ends it: Dial returns -1, and HANGUP comes before the next reply.
        self._channel.dead = True
        self._say(b"200 result=-1\n")

    def _give_up(self) -> None:
        self.times.timed_out = True
        if self._transport:
            self._transport.abort()

    def _say(self, data: bytes) -> None:
        if data and self._transport and not self._transport.is_closing():
            self._transport.write(data)


class AgentLeg(asyncio.Protocol):
    """The session that Dial's subroutine opens from the agent's leg at the moment of the answer."""

    __slots__ = ("_answered_id", "_buffer", "_channel", "_number", "_office", "_talk", "_transport")

    def __init__(self, office: "Office", answered_id: str, number: int, talk: Callable[[], None]) -> None:
        self._office = office
        self._answered_id = answered_id
        self._number = number
        self._talk = talk
        self._channel = Channel()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        script = f"answered?id={self._answered_id}"
        transport.write(  # type: ignore[attr-defined]
            environment(
                {
                    "network_script": script,
                    "request": f"agi://127.0.0.1:{self._office.plan.agi_port}/{script}",
                    "channel": f"PJSIP/1001-{self._number:08x}",
                    "uniqueid": f"{self._office.epoch}.{self._number + 5_000_000}",
                    "extension": "s",
                }
            )
        )

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            answer = self._channel.take(line.decode())
            if self._transport and answer.text:
                self._transport.write(answer.text.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._talk()


class Office:
    """All calls of one run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        self.epoch = int(time.time())
        self.calls: list[Caller] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._desks: asyncio.StreamWriter | None = None
        self._greeted = 0
        self._all_greeted = asyncio.Event()

    def block(self, unique_id: str, number: int) -> bytes:
        """The environment of a call."""
        plan = self.plan
        caller = phone_of(1 + (plan.first_caller + number) * _STRIDE % plan.customers)
        return environment(
            {
                "network_script": plan.script,
                "request": f"agi://127.0.0.1:{plan.agi_port}/{plan.script}",
                "channel": f"PJSIP/trunk-{number:08x}",
                "uniqueid": unique_id,
                "callerid": caller,
                "calleridname": "unknown",
                "dnid": plan.called,
                "extension": plan.called,
            }
        )

    def greeted(self) -> None:
        """One more call has heard from the server."""
        self._greeted += 1
        if self._greeted == self.plan.calls:
            self._all_greeted.set()

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Keep a task alive until it is done."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Play all calls to their ends."""
        if self.plan.desks_port:
            _, self._desks = await asyncio.open_connection("127.0.0.1", self.plan.desks_port)
        if self.plan.wait:
            await self._wait_in_queue()
        elif self.plan.rate:
            await self._open_loop()
        else:
            numbers = iter(range(self.plan.calls))
            await asyncio.gather(*(self._lane(numbers) for _ in range(min(self.plan.lanes, self.plan.calls))))
        if self._desks:
            self._desks.close()
            await self._desks.wait_closed()

    async def _open_loop(self) -> None:
        free = asyncio.Semaphore(self.plan.lanes)
        start = time.monotonic_ns() + 50_000_000

        async def play(number: int, due: int) -> None:
            async with free:
                await self._one(number, due)

        async with asyncio.TaskGroup() as group:
            for number in range(self.plan.calls):
                due = start + int(number * 1e9 / self.plan.rate)
                if (ahead := due - time.monotonic_ns()) > 0:
                    await asyncio.sleep(ahead / 1e9)  # the rate is what is played
                group.create_task(play(number, due))

    async def _lane(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self._one(number, time.monotonic_ns())

    async def _wait_in_queue(self) -> None:
        """All calls at once; they hang up when standard input ends."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.plan.calls):
                group.create_task(self._one(number, time.monotonic_ns()))
                if number % 20 == 19:
                    await asyncio.sleep(0.1)  # a thousand callers, not a flood of connections
            await self._all_greeted.wait()
            print("waiting", flush=True)
            await self.loop.run_in_executor(None, sys.stdin.read)
            for call in self.calls:
                call.hang_up()

    async def _one(self, number: int, due: int) -> None:
        call = Caller(self, number, due)
        self.calls.append(call)
        try:
            await self.loop.create_connection(lambda: call, "127.0.0.1", self.plan.agi_port)
        except OSError:
            call.times.timed_out = True
            return
        await call.finished
        if self._desks and call.times.answered:
            self._desks.write(call.times.unique_id.encode() + b"\n")


def main() -> None:
    """Read the plan from the command line, play it, print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in Plan.__dataclass_fields__.items():
        option = "--" + name.replace("_", "-")
        if name == "wait":
            parser.add_argument(option, action="store_true")
        else:
            kind = {"int": int, "float": float, "str": str}[getattr(default.type, "__name__", str(default.type))]
            required = name in ("agi_port", "calls")
            parser.add_argument(option, type=kind, required=required, default=None if required else default.default)
    plan = Plan(**vars(parser.parse_args()))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))

    async def play() -> Office:
        office = Office(plan)
        await office.run()
        return office

    office = uvloop.run(play())
    json.dump({"cpu": time.process_time(), "calls": [asdict(call.times) for call in office.calls]}, sys.stdout)


if __name__ == "__main__":
    main()
