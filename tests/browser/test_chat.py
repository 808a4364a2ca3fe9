"""The widget on the pages of another site, in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import BrowserContext, FilePayload, Page, expect

from callcenter.actions import chats
from callcenter.app import clock
from callcenter.store import chats as store
from tests.browser.stage import Stage
from tests.builders import eventually

# What a careful site allows: no inline script, no inline style, and our server by name.
_CSP = "default-src 'none'; script-src {server}; connect-src {server} {socket}; img-src 'self'; base-uri 'none'"
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><script src="{server}/widget.js?key=shop" async></script></head>
<body><h1>{title}</h1><p><a href="/other?lang={lang}">Other page</a></p></body></html>"""


@asynccontextmanager
async def a_shop(server: str) -> AsyncIterator[str]:
    """Another site, whose every page has the widget; its address."""

    async def page(request: web.Request) -> web.Response:
        text = _PAGE.format(
            server=server, title=request.path.strip("/") or "Shop", lang=request.query.get("lang", "en")
        )
        csp = _CSP.format(server=server, socket=server.replace("http:", "ws:"))
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": csp})

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def shop(stage: Stage) -> AsyncIterator[str]:
    async with a_shop(stage.world.server.url) as address:
        await stage.world.pool.execute(
            "insert into widget (key, queue_id, sites, greeting, ask) values ('shop', $1, $2, $3, '{name}')",
            stage.world.queue, [address], {"en": "How can we help?", "zh_CN": "您好！"},
        )  # fmt: skip
        yield address


async def open_page(stage: Stage, context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    page.on("console", lambda message: stage._note(message.type, message.text))
    page.on("pageerror", lambda error: stage.faults.append(str(error)))
    await page.goto(address)
    return page


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


async def taken(stage: Stage, page: Page) -> int:
    """Amy has the chat that this page begins."""
    world = stage.world
    await world.on_queue("amy")
    await page.get_by_role("button", name="Chat with us").click()
    await write(page, "Hello?")
    event = await world.until("interaction.arrived", channel="chat")
    await world.pop("amy")
    await world.ask("POST", f"/interactions/{event['interaction']}/accept")
    await expect(page.get_by_role("status")).to_contain_text("Amy")
    ident: int = event["interaction"]
    return ident


async def says(stage: Stage, chat: int, text: str) -> None:
    log, amy = stage.world.server.log, stage.world.agents["amy"]
    await chats.say(log, chat, author=amy, text=text, client_id=f"amy-{hash(text) & 0xFFFF}", now=clock())


async def test_a_conversation_goes_on_from_page_to_page_in_two_tabs_and_without_network(
    stage: Stage, shop: str
) -> None:
    context = await stage.context()
    page = await open_page(stage, context, shop)
    chat = await taken(stage, page)
    log = page.get_by_role("log")
    await says(stage, chat, "Good morning, see https://shop.example/help")
    await expect(log).to_contain_text("Good morning")
    await expect(log.get_by_role("link")).to_have_attribute("href", "https://shop.example/help")
    await expect(log).to_contain_text("Read")
    # Another page of the site: the conversation is there, and open.
    await page.get_by_role("link", name="Other page").click()
    await expect(page.get_by_role("log")).to_contain_text("Good morning")
    await expect(page.get_by_role("log")).to_contain_text("Hello?")
    # A second tab.
    second = await open_page(stage, context, f"{shop}/basket")
    await expect(second.get_by_role("log")).to_contain_text("Good morning")
    await write(second, "I am in my basket now.")
    await expect(page.get_by_role("log")).to_contain_text("I am in my basket now.")
    # No network: what is written waits, and what was missed comes.
    await context.set_offline(offline=True)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.get_by_role("status")).to_contain_text("Connecting")
    await write(page, "Are you there?")
    await expect(page.get_by_role("log")).to_contain_text("Sending…")
    await says(stage, chat, "A moment.")
    await context.set_offline(offline=False)
    await page.evaluate("dispatchEvent(new Event('online'))")
    for each in (page, second):
        await expect(each.get_by_role("log")).to_contain_text("A moment.", timeout=15_000)
        await expect(each.get_by_role("log")).to_contain_text("Are you there?")
        await expect(each.get_by_role("log").get_by_role("listitem")).to_have_count(5)
    lines = await store.lines(stage.world.pool, chat)
    assert sorted(line.text for line in lines).count("Are you there?") == 1
    await stage.world.until("message.read", interaction=chat, by="visitor")


_BRING_BACK = """(frame) => {
    const name = Object.keys(localStorage).find((each) => each.startsWith("callcenter:"));
    const here = JSON.parse(localStorage.getItem(name));
    localStorage.setItem(name, JSON.stringify({ ...here, unsent: { [frame.id]: frame } }));
}"""


async def test_what_another_tab_brings_back_is_not_shown_as_on_its_way_again(stage: Stage, shop: str) -> None:
    context = await stage.context()
    page = await open_page(stage, context, shop)
    chat = await taken(stage, page)
    second = await open_page(stage, context, f"{shop}/basket")
    await expect(second.get_by_role("log")).to_contain_text("Hello?")
    [line] = await store.lines(stage.world.pool, chat)
    # Browsers tell their tabs of each other's writing a moment later, so an old state may be written over a new one.
    await second.evaluate(_BRING_BACK, {"type": "message", "id": line.client_id, "text": line.text})
    await write(page, "And my invoice?")
    await says(stage, chat, "A moment.")
    for each in (page, second):
        await expect(each.get_by_role("log")).to_contain_text("A moment.")
        await expect(each.get_by_role("log").get_by_role("listitem")).to_have_count(3)
        await expect(each.get_by_role("log")).not_to_contain_text("Sending…")


