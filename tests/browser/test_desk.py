"""What an agent sees and does, in a real browser."""

from playwright.async_api import expect

from tests.browser.stage import Stage


async def test_a_call_pops_is_answered_and_wrapped_up_by_keyboard(stage: Stage):
    page = await stage.desk("amy")
    await expect(page.locator(".waiting h1")).to_have_text("You are offline")
    await stage.ready(page)
    await expect(page.locator(".waiting h1")).to_have_text("Ready for the next contact")
    call = await stage.world.call(name="王小明")
    await expect(page.locator(".who h1")).to_have_text("王小明")
    await call.until("talking")
    await expect(page.locator(".stage")).to_have_attribute("data-state", "active")
    await page.keyboard.press("n")
    await page.keyboard.type("Promised a refund by Tuesday")
    await expect(page.locator(".saved")).to_have_text("saved")
    await page.keyboard.press("Escape")
    call.hangup()
    await expect(page.locator(".stage")).to_have_attribute("data-state", "wrapping")
    await expect(page.locator("textarea")).to_have_value("Promised a refund by Tuesday")
    await page.keyboard.press("1")
    await page.keyboard.press("w")
    await expect(page.locator(".waiting h1")).to_have_text("Ready for the next contact")
    await expect(page.locator("[id^=handled-]")).to_have_count(1)
    row = await stage.world.pool.fetchrow("select disposition, note from interaction")
    assert tuple(row) == ("solved", "Promised a refund by Tuesday")
