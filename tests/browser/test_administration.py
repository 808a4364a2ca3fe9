"""Settings changed in a real browser, by keys: a calendar's hours, and a manager who would be below himself."""

from playwright.async_api import expect

from callcenter import toml
from callcenter.actions import organisation
from callcenter.app import clock
from callcenter.domain.organisation_file import understand
from callcenter.domain.password import protect
from tests.browser.stage import PASSWORD, Stage
from tests.builders import make_user

FILE = """
[[users]]
name = "tim"
full_name = "Tim"
role = "supervisor"

[[users]]
name = "eve"
full_name = "Eve"
role = "agent"
manager = "tim"

[[hours]]
name = "office"
timezone = "Asia/Shanghai"
weekly = { mon = ["09:00-12:00"] }
"""


async def test_hours_are_changed_by_keys_and_a_circle_of_managers_is_refused_beside_its_field(stage: Stage):
    pool = stage.world.pool
    await make_user(pool, "ann", role="administrator", endpoint="PJSIP/7777", password_hash=protect(PASSWORD))
    file = understand(toml.parse(FILE, "org.toml"), {})
    await organisation.apply(stage.world.server.log, file, prune=False, actor=None, now=clock())

    page = await stage.desk("ann", path="/admin")
    await page.get_by_role("link", name="office").press("Enter")
    monday = page.get_by_label("Monday")
    await monday.focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("08:00-18:00")
    await page.keyboard.press("Enter")
    await expect(page.locator(".plan del")).to_contain_text("09:00-12:00")
    await expect(page.locator(".plan ins")).to_contain_text("08:00-18:00")
    assert "09:00" in str(await pool.fetchval("select weekly from hours where name = 'office'"))
    await expect(page.get_by_role("button", name="Apply")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_contain_text("in force")
    assert "08:00" in str(await pool.fetchval("select weekly from hours where name = 'office'"))

    # Tim is above Eve; nothing is lost when the other way round is refused.
    await page.get_by_role("link", name="Tim", exact=True).press("Enter")
    await page.get_by_label("Full name").fill("Timothy")
    await page.get_by_label("Manager").select_option("eve")
    await page.get_by_label("Full name").press("Enter")
    wrong = page.locator("[id='wrong-manager']")
    await expect(wrong).to_contain_text("a manager was expected who is not below this user")
    await expect(page.get_by_label("Full name")).to_have_value("Timothy")
    await expect(page.get_by_label("Manager")).to_have_value("eve")

    # The whole as text: from a mistake to its line.
    await page.goto(f"{stage.world.server.url}/admin/text")
    text = page.get_by_label("The organisation file")
    await text.fill((await text.input_value()).replace("08:00-18:00", "18:00-08:00"))
    await page.get_by_role("button", name="Show what would change").press("Enter")
    mistake = page.locator(".mistakes [data-line]").first
    await mistake.press("Enter")
    chosen = await page.evaluate(
        "(() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionEnd); })()"
    )
    assert "18:00-08:00" in chosen
    await expect(page.locator(".gutter .is-wrong")).to_have_count(1)
