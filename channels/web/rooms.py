"""The chats whose visitors are connected to this node: what is new in them goes to all of their pages."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from aiohttp import web

from callcenter.actions import chats, opinions
from callcenter.domain import link
from callcenter.domain.chat import Line
from callcenter.domain.events import Event
from callcenter.domain.interaction import State
from callcenter.domain.survey import Question
from callcenter.feed import Feed, Signal
from callcenter.ports import Waits
from callcenter.store import chats as store
from callcenter.store.chats import Chat
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.queries import Queries
from callcenter.store.surveys import link_key
from channels.web.chat import Session, first_name, where

log = structlog.get_logger()

SQL = Queries.beside(__file__)
FILE = "chat/file"  # what a link to a file is good for
_LINK_FOR = timedelta(days=1)
_AGAIN = 0.5
_PAGE = 200  # as in the query
_WAITS_EVERY = 3.0
_HERE_EVERY = 30.0
# Bytes that wait for a page that does not read; it comes back and has them then.
_MOST_WAITING = 256 * 1024
_TYPING: Mapping[str, Any] = {"type": "typing"}

Shown = tuple[Line, Mapping[str, Any]]


class Member:
    """One page's connection."""

    __slots__ = ("room", "session", "socket", "transport")

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.socket = socket
        self.transport = transport
        self.session = Session()
        self.room: Room | None = None

    async def send(self, frame: Mapping[str, Any]) -> None:
        """Never waits: whoever does not read is cut off, and resumes."""
        if self.socket.closed or self.transport is None:
            return
        if self.transport.get_write_buffer_size() > _MOST_WAITING:
            self.transport.abort()
            return
        try:
            await self.socket.send_str(orjson.dumps(frame).decode())
        except ConnectionError:
            return


class Room:
    """One chat, as it was when its state was read last."""

    __slots__ = ("chat", "members")

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.members: list[Member] = []

    @property
    def after(self) -> int:
        """The last line that all of its pages have."""
        return min((member.session.sent for member in self.members), default=self.chat.last)


