"""Customers' pages in a real browser: a form without scripts, and their own cases from the link to the stars."""

from typing import Any

from playwright.async_api import Page, expect

from callcenter.actions import solutions, tickets
from callcenter.app import clock
from callcenter.domain import link
from callcenter.domain.duration import parse_duration
from callcenter.domain.web_form import FieldKind, FormField, Portal, WebForm
from callcenter.store import web_forms
from callcenter.store.surveys import link_key
from tests.browser.stage import Stage

ADDRESS = "wang@post.example"
FORM = WebForm(
    name="contact",
    queue="support",
    title={"en": "Write to us", "zh_CN": "联系我们"},
    at_least=parse_duration("0s"),
    fields=(
        FormField(name="email", kind=FieldKind.EMAIL, text="Mail", required=True),
        FormField(name="text", kind=FieldKind.LONG_TEXT, text="Message", required=True, to="text"),
        FormField(name="photo", kind=FieldKind.FILE, text="Photo"),
    ),
)
PHOTO: Any = {"name": "led.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(40)}
PHONE = {"width": 390, "height": 844}


async def declare(stage: Stage) -> None:
    async with stage.world.pool.acquire() as connection:
        await web_forms.put(connection, [FORM])
        await web_forms.put_portal(connection, Portal(queue="support"))


async def watched(stage: Stage, **options: Any) -> Page:
    page = await (await stage.context(**options)).new_page()
    page.on("console", lambda message: stage._note(message.type, message.text))
    page.on("pageerror", lambda error: stage.faults.append(str(error)))
    return page


async def test_a_form_is_filled_in_on_a_telephone_without_scripts(stage: Stage):
    await declare(stage)
    page = await watched(stage, java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    await page.goto(f"{stage.world.server.url}/forms/contact")
    await expect(page.get_by_role("heading", name="联系我们")).to_be_visible()
    await page.get_by_label("Mail").fill("wang")
    await page.get_by_label("Message").fill("灯不亮")
    await page.get_by_role("button", name="发送").click()
    await expect(page.locator(".wrong")).to_have_text("邮箱地址不正确。")
    await page.get_by_label("Mail").fill(ADDRESS)
    await page.get_by_label("Photo").set_input_files(PHOTO)
    await page.get_by_role("button", name="发送").click()
    number = await stage.world.pool.fetchval("select number from ticket")
    await expect(page.locator(".case-number")).to_have_text(f"#{number}")
    await expect(page.locator(".bait")).to_have_count(0)
    row = await stage.world.pool.fetchrow("select i.channel, i.state, m.text, u.name from interaction i "
        "join message m on m.interaction_id = i.id join upload u on u.message_id = m.id")  # fmt: skip
    assert row is not None
    assert (row["channel"], row["text"].split("\n")[0], row["name"]) == ("form", "灯不亮", "led.png")


async def test_customers_come_in_by_a_link_and_do_all_that_they_can_with_their_cases(stage: Stage):
    await declare(stage)
    world, url = stage.world, stage.world.server.url
    await solutions.create(
        world.server.log, texts={"en": ("The kettle leaks", "Turn the seal.")}, publish=True, public=True,
        actor=None, now=clock(),
    )  # fmt: skip
    customer = await world.pool.fetchval("insert into customer (name) values ('Wang Fang') returning id")
    await world.pool.execute(
        "insert into address (customer_id, kind, value) values ($1, 'email', $2)", customer, ADDRESS
    )
    page = await watched(stage, viewport=PHONE)
    await page.goto(f"{url}/my")
    await page.get_by_label("Your mail address").fill(ADDRESS)
    await page.get_by_role("button", name="Send me the link").click()
    await expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    row = await world.pool.fetchrow("select id, expires_at from portal_link")
    assert row is not None
    token = link.sign(await link_key(world.pool), "my/enter", row["id"], expires=row["expires_at"])
    await page.goto(f"{url}/my/enter?t={token}")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("link", name="New case").click()
    await page.get_by_label("What is it about?").fill("My kettle leaks")
    await expect(page.locator("#hints")).to_contain_text("The kettle leaks")
    await page.get_by_label("What happened").fill("Water below it.")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("heading", name="My kettle leaks")).to_be_visible()
    ticket = await world.pool.fetchval("select id from ticket")
    await tickets.reply(
        world.server.log, ticket, text="Turn the seal, please.", public=True, actor=world.agents["amy"], now=clock()
    )
    await page.reload()
    await expect(page.locator(".thread li").last).to_contain_text("Turn the seal, please.")
    await page.get_by_label("Your answer").fill("That helped.")
    await page.get_by_label("Files").set_input_files(PHOTO)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".thread .mine").last).to_contain_text("led.png")
    await page.get_by_role("button", name="close the case").click()
    await expect(page.locator(".case-state")).to_have_text("closed")
    await page.get_by_role("button", name="Open it again").click()
    await expect(page.locator(".case-state")).to_have_text("we are working on it")
    await page.get_by_role("link", name="All cases").click()
    await expect(page.locator(".cases li")).to_have_count(1)
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_label("Your mail address")).to_be_visible()
