"""The search of the desk in a real browser: typed, walked through by arrows, opened by Enter."""

import re

from playwright.async_api import expect

from callcenter.actions import tickets
from callcenter.app import clock
from tests.browser.stage import Stage
from tests.builders import make_customer


async def test_what_was_typed_is_walked_through_by_arrows_and_opened_by_enter(stage: Stage):
    customer = await make_customer(stage.world.pool, "欧阳娜娜", phone="+8613912345678")
    for subject in ("Heater 热水器", "Parcel"):
        await tickets.open_ticket(
            stage.world.server.log, subject=subject, customer=customer, interaction=None, queue=None, priority="normal",
            text="The parcel is lost, 请退款", actor=None, now=clock(),
        )  # fmt: skip
    page = await stage.desk("amy")
    await page.keyboard.press("/")
    await page.keyboard.type("5678")
    await expect(page.locator("#found .choice-more")).to_have_text("+8613912345678")
    await page.keyboard.press("Enter")
    await expect(page.locator(".who h1")).to_have_text("欧阳娜娜")
    await page.keyboard.press("/")
    await page.keyboard.type("退款")
    await expect(page.locator("#found mark")).to_have_text(["退款", "退款"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#found [data-choice]").nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    number = await stage.world.pool.fetchval("select number from ticket where subject like 'Heater%'")
    await expect(page).to_have_url(re.compile(rf"/tickets/{number}$"))
