"""The hub of all consoles of this process: pops to the one agent they are for, hints to whoever looks at what moved."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson
import structlog
from aiohttp import web

from callcenter.actions import agents, drafts
from callcenter.domain.events import Cursor, Event
from callcenter.domain.interaction import Arrival, Proposal
from callcenter.errors import CallcenterError
from callcenter.feed import Feed
from callcenter.store.db import TRY_AGAIN, retrying
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from screenpop import client as frames
from screenpop.ahead import Ahead
from screenpop.chat_live import ChatNews
from screenpop.client import Client
from screenpop.desk import work_of_event, zone_of
from screenpop.history import load_pop
from screenpop.i18n import Language, load_languages
from screenpop.pop import Pop, PopView, pop_view
from screenpop.regions import DESK, HERE, SHARED_FOR, TICKET, TICKETS, WALL, Stale, queue_region, stale, ticket_of
from screenpop.render import Renderer
from screenpop.shown import is_card, tell
from screenpop.stage import drawn_view, stage_context

log = structlog.get_logger()

# A ring waits no longer than this for its pop.
_PATIENCE = 0.25
# The pop is on its way to a desk of another node, which cannot tell us: its feed and its query take about this long.
_ELSEWHERE = 0.02
_COALESCE = 0.04  # own desk
_COALESCE_QUEUES = 1.0  # figures of many: strip of queues, wall
_RELOAD = 3.0  # seconds; a page that is loaded anew has its desk back by then
_SLICE = 100
_RECENT = 2_000
_FAILURES: tuple[type[BaseException], ...] = (CallcenterError, *TRY_AGAIN)


def _is_true(event: Event, pop: Pop, agent: str) -> bool:
    """Whether the interaction still is as `event` left it, so far as the stage shows it."""
    item, meant = pop["interaction"], "offered" if event.kind == "interaction.reserved" else "active"
    return item is not None and item["state"] == meant and item["agent"] == agent


class Hub:
    """Implements callcenter.ports.Pops. `run` is supervised."""

    def __init__(
        self,
        contact_log: ContactLog,
        feed: Feed,
        directory: Directory,
        *,
        node: Node,
        clock: Callable[[], datetime],
        renderer: Renderer | None = None,
    ) -> None:
        self.renderer = renderer or Renderer(load_languages())
        self.reload = _RELOAD
        self._log = contact_log
        self._feed = feed
        self._directory = directory
        self._node = node
        self._clock = clock
        self._clients: dict[int, list[Client]] = {}
        self._at_tickets: dict[int, list[Client]] = {}  # by the ticket whose page they show
        # By reservation: the interaction's version that its pop shows, and whether that was written.
        self._pops: dict[int, tuple[int, asyncio.Future[bool]]] = {}
        self.ahead = Ahead(contact_log.pool, directory, clock=clock)
        self._elsewhere: set[int] = set()
        self._chats = ChatNews(self._put)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stale = Stale()
        self._stale_queues = Stale()
        self._moved = asyncio.Event()
        self._queues_moved = asyncio.Event()
        # What became stale after `_floor`, for consoles that come back.
        self._recent: deque[tuple[Cursor, Stale]] = deque()
        self._floor = feed.cursor
        contact_log.listen(self._committed)
        feed.subscribe(self._read)
        feed.hear(self._chats.heard)

    # -- who is there

    def connected(self, agent: int) -> bool:
        return any(client.view == DESK for client in self._clients.get(agent, ()))

    @property
    def clients(self) -> int:
        return sum(map(len, self._clients.values()))

    @asynccontextmanager
    async def joined(
        self, socket: web.WebSocketResponse, *, agent: int, view: str, language: Language, session: str | None = None
    ) -> AsyncIterator[Client]:
        """The socket gets frames while the context lasts; the agent's desk is open while one of its sockets is here."""
        client = Client(socket, agent=agent, view=view, language=language, session=session)
        self._clients.setdefault(agent, []).append(client)
        ticket = ticket_of(view)
        if ticket is not None:
            self._at_tickets.setdefault(ticket, []).append(client)
        writer = asyncio.create_task(client.write())
        try:
            if view == DESK:
                await self._move_desk(agent)
            yield client
        finally:
            # Nothing is awaited here: the handler of a lost connection is being cancelled.
            writer.cancel()
            self._clients[agent].remove(client)
            if ticket is not None:
                self._at_tickets[ticket].remove(client)
                if not self._at_tickets[ticket]:
                    del self._at_tickets[ticket]
            if not self._clients[agent]:
                del self._clients[agent]
            if view == DESK and not self.connected(agent):
                self._spawn(self._lose_later(agent))

    async def _move_desk(self, agent: int) -> None:
        here = None
        # Once more when the console came or left meanwhile: two writes at once may be committed in either order.
        while here is not (here := self.connected(agent)):
            now = self._clock()
            verb = agents.open_desk if here else agents.lose_desk
            await retrying(partial(verb, self._log, agent, node=self._node.id, now=now), within=timedelta(seconds=10))

    async def _lose_later(self, agent: int) -> None:
        await asyncio.sleep(self.reload)
        if not self.connected(agent):
            await self._move_desk(agent)

    def session_ended(self, agent: int, session: str | None) -> None:
        """No pop goes to a page whose session is over: this one's, or without a name all of the user's."""
        for client in tuple(self._clients.get(agent, ())):
            if session is None or client.session == session:
                self._spawn(client.hang_up())

    def resume(self, client: Client, cursor: Cursor | None) -> None:
        """What became stale since the client last heard from us, here or at another node, before a restart or after."""
        if cursor is None or cursor < self._floor:
            client.put(frames.resync(self._feed.cursor))
            return
        missed = Stale()
        for at, moved in self._recent:
            if at > cursor:
                missed |= moved
        if regions := self._regions(client, missed) + self._regions_of_many(client, missed):
            client.put(frames.hint(regions, self._feed.cursor))

    # -- pops

    def expect(self, arrival: Arrival, proposal: Proposal) -> None:
        """See callcenter.ports.Pops."""
        queue = self._directory.queues.get(proposal.queue)
        languages = {client.language for client in self._clients.get(proposal.agent, ()) if client.view == DESK}
        self.ahead.expect(arrival, queue.name if queue else None, partial(self._draw, languages))

    def _draw(self, languages: Iterable[Language], pop: Pop) -> dict[str, PopView]:
        now, zone = self._clock(), zone_of(self._directory)
        return {language.code: drawn_view(pop, self.renderer, language, now=now, zone=zone) for language in languages}

    async def written(self, reservation: int, agent: int) -> bool:
        """See callcenter.ports.Pops."""
        _, written = self._pops.get(reservation, (0, None))
        if written is None:
            if agent in self._elsewhere and not self.connected(agent):
                await asyncio.sleep(_ELSEWHERE)
            return True
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.shield(written)
        except TimeoutError:
            log.warning("pop.late", reservation=reservation, agent=agent)
            return False

    def _offer_pop(self, event: Event) -> None:
        reservation = event.data.get("reservation")
        if reservation is None or event.agent is None or not self.connected(event.agent):
            return
        # Both the commit and the feed tell of it, the feed a moment later; a call that comes back pops once more.
        version = event.version or 0
        if reservation in self._pops and self._pops[reservation][0] >= version:
            return
        loop = asyncio.get_running_loop()
        self._pops[reservation] = (version, loop.create_future())
        loop.call_later(60, self._pops.pop, reservation, None)
        self._spawn(self._pop(event, reservation))

    async def _pop(self, event: Event, reservation: int) -> None:
        _, written = self._pops[reservation]
        try:
            pop, views = await self._load(event)
            assert event.agent is not None
            if not _is_true(event, pop, self._directory.user(event.agent).name):
                # It is over, or further, by now: the hint behind it shows what is.
                if not written.done():
                    written.set_result(False)
                return
            now, zone = self._clock(), zone_of(self._directory)
            row = work_of_event(event, pop)
            if event.kind == "interaction.transferred":
                # It may come back to who had it before, with what they had typed.
                kept = await drafts.find(self._log.pool, event.agent, interaction=row["interaction"])
                row["draft_note"], row["draft_disposition"] = kept.note or None, kept.disposition
            drawn: dict[str, bytes] = {}
            for client in self._clients.get(event.agent, ()):
                if client.view != DESK:
                    continue
                if client.language.code not in drawn:
                    view = views.get(client.language.code) or pop_view(pop, client.language, now=now, zone=zone)
                    context = stage_context(row, view, self._directory.queues, client.language)
                    drawn[client.language.code] = orjson.dumps(
                        {
                            "type": "pop",
                            "interaction": event.interaction,
                            "reservation": reservation,
                            "pop": pop,
                            "html": self.renderer.draw("desk/_stage.html", client.language, context),
                        }
                    )
                client.put(drawn[client.language.code], written=written)
            if is_card(event):
                self._spawn(tell(self._log, reservation, written, clock=self._clock))
        except _FAILURES as error:
            # The agent still gets the offer by the hint behind it.
            log.warning("pop.failed", reservation=reservation, error=repr(error))
            if not written.done():
                written.set_result(False)

    async def _load(self, event: Event) -> tuple[Pop, Mapping[str, PopView]]:
        assert event.interaction is not None
        assert event.agent is not None
        if event.kind == "interaction.reserved":
            read = await self.ahead.take(event, self._directory.user(event.agent).name)
            if read is not None:
                return read
        return await load_pop(self._log.pool, event.interaction, now=self._clock()), {}

    # -- hints

    def _committed(self, events: Sequence[Event]) -> None:
        """Right after a commit of this process: only for pops, since commits are heard in no order."""
        for event in events:
            if event.kind == "interaction.arrived":
                self.ahead.arrived(event)
            elif event.kind in ("interaction.reserved", "interaction.transferred"):
                self._offer_pop(event)
            self._chats.note(event)

    def _put(self, agent: int, frame: bytes) -> None:
        for client in self._clients.get(agent, ()):
            if client.view == DESK:
                client.put(frame)

    def _read(self, events: Sequence[Event]) -> None:
        self._committed(events)
        for event in events:
            if event.noun in ("customer", "ticket", "sla") or event.kind == "interaction.identified":
                self.ahead.forget()
            if event.kind == "user.password_changed" and event.agent is not None:
                self.session_ended(event.agent, None)
            if event.kind == "agent.desk" and event.agent is not None:
                (self._elsewhere.add if event.data.get("desk") else self._elsewhere.discard)(event.agent)
                if not event.data.get("desk") and self.connected(event.agent):
                    # Lost by another node, where it stood last, or by the leader while this one was silent.
                    self._spawn(self._move_desk(event.agent))
        moved = stale(events)
        self._recent.append((events[-1].cursor, moved))
        if len(self._recent) > _RECENT:
            self._floor = self._recent.popleft()[0]
        if moved.desks or moved.tickets or moved.everything:
            self._stale |= moved
            self._moved.set()
        if moved.queues or moved.wall or moved.tickets or moved.everything:
            self._stale_queues |= moved
            self._queues_moved.set()

    async def run(self) -> None:
        """Sends hints for ever, each kind at its own pace."""
        await asyncio.to_thread(self.renderer.warm)
        self._elsewhere |= {
            row["user_id"] for row in await self._log.pool.fetch("select user_id from agent where desk_lost_at is null")
        }
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hint_desks())
            group.create_task(self._hint_many())

    async def _hint_desks(self) -> None:
        while True:
            await self._moved.wait()
            await asyncio.sleep(_COALESCE)
            self._moved.clear()
            moved, self._stale = self._stale, Stale()
            cursor = self._feed.cursor
            await self._keep_up(moved)
            frame = frames.hint((DESK,), cursor)
            for agent in self._clients if moved.everything else moved.desks:
                for client in self._clients.get(agent, ()):
                    if client.view == DESK:
                        client.put(frame)
            for ticket in self._at_tickets if moved.everything else moved.tickets:
                self.tell_ticket(ticket, TICKET)

    def tell_ticket(self, ticket: int, region: str = HERE) -> None:
        """Whoever has this ticket's page open here fetches a region of it; `here`: who else is there."""
        if clients := self._at_tickets.get(ticket):
            frame = frames.hint((region,), self._feed.cursor)
            for client in clients:
                client.put(frame)

    def tell_desks(self, agents: Iterable[int], region: str = HERE) -> None:
        """The same for whoever answers at their desk."""
        frame = frames.hint((region,), self._feed.cursor)
        for agent in agents:
            for client in self._clients.get(agent, ()):
                if client.view == DESK:
                    client.put(frame)

    async def _keep_up(self, moved: Stale) -> None:
        """Whoever asks for a region after a hint must not get the queues and members from before."""
        if moved.everything:
            with suppress(*TRY_AGAIN):
                await retrying(self._directory.load, within=timedelta(seconds=10))

    async def _hint_many(self) -> None:
        while True:
            await self._queues_moved.wait()
            # Else a region that is fetched at once gets the figures that somebody asked for just before.
            await asyncio.sleep(SHARED_FOR + 0.05)
            self._queues_moved.clear()
            moved, self._stale_queues = self._stale_queues, Stale()
            cursor = self._feed.cursor
            await self._keep_up(moved)
            made: dict[tuple[str, ...], bytes] = {}
            everybody = [client for clients in self._clients.values() for client in clients]
            for n, client in enumerate(everybody):
                if regions := self._regions_of_many(client, moved):
                    if regions not in made:
                        made[regions] = frames.hint(regions, cursor)
                    client.put(made[regions])
                if n % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)
            await asyncio.sleep(_COALESCE_QUEUES)

    def _regions(self, client: Client, moved: Stale) -> tuple[str, ...]:
        if client.view == DESK and (moved.everything or client.agent in moved.desks):
            return (DESK,)
        ticket = ticket_of(client.view)
        return (TICKET,) if ticket is not None and (moved.everything or ticket in moved.tickets) else ()

    def _regions_of_many(self, client: Client, moved: Stale) -> tuple[str, ...]:
        if client.view == WALL:
            return (WALL,) if moved.wall or moved.everything else ()
        if client.view == TICKETS:
            return (TICKETS,) if moved.tickets else ()
        queues = self._directory.queues
        idents = queues if moved.everything else moved.queues
        return tuple(
            [
                queue_region(queues[ident].name)
                for ident in idents
                if ident in queues and client.agent in queues[ident].members
            ]
        )

    # -- tasks of its own

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("desk.task_failed", exc_info=error)

    async def close(self) -> None:
        """Ends what still waits in the background."""
        self.ahead.forget()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
