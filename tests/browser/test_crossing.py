"""What crosses on the way, fails or falls silent leaves no page with yesterday's picture, and takes no words away."""

import asyncio
import re

from playwright.async_api import Page, Request, Response, Route, WebSocketRoute, expect

from callcenter.actions import agents, interactions, tickets
from callcenter.app import clock
from tests.browser.stage import Stage
from tests.builders import make_customer


async def stage_is(page: Page, state: str) -> None:
    await expect(page.locator("#stage")).to_have_attribute("data-state", state)


def is_desk(response: Response | Request) -> bool:
    return response.url.endswith("/desk")


async def go(stage: Stage, presence: str) -> None:
    amy = stage.world.agents["amy"]
    await agents.set_presence(stage.world.server.log, amy, presence=presence, reason=None, actor=amy, now=clock())


async def test_a_call_that_is_answered_takes_the_place_of_the_card_that_was_open(stage: Stage):
    other = await make_customer(stage.world.pool, "Li Na")
    page = await stage.desk("amy")
    await stage.ready(page)
    await page.keyboard.press("/")
    await page.keyboard.type("Li Na")
    await expect(page.locator("#found .choice-name")).to_have_text("Li Na")
    await page.keyboard.press("Enter")
    await stage_is(page, "card")
    await expect(page.locator("#desk")).to_have_attribute("hx-get", f"/desk?customer={other}&beside=0")
    call = await stage.world.call()
    await call.until("talking")
    await stage_is(page, "active")
    await expect(page.locator(".who h1")).to_have_text("王小明")
    call.hangup()


async def test_the_answer_to_a_form_does_not_wipe_off_the_pop_that_overtook_it(stage: Stage):
    stage.world.pbx.phone("PJSIP/1001", answers_after=None)
    page = await stage.desk("amy")
    await expect(page.locator(".waiting h1")).to_have_text("You are offline")
    await stage.world.call()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        async with page.expect_response(is_desk):
            response = await route.fetch()
        await page.wait_for_selector(".offer")
        text = (await response.text()).replace('data-state="offered"', 'data-state="older"')
        async with page.expect_response(is_desk):  # it is dropped, and the desk asked for once more
            await route.fulfill(response=response, body=text)
        answered.set()

    await page.route("**/desk/presence", late)
    await page.keyboard.press("q")
    async with asyncio.timeout(15):
        await answered.wait()
    await stage_is(page, "offered")


async def test_an_older_picture_of_the_desk_does_not_take_back_that_a_note_is_saved(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await call.until("talking")
    await stage_is(page, "active")
    read, let_go = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        response = await route.fetch()
        read.set()
        await let_go.wait()
        await route.fulfill(response=response)

    await page.route(re.compile(r"/desk$"), late, times=1)
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('stale-desk'))")  # as hints do
    async with asyncio.timeout(15):
        await read.wait()
    await page.locator("textarea").fill("promised a call on Tuesday")
    await expect(page.locator(".saved")).to_have_text("saved")
    async with (
        page.expect_response(is_desk),
        page.expect_request(is_desk),
    ):  # it is dropped, and the desk asked for anew
        let_go.set()
    await expect(page.locator(".saved")).to_have_text("saved")
    call.hangup()


async def test_an_older_picture_of_a_ticket_does_not_take_back_what_was_changed_since(stage: Stage):
    page, _ = await _leaking(stage)
    read, let_go = asyncio.Event(), asyncio.Event()
    picture = re.compile(r"/tickets/\d+/page$")

    async def late(route: Route) -> None:
        response = await route.fetch()
        read.set()
        await let_go.wait()
        await route.fulfill(response=response)

    await page.route(picture, late, times=1)
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('stale-ticket'))")  # as hints do
    async with asyncio.timeout(15):
        await read.wait()
    subject = page.locator(".subject-field")
    await subject.fill("The kettle drips")
    await subject.press("Enter")
    await expect(page.locator("#edit-subject [name=version]")).to_have_value("2")
    await subject.blur()
    await page.evaluate(
        """() => document.addEventListener("htmx:after:swap", () => {
            const { dataset } = document.body;
            dataset.shown = (dataset.shown ?? "") + document.querySelector(".subject-field").value;
        })"""
    )
    let_go.set()
    # The older one is dropped, and the page is asked for once more.
    await expect(page.locator("body")).to_have_attribute("data-shown", re.compile("^(The kettle drips)+$"))


async def _leaking(stage: Stage) -> tuple[Page, int]:
    """A ticket's page, and its id."""
    world, amy = stage.world, stage.world.agents["amy"]
    ticket = await tickets.open_ticket(
        world.server.log, subject="The kettle leaks", customer=None, interaction=None, queue=world.queue,
        priority="normal", text=None, actor=amy, now=clock(),
    )  # fmt: skip
    return await stage.desk("amy", path=f"/tickets/{ticket.number}"), ticket.id


