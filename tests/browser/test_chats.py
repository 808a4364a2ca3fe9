"""Several chats at once at one desk, by the keyboard: nothing is lost, and nobody is torn away from what they write."""

import re

from playwright.async_api import Page, Route, expect

from callcenter.actions import canned, chats
from callcenter.app import clock
from callcenter.domain.chat import Visitor
from callcenter.store import chats as store
from tests.browser.stage import Stage


async def visit(stage: Stage, name: str, text: str) -> int:
    """A visitor who opens a chat and says something."""
    world = stage.world
    await world.pool.execute(
        "insert into widget (key, queue_id, sites) values ('shop', (select min(id) from queue), '{}')"
        " on conflict do nothing"
    )
    widget = await store.widget(world.pool, "shop")
    token = name.lower().ljust(22, "x")
    visitor = Visitor(
        token=token, browser=token, language="en", name=name, page="https://shop.example/cart", page_title="Cart"
    )
    chat = await chats.open_chat(world.server.log, visitor, widget=widget, node=None, now=clock())
    await says(stage, chat.interaction, text, "first")
    return chat.interaction


async def says(stage: Stage, ident: int, text: str, line: str) -> None:
    await chats.say(stage.world.server.log, ident, author=None, text=text, client_id=line, now=clock())


async def take(page: Page, ident: int) -> None:
    await page.wait_for_selector(f'form[hx-post="/desk/interactions/{ident}/accept"]')
    await page.keyboard.press("Alt+Enter")
    await expect(page.locator(f"#say-text-{ident}")).to_be_focused()


async def one_chat(stage: Stage, text: str = "Where is my parcel?") -> tuple[Page, int]:
    page = await stage.desk("amy")
    await stage.ready(page)
    chat = await visit(stage, "Lin", text)
    await page.wait_for_selector(f"#chat-{chat}-offered")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#say-text-{chat}")).to_be_focused()
    return page, chat


async def two_chats(stage: Stage) -> tuple[Page, int, int]:
    page, first = await one_chat(stage)
    await page.keyboard.type("One moment")
    second = await visit(stage, "Wang", "I paid twice")
    await page.wait_for_selector(f'form[hx-post="/desk/interactions/{second}/accept"]')
    await expect(page.locator(f"#say-text-{first}")).to_be_focused()
    await take(page, second)
    return page, first, second


async def test_an_offer_stands_beside_what_is_written_and_ctrl_and_a_digit_go_back_to_it(stage: Stage):
    page, first, second = await two_chats(stage)
    await page.keyboard.type("I am looking")
    await says(stage, first, "Hello?", "again")
    await expect(page.locator(f'[data-work="{first}"] .unread')).to_have_text("1")
    await expect(page.locator(f"#say-text-{second}")).to_be_focused()
    await expect(page).to_have_title(re.compile(r"\(1\)"))
    await page.keyboard.press("Control+1")
    box = page.locator(f"#say-text-{first}")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("One moment")
    await expect(page.locator(f'[data-work="{first}"] .unread')).to_have_text("")
    await page.keyboard.press("Control+2")
    await expect(page.locator(f"#say-text-{second}")).to_have_value("I am looking")


async def test_enter_sends_shift_enter_does_not_and_the_answer_stands_there_once(stage: Stage):
    page, _, second = await two_chats(stage)
    await page.keyboard.type("two")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("lines")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#chat-lines-{second} .is-ours .said-text")).to_have_text("two\nlines")
    await expect(page.locator(f"#say-text-{second}")).to_have_value("")
    await says(stage, second, "Thanks", "then")
    await expect(page.locator(f"#chat-lines-{second} .said-text").last).to_have_text("Thanks")
    lines = await store.lines(stage.world.pool, second)
    assert [line.text for line in lines] == ["I paid twice", "two\nlines", "Thanks"]


async def test_a_prepared_answer_is_put_in_by_a_slash_and_some_letters(stage: Stage):
    amy = stage.world.agents["amy"]
    text = "Dear {{ customer.name }}, it takes five days."
    await canned.keep(
        stage.world.server.log, amy, name="refund time", text=text, language=None, queue=None, now=clock()
    )
    page, _, second = await two_chats(stage)
    await page.keyboard.type("Yes. /ref")
    await expect(page.locator(".answer[aria-selected=true]")).to_contain_text("refund time")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#say-text-{second}")).to_have_value("Yes. Dear Wang, it takes five days.")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#chat-lines-{second} .is-ours .said-text")).to_contain_text("Dear Wang")


async def test_a_chat_is_handed_to_a_colleague_who_reads_the_note(stage: Stage):
    page, first, second = await two_chats(stage)
    other = await stage.desk("bo")
    await stage.ready(other)
    await page.keyboard.press("Escape")
    await page.keyboard.press("x")
    await expect(page.locator(".transfer select")).to_be_focused()
    await page.select_option(".transfer select", "agent:bo")
    await page.fill(".transfer input[name=note]", "Wants it back on the card")
    await page.keyboard.press("Enter")
    await expect(page.locator(f'[data-work="{second}"]')).to_have_count(0)
    await expect(page.locator(f"#say-text-{first}")).to_have_value("One moment")
    await other.wait_for_selector(f"#chat-{second}-offered")
    await other.keyboard.press("Enter")
    await expect(other.locator(".said.is-note")).to_contain_text("Wants it back on the card")
    await expect(other.locator(f"#say-text-{second}")).to_be_focused()


async def test_what_is_accepted_comes_on_the_stage_though_its_answer_is_overtaken(stage: Stage):
    page, _ = await one_chat(stage)
    second = await visit(stage, "Wang", "I paid twice")
    await page.wait_for_selector(f'form[hx-post="/desk/interactions/{second}/accept"]')

    async def late(route: Route) -> None:
        """The desk is drawn anew, on a hint, before the answer comes."""
        async with page.expect_response(lambda response: "/desk?interaction=" in response.url):
            response = await route.fetch()
        await expect(page.locator(f'[data-work="{second}"]')).to_contain_text("In contact")
        await route.fulfill(response=response)

    await page.route(f"**/desk/interactions/{second}/accept", late)
    await page.keyboard.press("Alt+Enter")
    await expect(page.locator(f"#say-text-{second}")).to_be_focused()
