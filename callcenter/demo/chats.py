"""Visitors of the made-up shop who chat, and the played agents who answer them."""

import asyncio
import json
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import structlog

from callcenter.actions import chats, interactions
from callcenter.app import Running, clock
from callcenter.domain.chat import Side
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel
from callcenter.errors import CallcenterError
from callcenter.feed import Signal
from callcenter.store import chats as store
from channels.web.visitor import Visitor

log = structlog.get_logger()

_TALKS = Path(__file__).with_suffix(".toml")
# Seconds between two visitors, at the mean.
_EVERY = 75.0
_PATIENCE = 180.0
_QUESTION_ANSWERED_WITHIN = 240.0


@dataclass(frozen=True, slots=True)
class Talk:
    """`lines`: the visitor's and the agent's, in turn."""

    language: str
    page: str
    lines: tuple[str, ...]


def read_talks() -> Sequence[Talk]:
    with _TALKS.open("rb") as file:
        return [Talk(each["language"], each["page"], tuple(each["lines"])) for each in tomllib.load(file)["talks"]]


class Chatters:
    """`run` plays until it is cancelled. `played`: the agents who answer; whoever looks at the demo is none of them."""

    def __init__(
        self, server: Running, *, key: str, site: str, played: frozenset[int], dice: Random, speed: float
    ) -> None:
        self._server = server
        self._url = f"{server.url}/chat/{key}"
        self._site = site
        self._played = played
        self._dice = dice
        self._speed = speed
        self._talks = read_talks()
        self._tasks: set[asyncio.Task[None]] = set()
        self._tokens: set[str] = set()

    async def run(self) -> None:
        unlisten = self._server.log.listen(self._note)
        try:
            async with aiohttp.ClientSession() as http:
                while True:
                    await asyncio.sleep(self._dice.expovariate(1 / _EVERY) / self._speed)
                    self._begin(self._visit(http, self._dice.choice(self._talks)))
        finally:
            unlisten()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for token in self._tokens:
                chat = await store.of_token(self._server.pool, token)
                if chat is not None and chat.open:
                    await chats.close(self._server.log, chat, by=Side.VISITOR, cause="visitor", now=clock())

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pause(self, shortest: float, longest: float) -> None:
        await asyncio.sleep(self._dice.uniform(shortest, longest) / self._speed)

    # -- the visitor

    async def _visit(self, http: aiohttp.ClientSession, talk: Talk) -> None:
        """Writes, waits for an answer, writes again, and leaves."""
        visitor = Visitor(language=talk.language, page=self._site + talk.page)
        self._tokens.add(visitor.token)
        try:
            async with http.ws_connect(self._url, headers={"Origin": self._site}) as socket:
                for frame in visitor.connected():
                    await socket.send_json(frame)
                for number in range(0, len(talk.lines), 2):
                    if number and not await self._read(socket, visitor, until=number):
                        break
                    await self._pause(3, 9)
                    await socket.send_json({"type": "typing"})
                    await self._pause(2, 5)
                    for frame in visitor.say(talk.lines[number]):
                        await socket.send_json(frame)
                    if number == 0:
                        await self._read(socket, visitor, until=1)
                await self._read(socket, visitor, until=len(talk.lines))
                await self._pause(2, 6)
                await socket.send_json({"type": "close"})
            self._tokens.discard(visitor.token)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("demo.chat_lost", error=repr(error))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, visitor: Visitor, *, until: int) -> bool:
        """Until so many lines are there; False for who waited in vain, or has heard the end."""
        patience = _PATIENCE if len(visitor.lines) < 2 else _QUESTION_ANSWERED_WITHIN
        with suppress(TimeoutError):
            async with asyncio.timeout(patience / self._speed):
                while len(visitor.lines) < until and visitor.state.get("state") != "over":
                    message = await socket.receive()
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        return False
                    for answer in visitor.received(json.loads(message.data)):
                        await socket.send_json(answer)
        return len(visitor.lines) >= until

    # -- the agent

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.agent not in self._played or event.interaction is None:
                continue
            if event.kind == "interaction.reserved" and event.data.get("channel") == Channel.CHAT:
                self._begin(self._take(event.data["reservation"], event.interaction))
            elif event.kind == "message.received" and event.data.get("channel") == Channel.CHAT:
                self._begin(self._answer(event.interaction, event.agent, event.data))

    async def _take(self, reservation: int, chat: int) -> None:
        await self._pause(2, 6)
        with suppress(CallcenterError):
            events = await interactions.answer(self._server.log, reservation, now=clock())
            agent = next(event.agent for event in events if event.agent is not None)
            await self._answer(chat, agent, {"line": 1})

    async def _answer(self, chat: int, agent: int, data: Mapping[str, Any]) -> None:
        """As the talk goes that the visitor's first line began."""
        line = int(data["line"])
        with suppress(CallcenterError):
            said = await store.lines(self._server.pool, chat, limit=1)
            talk = next((talk for talk in self._talks if said and talk.lines[0] == said[0].text), None)
            if talk is None or line >= len(talk.lines):
                return
            await self._pause(1, 3)
            await chats.read(self._server.log, chat, reader=agent, upto=line, now=clock())
            self._server.feed.signal(Signal(chat, "typing", "agent"))
            await self._pause(3, 8)
            await chats.say(
                self._server.log, chat, author=agent, text=talk.lines[line], client_id=f"talk-{line}", now=clock()
            )
