"""The star in a mail is the whole answer, in a real browser."""

from playwright.async_api import async_playwright, expect

from callcenter.app import clock
from callcenter.domain import link
from callcenter.store.surveys import link_key
from tests.browser.stage import CHROMIUM, Stage
from tests.builders import later


async def links(stage: Stage) -> dict[int, str]:
    """Each answer's address, as the mail of a customer who had a call has them."""
    pool = stage.world.pool
    contact = await pool.fetchval(
        "insert into interaction (channel, direction, state, queue_id, arrived_at, queued_at, ended_at, closed_at)"
        " values ('phone', 'inbound', 'closed', $1, now(), now(), now(), now()) returning id",
        stage.world.queue,
    )
    survey = await pool.fetchval(
        "insert into survey (interaction_id, queue_id, ask, bad, asked_at, expires_at, change_within)"
        " values ($1, $2, 'csat', 2, now(), now() + interval '1 day', interval '1 hour') returning id",
        contact,
        stage.world.queue,
    )
    token = link.sign(await link_key(pool), "survey", survey, expires=later(86400, clock()))
    return {score: f"{stage.world.server.url}/survey?t={token}&score={score}" for score in range(1, 6)}


async def test_a_click_in_the_mail_is_the_answer_and_the_reason_may_follow(stage: Stage):
    to = await links(stage)
    async with async_playwright() as playwright:
        # As browsers of people are: they do not say that a program drives them.
        own = ["--no-sandbox", "--disable-blink-features=AutomationControlled"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=own)
        page = await (await browser.new_context(locale="en-US")).new_page()
        await page.goto(to[4])
        await expect(page.locator(".done")).to_contain_text("Thank you. You answered: 4/5")
        await page.goto(to[2])
        await expect(page.locator(".done")).to_contain_text("Thank you. You answered: 2/5")
        await page.get_by_label("What was good").fill("Nobody called back.")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Change answer").click()
        await expect(page.locator(".done")).to_contain_text("Thank you. You answered: 2/5")
        await browser.close()
    row = await stage.world.pool.fetchrow(
        "select s.score, s.comment, m.text from survey s join message m on m.id = s.message_id"
    )
    assert row is not None
    assert (row["score"], row["comment"]) == (2, "Nobody called back.")
    assert row["text"].endswith("\n\nNobody called back.")


async def test_a_program_that_looks_through_mails_answers_nothing(stage: Stage):
    to = await links(stage)
    page = await (await stage.context()).new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    for score, address in to.items():
        await page.goto(address)
        await expect(page.locator(f"input[name=score][value='{score}']")).to_be_checked()
        await page.wait_for_load_state("networkidle")
    assert set(sent) == {"GET"}
    assert await stage.world.pool.fetchval("select score from survey") is None
    await page.get_by_role("button", name="Send answer").click()
    await expect(page.locator(".done")).to_contain_text("Thank you. You answered: 5/5")
