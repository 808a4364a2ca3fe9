"""Two records of one person: suggested on the desk, merged, and taken apart; and the company that they are of."""

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


async def test_a_company_is_renamed_from_the_pop_and_its_colleagues_follow(stage: Stage):
    pool = stage.world.pool
    first, second = [await make_customer(pool, name) for name in ("王伟", "Li Na")]
    await pool.execute("update customer set company = 'Heron Ltd' where id = any ($1)", [first, second])
    await pool.execute(
        "insert into ticket (number, subject, customer_id, created_at, updated_at) values (7, 'Kettle', $1, $2, $2)",
        second, NOW,
    )  # fmt: skip
    page = await stage.desk("amy", path=f"/?desk%26customer={first}")
    await expect(page.locator(".who")).to_contain_text("Colleagues have 1 open ticket")
    async with page.context.expect_page() as opened:
        await page.locator(".who").get_by_role("link", name="Heron Ltd").click()
    page = await opened.value
    await expect(page.locator("main")).to_contain_text("Kettle")
    await page.get_by_text("Change the record").click()
    await page.get_by_label("Name of the company").fill("Egret Ltd")
    await page.get_by_label("Mail domains").fill("gmail.com")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Anybody may have a mailbox of this domain")
    await page.get_by_label("Mail domains").fill("egret.example")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("h1")).to_have_text("Egret Ltd")
    await expect(page.locator(".domain")).to_have_text("egret.example")
    assert await pool.fetchval("select company from customer where id = $1", second) == "Egret Ltd"
