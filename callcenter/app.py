"""The composition root: builds the server from its settings, starts it, stops it."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web

from callcenter import settings as rules
from callcenter.actions import agents, surveys
from callcenter.domain.events import Event
from callcenter.errors import Conflict, Invalid
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store import migrate, nodes
from callcenter.store import surveys as survey_rows
from callcenter.store.db import connect_pool, retrying
from callcenter.store.directory import Directory
from callcenter.store.embedded import embedded
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.pool import Pool
from callcenter.supervisor import Supervisor
from callcenter.sweep import Sweeper
from callcenter.web import keys, site
from callcenter.web.metrics import METRICS
from channels.email.sender import Sender
from channels.email.smtp import relay_of
from channels.telephony.fastagi import AgiServer, AgiSession, serve_agi
from channels.telephony.follow import Follower, Telephone
from channels.telephony.switch import Switch
from channels.telephony.voice import Voice
from routing import due
from routing.leadership import Leadership
from routing.relief import Relief
from routing.router import Router
from routing.waits import Waits
from screenpop import site as consoles
from screenpop.letters import Letters
from screenpop.live import Hub

log = structlog.get_logger()

_STOP_WITHIN = timedelta(seconds=3)
_POOL = 12
# The supervisor's pauses would grow beyond the lease.
_LEASE_PATIENCE = timedelta(minutes=5)
# Surveys go out minutes after a contact.
_ASK_EVERY = 5.0


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready."""

    settings: Settings
    dsn: str
    http_port: int
    agi_port: int
    pool: Pool
    log: ContactLog
    node: Node
    directory: Directory

    @property
    def url(self) -> str:
        return f"http://{self.settings.http_host}:{self.http_port}"


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The address of the database: the one in the settings, or the embedded one for as long as the context lasts."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
    else:
        async with embedded(settings.data_dir) as dsn:
            yield dsn


@asynccontextmanager
async def running(settings: Settings, dsn: str) -> AsyncIterator[Running]:
    """A whole server: ready on entry, stopped in order on exit.

    Raises Invalid in words when the settings or the database forbid a start, OSError when a port is taken.
    """
    rules.require_no_problems(settings)
    async with AsyncExitStack() as stack:
        pool = await connect_pool(dsn, max_size=_POOL)
        stack.push_async_callback(pool.close)
        await _check_schema(pool)
        await _refuse_known_passwords(pool, settings)
        # Short pauses: while the database is away nobody leads, and nobody reads the log.
        supervisor = Supervisor(longest_pause=timedelta(seconds=2))
        stack.push_async_callback(supervisor.stop, within=_STOP_WITHIN)
        contact_log = ContactLog(pool)
        feed = Feed(pool, contact_log, dsn=dsn, clock=clock)
        await feed.start()
        directory = Directory(pool)
        await directory.load()
        feed.subscribe(directory.note)

        switches = {pbx.name: Switch(pbx, clock=clock) for pbx in settings.pbx}
        # The port is taken before the node is known to others; who calls this early waits for the rest.
        voice_ready: asyncio.Future[Voice] = asyncio.get_running_loop().create_future()
        agi_server = await _listen(settings, switches, voice_ready)
        stack.push_async_callback(agi_server.stop)
        door = _http_socket(settings)
        stack.callback(door.close)
        node = await nodes.register(
            pool, settings.node_name, agi_host=settings.agi_host, agi_port=agi_server.port, now=clock()
        )
        stack.push_async_callback(_give_up, pool, node)
        # Waiting callers' dialplans ask again, here or at another node; conversations go on without us. What has ended
        # is written down while this node may still write.
        stack.push_async_callback(agi_server.stop)
        # Whoever had a desk at this node's former life must open it again.
        await agents.lose_desks(contact_log, node=node.id, now=clock())

        leadership = Leadership(dsn, node=node.id)
        app = site.application()
        waits = Waits(
            pool,
            directory,
            leadership,
            state=lambda: router.state,
            clock=clock,
            missed_by=app[METRICS].wait_error.observe,
        )
        router = Router(
            contact_log,
            feed,
            directory,
            leadership,
            require_console=settings.require_console,
            clock=clock,
            told=waits.told,
        )
        relief = Relief(
            contact_log, directory, leadership, waits, state=lambda: router.state, wake=router.wake, clock=clock
        )
        contact_log.listen(waits.committed)
        feed.subscribe(waits.note)
        contact_log.listen(relief.note)
        feed.subscribe(relief.note)
        hub = Hub(contact_log, feed, directory, node=node, clock=clock)
        stack.push_async_callback(hub.close)
        voice = Voice(contact_log, directory, node, hub, router, waits, switches, clock=clock)
        contact_log.listen(voice.calls.note)
        feed.subscribe(voice.calls.note)
        voice_ready.set_result(voice)
        contact_log.listen(lambda events: _prepare_pops(events, router, hub))

        for switch in switches.values():
            follower = Follower(
                voice,
                switch,
                contact_log,
                directory,
                node,
                leads=lambda: leadership.leads,
                clock=clock,
            )
            supervisor.keep(f"pbx {switch.name} changes", follower.run)
            supervisor.keep(f"pbx {switch.name} watch", follower.watch)
            supervisor.keep(f"pbx {switch.name}", switch.run)

        supervisor.keep("feed", feed.run)
        supervisor.keep("doorbell", feed.listen)
        supervisor.keep("lease", lambda: _keep_lease(pool, node, feed, leadership))
        supervisor.keep("directory", lambda: _keep_directory(directory))
        supervisor.keep("leadership", leadership.run)
        supervisor.keep("router", router.run)
        supervisor.keep("waits", waits.run)
        supervisor.keep("overflow", relief.run)
        supervisor.keep("due", lambda: due.run(contact_log, leadership, clock))
        supervisor.keep("promises", Sweeper(contact_log, feed, directory, clock=clock).run)
        supervisor.keep("desks", hub.run)

        if (relay := relay_of(settings)) is not None:
            letters = Letters(
                hub.renderer,
                organisation=lambda: directory.organisation,
                key=await survey_rows.link_key(pool),
                site=settings.public_url or f"http://{settings.http_host}:{door.getsockname()[1]}",
            )
            sender = Sender(contact_log, relay, letters, organisation=lambda: directory.organisation.name, clock=clock)
            supervisor.keep("mail", sender.run)
            supervisor.keep("surveys", lambda: _keep_asking(contact_log))
            app[METRICS].ask(
                "callcenter_mail", "Letters by what came of an attempt.", "outcome", lambda: sender.outcomes
            )

        app[keys.SETTINGS] = settings
        app[keys.POOL] = pool
        app[keys.LOG] = contact_log
        app[keys.FEED] = feed
        app[keys.DIRECTORY] = directory
        app[keys.NODE] = node
        app[keys.CLOCK] = clock
        app[keys.WAITS] = waits
        checks: dict[str, Callable[[], Awaitable[str | None]]] = {
            "database": lambda: _database_ready(pool),
            "node": lambda: _node_ready(node),
        }
        app[keys.READINESS] = checks
        app[METRICS].ask(
            "callcenter_router_decisions", "Decisions carried out here.", "outcome", lambda: router.decided
        )
        telephone = Telephone(contact_log, switches)
        site.add_routes(app, switches=dict.fromkeys(switches, telephone))
        consoles.add_routes(app, hub)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handle_signals=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, door).start()
        http_port: int = door.getsockname()[1]
        # What was built so far lives as long as the process: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        log.info("server.ready", http=http_port, agi=agi_server.port, node=node.name, epoch=node.epoch)
        yield Running(settings, dsn, http_port, agi_server.port, pool, contact_log, node, directory)
        log.info("server.stopping")


