"""What an agent sees and does, in a real browser."""

import re
from collections.abc import Awaitable

from playwright.async_api import Page, expect

from callcenter.actions import agents
from callcenter.app import clock
from tests.browser.stage import Stage
from tests.builders import make_customer, make_queue


def stage_is(page: Page, state: str) -> Awaitable[None]:
    return expect(page.locator("#stage")).to_have_attribute("data-state", state)


async def test_a_call_pops_is_answered_and_wrapped_up_by_keyboard(stage: Stage):
    page = await stage.desk("amy")
    await expect(page.locator(".waiting h1")).to_have_text("You are offline")
    await stage.ready(page)
    await expect(page.locator(".waiting h1")).to_have_text("Ready for the next contact")
    call = await stage.world.call(name="王小明")
    await expect(page.locator(".who h1")).to_have_text("王小明")
    await call.until("talking")
    await stage_is(page, "active")
    await page.keyboard.press("n")
    await page.keyboard.type("Promised a refund by Tuesday")
    await expect(page.locator(".saved")).to_have_text("saved")
    await page.keyboard.press("Escape")
    call.hangup()
    await stage_is(page, "wrapping")
    await expect(page.locator("textarea")).to_have_value("Promised a refund by Tuesday")
    await page.keyboard.press("1")
    await page.keyboard.press("Enter")
    await expect(page.locator(".waiting h1")).to_have_text("Ready for the next contact")
    await expect(page.locator("[id^=handled-]")).to_have_count(1)
    rows = await stage.world.pool.fetch("select disposition, note from interaction")
    assert [tuple(row) for row in rows] == [("solved", "Promised a refund by Tuesday")]


async def test_the_pop_stands_before_the_phone_is_answered(stage: Stage):
    stage.world.pbx.phone("PJSIP/1001", answers_after=None)
    page = await stage.desk("amy")
    await stage.ready(page)
    await stage.world.call()
    await stage_is(page, "offered")
    offer = page.locator(".offer")
    await expect(offer).to_contain_text("Incoming call")
    await expect(offer).to_contain_text("You have been idle longest")
    await expect(offer).to_contain_text("Pick up your phone")
    await expect(offer.locator("progress")).to_be_visible()
    assert await page.title() == "☎ 王小明"


async def test_escape_declines_the_offer_and_the_desk_says_what_follows(stage: Stage):
    stage.world.pbx.phone("PJSIP/1001", answers_after=None)
    page = await stage.desk("amy")
    await stage.ready(page)
    await stage.world.call()
    await stage_is(page, "offered")
    await page.keyboard.press("Escape")
    await expect(page.locator(".waiting h1")).to_have_text("You missed an offer")
    await expect(page.locator(".presence-button")).to_have_class(re.compile("is-fault"))
    await page.keyboard.press("Enter")
    await expect(page.locator(".presence-button")).not_to_have_class(re.compile("is-fault"))


async def test_one_of_several_customers_is_picked_by_arrow_keys_and_remembered(stage: Stage):
    await make_customer(stage.world.pool, "Li Na", phone="+8613900000001")
    await make_customer(stage.world.pool, "Wang Fang", phone="+8613900000001")
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call(caller="+8613900000001")
    await expect(page.locator(".identify > summary")).to_contain_text("2 customers use this address")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator(".who h1")).to_have_text("Wang Fang")
    await expect(page.locator(".who-name .certainty")).to_have_text("verified")
    call.hangup()


