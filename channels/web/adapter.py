"""The door of live chats: a WebSocket for each page that shows a widget, held to its sites and its limits."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

import asyncpg
import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, hdrs, web

from callcenter.actions import chats, opinions, uploads
from callcenter.domain import link
from callcenter.domain.chat import Side, check_email, check_name, read_proof
from callcenter.domain.chat import Visitor as Who
from callcenter.errors import CallcenterError, Conflict, Forbidden, Invalid, NotFound, TooMany
from callcenter.feed import Signal
from callcenter.store import chats as store
from callcenter.store.chats import Widget
from callcenter.store.db import TRY_AGAIN
from callcenter.store.uploads import SQL as UPLOADS
from callcenter.web.auth import limited_address
from callcenter.web.limits import Buckets, check_rate
from channels.channel import Channel, Ground, Loops, Services
from channels.web import instead
from channels.web.chat import (
    LARGEST_FRAME,
    Act,
    Close,
    Code,
    Drop,
    Hello,
    Instead,
    Page,
    Rated,
    Read,
    Said,
    Send,
    Transcript,
    Typing,
    Uploaded,
    in_language,
    page_of,
    refused,
)
from channels.web.rooms import FILE, Member, Rooms

log = structlog.get_logger()

# Of one address, behind which a whole office may sit; and of all together.
_MOST_OF_ONE = 50
_MOST = 20_000
_HELLO_WITHIN = 10.0
_HEARTBEAT = 25.0
# Seconds after which a page that says nothing and has no chat is let go; it comes back when somebody writes.
_IDLE = 900.0
_MOST_FILES = 20
# Until somebody takes the chat: nobody has asked for them, and a picture or two say what it is about. By
# chat, and bytes by address, at once and then in an hour.
_MOST_UNASKED_FILES = 3
_MOST_UNASKED = 15_000_000
_MOST_UNASKED_OF_ONE = 45_000_000
# Bytes of files that have not come whole or are being kept, of all visitors together.
_MOST_HELD = 256_000_000
_SWEEP_EVERY = 10.0
_CLOSE_WITHIN = 1.0


class _Closed(Conflict):
    """The widget's queue is closed at this hour."""


class _TooManyFiles(TooMany):
    """As many as a chat may have, or as nobody asked for."""


class _Visit:
    """One connection with what it said of itself."""

    __slots__ = ("address", "held", "hello", "member", "request", "widget")

    def __init__(self, request: web.Request, member: Member, widget: Widget, address: str) -> None:
        self.request = request
        self.member = member
        self.widget = widget
        self.address = address
        self.hello: Hello | None = None
        self.held = 0


