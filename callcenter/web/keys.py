"""The keys under which the aiohttp application holds what its handlers need."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web

from callcenter.feed import Feed
from callcenter.ports import Waits
from callcenter.settings import Settings
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from callcenter.store.pool import Pool

SETTINGS = web.AppKey("settings", Settings)
POOL = web.AppKey("pool", Pool)
LOG = web.AppKey("log", ContactLog)
FEED = web.AppKey("feed", Feed)
DIRECTORY = web.AppKey("directory", Directory)
NODE = web.AppKey("node", Node)
WAITS: web.AppKey[Waits] = web.AppKey("waits")
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("clock")
# Told of a session that its user ended (user, session): what hangs on it ends too.
SIGNED_OUT: web.AppKey[Callable[[int, str], None]] = web.AppKey("signed_out")
# What must hold before the server is ready: name → a check that returns None, or says in words what is missing.
READINESS: web.AppKey[dict[str, Callable[[], Awaitable[str | None]]]] = web.AppKey("readiness")
