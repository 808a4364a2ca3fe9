"""Consoles come back by themselves."""

from playwright.async_api import async_playwright, expect

from callcenter.actions import agents, tickets
from callcenter.app import clock, running
from callcenter.domain.password import protect
from callcenter.settings import Settings
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.browser.stage import CHROMIUM, PASSWORD, Stage
from tests.builders import make_queue, make_user


async def test_a_lost_network_shows_a_quiet_band_and_what_was_missed_comes_by_itself(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    amy = stage.world.agents["amy"]
    await page.context.set_offline(offline=True)
    # A lost network closes no socket by itself; browsers tell the page.
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.locator("#offline")).to_be_visible(timeout=10_000)
    await agents.set_presence(stage.world.server.log, amy, presence="training", reason=None, actor=amy, now=clock())
    await page.context.set_offline(offline=False)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.locator("#offline")).to_be_hidden(timeout=10_000)
    await expect(page.locator(".presence-name")).to_have_text("Training")


async def test_a_restarted_server_is_found_again_without_a_reload(pool: Pool, database: str):
    amy = await make_user(pool, "amy", password_hash=protect(PASSWORD))
    await make_queue(pool, members=[amy])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(locale="en-US")
        async with running(Settings(http_port=0, agi_port=0, node_name="one"), database) as server:
            port = server.http_port
            await page.goto(f"{server.url}/sign-in")
            await page.fill("input[name=name]", "amy")
            await page.fill("input[name=password]", PASSWORD)
            await page.click("main button")
            await expect(page.locator(".waiting h1")).to_have_text("You are offline")
            await page.evaluate("window.samePage = true")
            await page.locator("#search").fill("half a sea")
        await expect(page.locator("#offline")).to_be_visible(timeout=10_000)
        log = ContactLog(pool)
        await agents.set_presence(log, amy, presence="meal", reason=None, actor=amy, now=clock())
        await tickets.open_ticket(
            log, subject="While it was down", customer=None, interaction=None, queue=None, priority="normal", text=None,
            actor=amy, owner=amy, now=clock(),
        )  # fmt: skip
        async with running(Settings(http_port=port, agi_port=0, node_name="one"), database):
            await expect(page.locator("#offline")).to_be_hidden(timeout=20_000)
            await expect(page.locator(".presence-name")).to_have_text("Meal")
            await expect(page.locator("[id^=mine-]")).to_contain_text("While it was down")
            assert await page.evaluate("window.samePage")
            await expect(page.locator("#search")).to_have_value("half a sea")
            await page.keyboard.press("Escape")
            await page.keyboard.press("q")
            await expect(page.locator(".presence-name")).to_have_text("On queue")
            await browser.close()