async def test_who_writes_by_keyboard_alone_is_heard_and_keeps_the_focus(stage: Stage, shop: str) -> None:
    page = await open_page(stage, await stage.context(), shop)
    await page.get_by_role("button", name="Chat with us").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Your message")).to_be_focused()
    await expect(page.get_by_role("dialog")).to_contain_text("How can we help?")
    await page.get_by_label("Your name").fill("Wang Fang")
    await page.get_by_label("Your message").focus()
    await page.keyboard.type("Line one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("Line two")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("You are next")
    await expect(page.get_by_label("Your message")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name="Chat with us")).to_be_focused()
    kept = await stage.world.pool.fetchrow(
        "select address_name, text from interaction i join message m on m.interaction_id = i.id"
    )
    assert kept is not None
    assert tuple(kept) == ("Wang Fang", "Line one\nLine two")


async def test_a_chinese_page_is_spoken_to_in_chinese_and_a_telephone_shows_it_whole(stage: Stage, shop: str) -> None:
    context = await stage.context(viewport={"width": 390, "height": 780}, has_touch=True)
    page = await open_page(stage, context, f"{shop}/?lang=zh-CN")
    await page.get_by_role("button", name="在线咨询").tap()
    await expect(page.get_by_role("dialog")).to_contain_text("您好！")
    box = await page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (390, 780)


async def test_a_widget_speaks_only_what_it_is_declared_to(stage: Stage, shop: str) -> None:
    await stage.world.pool.execute("update widget set languages = '{zh_TW,zh_CN}'")
    page = await open_page(stage, await stage.context(), shop)
    await page.get_by_role("button", name="Chat with us").click()
    await expect(page.get_by_label("您的訊息")).to_be_focused()


async def test_a_page_with_an_endless_address_and_half_a_letter_in_its_title_is_no_hindrance(
    stage: Stage, shop: str
) -> None:
    page = await open_page(stage, await stage.context(), f"{shop}/?lang=en&q={'x' * 5000}")
    # The title's last letter is cut in its middle.
    await page.evaluate("document.title = 'x'.repeat(999) + '😀😀'")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await page.get_by_role("button", name="Chat with us").click()
    await page.get_by_label("Your message").evaluate("(box) => { box.value = 'Half a letter: \ud83d'; }")
    await page.get_by_label("Your message").press("Enter")
    await expect(page.get_by_role("log")).to_contain_text("Sent")
    await expect(page.get_by_role("status")).to_contain_text("You are next")
    assert len(sockets) == 1
    kept = await stage.world.pool.fetchrow("select page, page_title from chat")
    assert kept is not None
    assert (kept["page"], kept["page_title"]) == (f"{shop}/", "x" * 200)
    # Nor is it when such a page is gone to without loading.
    await page.evaluate("history.pushState(null, '', '/cart?q=' + 'y'.repeat(9000))")

    async def gone_to() -> bool:
        return bool(await stage.world.pool.fetchval("select page = $1 from chat", f"{shop}/cart"))

    await eventually(gone_to)
    await expect(page.get_by_role("status")).to_contain_text("You are next")


async def test_an_agents_words_do_nothing_on_the_page(stage: Stage, shop: str) -> None:
    page = await open_page(stage, await stage.context(), shop)
    chat = await taken(stage, page)
    await says(stage, chat, '<img src=x onerror="document.title=1"> javascript:alert(1)')
    await expect(page.get_by_role("log")).to_contain_text("<img src=x")
    assert await page.title() == "Shop"
    assert await page.get_by_role("log").get_by_role("link").count() == 0


async def test_a_file_is_sent_and_the_end_is_rated(stage: Stage, shop: str) -> None:
    world = stage.world
    survey = {"ask": "csat", "bad": 2, "delay": 600, "not_again": 0, "valid": 86400, "change_within": 3600}
    await world.pool.execute("update queue set survey = $1", survey)
    await world.applied()
    page = await open_page(stage, await stage.context(), shop)
    chat = await taken(stage, page)
    data = b"It is dark. " * 20_000
    led = FilePayload(name="led.txt", mimeType="text/plain", buffer=data)
    await page.locator("input[type=file]").set_input_files(led)
    await expect(page.get_by_role("log").get_by_role("link", name="led.txt")).to_be_visible(timeout=15_000)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="led.txt").click()
    path = await (await download.value).path()
    assert await asyncio.to_thread(path.read_bytes) == data
    await says(stage, chat, "I see.")
    await page.get_by_role("button", name="End the chat").click()
    await page.get_by_role("button", name="5 of 5 stars").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Thank you for your answer.")
    await world.until("survey.answered", interaction=chat)
    await page.get_by_role("button", name="New chat").click()
    await expect(page.get_by_label("Your message")).to_be_visible()
    await expect(page.get_by_role("log").get_by_role("listitem")).to_have_count(0)
