"""Nothing typed is lost: not by live updates, an input method, a reload, or a lost network."""

from itertools import count

from playwright.async_api import Page, expect

from callcenter.actions import agents
from callcenter.app import clock
from channels.telephony.fakepbx import FakeCall
from tests.browser.stage import Stage


async def talking(stage: Stage) -> tuple[Page, FakeCall]:
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await call.until("talking")
    await expect(page.locator("#stage")).to_have_attribute("data-state", "active")
    return page, call


_reasons = count(1)


async def refreshed(stage: Stage, page: Page, times: int = 3) -> None:
    """Live updates of the desk, one after the other."""
    amy = stage.world.agents["amy"]
    for _ in range(times):
        async with page.expect_response(lambda response: response.url.endswith("/desk")):
            reason = f"reason {next(_reasons)}"
            await agents.set_presence(
                stage.world.server.log, amy, presence="on_queue", reason=reason, actor=amy, now=clock()
            )


async def test_live_updates_keep_focus_selection_and_text(stage: Stage):
    page, call = await talking(stage)
    note = page.locator("textarea")
    await note.fill("one two three")
    await note.evaluate("element => element.setSelectionRange(4, 7)")
    await refreshed(stage, page)
    held = "element => [document.activeElement === element, element.selectionStart, element.selectionEnd]"
    assert await note.evaluate(held) == [True, 4, 7]
    await page.keyboard.type("TWO")
    await expect(note).to_have_value("one TWO three")
    call.hangup()


async def test_chinese_is_composed_while_updates_come_in(stage: Stage):
    page, call = await talking(stage)
    await page.keyboard.press("n")
    session = await page.context.new_cdp_session(page)
    for text in ("w", "wa", "wang"):
        await session.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
        await refreshed(stage, page, 1)
    await session.send("Input.insertText", {"text": "王先生要退款"})
    await expect(page.locator("textarea")).to_have_value("王先生要退款")
    await expect(page.locator(".saved")).to_have_text("saved")
    call.hangup()


async def test_a_reload_gives_the_note_and_the_disposition_back(stage: Stage):
    page, call = await talking(stage)
    await page.locator("textarea").fill("promised a call on Tuesday")
    await expect(page.locator(".saved")).to_have_text("saved")
    await page.keyboard.press("Escape")
    async with page.expect_response(lambda response: response.url.endswith("/draft")):
        await page.keyboard.press("2")
    await page.reload()
    await expect(page.locator("textarea")).to_have_value("promised a call on Tuesday")
    await expect(page.locator("[name=disposition]:checked")).to_have_value("call_back")
    call.hangup()


async def test_what_is_typed_while_the_network_is_gone_is_kept_and_saved_when_it_is_back(stage: Stage):
    page, call = await talking(stage)
    await page.context.set_offline(offline=True)
    await page.locator("textarea").fill("typed in the dark")
    await page.context.set_offline(offline=False)
    await expect(page.locator(".saved")).to_have_text("saved", timeout=15_000)
    saved = await stage.world.pool.fetchval("select note from draft")
    assert saved == "typed in the dark"
    call.hangup()


async def test_digits_type_in_a_note_and_choose_with_alt(stage: Stage):
    page, call = await talking(stage)
    await page.keyboard.press("n")
    await page.keyboard.type("order 12345")
    await page.keyboard.press("Alt+3")
    await expect(page.locator("[name=disposition]:checked")).to_have_value("complaint")
    await expect(page.locator("textarea")).to_have_value("order 12345")
    call.hangup()
    await expect(page.locator("#stage")).to_have_attribute("data-state", "wrapping")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#stage")).to_have_attribute("data-state", "idle")