class Rooms:
    """`run`, `follow_waits` and `stay` are supervised."""

    def __init__(
        self,
        contact_log: ContactLog,
        feed: Feed,
        directory: Directory,
        waits: Waits,
        node: Node,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = contact_log
        self._feed = feed
        self._directory = directory
        self._waits = waits
        self._node = node
        self._key: bytes | None = None
        self._clock = clock
        self._rooms: dict[int, Room] = {}
        self._said: set[int] = set()
        self._moved: set[int] = set()
        self._typed: set[int] = set()
        self._wake = asyncio.Event()
        # What happens at this node is known at once; what happens at others, with the log.
        contact_log.listen(self.note)
        feed.subscribe(self.note)
        feed.hear(self.hear)

    def __len__(self) -> int:
        return len(self._rooms)

    async def key(self) -> bytes:
        """What links to files are signed with."""
        if self._key is None:
            self._key = await link_key(self._log.pool)
        return self._key

    def refresh(self, chat: int) -> None:
        """It has lines that were not told of here."""
        self._said.add(chat)
        self._wake.set()

    async def join(self, member: Member, chat: Chat, *, page: str | None, title: str | None) -> None:
        """From now on the page gets what it does not have, and what comes."""
        room = self._rooms.get(chat.interaction)
        if room is None:
            room = self._rooms[chat.interaction] = Room(chat)
        room.members.append(member)
        member.room = room
        if chat.open:
            await chats.come(self._log, chat.interaction, node=self._node.id, page=page, page_title=title)
            self._feed.signal(Signal(chat.interaction, "here", "visitor"))
        self._said.add(chat.interaction)
        self._moved.add(chat.interaction)
        self._wake.set()

    async def leave(self, member: Member) -> None:
        room, member.room = member.room, None
        if room is None:
            return
        room.members.remove(member)
        if room.members or self._rooms.get(room.chat.interaction) is not room:
            return
        del self._rooms[room.chat.interaction]
        if room.chat.open:
            await chats.leave(self._log, room.chat.interaction, node=self._node.id, now=self._clock())
            self._feed.signal(Signal(room.chat.interaction, "away", "visitor"))

    async def put(self, room: Room, line: Line) -> None:
        """A line that was said here: nobody has to read it from the database."""
        shown = [(line, self._more(line, (), b""))]
        for member in tuple(room.members):
            for frame in member.session.lines(shown):
                await member.send(frame)
        if room.after < line.n:
            self._said.add(room.chat.interaction)
            self._wake.set()

    def note(self, events: Sequence[Event]) -> None:
        """A listener of the log, and a subscriber of the feed: what is known already is not read again."""
        for event in events:
            room = None if event.interaction is None else self._rooms.get(event.interaction)
            if room is None:
                continue
            ident = room.chat.interaction
            if event.kind in ("message.received", "message.sent") and event.data.get("line", 0) > room.after:
                self._said.add(ident)
            elif event.noun == "interaction" or (event.kind == "message.read" and event.data.get("by") == "agent"):
                self._moved.add(ident)
        if self._said or self._moved:
            self._wake.set()

    def hear(self, signal: Signal) -> None:
        room = self._rooms.get(signal.interaction)
        if room is not None and (signal.what, signal.by) == ("typing", "agent"):
            self._typed.add(signal.interaction)
            self._wake.set()

    async def run(self) -> None:
        """Reads what is new of all chats at once, so that many cost little more than one."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            said, self._said = self._said, set()
            moved, self._moved = self._moved, set()
            typed, self._typed = self._typed, set()
            for room in [self._rooms[ident] for ident in typed if ident in self._rooms]:
                for member in tuple(room.members):
                    await member.send(_TYPING)
            try:
                await self._tell_lines(said)
                await self._tell_states(moved)
            except TRY_AGAIN as error:
                log.warning("chats.database", error=repr(error))
                self._said |= said
                self._moved |= moved
                self._wake.set()
                await asyncio.sleep(_AGAIN)

    async def _tell_lines(self, said: Iterable[int]) -> None:
        rooms = [self._rooms[ident] for ident in said if ident in self._rooms]
        if not rooms:
            return
        rows = await self._log.pool.fetch(
            SQL.news, [room.chat.interaction for room in rooms], [room.after for room in rooms]
        )
        key = await self.key()
        found: dict[int, list[Shown]] = defaultdict(list)
        for row in rows:
            line = Line(row["n"], row["message_id"], row["author_id"], row["text"], row["client_id"], row["at"])
            found[row["interaction_id"]].append((line, self._more(line, row["files"] or (), key)))
        for room in rooms:
            lines = found.get(room.chat.interaction, [])
            for member in tuple(room.members):
                for frame in member.session.lines(lines):
                    await member.send(frame)
            if len(lines) == _PAGE:
                self._said.add(room.chat.interaction)
                self._wake.set()

    def _more(self, line: Line, files: Iterable[Mapping[str, Any]], key: bytes) -> Mapping[str, Any]:
        more: dict[str, Any] = {}
        if line.author is not None:
            user = self._directory.users.get(line.author)
            more["name"] = None if user is None else first_name(user.full_name)
        links = []
        for each in files:
            token = link.sign(key, FILE, each["id"], expires=self._clock() + _LINK_FOR)
            links.append({"name": each["name"], "size": each["size"], "url": f"/chat/files/{token}"})
        if links:
            more["files"] = links
        return more

    async def _tell_states(self, moved: Iterable[int]) -> None:
        idents = [ident for ident in moved if ident in self._rooms]
        if not idents:
            return
        for chat in await store.get_all(self._log.pool, idents):
            room = self._rooms.get(chat.interaction)
            if room is not None:
                room.chat = chat
                await self.show(room)

    async def show(self, room: Room) -> None:
        shown = self._where(room.chat, stars=await self._may_ask(room.chat))
        for member in tuple(room.members):
            for frame in member.session.state(shown):
                await member.send(frame)

    async def _may_ask(self, chat: Chat) -> bool:
        """Whether a chat that is over ends by asking how it was: nobody is asked twice within their queue's time."""
        queue = None if chat.queue is None else self._directory.queues.get(chat.queue)
        if chat.open or chat.agent is None or queue is None or queue.survey is None:
            return False
        if queue.survey.ask is not Question.CSAT:
            return False
        return await opinions.ask_visitor(self._log, chat.interaction, now=self._clock())

    def _where(self, chat: Chat, *, stars: bool) -> Mapping[str, Any]:
        user = None if chat.agent is None else self._directory.users.get(chat.agent)
        return where(
            chat,
            agent=None if user is None else first_name(user.full_name),
            wait=self._waits.of(chat.interaction) if chat.state is not State.ACTIVE else None,
            stars=stars,
        )

    async def follow_waits(self) -> None:
        """Places in line change without anything happening to the chat itself."""
        while True:
            await asyncio.sleep(_WAITS_EVERY)
            for room in tuple(self._rooms.values()):
                if room.chat.state in (State.QUEUED, State.OFFERED):
                    await self.show(room)

    async def stay(self) -> None:
        """Another node may have seen a page of theirs go."""
        while True:
            await asyncio.sleep(_HERE_EVERY)
            here = [ident for ident, room in self._rooms.items() if room.chat.open]
            if here:
                await self._log.pool.execute(SQL.still_here, here, self._node.id)
            await self._log.pool.execute(store.SQL.not_here, here, self._node.id, self._clock())