async def serve(settings: Settings, stop: asyncio.Event, *, ready: Callable[[Running], None] | None = None) -> None:
    """Serves until `stop` is set. Raises as `running` does."""
    async with database(settings) as dsn, running(settings, dsn) as server:
        if ready is not None:
            ready(server)
        await stop.wait()


async def _listen(settings: Settings, switches: Mapping[str, Switch], voice_ready: asyncio.Future[Voice]) -> AgiServer:
    async def handle(session: AgiSession) -> None:
        voice = await asyncio.shield(voice_ready)
        await voice.handle(session)

    return await serve_agi(
        handle,
        host=settings.agi_host,
        port=settings.agi_port,
        allowed=lambda peer: any(switch.may_speak(peer) for switch in switches.values()),
        max_connections=settings.max_calls,
        logger=log,
    )


def _prepare_pops(events: Sequence[Event], router: Router, hub: Hub) -> None:
    """While the reservation is on its way to the database, what its pop will show is read beside it."""
    for event in events:
        match event:
            case Event(kind="interaction.queued", interaction=int(ident)) if router.will_offer(ident):
                hub.ahead.prepare(ident)


async def _check_schema(pool: Pool) -> None:
    async with pool.acquire() as connection:
        waiting = await migrate.pending(connection)
        if waiting:
            raise Invalid(f"Migrations are pending ({', '.join(waiting)}): run `callcenter migrate` first.")
        await connection.fetchval("select note_cluster()")


async def _refuse_known_passwords(pool: Pool, settings: Settings) -> None:
    if rules.is_public(settings) and await pool.fetchval("select exists (select from users where demo and active)"):
        raise Invalid("Demo users with known passwords exist, and others could reach the console: remove them first.")


def _http_socket(settings: Settings) -> socket.socket:
    """Taken before the node is known to others: a second server here must not take over the first one's name."""
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    return socket.create_server((settings.http_host, settings.http_port), family=family, backlog=1024)


async def _node_ready(node: Node) -> str | None:
    return None if node.alive(clock()) else "its lease has run out, or another process has its name"


async def _database_ready(pool: Pool) -> str | None:
    async with pool.acquire() as connection:
        waiting = await migrate.pending(connection)
    return f"migrations are pending: {', '.join(waiting)}" if waiting else None


async def _keep_lease(pool: Pool, node: Node, feed: Feed, leadership: Leadership) -> None:
    while True:
        try:
            await retrying(lambda: node.renew(pool, clock()), within=_LEASE_PATIENCE)
        except Conflict as error:
            # A newer process has our name: whatever we still hold is its to reconcile.
            log.error("node.replaced", reason=str(error))
            leadership.resign()
            return
        feed.alone = node.others == 0
        await asyncio.sleep(nodes.RENEW_EVERY)


async def _keep_directory(directory: Directory) -> None:
    while True:
        if directory.stale:
            await directory.load()
        await asyncio.sleep(0.1)


async def _keep_asking(contact_log: ContactLog) -> None:
    """Only where mail goes out: questions that nobody gets are not asked."""
    while True:
        await surveys.ask_about_closed(contact_log, now=clock())
        await asyncio.sleep(_ASK_EVERY)


async def _give_up(pool: Pool, node: Node) -> None:
    await node.give_up(pool, clock())