class Chats(Channel):
    """Visitors of any number of sites."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._log = ground.log
        self._clock = ground.clock
        self._members: set[Member] = set()
        self._by_address: Counter[str] = Counter()
        self._held = 0
        # Pages come back with each click, and all at once after a restart.
        self._arrivals = Buckets(rate=5.0, burst=2 * _MOST_OF_ONE)
        # Letters to anybody: five at once, then one every five minutes from where they are asked for.
        self._transcripts = Buckets(rate=1 / 300, burst=5)
        # New chats: a shared address may open many, a programme not thousands.
        self._openings = Buckets(rate=1 / 5, burst=30)
        # Files are kept in the database: many chats of one address do not fill it.
        self._files = Buckets(rate=1 / 60, burst=20)
        self._unasked = Buckets(rate=_MOST_UNASKED_OF_ONE / 3600, burst=_MOST_UNASKED_OF_ONE)

    def begin(self, services: Services) -> Loops:
        self._services = services
        self._rooms = Rooms(
            self._log,
            services.feed,
            self._ground.directory,
            services.waits,
            services.node,
            clock=self._clock,
        )
        services.metrics.ask("callcenter_chat", "What is connected to the chat here.", "what", self._connected)
        return {
            "chats": self._rooms.run,
            "chats waiting": self._rooms.follow_waits,
            "chats here": self._rooms.stay,
            "chats left": self._sweep,
        }

    def _connected(self) -> Mapping[str, int]:
        return {"pages": len(self._members), "chats": len(self._rooms)}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/chat/files/{token}", self._get_file)
        app.router.add_get("/chat/{widget}", self._visit)
        app.on_shutdown.append(self._close_sockets)

    async def _close_sockets(self, _app: web.Application) -> None:
        """Pages come back to whoever serves then."""
        closing = [
            asyncio.create_task(member.socket.close(code=WSCloseCode.SERVICE_RESTART, message=b"restart"))
            for member in tuple(self._members)
        ]
        if closing:
            await asyncio.wait(closing, timeout=_CLOSE_WITHIN)

    async def _sweep(self) -> None:
        """First those whom this node had when it went down, then whoever does not come back."""
        node: int | None = self._services.node.id
        while True:
            await chats.close_left(self._log, node=node, now=self._clock())
            node = None
            await asyncio.sleep(_SWEEP_EVERY)

    async def _admit(self, request: web.Request) -> tuple[Widget, str]:
        """Raises NotFound, Forbidden for the page of another site, TooMany."""
        address = limited_address(request)
        self._arrivals.take(address, now=self._clock())
        widget = await store.widget(self._log.pool, request.match_info["widget"][:100])
        origin = request.headers.get(hdrs.ORIGIN, "")
        if origin not in widget.sites:
            log.warning("chat.refused", widget=widget.key, origin=origin[:100])
            raise Forbidden("This widget is not for this site: name the site in the organisation file.")
        if self._by_address[address] >= _MOST_OF_ONE or len(self._members) >= _MOST:
            raise TooMany("So many chats are open from here already.", retry_after=60)
        return widget, address

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        widget, address = await self._admit(request)
        # Twice what is taken: what is a little too large is refused in words, the rest by its length.
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT, compress=False, max_msg_size=2 * LARGEST_FRAME, writer_limit=2**20
        )
        await socket.prepare(request)
        member = Member(socket, request.transport)
        visit = _Visit(request, member, widget, address)
        self._members.add(member)
        self._by_address[address] += 1
        try:
            await self._converse(visit)
        except TRY_AGAIN as error:
            log.warning("chat.database", error=repr(error))
            await self._drop(visit, Drop(WSCloseCode.TRY_AGAIN_LATER, "database"))
        finally:
            self._hold(visit, 0)
            self._members.discard(member)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            await self._rooms.leave(member)
        return socket

    async def _converse(self, visit: _Visit) -> None:
        socket, session = visit.member.socket, visit.member.session
        while True:
            limit = _IDLE if visit.hello is not None else _HELLO_WITHIN
            try:
                async with asyncio.timeout(None if visit.member.room is not None else limit):
                    message: WSMessage = await socket.receive()
            except TimeoutError:
                return await self._drop(visit, Drop(WSCloseCode.POLICY_VIOLATION, "idle"))
            match message.type:
                case WSMsgType.TEXT:
                    acts = session.receive(message.data, now=self._clock())
                case WSMsgType.BINARY:
                    self._hold(visit, session.held + len(message.data))
                    if self._held > _MOST_HELD:
                        return await self._drop(visit, Drop(WSCloseCode.TRY_AGAIN_LATER, "too many files at once"))
                    acts = session.receive_bytes(message.data)
                case _:
                    if message.type is WSMsgType.ERROR:
                        log.warning("chat.refused", widget=visit.widget.key, reason=str(message.data)[:200])
                    return None
            for act in acts:
                if isinstance(act, Drop):
                    return await self._drop(visit, act)
                await self._do(visit, act)
            self._hold(visit, session.held)

    def _hold(self, visit: _Visit, held: int) -> None:
        self._held += held - visit.held
        visit.held = held

    async def _drop(self, visit: _Visit, drop: Drop) -> None:
        log.warning("chat.dropped", widget=visit.widget.key, reason=drop.reason)
        await visit.member.socket.close(code=drop.code, message=drop.reason.encode()[:120])

    async def _do(self, visit: _Visit, act: Act) -> None:
        """What was refused is said to whoever asked, by the id of their line."""
        ident = getattr(act, "id", None)
        try:
            await self._act(visit, act)
        except TooMany as error:
            code = Code.FILES if isinstance(error, _TooManyFiles) else Code.RATE
            await visit.member.send(refused(ident, code, str(error)).frame)
        except Conflict as error:
            code = Code.CLOSED if isinstance(error, _Closed) else Code.OVER
            await visit.member.send(refused(ident, code, str(error)).frame)
        except CallcenterError as error:
            await visit.member.send({**refused(ident, Code.BAD, str(error)).frame, **instead.wrong_fields(error)})
        except asyncpg.DataError:
            await visit.member.send(refused(ident, Code.BAD, "This cannot be kept.").frame)

    async def _act(self, visit: _Visit, act: Act) -> None:
        match act:
            case Send():
                await visit.member.send(act.frame)
            case Hello():
                await self._greet(visit, act)
            case Said():
                await self._say(visit, act)
            case Uploaded():
                await self._take_file(visit, act)
            case _ if isinstance(act, Instead):
                assert visit.hello is not None
                chat = None if visit.member.room is None else visit.member.room.chat
                await visit.member.send(await instead.answer(visit.request, visit.widget, visit.hello, chat, act))
            case _:
                if visit.member.room is not None:
                    await self._act_in(visit, act, visit.member.room.chat.interaction)

    async def _act_in(self, visit: _Visit, act: Act, chat: int) -> None:
        """What there must be a chat for."""
        room, now = visit.member.room, self._clock()
        assert room is not None
        match act:
            case Typing():
                self._services.feed.signal(Signal(chat, "typing", "visitor"))
            case Read():
                if act.upto > room.chat.visitor_read:
                    await chats.read(self._log, chat, reader=None, upto=act.upto, now=now)
                    room.chat = replace(room.chat, visitor_read=act.upto)
            case Page():
                page, title = page_of(act)
                await chats.come(self._log, chat, node=self._services.node.id, page=page, page_title=title)
                self._services.feed.signal(Signal(chat, "page", "visitor"))
            case Close():
                await chats.close(self._log, room.chat, by=Side.VISITOR, cause="visitor", now=now)
            case Transcript():
                self._transcripts.take(visit.address, now=now)
                await chats.send_transcript(self._log, chat, address=act.email, now=now)
                await visit.member.send({"type": "sent"})
            case Rated():
                words = self._services.words
                await opinions.answer_contact(
                    self._log, chat, score=act.score, comment=act.comment, answers={}, words=words, now=now
                )
                await visit.member.send({"type": "rated"})

    def _is_open(self, widget: Widget) -> bool:
        queue = self._ground.directory.queues.get(widget.queue)
        return queue is None or queue.hours is None or queue.hours.is_open(self._clock())

    async def _greet(self, visit: _Visit, hello: Hello) -> None:
        visit.hello = hello
        chat = await store.of_token(self._log.pool, hello.token)
        known = chat is not None and chat.widget == visit.widget.id
        queue = visit.widget.queue
        expected = self._services.waits.for_next(queue, "chat")
        is_open = self._is_open(visit.widget)
        await visit.member.send(
            {
                "type": "welcome",
                "chat": known,
                "open": is_open,
                **(await instead.offered(visit.request, visit.widget, hello, is_open=is_open)),
                "languages": visit.widget.languages,
                "ask": [] if hello.proof is not None else list(visit.widget.ask),
                "greeting": in_language(visit.widget.greeting, hello.language),
                "expected": None if expected is None else round(expected),
                "organisation": self._ground.directory.organisation.name,
            }
        )
        if chat is not None and known:
            page, title = page_of(hello)
            await self._rooms.join(visit.member, chat, page=page, title=title)

    async def _open(self, visit: _Visit, name: str | None, email: str | None) -> None:
        """The first line opens the chat."""
        hello, widget, now = visit.hello, visit.widget, self._clock()
        assert hello is not None
        if not self._is_open(widget):
            raise _Closed("Nobody is here at this hour.")
        self._openings.take(visit.address, now=now)
        page, title = page_of(hello)
        proof = None
        if hello.proof is not None:
            if widget.secret is None:
                raise Invalid("This widget has no key to check who this is.")
            proof = read_proof(widget.secret, hello.proof, now=now)
        who = Who(
            token=hello.token,
            browser=hello.browser,
            language=hello.language.replace("-", "_"),
            name=check_name(name),
            email=check_email(email),
            page=page,
            page_title=title,
            proof=proof,
        )
        node = self._services.node.id
        chat = await chats.open_chat(self._log, who, widget=widget, node=node, now=now)
        await self._rooms.join(visit.member, chat, page=page, title=title)

    async def _say(self, visit: _Visit, said: Said) -> None:
        if visit.member.room is None:
            await self._open(visit, said.name, said.email)
        room = visit.member.room
        assert room is not None
        line = await chats.say(
            self._log, room.chat.interaction, author=None, text=said.text, client_id=said.id, now=self._clock()
        )
        await self._rooms.put(room, line)

    async def _take_file(self, visit: _Visit, file: Uploaded) -> None:
        if visit.member.room is None:
            await self._open(visit, None, None)
        room, now = visit.member.room, self._clock()
        assert room is not None
        chat = room.chat.interaction
        known = await store.line(self._log.pool, chat, by_visitor=True, client_id=file.id)
        if known is None:
            await self._admit_file(visit, chat, len(file.data))
            owner = chats.owner_of(chat)
            ident = await uploads.keep(self._log, file.name, file.kind, file.data, owner=owner, now=now)
            await chats.say(self._log, chat, author=None, text="", client_id=file.id, files=[ident], now=now)
        self._rooms.refresh(chat)

    async def _admit_file(self, visit: _Visit, chat: int, size: int) -> None:
        """Raises TooMany: a chat costs nothing to open, and what is sent stays in the database."""
        row, now = await self._log.pool.fetchrow(store.SQL.files, chat), self._clock()
        assert row is not None
        if row["count"] >= _MOST_FILES:
            raise _TooManyFiles(f"At most {_MOST_FILES} files go with a chat.")
        if not row["taken"]:
            if row["count"] >= _MOST_UNASKED_FILES or row["size"] + size > _MOST_UNASKED:
                most = f"{_MOST_UNASKED_FILES} files, {uploads.megabytes(_MOST_UNASKED)} MB together"
                raise _TooManyFiles(f"Until somebody is there at most {most}, are taken.")
            self._unasked.take(visit.address, now=now, amount=size)
        self._files.take(visit.address, now=now)

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        """What was sent in a chat, by a link that its pages got; always to be saved."""
        check_rate(request)
        key = await self._rooms.key()
        ident = link.read(key, FILE, request.match_info["token"], now=self._clock())
        about = await self._log.pool.fetchrow(UPLOADS.about, ident)
        if about is None:
            raise NotFound("This file is no longer here.")
        data = await self._log.pool.fetchval(UPLOADS.data, ident)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(about['name'], safe='')}",
            "Content-Security-Policy": "sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return web.Response(body=data, headers=headers)
