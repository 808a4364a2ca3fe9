"""A page of a site with a widget, without a browser: for whoever tests the door of chats."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from callcenter.store.pool import Pool
from channels.web.visitor import Visitor

SITE = "https://shop.example"


async def make_widget(pool: Pool, queue: int, key: str = "shop", **columns: Any) -> None:
    names = ["key", "queue_id", "sites", *columns]
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    await pool.execute(
        f"insert into widget ({', '.join(names)}) values ({places})", key, queue, [SITE], *columns.values()
    )


class Page:
    """One connection of a visitor; `frames` is all that came."""

    def __init__(self, visitor: Visitor, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.visitor = visitor
        self.socket = socket
        self.frames: list[Mapping[str, Any]] = []
        self.changed = asyncio.Condition()

    async def say(self, text: str, **more: Any) -> None:
        for frame in self.visitor.say(text, **more):
            await self.send(**frame)

    async def send(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def read(self) -> None:
        """Until the connection ends."""
        async for message in self.socket:
            frame = json.loads(message.data)
            self.frames.append(frame)
            for answer in self.visitor.received(frame):
                await self.socket.send_str(json.dumps(answer))
            async with self.changed:
                self.changed.notify_all()
        async with self.changed:
            self.changed.notify_all()

    async def until(self, check: Callable[[Visitor], object], *, within: float = 10) -> None:
        """Until what the visitor sees fulfils it."""
        try:
            async with asyncio.timeout(within), self.changed:
                await self.changed.wait_for(lambda: check(self.visitor))
        except TimeoutError:
            raise AssertionError(f"it is {self.visitor.state}, {self.visitor.lines}, {self.frames[-5:]}") from None

    async def shows(self, state: str) -> None:
        await self.until(lambda visitor: visitor.state.get("state") == state)

    async def got(self, kind: str) -> Mapping[str, Any]:
        await self.until(lambda _: any(frame["type"] == kind for frame in self.frames))
        return next(frame for frame in self.frames if frame["type"] == kind)


@asynccontextmanager
async def a_page(
    http: aiohttp.ClientSession, url: str, visitor: Visitor | None = None, *, key: str = "shop", site: str = SITE
) -> AsyncIterator[Page]:
    """A page that shows the widget, until it is left. Raises as `ws_connect` does when it is not let in."""
    visitor = visitor or Visitor()
    socket = await http.ws_connect(f"{url}/chat/{key}", headers={"Origin": site})
    page = Page(visitor, socket)
    for frame in visitor.connected():
        await page.send(**frame)
    reading = asyncio.create_task(page.read())
    try:
        yield page
    finally:
        await socket.close()
        await asyncio.gather(reading, return_exceptions=True)
