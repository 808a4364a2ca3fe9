"""What Prometheus may ask: requests, and what is open and waiting at the moment of asking."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from callcenter.domain.capacity import AT_ONCE
from callcenter.domain.events import Event
from callcenter.feed import Feed
from callcenter.store.db import TRY_AGAIN
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

_SQL = Queries.beside(__file__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry an application; other parts add theirs to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "callcenter_http_requests", "Requests by route and status.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "callcenter_http_request_seconds", "How long requests took, by route.", ["route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10), registry=self.registry,
        )  # fmt: skip
        self.events = Counter(
            "callcenter_events", "Events of the contact log, as delivered here.", ["kind"], registry=self.registry
        )
        self.streams = Gauge("callcenter_streams", "Open connections to /api/v1/stream.", registry=self.registry)
        self.wait_error = Histogram(
            "callcenter_wait_error_seconds",
            "How far the wait expected at the beginning was from the real one; seen by the router's leader.",
            ["channel"],
            # Mail waits for hours.
            buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800), registry=self.registry,
        )  # fmt: skip
        self._lag = Gauge(
            "callcenter_log_lag_seconds", "Age of the newest event when it was delivered.", registry=self.registry
        )
        self._held = Gauge(
            "callcenter_log_held_seconds", "How long the oldest writing transaction is open; it holds events back.",
            ["backend"], registry=self.registry,
        )  # fmt: skip
        self._open = Gauge(
            "callcenter_interactions", "Open interactions.", ["channel", "state"], registry=self.registry
        )
        self._waiting = Gauge("callcenter_waiting", "Interactions that wait.", ["queue"], registry=self.registry)
        self._longest = Gauge(
            "callcenter_longest_wait_seconds", "Age of the oldest call, callback or chat that waits.", ["queue"],
            registry=self.registry,
        )  # fmt: skip
        self._longest_deferrable = Gauge(
            "callcenter_longest_deferrable_seconds", "Age of the oldest mail, ticket or the like that waits.",
            ["queue"], registry=self.registry,
        )  # fmt: skip
        self._agents = Gauge("callcenter_agents", "Agents by routing status.", ["status"], registry=self.registry)
        self._webhooks = Gauge(
            "callcenter_webhook_deliveries",
            "Events on their way to other systems (waiting), and given up (failed).",
            ["webhook", "state"],
            registry=self.registry,
        )
        self._mail = Gauge("callcenter_mail_waiting", "Letters that have not gone out yet.", registry=self.registry)
        self._mail_oldest = Gauge(
            "callcenter_mail_oldest_seconds", "How long the oldest letter that is due has been.", registry=self.registry
        )
        self._up = Gauge("callcenter_database_up", "Whether the database answered.", registry=self.registry)

    def missed_by(self, channel: str, seconds: float) -> None:
        """An expected wait was off by so much."""
        self.wait_error.labels(channel).observe(seconds)

    def count(self, events: Sequence[Event]) -> None:
        """A subscriber of the feed."""
        for event in events:
            self.events.labels(event.kind).inc()

    def ask(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, int]]) -> None:
        """Counts that another part keeps, by the value of one label."""
        self.registry.register(_Asked(name, text, label, read))

    async def render(self, pool: Pool, feed: Feed) -> bytes:
        """The text of one scrape. Without a database what is known without it."""
        try:
            await self._ask(pool)
            self._up.set(1)
        except TRY_AGAIN:
            self._up.set(0)
        self._lag.set(feed.lag)
        return generate_latest(self.registry)

    async def _ask(self, pool: Pool) -> None:
        interactions = await pool.fetch(_SQL.interactions)
        waiting = await pool.fetch(_SQL.waiting, list(AT_ONCE))
        agents = await pool.fetch(_SQL.agents)
        held = await pool.fetchrow(_SQL.held)
        self._webhooks.clear()
        for webhook, state, count in await pool.fetch(_SQL.webhooks):
            self._webhooks.labels(webhook, state).set(count)
        mail = await pool.fetchrow(_SQL.mail)
        assert mail is not None
        self._mail.set(mail["waiting"])
        self._mail_oldest.set(mail["oldest"])
        waits = (self._waiting, self._longest, self._longest_deferrable)
        for gauge in (self._open, *waits, self._agents, self._held):
            gauge.clear()
        for row in interactions:
            self._open.labels(row["channel"], row["state"]).set(row["count"])
        for row in waiting:
            self._waiting.labels(row["queue"]).set(row["count"])
            self._longest.labels(row["queue"]).set(row["longest"])
            self._longest_deferrable.labels(row["queue"]).set(row["longest_deferrable"])
        for row in agents:
            self._agents.labels(row["status"]).set(row["count"])
        if held is not None:
            self._held.labels(f"{held['pid']} {held['application_name']}").set(held["seconds"])


class _Asked(Collector):
    def __init__(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, int]]) -> None:
        self._family = name, text, label
        self._read = read

    def collect(self) -> Iterator[CounterMetricFamily]:
        name, text, label = self._family
        family = CounterMetricFamily(name, text, labels=[label])
        for value, count in self._read().items():
            family.add_metric([value], count)
        yield family


METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)
