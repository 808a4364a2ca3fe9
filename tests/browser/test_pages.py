"""Languages, themes, the wall, passwords: each page in a real browser."""

import pytest
from playwright.async_api import expect

from tests.browser.stage import PASSWORD, Stage


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en-US", "You are offline"), ("zh-CN", "您已离线"), ("zh-TW", "您已離線"), ("zh-HK", "您已離線")],
)
async def test_the_browsers_language_is_spoken(stage: Stage, locale: str, words: str):
    page = await stage.desk("amy", locale=locale)
    await expect(page.locator(".waiting h1")).to_have_text(words)


async def test_another_language_is_chosen_and_stays(stage: Stage):
    page = await stage.desk("amy")
    await page.locator("[popovertarget=user-menu]").click()
    await page.get_by_role("button", name="繁體中文").click()
    await expect(page.locator(".waiting h1")).to_have_text("您已離線")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-TW")
    # It is the user's, not only this browser's.
    other = await stage.desk("amy")
    await expect(other.locator(".waiting h1")).to_have_text("您已離線")


async def test_the_theme_is_chosen_without_a_reload_and_stays(stage: Stage):
    page = await stage.desk("amy")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.locator("[popovertarget=user-menu]").click()
    await page.get_by_role("button", name="Dark").click()
    dark = await page.evaluate(ground)
    assert dark != light
    await page.reload()
    assert await page.evaluate(ground) == dark


async def test_a_password_is_changed_by_its_owner(stage: Stage):
    page = await stage.desk("amy")
    await page.goto(f"{stage.world.server.url}/password")
    await page.fill("[name=old]", PASSWORD)
    await page.fill("[name=new]", "an even longer walk home")
    await page.fill("[name=again]", "an even longer walk")
    await page.click("main button")
    await expect(page.locator("[role=alert]")).to_have_text("The new password was not the same twice.")
    await page.fill("[name=old]", PASSWORD)
    await page.fill("[name=new]", "an even longer walk home")
    await page.fill("[name=again]", "an even longer walk home")
    await page.click("main button")
    await expect(page.locator("[role=status]").first).to_contain_text("Your password is changed")


async def test_a_wrong_password_is_refused_in_words_and_the_name_stays(stage: Stage):
    page = await (await stage.context()).new_page()
    await page.goto(f"{stage.world.server.url}/")
    await page.fill("[name=name]", "amy")
    await page.fill("[name=password]", "wrong")
    await page.click("main button")
    await expect(page.locator("[role=alert]")).to_have_text("The name or the password is wrong.")
    await expect(page.locator("[name=name]")).to_have_value("amy")


async def test_signing_out_ends_the_session(stage: Stage):
    page = await stage.desk("amy")
    await page.locator("[popovertarget=user-menu]").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.goto(stage.world.server.url)
    assert "/sign-in" in page.url


async def test_the_wall_follows_calls_and_agents(stage: Stage):
    stage.world.pbx.phone("PJSIP/1001", answers_after=None)
    wall = await stage.desk("sue", path="/wall")
    tile = wall.locator(".tile", has_text="support")
    await expect(tile.locator(".figure-large b").first).to_have_text("0")
    await expect(wall.locator(".agents")).to_contain_text("Nobody has a desk open")
    call = await stage.world.call()
    await expect(tile.locator(".figure-large b").first).to_have_text("1")
    await expect(tile).to_have_class("tile is-waiting")
    amy = await stage.desk("amy")
    await amy.keyboard.press("q")
    await expect(wall.locator(".group", has_text="Ringing")).to_contain_text("Amy")
    call.hangup()
    await expect(tile.locator(".figure-large b").first).to_have_text("0")
    await expect(wall.locator(".group", has_text="Idle")).to_contain_text("Amy")


async def test_a_supervisor_acts_on_who_waits_and_sees_why(stage: Stage):
    wall = await stage.desk("sue", path="/wall")
    await wall.locator(".tile a", has_text="support").click()
    await expect(wall.locator(".empty")).to_contain_text("Nobody waits.")
    await stage.world.call()
    kept = await stage.world.call()
    places = wall.locator("tr[id^=waits]")
    await expect(places).to_have_count(2)
    await places.nth(1).get_by_role("button", name="5 minutes forward in line").click()
    await expect(places.nth(0).locator(".minutes")).to_have_text("+5 min")
    await places.nth(0).get_by_role("button", name="Why?").click()
    await expect(wall.locator(".because").first).to_contain_text("It is the first in line.")
    await places.nth(1).get_by_role("button", name="Act").click()
    menu = wall.locator(".acts-menu:popover-open")
    await menu.get_by_label("Reason").fill("a test call")
    await menu.get_by_role("button", name="Take out").click()
    await expect(places).to_have_count(1)
    # What was asked for stays while the line is drawn anew.
    await expect(wall.locator(".because").first).to_contain_text("It is the first in line.")
    kept.hangup()
    await expect(wall.locator(".empty")).to_contain_text("Nobody waits.")


async def test_agents_are_told_that_the_wall_is_not_for_them(stage: Stage):
    page = await stage.desk("amy")
    response = await page.goto(f"{stage.world.server.url}/wall")
    assert response is not None
    assert response.status == 403
    await expect(page.locator("h1")).to_have_text("Not for you")


async def test_a_supervisor_without_queues_lands_on_the_wall(stage: Stage):
    page = await (await stage.context()).new_page()
    await page.goto(f"{stage.world.server.url}/sign-in")
    await page.fill("[name=name]", "sue")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button")
    await page.wait_for_url("**/wall")
