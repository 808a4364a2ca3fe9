"""The widget for pictures, on a page of another site: a whole server, one visitor, and what becomes of their chat."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page

from callcenter.actions import chats, interactions
from callcenter.app import clock
from callcenter.store.db import connect
from callcenter.store.embedded import embedded
from callcenter.store.migrate import migrate
from tests.browser.test_chat import a_shop
from tests.journeys.test_instead import close
from tests.journeys.world import World, a_world

TEXTS = {
    "en": ("Where is my order 20431?", "Good morning, I am looking."),
    "zh": ("订单 20431 到哪里了？", "您好，请稍等。"),
}
SURVEY = {"ask": "csat", "bad": 2, "delay": 600, "not_again": 0, "valid": 86400, "change_within": 3600}


async def widget_pictures(browser: Browser, folder: Path, *, scheme: str, size: tuple[int, int], language: str) -> None:
    """`language`: of the page, as zh-CN."""
    with tempfile.TemporaryDirectory(prefix="callcenter-widget-") as home:
        Path(home).chmod(0o755)
        async with embedded(Path(home), durable=False) as dsn:
            connection = await connect(dsn)
            await migrate(connection)
            await connection.close()
            async with a_world(dsn) as world, a_shop(world.server.url) as shop:
                context = await browser.new_context(
                    viewport={"width": size[0], "height": size[1]},
                    color_scheme="dark" if scheme == "dark" else "light",
                    locale=language,
                )
                name = f"{size[0]}x{size[1]}-{scheme}-{language.replace('-', '_')}"
                await _one_visit(world, await context.new_page(), shop, folder, name, language)
                await context.close()


async def _one_visit(world: World, page: Page, shop: str, folder: Path, name: str, language: str) -> None:
    question, reply = TEXTS[language[:2]]
    await world.pool.execute("update organisation set name = 'Heron Bay'")
    await world.pool.execute("update queue set survey = $1", SURVEY)
    await world.pool.execute(
        "insert into widget (key, queue_id, sites, greeting, ask, callback) "
        "values ('shop', $1, $2, $3, '{name}', true)",
        world.queue, [shop], {"en": "Hello! How can we help?", "zh_CN": "您好！请问有什么可以帮您？"},
    )  # fmt: skip
    await world.applied()

    async def take(state: str) -> None:
        await asyncio.sleep(0.5)  # the panel rises
        await page.screenshot(path=folder / f"widget-{state}-{name}.png")

    await page.goto(f"{shop}/?lang={language}")
    await page.locator(".launch").click()
    await page.locator(".status").filter(has_text="!" if language == "en" else "！").wait_for()
    await take("open")
    await page.locator("textarea").last.fill(question)
    await page.keyboard.press("Enter")
    event = await world.until("interaction.arrived", channel="chat")
    await page.locator(".instead button").wait_for()
    await take("waiting")
    await page.locator(".instead button").click()
    await page.locator("input[type=tel]").fill("138 0013 8000")
    await page.locator("input[type=radio]").last.check()
    await page.locator("select").select_option(index=3)
    await take("call")
    await page.locator("button[type=button]", has_text="Back" if language == "en" else "返回").click()
    await world.on_queue("amy")
    await world.pop("amy")
    await world.ask("POST", f"/interactions/{event['interaction']}/accept")
    await chats.say(
        world.server.log, event["interaction"], author=world.agents["amy"], text=reply, client_id="a-1", now=clock()
    )
    await page.locator(".log", has_text=reply).wait_for()
    await take("chatting")
    await interactions.end_interaction(world.server.log, event["interaction"], cause="agent", now=clock())
    await page.locator(".stars").wait_for()
    await take("ended")
    await close(world)
    await page.evaluate("localStorage.clear()")
    await page.reload()
    await page.locator(".launch").click()
    await page.locator(".instead form").wait_for()
    await take("closed")
    await page.locator(".instead form button").click()
    await page.locator(".field small.bad").first.wait_for()
    await take("closed-wrong")
    await page.locator(".instead > button").click()
    await page.locator("input[type=tel]").fill("138 0013 8000")
    await page.locator("select option").nth(1).wait_for(state="attached")
    await take("closed-call")
    await page.locator("select").select_option(index=1)
    await page.locator("form .button.first").click()
    await page.locator(".said.good").wait_for()
    await take("promised")
