"""A whole server with people who may sign in, and a Chromium to look at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from callcenter.domain.password import protect
from tests.journeys.world import World, a_world

PASSWORD = "a long walk home"
CHROMIUM = "/usr/bin/chromium"
DISPOSITIONS = ("solved", "call_back", "complaint", "order", "refund", "wrong_number", "other")


@dataclass
class Stage:
    """The world, and a browser to see it with. `faults`: what the console of any page said that it must not say."""

    world: World
    browser: Browser
    faults: list[str]

    async def context(self, **options: Any) -> BrowserContext:
        return await self.browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-US", **options}
        )

    async def desk(self, who: str, *, path: str = "/", **options: Any) -> Page:
        """Signed in by the page, with the socket open."""
        page = await (await self.context(**options)).new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        await page.goto(f"{self.world.server.url}/sign-in?next={path}")
        await page.fill("input[name=name]", who)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_selector("#presence-menu" if path == "/" else "body", state="attached")
        await page.wait_for_load_state("load")  # keys work when the scripts have run
        return page

    def _note(self, kind: str, text: str) -> None:
        # Refused and lost requests are said by the browser itself and by htmx; pages must not break over them.
        lost = ("Failed to load resource", "WebSocket connection", "htmx: htmx:error: Failed to fetch")
        if kind in ("error", "warning") and not text.startswith(lost):
            self.faults.append(text)

    async def ready(self, page: Page) -> None:
        """By keyboard: on queue."""
        await page.keyboard.press("q")
        await page.wait_for_selector(".presence-button.is-ready")


@asynccontextmanager
async def a_stage(dsn: str, **queue: Any) -> AsyncIterator[Stage]:
    queue = {"dispositions": list(DISPOSITIONS), **queue}
    async with a_world(dsn, queue=queue) as world:
        kept = await asyncio.to_thread(protect, PASSWORD)
        await world.pool.execute("update users set password_hash = $1", kept)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            stage = Stage(world, browser, [])
            try:
                yield stage
            finally:
                await browser.close()
