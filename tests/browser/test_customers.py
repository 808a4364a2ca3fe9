"""Two records of one person: suggested on the desk, merged, and taken apart; and the company that they are of."""

from pathlib import Path

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


async def test_a_list_is_tried_and_brought_in_and_what_was_refused_is_saved(stage: Stage, tmp_path: Path):
    pool = stage.world.pool
    await pool.execute("update users set role = 'administrator' where name = 'sue'")
    await stage.world.server.directory.load()
    page = await stage.desk("sue", path="/customers")
    await page.get_by_role("link", name="Bring in a list").click()
    file = tmp_path / "list.csv"
    rows = "".join(f"C{n};李娜 {n};138 0013 {n:04}\r\n" for n in range(600))
    file.write_text(f"external_id;name;phones\r\n{rows}X;Bo;12\r\n", encoding="utf-16")
    await page.get_by_label("The list").set_input_files(file)
    await page.get_by_role("button", name="Only try").click()
    await expect(page.locator("#imported")).to_contain_text("What would happen")
    assert not await pool.fetchval("select count(*) from customer where external_id = 'C7'")
    await page.get_by_role("button", name="Bring in").click()
    await expect(page.locator("#imported h2")).to_have_text("Brought in")
    await expect(page.locator(".import-counts")).to_contain_text("600")
    await expect(page.locator("#imported")).to_contain_text("'12' is no phone number.")
    assert await pool.fetchval("select count(*) from customer where name like '李娜 %'") == 600
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Save the refused rows").click()
    saved = Path(await (await download.value).path())
    assert saved.read_text("utf-8-sig").splitlines()[1].startswith("X,Bo,,12,")
    await page.get_by_label("The list").set_input_files(saved)
    await page.get_by_role("button", name="Bring in").click()
    await expect(page.locator("#imported")).to_contain_text("'12' is no phone number.")
    file.write_text("born\n1990\n", encoding="utf-8")
    await page.get_by_label("The list").set_input_files(file)
    await page.get_by_role("button", name="Bring in").click()
    await expect(page.get_by_role("alert")).to_contain_text("Line 1: 'born' is no column.")
    await expect(page.get_by_role("link", name="Save the refused rows")).to_be_hidden()