async def test_what_was_sent_stands_until_its_answer_comes(stage: Stage):
    page, _ = await _leaking(stage)
    sent, let_go = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        sent.set()
        await let_go.wait()
        await route.continue_()

    await page.route(re.compile(r"/tickets/\d+/change$"), late, times=1)
    subject = page.locator(".subject-field")
    await subject.fill("The kettle drips")
    await subject.press("Enter")
    async with asyncio.timeout(15):
        await sent.wait()
    await subject.blur()
    await page.evaluate(
        """() => {
            document.addEventListener("htmx:after:swap", () => document.body.dataset.swapped = "");
            document.body.dispatchEvent(new CustomEvent("stale-ticket")); // as hints do
        }"""
    )
    await expect(page.locator("body")).to_have_attribute("data-swapped", "")
    await expect(subject).to_have_value("The kettle drips")
    let_go.set()
    await expect(page.locator("#edit-subject [name=version]")).to_have_value("2")
    await expect(subject).to_have_value("The kettle drips")


async def test_what_was_refused_is_read_before_somebody_elses_change_takes_it_away(stage: Stage):
    page, ticket = await _leaking(stage)
    subject, refusal = page.locator(".subject-field"), page.get_by_role("alert")
    await subject.fill("A kettle leaks")
    await change(stage, ticket, subject="The kettle drips")
    await expect(page.locator("#edit-state [name=version]")).to_have_value("2")
    await subject.press("Enter")
    await expect(refusal).to_contain_text("Bo changed subject to “The kettle drips”")
    await change(stage, ticket, priority="high")
    await expect(page.locator("#priority")).to_have_value("high")
    await expect(refusal).to_contain_text("A kettle leaks")
    again = refusal.get_by_role("button", name="Change it all the same")
    await again.click()
    await expect(refusal).to_contain_text("Bo changed priority to “high”")  # which they had not been told
    await again.click()
    await expect(subject).to_have_value("A kettle leaks")
    await expect(refusal).to_have_count(0)


async def change(stage: Stage, ticket: int, **changes: object) -> None:
    """By Bo, somewhere else."""
    log, bo = stage.world.server.log, stage.world.agents["bo"]
    await tickets.change(log, ticket, changes=changes, version=None, actor=bo, now=clock())


async def test_a_region_that_could_not_be_fetched_is_asked_for_again(stage: Stage):
    page = await stage.desk("amy")
    await page.route(re.compile(r"/desk$"), lambda route: route.fulfill(status=502), times=1)
    await go(stage, "meal")
    await expect(page.locator(".presence-name")).to_have_text("Meal", timeout=10_000)


async def test_a_server_that_falls_silent_is_left(stage: Stage):
    page = await stage.desk("amy")
    sockets: list[WebSocketRoute] = []

    def first_is_silent(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        if len(sockets) == 1:
            socket.on_message(lambda _: None)
            server.on_message(lambda _: None)

    await page.route_web_socket(re.compile("/api/v1/desk"), first_is_silent)
    await page.clock.install()
    await page.reload()
    await go(stage, "meal")
    await expect(page.locator(".presence-name")).to_have_text("Offline")
    for _ in range(2):
        await page.clock.fast_forward(21_000)
    await expect(page.locator(".presence-name")).to_have_text("Meal")
    assert len(sockets) == 2


async def test_what_is_typed_while_the_time_runs_out_is_shown_and_gives_no_commands(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    call = await stage.world.call()
    await call.until("talking")
    await stage_is(page, "active")
    await go(stage, "break")
    call.hangup()
    await stage_is(page, "wrapping")
    await page.route("**/draft", lambda route: route.fulfill(status=502))
    await page.keyboard.press("n")
    await page.keyboard.type("promised a refund ")
    reservation = await stage.world.pool.fetchval("select id from reservation")
    await interactions.close_time_box(stage.world.server.log, reservation, note=None, now=clock())
    after = 0
    while after < 5:
        await page.keyboard.press("q")
        after += await page.locator("#stage").get_attribute("data-state") == "idle"
    await expect(page.locator("#toasts .left-text")).to_contain_text("promised a refund q")
    await expect(page.locator(".presence-name")).to_have_text("Break")
    await page.get_by_role("button", name="Close").click()
    await expect(page.locator("#toasts .left-text")).to_have_count(0)


async def test_a_second_tab_has_what_was_typed_in_the_first(stage: Stage):
    page = await stage.desk("amy")
    await stage.ready(page)
    second = await page.context.new_page()
    await second.goto(stage.world.server.url)
    call = await stage.world.call()
    await call.until("talking")
    for tab in (page, second):
        await stage_is(tab, "active")
    await page.locator("textarea").fill("wants his money back")
    await expect(page.locator(".saved")).to_have_text("saved")
    await expect(second.locator("textarea")).to_have_value("")
    await second.evaluate("dispatchEvent(new Event('focus'))")
    await expect(second.locator("textarea")).to_have_value("wants his money back")
    async with second.expect_response(lambda response: response.url.endswith("/draft")):
        await second.keyboard.press("2")
    drafts = await stage.world.pool.fetch("select note, disposition from draft")
    assert [tuple(row) for row in drafts] == [("wants his money back", "call_back")]
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(page.locator("[name=disposition]:checked")).to_have_value("call_back")
    call.hangup()
