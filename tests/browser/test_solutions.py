"""Solutions beside a call, in a real browser: suggested from the note, put into it by one key."""

from playwright.async_api import expect

from callcenter.actions import solutions
from callcenter.app import clock
from tests.browser.stage import Stage
from tests.browser.test_chats import one_chat, says


async def publish(stage: Stage, title: str, text: str) -> None:
    texts = {"en": (title, text)}
    await solutions.create(stage.world.server.log, texts=texts, publish=True, actor=None, now=clock())


async def test_what_is_noted_suggests_a_solution_and_a_key_puts_it_into_the_note(stage: Stage):
    await publish(stage, "How long a refund takes", "Cards: **three days**.")
    await publish(stage, "Returning a parcel", "Print the label.")
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await call.until("talking")
    panel = page.locator("section.solutions")
    await expect(panel).to_contain_text("Solutions appear here once")
    await page.keyboard.press("n")
    await page.keyboard.type("Where is the refund?")
    await expect(panel.locator(".hit-title")).to_have_text("How long a refund takes")
    await page.keyboard.press("Escape")
    await page.keyboard.press("i")
    note = page.locator("[data-draft]")
    await expect(note).to_have_value("Where is the refund?\nCards: three days.")
    await expect(note).to_be_focused()
    await expect(page.locator(".saved")).to_have_text("saved")
    await page.keyboard.press("Escape")
    await page.keyboard.press("k")
    await page.keyboard.type("parcel")
    await expect(panel.locator(".hit-title")).to_have_text("Returning a parcel")
    await panel.get_by_role("button", name="Solved it").click()
    await expect(panel.locator(".hit.is-solved")).to_have_count(1)
    # A desk that is drawn anew leaves the panel as it is.
    call.hangup()
    await expect(page.locator("#stage")).to_have_attribute("data-state", "wrapping")
    await expect(panel.locator(".hit.is-solved")).to_have_count(1)
    rows = await stage.world.pool.fetch("select how from solution_use order by id")
    assert [row["how"] for row in rows] == ["inserted", "solved"]


async def test_what_a_visitor_writes_suggests_another_solution(stage: Stage):
    await publish(stage, "How long a refund takes", "Cards: three days.")
    await publish(stage, "Changing the delivery address", "Until it is on its way.")
    page, chat = await one_chat(stage, "Where is my refund?")
    first = page.locator("section.solutions .hit-title").first
    await expect(first).to_have_text("How long a refund takes")
    await says(stage, chat, "Then send it to another delivery address", "second")
    await expect(first).to_have_text("Changing the delivery address")
    await page.keyboard.type("One moment")
    await expect(page.locator(f"#say-text-{chat}")).to_have_value("One moment")
