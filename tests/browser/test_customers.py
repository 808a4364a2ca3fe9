"""Two records of one person: suggested on the desk, merged, and taken apart."""

from playwright.async_api import expect

from callcenter.actions import duplicates
from tests.browser.stage import Stage
from tests.builders import NOW, make_customer

_NUMBER = "+8613900139000"


async def test_two_records_are_suggested_merged_and_taken_apart(stage: Stage):
    pool = stage.world.pool
    first = await make_customer(pool, "王伟", phone=_NUMBER)
    second = await make_customer(pool, "Wang Wei", phone=_NUMBER)
    await pool.execute("update customer set company = 'Heron' where id = $1", second)
    page = await stage.desk("sue", path=f"/?desk%26customer={first}")
    async with page.context.expect_page() as opened:
        await page.locator(".may-be").get_by_role("link", name="Wang Wei").click()
    page = await opened.value
    await expect(page.locator(".moves")).to_contain_text("Nothing is destroyed")
    await page.get_by_role("button", name="Merge").click()
    await expect(page.locator("h1")).to_have_text("王伟")
    await expect(page.locator(".facts")).to_contain_text("Heron")
    await duplicates.search(stage.world.server.log, now=NOW)
    await page.goto(f"{stage.world.server.url}/customers/duplicates")
    await expect(page.locator("main")).to_contain_text("No two records")
    await page.goto(f"{stage.world.server.url}/customers/{first}")
    await page.get_by_role("button", name="Take apart").click()
    await expect(page.locator("h1")).to_have_text("Wang Wei")
    await expect(page.locator("main")).not_to_contain_text("May be the same as")
    assert await pool.fetchval("select company from customer where id = $1", first) is None