async def test_an_unknown_caller_becomes_a_customer_with_the_number_filled_in(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call(caller="+8613900000002", name="Zhou")
    form = page.locator(".new-customer")
    await expect(form.locator("[name=name]")).to_have_value("Zhou")
    await expect(form.locator("[name=address]")).to_have_value("+86 139 0000 0002")
    await page.keyboard.press("c")
    await page.keyboard.press("c")
    await form.locator("[name=name]").fill("周杰")
    await form.locator("[name=company]").fill("Acme")
    await page.keyboard.press("Enter")
    await expect(page.locator(".who h1")).to_have_text("周杰")
    call.hangup()
    known = await stage.world.pool.fetchval("select certainty from address where value = '+8613900000002'")
    assert known == "known"


async def test_a_half_typed_form_outlives_live_updates(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call(caller="+8613900000002")
    await call.until("talking")
    await stage_is(page, "active")
    await page.locator(".new-customer [name=company]").fill("half ty")
    async with page.expect_response(lambda response: response.url.endswith("/desk")):
        await agents.set_presence(
            stage.world.server.log, stage.world.agents["amy"], presence="meal", reason=None, actor=1, now=clock()
        )
    await page.keyboard.type("ped")
    await expect(page.locator(".new-customer [name=company]")).to_have_value("half typed")
    call.hangup()
    await stage_is(page, "wrapping")
    await expect(page.locator(".new-customer [name=company]")).to_have_value("half typed")


async def test_a_key_that_is_pressed_as_soon_as_the_page_has_loaded_works(stage: Stage):
    page = await stage.desk("amy")
    # What scripts put off comes late, as on a busy machine.
    await page.add_init_script("const put = setTimeout; window.setTimeout = (what, ms = 0) => put(what, ms + 5000);")
    await page.reload()
    await stage.ready(page)
    assert page.url == f"{stage.world.server.url}/"


async def test_a_ticket_is_opened_and_another_linked_from_the_pop(stage: Stage):
    pool = stage.world.pool
    await pool.execute(
        """insert into ticket (number, subject, customer_id, created_at, updated_at)
           select 990, 'Address change', id, now(), now() from customer"""
    )
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await call.until("talking")
    await stage_is(page, "active")
    await page.keyboard.press("t")
    await page.keyboard.type("Refund not received")
    await page.keyboard.press("Enter")
    await expect(page.locator(".ticket")).to_have_count(2)
    await expect(page.locator(".ticket").first).to_contain_text("this contact")
    await expect(page.locator(".new-ticket [name=subject]")).to_have_value("")
    await page.locator(".ticket", has_text="Address change").get_by_role("button").click()
    await expect(page.locator(".ticket", has_text="Address change")).to_contain_text("this contact")
    await expect(page.locator("[id^=mine-]")).to_contain_text("Refund not received")
    call.hangup()


async def test_presence_is_chosen_with_a_reason_and_takes_effect_after_the_call(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await call.until("talking")
    await stage_is(page, "active")
    await page.keyboard.press("p")
    await page.get_by_role("button", name="Coffee").click()
    await expect(page.locator(".next-presence")).to_contain_text("Break after this contact")
    await stage_is(page, "active")
    call.hangup()
    await stage_is(page, "wrapping")
    await page.keyboard.press("w")
    await expect(page.locator(".presence-button")).to_contain_text("Break")
    await expect(page.locator(".presence-button")).to_contain_text("Coffee")
    await expect(page.locator(".waiting h1")).to_have_text("You get no contacts")


async def test_customers_are_found_by_name_and_number_and_opened_by_keyboard(stage: Stage):
    await make_customer(stage.world.pool, "欧阳娜娜", phone="+8613912345678")
    page = await stage.desk("amy")
    for text in ("欧阳", "139 1234", "+86139"):
        await page.keyboard.press("/")
        await page.keyboard.type(text)
        await expect(page.locator("#found .choice-name")).to_have_text("欧阳娜娜")
        await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.press("Enter")
    await stage_is(page, "card")
    await expect(page.locator(".who h1")).to_have_text("欧阳娜娜")
    await page.keyboard.press("/")
    await page.keyboard.type("nobody at all")
    await expect(page.locator("#found")).to_contain_text("Nothing found")


async def test_the_whole_history_is_one_key_away(stage: Stage):
    await stage.world.pool.execute(
        """insert into interaction (channel, state, outcome, customer_id, arrived_at, closed_at, subject)
           select (array['phone', 'email', 'chat', 'fax'])[n % 4 + 1], 'closed', 'handled', c.id,
                  now() - n * interval '5 hours', now(), 'Contact ' || n
           from customer c, generate_series(1, 40) n"""
    )
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await expect(page.locator(".entry")).to_have_count(12)
    await page.keyboard.press("a")
    await expect(page.locator(".entry")).to_have_count(40)
    await page.get_by_text("mail", exact=True).click()
    await expect(page.locator(".entry:visible")).to_have_count(10)
    call.hangup()
    await stage_is(page, "wrapping")
    await expect(page.locator(".entry:visible")).to_have_count(10)
    await page.keyboard.press("w")
    await expect(page.locator(".waiting h1")).to_have_text("Ready for the next contact")
    call = await stage.world.call()
    await expect(page.locator(".entry:visible")).to_have_count(12)
    call.hangup()


async def test_hostile_texts_are_shown_as_texts_and_break_nothing(stage: Stage):
    bad = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    pool = stage.world.pool
    await pool.execute("update customer set name = $1, company = $2", (bad + "W" * 300)[:200], "\u202eمرحبا" * 40)
    await make_queue(pool, "<b>" + "q" * 60, members=[stage.world.agents["amy"]])
    await stage.world.applied()
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call(name=bad * 100)
    await expect(page.locator(".who h1")).to_contain_text("<script>")
    await call.until("talking")
    await stage_is(page, "active")
    assert await page.evaluate("document.querySelectorAll('#desk script, #desk img, #desk b img').length") == 0
    assert "owned" not in await page.title()
    sizes = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert sizes == [1280, 800]
    call.hangup()


async def test_the_keys_are_shown_on_demand(stage: Stage):
    page = await stage.desk("amy")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#help")).to_be_hidden()
