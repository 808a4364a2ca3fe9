"""The composition root: builds the server from its settings, starts it, stops it."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from aiohttp import web

from callcenter import chores
from callcenter import settings as rules
from callcenter.actions import agents
from callcenter.actions.reactions import Reactions
from callcenter.domain.events import Event
from callcenter.domain.notice import Way
from callcenter.errors import Conflict, Invalid
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store import migrate, nodes
from callcenter.store import surveys as survey_rows
from callcenter.store.db import connect_pool, retrying
from callcenter.store.directory import Directory
from callcenter.store.embedded import database
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.pool import Pool
from callcenter.supervisor import Supervisor
from callcenter.sweep import Sweeper
from callcenter.upkeep import Upkeep
from callcenter.web import keys, site
from callcenter.web.metrics import METRICS
from channels.channel import Ground, Services
from channels.email.smtp import relay_of
from channels.registry import CHANNELS, PHONE
from channels.telephony.adapter import Telephony
from channels.webhooks.sender import Sender as Webhooks
from routing import due
from routing.leadership import Leadership
from routing.offering import Offering
from routing.relief import Relief
from routing.router import Router
from routing.waits import Waits
from screenpop import site as consoles
from screenpop.concerns import words_of
from screenpop.letters import Letters
from screenpop.live import Hub
from screenpop.mail_letters import Prospects

log = structlog.get_logger()

_STOP_WITHIN = timedelta(seconds=3)
_POOL = 12
# The supervisor's pauses would grow beyond the lease.
_LEASE_PATIENCE = timedelta(minutes=5)


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
    feed: Feed
    node: Node
    directory: Directory

    @property
    def url(self) -> str:
        return f"http://{self.settings.http_host}:{self.http_port}"


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
        directory = Directory(pool, able=_ways_out(settings))
        await directory.load()
        feed.subscribe(directory.note)
        contact_log.before_commit = Reactions(directory)

        ground = Ground(settings=settings, log=contact_log, directory=directory, clock=clock)
        channels = {name: make(ground) for name, make in CHANNELS.items()}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
            await channel.open()
        phone = channels[PHONE]
        assert isinstance(phone, Telephony)
        door = _http_socket(settings)
        stack.callback(door.close)
        node = await nodes.register(
            pool, settings.node_name, agi_host=settings.agi_host, agi_port=phone.port, now=clock()
        )
        stack.push_async_callback(_give_up, pool, node)
        # What has ended is written down while this node may still write.
        for channel in channels.values():
            stack.push_async_callback(channel.close)
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
            missed_by=app[METRICS].missed_by,
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
        offering = Offering(contact_log, directory, leadership, clock=clock)
        feed.subscribe(offering.note)
        hub = Hub(contact_log, feed, directory, node=node, clock=clock)
        stack.push_async_callback(hub.close)
        contact_log.listen(lambda events: _prepare_pops(events, router, hub))

        site_url = settings.public_url or f"http://{settings.http_host}:{door.getsockname()[1]}"
        services = Services(
            node=node,
            feed=feed,
            pops=hub,
            assigner=router,
            waits=waits,
            leads=lambda: leadership.leads,
            letters=Letters(
                hub.renderer,
                organisation=lambda: directory.organisation,
                key=await survey_rows.link_key(pool),
                site=site_url,
                clock=clock,
                prospects=Prospects(waits=waits, hours=lambda queue: directory.queue(queue).hours),
            ),
            words=words_of(hub.renderer, lambda: directory.organisation),
            metrics=app[METRICS],
            site=site_url,
        )
        for channel in channels.values():
            for name, loop in channel.begin(services).items():
                supervisor.keep(name, loop)

        # This node among the others, and what it knows.
        supervisor.keep("feed", feed.run)
        supervisor.keep("doorbell", feed.listen)
        supervisor.keep("lease", lambda: _keep_lease(pool, node, feed, leadership))
        supervisor.keep("directory", lambda: _keep_directory(directory))
        # Work on its way to agents; at the leader only.
        supervisor.keep("leadership", leadership.run)
        supervisor.keep("router", router.run)
        supervisor.keep("waits", waits.run)
        supervisor.keep("overflow", relief.run)
        supervisor.keep("offering", offering.run)
        supervisor.keep("due", lambda: due.run(contact_log, leadership, clock))
        # What falls due: each asleep until it does, on every node; whoever comes first does it.
        sweeper = Sweeper(contact_log, feed, directory, clock=clock)
        supervisor.keep("promises", sweeper.run)
        upkeep = Upkeep(contact_log, feed, directory, clock=clock, tickets_moved=sweeper.wake)
        supervisor.keep("upkeep", upkeep.run)
        supervisor.keep("desks", hub.run)

        # What goes out of the house, and what nobody waits for.
        for chore in chores.CHORES:
            if relay_of(settings) is not None or not chore.needs_mail:
                supervisor.keep(chore.name, partial(chores.keep, chore, contact_log, directory, settings, clock))

        webhooks = Webhooks(contact_log, directory, allowed=settings.webhook_networks, clock=clock)
        supervisor.keep("webhooks", webhooks.run)
        app[METRICS].ask(
            "callcenter_webhooks", "Deliveries by what came of an attempt.", "outcome", lambda: webhooks.outcomes
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
        site.add_routes(app, switches=dict.fromkeys(phone.switches, phone.phone))
        for channel in channels.values():
            channel.add_routes(app)
        consoles.add_routes(app, hub)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handle_signals=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, door).start()
        http_port: int = door.getsockname()[1]
        # What was built so far lives as long as the process: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        log.info("server.ready", http=http_port, agi=phone.port, node=node.name, epoch=node.epoch)
        yield Running(settings, dsn, http_port, phone.port, pool, contact_log, feed, node, directory)
        log.info("server.stopping")


async def serve(settings: Settings, stop: asyncio.Event, *, ready: Callable[[Running], None] | None = None) -> None:
    """Serves until `stop` is set. Raises as `running` does."""
    async with database(settings) as dsn, running(settings, dsn) as server:
        if ready is not None:
            ready(server)
        await stop.wait()


def _ways_out(settings: Settings) -> frozenset[Way]:
    """Nothing is put where nobody takes it: what waited there would go out, long out of date, when somebody did."""
    ways = {Way.EMAIL: relay_of(settings) is not None, Way.PHONE: any(pbx.ami_host for pbx in settings.pbx)}
    return frozenset(way for way in Way if ways[way])


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


async def _give_up(pool: Pool, node: Node) -> None:
    await node.give_up(pool, clock())
