"""What every channel is to the server that runs it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiohttp import web

from callcenter.actions.opinions import Words
from callcenter.feed import Feed
from callcenter.ports import Assigner, Letters, Pops, Waits
from callcenter.settings import Settings
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.web.metrics import Metrics

Loops = Mapping[str, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a channel stands on from the beginning."""

    settings: Settings
    log: ContactLog
    directory: Directory
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the server does for its channels once all its parts are there.

    `leads`: whether this node decides for all; `site`: where customers reach us, without a slash behind it.
    """

    node: Node
    feed: Feed
    pops: Pops
    assigner: Assigner
    waits: Waits
    leads: Callable[[], bool]
    letters: Letters
    words: Words
    metrics: Metrics
    site: str


class Channel(Protocol):
    """One way in and out for customers: made from a `Ground`, then these in this order."""

    async def open(self) -> None:
        """Takes its ports, before other nodes know this one; who comes in early waits. Raises OSError."""

    def begin(self, services: Services) -> Loops:
        """All is there: customers are served. Answers what is to run from now on, by name; each is supervised."""
        return {}

    def add_routes(self, app: web.Application) -> None:
        """Its doors on the web, public ones too; after `begin`."""

    async def close(self) -> None:
        """Ends what is open in an orderly way. May be called twice."""
