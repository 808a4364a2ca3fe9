"""A visit is noted in ten seconds: the keys that it takes are counted."""

from playwright.async_api import expect

from tests.browser.stage import Stage
from tests.builders import make_customer


async def test_a_visit_of_a_known_customer_takes_three_keys_beside_what_is_typed(stage: Stage):
    await make_customer(stage.world.pool, "欧阳娜娜", phone="+8613912345678")
    page = await stage.desk("amy")
    keys = 0

    async def press(key: str) -> None:
        nonlocal keys
        keys += 1
        await page.keyboard.press(key)

    await press("v")
    await expect(page.locator("#by-hand-who")).to_be_focused()
    await page.keyboard.type("欧阳")
    await expect(page.locator("#by-hand-found")).to_contain_text("欧阳娜娜")
    await press("Enter")
    await page.keyboard.type("Brought the kettle back")
    await press("Control+Enter")
    await expect(page.locator("#by-hand")).to_be_hidden()
    assert keys == 3
    await expect(page.locator("[id^=handled-]")).to_contain_text("欧阳娜娜")
    row = await stage.world.pool.fetchrow(
        "select i.channel, i.state, i.outcome, i.note, c.name "
        "from interaction i join customer c on c.id = i.customer_id"
    )
    assert row is not None
    assert tuple(row) == ("visit", "closed", "handled", "Brought the kettle back", "欧阳娜娜")
    assert await stage.world.pool.fetchval("select count(*) from reservation") == 0


async def test_a_mistake_is_said_in_the_dialog_and_escape_closes_it(stage: Stage):
    page = await stage.desk("amy")
    await page.keyboard.press("v")
    await expect(page.locator("#by-hand-who")).to_be_focused()
    await page.keyboard.type("Li Na")
    await expect(page.locator("#by-hand-found")).to_contain_text("New customer")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Called my own phone")
    await page.fill("#by-hand [name=about]", "#99999")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#by-hand-said")).to_contain_text("There is no ticket #99999")
    await page.keyboard.press("Escape")
    await expect(page.locator("#by-hand")).to_be_hidden()
    assert await stage.world.pool.fetchval("select count(*) from interaction") == 0
