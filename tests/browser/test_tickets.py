"""A morning with tickets in a real browser, by keys: a list, a ticket, a lost race, a draft, a solution, a task."""

from playwright.async_api import expect

from callcenter import toml
from callcenter.actions import organisation, solutions, tasks, tickets
from callcenter.app import clock
from callcenter.domain.organisation_file import understand
from callcenter.store.rules import TaskPlan
from callcenter.store.tickets import get
from tests.browser.stage import Stage
from tests.builders import eventually

FILE = """
[tickets]
types = ["question", "repair"]
categories = ["hardware/kettle", "delivery"]

[[tickets.fields]]
name = "serial"
type = "text"
title = { en = "Serial number" }
required = { state = "resolved" }
"""


async def test_a_ticket_is_worked_on_by_keys_from_the_list_to_its_last_task(stage: Stage):
    world, amy, bo = stage.world, stage.world.agents["amy"], stage.world.agents["bo"]
    log, directory = world.server.log, world.server.directory
    file = understand(toml.parse(FILE, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=clock())

    async def known() -> bool:
        return bool(directory.ticket_rules.fields)

    await eventually(known)
    ids = []
    for subject, text in (("The kettle leaks", "Water on the table"), ("A parcel", "Late")):
        made = await tickets.open_ticket(
            log, subject=subject, customer=None, interaction=None, queue=world.queue, priority="normal", text=text,
            actor=amy, owner=amy, now=clock(),
        )  # fmt: skip
        ids.append(made.id)
    kettle = ids[0]
    plan = TaskPlan("Send a new lid", "agent:amy")
    await tasks.open_task(log, directory, plan=plan, ticket=kettle, actor=amy, now=clock())
    texts = {"en": ("When a kettle leaks", "Press the **lid** down.")}
    await solutions.create(log, texts=texts, publish=True, actor=None, now=clock())

    # A list, and into the ticket, by keys.
    page = await stage.desk("amy", path="/tickets")
    await expect(page.locator(".row-link")).to_have_count(2)
    await page.keyboard.press("2")
    await expect(page.locator(".list-title")).to_have_text("Open in a queue")
    await page.keyboard.press("j")
    while "kettle" not in str(await page.evaluate("document.activeElement.textContent")):
        await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator(".subject-field")).to_have_value("The kettle leaks")

    # A field is changed; the refusal of another one names what is missing.
    await page.keyboard.press("c")
    await page.locator("#category").select_option("hardware/kettle")
    await expect(page.locator("#edit-category [name=version]")).to_have_value("2")
    await page.locator("#state").select_option("resolved")
    await expect(page.get_by_role("alert")).to_contain_text("First fill in: Serial number.")
    await expect(page.locator("#state")).to_have_value("open")
    await page.locator("#field-serial").fill("SN 1")
    await page.locator("#field-serial").press("Enter")
    await expect(page.locator("#edit-category [name=version]")).to_have_value("3")

    # Somebody is quicker while a serial number is typed: it is seen, and both are kept in the end.
    await page.locator("#field-serial").press_sequentially("2")
    await tickets.change(log, kettle, changes={"fields": {"serial": "SN 9"}}, version=None, actor=bo, now=clock())
    await expect(page.locator("#edit-type [name=version]")).to_have_value("4")
    await page.locator("#field-serial").press("Enter")
    lost = page.locator(".lost")
    await expect(lost).to_contain_text("Bo changed Serial number to “SN 9”")
    await lost.get_by_role("button", name="Change it all the same").click()
    await expect(lost).to_have_count(0)
    assert (await get(world.pool, kettle)).fields == {"serial": "SN 12"}

    # What is being written outlives the page; a solution comes into it by one key.
    await page.locator("body").press("n")
    await page.keyboard.type("Dear customer,")

    async def saved() -> bool:
        return bool(await world.pool.fetchval("select text from ticket_draft") == "Dear customer,")

    await eventually(saved)
    await page.reload()
    note = page.locator("[data-draft]")
    await expect(note).to_have_value("Dear customer,")
    await expect(page.locator(".hit-title")).to_have_text("When a kettle leaks")
    await page.keyboard.press("u")
    await expect(note).to_have_value("Dear customer,\nPress the lid down.")
    await note.press("Control+Enter")
    await expect(page.locator(".conversation")).to_contain_text("Press the lid down.")

    # An answer says to whom it goes, a note does not; it may go to another address.
    await expect(page.locator(".receivers")).to_be_hidden()
    await page.locator("body").press("a")
    await expect(page.locator(".receiver")).to_contain_text("No address is known")
    await page.get_by_placeholder("To another address").fill("li@other.example")
    await note.fill("A lid is on its way.")
    await note.press("Control+Enter")
    await expect(page.locator(".said-letter")).to_contain_text("li@other.example")

    # A task is ticked, and what was changed is told.
    await page.locator(".task-check").click()
    await expect(page.locator(".task.is-done")).to_have_count(1)
    await page.locator("body").press("h")
    await expect(page.locator(".step-list")).to_contain_text("SN 9 → SN 12")
