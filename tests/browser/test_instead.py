"""The widget while nobody is there, and while one waits: a form, and being called back."""

from playwright.async_api import Page, expect

from tests.browser.stage import Stage
from tests.browser.test_chat import open_page, shop, write
from tests.journeys.test_instead import close

__all__ = ["shop"]  # the fixture


async def opened(stage: Stage, address: str, button: str = "Chat with us", **context: object) -> Page:
    page = await open_page(stage, await stage.context(**context), address)
    await page.get_by_role("button", name=button).click()
    return page


async def test_outside_the_hours_one_writes_in_the_widget_and_gets_a_number(stage: Stage, shop: str) -> None:
    await close(stage.world)
    page = await opened(stage, shop)
    dialog, form = page.get_by_role("dialog"), page.locator(".instead")
    await expect(page.locator(".status")).to_contain_text("Nobody is here at this hour. We are back on")
    await expect(form.get_by_label("Your name")).to_be_focused()
    await form.get_by_label("Mail address").fill("wang@")
    await dialog.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("alert")).to_have_text("Not sent yet: something is missing or wrong below.")
    await expect(form.get_by_label("Mail address")).to_be_focused()
    await expect(form.get_by_label("Mail address")).to_have_accessible_description("This is no e-mail address.")
    await expect(form.get_by_label("Your message")).to_have_accessible_description("This is needed.")
    # What is written stays while the network is away, and goes when it is back.
    await form.get_by_label("Mail address").fill("wang@post.example")
    await form.get_by_label("Your message").fill("It stays dark.")
    await page.context.set_offline(offline=True)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.locator(".status")).to_contain_text("Connecting")
    await expect(form.get_by_label("Your message")).to_have_value("It stays dark.")
    await dialog.get_by_role("button", name="Send").click()
    await page.context.set_offline(offline=False)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(dialog).to_contain_text("Thank you, we have received it.", timeout=15_000)
    number = await stage.world.pool.fetchval("select number from ticket")
    await expect(dialog).to_contain_text(f"Number of your case #{number}")
    assert page.url == f"{shop}/"
    await dialog.get_by_role("button", name="Send something else").click()
    await expect(form.get_by_label("Your message")).to_have_value("")


async def test_outside_the_hours_a_call_is_asked_for_by_the_visitors_clock(stage: Stage, shop: str) -> None:
    await stage.world.pool.execute("update widget set callback = true")
    await close(stage.world)
    page = await opened(stage, f"{shop}/?lang=zh-CN", "在线咨询", timezone_id="Asia/Tokyo")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="请回电给我").click()
    await expect(dialog).to_contain_text("以 Asia/Tokyo 的时间为准。")
    await expect(dialog.get_by_role("radio")).to_have_count(0)
    await page.get_by_label("您的电话号码").fill("12")
    await page.get_by_label("时间").focus()
    await expect(page.get_by_label("您的电话号码")).to_have_accessible_description("这不是可以拨打的电话号码。")
    await page.get_by_label("您的电话号码").fill("138 0013 8000")
    await dialog.get_by_role("button", name="请求回电").click()
    await expect(page.get_by_label("时间")).to_have_accessible_description("请从中选择一项。")
    await page.get_by_label("时间").select_option(index=1)
    await dialog.get_by_role("button", name="请求回电").click()
    await expect(dialog).to_contain_text("拨打 +86 138 0013 8000")
    assert await stage.world.pool.fetchval("select due_at is not null from callback")
    # On the next page too.
    await page.reload()
    await expect(dialog).to_contain_text("拨打 +86 138 0013 8000")


async def test_who_waits_asks_to_be_called_in_their_turn(stage: Stage, shop: str) -> None:
    await stage.world.pool.execute("update widget set callback = true")
    page = await opened(stage, shop)
    dialog = page.get_by_role("dialog")
    await write(page, "Hello?")
    await expect(page.locator(".status")).to_contain_text("You are next.")
    await dialog.get_by_role("button", name="Call me back instead").click()
    await expect(page.get_by_label("Your phone number")).to_be_focused()
    await expect(page.get_by_label("When it is my turn: I keep my place")).to_be_checked()
    await expect(page.get_by_label("Time", exact=True)).to_be_hidden()
    await dialog.get_by_role("button", name="Back").click()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await dialog.get_by_role("button", name="Call me back instead").click()
    await page.get_by_label("Your phone number").fill("138 0013 8000")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text(
        "We call you on +86 138 0013 8000 when it is your turn; you need not wait here. You are next."
    )
    await expect(dialog.get_by_role("button", name="New chat")).to_be_visible()
    chat, callback = await stage.world.pool.fetch("select state, outcome, queued_at from interaction order by id")
    assert (chat["outcome"], callback["state"]) == ("flow_out", "queued")
    assert chat["queued_at"] == callback["queued_at"]
