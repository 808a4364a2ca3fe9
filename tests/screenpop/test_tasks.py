"""Tasks on the glass: one's own on the desk, a ticket's in its panel, and notices of both."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import organisation, tasks, tickets
from callcenter.domain.organisation_file import understand
from callcenter.store import tasks as store
from callcenter.store.rules import TaskPlan
from screenpop.regions import stale
from tests.builders import NOW, later
from tests.screenpop.conftest import House, frame
from tests.screenpop.test_regions import event

CHECKLIST = """
[[checklists]]
name = "return"
title = "Return of goods"
in_order = true
required = true
steps = [{ title = "Send a label", assignee = "queue:support" }, { title = "Pay back" }]
"""


@pytest.fixture
async def ticket(house: House) -> int:
    file = understand(toml.parse(CHECKLIST, "org.toml"), {})
    await organisation.apply(house.log, file, prune=False, actor=None, now=NOW)
    await house.directory.load()
    opened = await tickets.open_ticket(
        house.log, subject="No hot water", customer=None, interaction=None, queue=None, priority="normal", text=None,
        actor=None, now=NOW,
    )  # fmt: skip
    return opened.id


async def add(house: House, title: str, who: str, ticket: int | None = None, due: float | None = None) -> store.Task:
    given: dict[str, Any] = {"ticket": ticket, "actor": house.users["sue"], "now": NOW}
    plan = TaskPlan(title, who, remind=None if due is None else timedelta(minutes=5))
    return await tasks.open_task(
        house.log, house.directory, plan=plan, due_at=None if due is None else later(due), **given
    )


async def text(house: House, path: str) -> str:
    return await (await house.client.get(path)).text()


async def test_the_desk_lists_what_is_mine_and_my_departments_and_takes_it_off_when_it_is_done(
    house: House, ticket: int
):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    mine = await add(house, "Call <b>back</b>", "agent:amy", ticket, due=60)
    while (await frame(desk, "hint"))["regions"] != ["desk"]:
        pass  # what was before it, of the queue
    await add(house, "Order paper", "queue:support")
    await add(house, "Bo's own", "agent:bo")
    page = await text(house, "/desk")
    assert "My tasks" in page
    assert "Call &lt;b&gt;back&lt;/b&gt;" in page
    assert "Order paper" in page
    assert "Bo's own" not in unescape(page)
    assert "New task for you" in page
    assert "Notices" in page
    page = await (await house.act("amy", f"/desk/tasks/{mine.id}/state", state="done")).text()
    assert "Call" not in page
    assert "New task for you" not in page
    await desk.close()


async def test_a_ticket_has_a_panel_of_its_tasks_with_its_checklist_in_order(house: House, ticket: int):
    await house.sign_in("amy")
    assert "Nothing is to be done by others." in await text(house, f"/desk/tickets/{ticket}/tasks")
    page = await (await house.act("amy", f"/desk/tickets/{ticket}/checklist", checklist="return")).text()
    assert page.index("Send a label") < page.index("Pay back")
    assert "waits its turn" in page
    assert "needed to resolve" in page
    assert "0/2" in page
    [first, _] = await store.of_ticket(house.pool, ticket)
    page = await (await house.act("amy", f"/desk/tasks/{first.id}/state?of=ticket", state="done")).text()
    assert "1/2" in page
    assert "waits its turn" not in page
    page = await (await house.act("amy", f"/desk/tickets/{ticket}/tasks", title="Call", assignee="agent:bo")).text()
    assert "Bo" in page
    again = await house.act("amy", f"/desk/tickets/{ticket}/checklist", checklist="return")
    assert again.status == 409
    assert (await house.client.get("/desk/tickets/99/tasks")).status == 404


async def test_a_task_that_is_overdue_is_told_and_shown_so(house: House):
    await add(house, "Call back", "agent:amy", due=60)
    await tasks.sweep(house.log, house.directory, now=later(61))
    house.moment.now = later(61)
    await house.sign_in("amy")
    page = await text(house, "/desk")
    assert "Task overdue" in page
    assert "is-breached" in page


def test_a_task_makes_the_desks_of_all_whom_it_concerns_stale():
    moved = stale([event("task.changed", agent=3, data={"before_user": 4, "notified": [5]})])
    assert moved.desks == {3, 4, 5}
