"""Tasks, checklists and macros over REST, and rules whose work the answer shows."""

from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.actions.reactions import Reactions
from callcenter.domain.organisation_file import understand
from tests.web.conftest import Doors

RULES = """
[[triggers]]
name = "urgent"
on = "changed"
when = { changed = "priority", priority = "urgent" }
then = [{ note = "Hurry." }, { set = { category = "hot" } }]
[[checklists]]
name = "return"
title = "Return of goods"
in_order = true
required = true
steps = [{ title = "Send a label", due = "2h" }, { title = "Pay back", assignee = "queue:support" }]
[[macros]]
name = "solve"
title = "Solved"
then = [{ reply = "It works again." }, { set = { state = "resolved" } }]
"""


@pytest.fixture
async def rules(doors: Doors) -> Doors:
    file = understand(toml.parse(RULES, "org.toml"), {})
    await organisation.apply(doors.log, file, prune=False, actor=None, now=doors.clock())
    await doors.directory.load()
    doors.log.before_commit = Reactions(doors.directory)
    return doors


async def ask(doors: Doors, method: str, path: str, status: int = 200, version: int | None = None, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {doors.tokens['amy']}"}
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    response = await doors.client.request(method, f"/api/v1{path}", json=body or None, headers=headers)
    answer = await response.json()
    assert response.status == status, answer
    return answer


async def a_ticket(doors: Doors) -> Any:
    return await ask(doors, "POST", "/tickets", 201, subject="No hot water")


async def test_the_answer_shows_what_the_rules_made_of_a_change(rules: Doors):
    ticket = await a_ticket(rules)
    changed = await ask(rules, "PATCH", f"/tickets/{ticket['id']}", version=1, priority="urgent")
    assert (changed["category"], changed["version"]) == ("hot", 4)
    await ask(rules, "PATCH", f"/tickets/{ticket['id']}", version=4, subject="x")


async def test_a_task_is_opened_found_changed_and_finished(rules: Doors):
    ticket = await a_ticket(rules)
    task = await ask(
        rules, "POST", f"/tickets/{ticket['id']}/tasks", 201, title="Call back", assignee="agent:amy",
        due_after_seconds=3600, remind_before_seconds=600,
    )  # fmt: skip
    assert (task["assignee"], task["state"], task["due_at"]) == ("agent:amy", "open", "2026-03-10T09:30:00Z")
    alone = await ask(rules, "POST", "/tasks", 201, title="Order paper", assignee="queue:support")
    for query, found in {
        "": [task, alone],
        "?assignee=me": [task],
        "?assignee=queue:support": [alone],
        "?due=2026-03-10T10:00:00Z": [task],
        "?due=overdue": [],
        "?state=done": [],
        f"?ticket={ticket['id']}": [task],
    }.items():
        assert (await ask(rules, "GET", f"/tasks{query}"))["items"] == found, query
    done = await ask(rules, "PATCH", f"/tasks/{task['id']}", version=1, state="done")
    assert (done["state"], done["ended_by"], done["version"]) == ("done", "amy", 2)
    late = await ask(rules, "PATCH", f"/tasks/{task['id']}", 412, version=1, title="x")
    assert "at version 2 now" in late["detail"]
    assert (await ask(rules, "GET", f"/tasks/{task['id']}"))["title"] == "Call back"
    handed = await ask(
        rules, "PATCH", f"/tasks/{alone['id']}", assignee="agent:amy", due_at="2026-03-11T09:00:00+08:00"
    )
    assert (handed["assignee"], handed["due_at"]) == ("agent:amy", "2026-03-11T01:00:00Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x", "assignee": "bo"}, "assignee"),
        ({"title": "x", "assignee": "agent:nobody"}, "assignee"),
        ({"title": "x", "hours": "moon", "due_after_seconds": 60}, "hours"),
        ({"title": "x", "remind_before_seconds": 60}, "remind_before_seconds"),
        ({"title": "x", "due_at": "2026-03-10T10:00:00"}, "due_at"),
        ({"title": "x", "due_at": "2026-03-10T10:00:00Z", "due_after_seconds": 60}, "due_at"),
    ],
)
async def test_a_bad_task_is_refused_with_its_field(rules: Doors, body, field):
    refused = await ask(rules, "POST", "/tasks", 422, **body)
    assert [each["field"] for each in refused["errors"]] == [field]


async def test_a_checklist_holds_the_ticket_until_it_is_done(rules: Doors):
    ticket = await a_ticket(rules)
    [listed] = (await ask(rules, "GET", "/checklists"))["items"]
    assert listed == {
        "name": "return", "title": "Return of goods", "in_order": True, "required": True,
        "steps": ["Send a label", "Pay back"],
    }  # fmt: skip
    found = (await ask(rules, "POST", f"/tickets/{ticket['id']}/checklist", 201, checklist="return"))["items"]
    assert [(each["title"], each["state"]) for each in found] == [("Send a label", "open"), ("Pay back", "waiting")]
    await ask(rules, "POST", f"/tickets/{ticket['id']}/checklist", 409, checklist="return")
    refused = await ask(rules, "PATCH", f"/tickets/{ticket['id']}", 409, state="resolved")
    assert refused["detail"] == "These tasks must be done first: Send a label, Pay back."
    for task in found:
        await ask(rules, "PATCH", f"/tasks/{task['id']}", state="done")
    assert (await ask(rules, "PATCH", f"/tickets/{ticket['id']}", state="resolved"))["state"] == "resolved"
    assert len((await ask(rules, "GET", f"/tickets/{ticket['id']}/tasks"))["items"]) == 2
    await ask(rules, "GET", "/tickets/999/tasks", 404)


async def test_a_macro_is_applied_to_one_ticket_or_to_several(rules: Doors):
    tickets = [await a_ticket(rules) for _ in range(3)]
    assert (await ask(rules, "GET", "/macros"))["items"] == [{"name": "solve", "title": "Solved"}]
    first = tickets[0]["id"]
    await ask(rules, "POST", f"/tickets/{first}/macro", 412, version=7, macro="solve")
    await ask(rules, "POST", f"/tickets/{first}/macro", version=1, macro="solve")
    assert (await ask(rules, "GET", f"/tickets/{first}"))["messages"][0]["author"] == "amy"
    await ask(rules, "PATCH", f"/tickets/{first}", state="closed")
    done = await ask(rules, "POST", "/macros/solve/apply", tickets=[each["id"] for each in tickets])
    assert [each["refused"] for each in done["items"]] == [
        "The ticket is closed; reopen it to answer.",
        None,
        None,
    ]
    await ask(rules, "POST", "/macros/nothing/apply", 404, tickets=[first])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_task_due_beyond_all_calendars_is_refused(doors: Doors, moment: str):
    refused = await ask(doors, "POST", "/tasks", 422, title="x", due_at=moment, remind_before_seconds=60.0)
    assert refused["errors"][0]["field"] == "due_at"
    task = await ask(doors, "POST", "/tasks", 201, title="x")
    refused = await ask(doors, "PATCH", f"/tasks/{task['id']}", 422, version=1, due_at=moment)
    assert refused["errors"][0]["field"] == "due_at"
