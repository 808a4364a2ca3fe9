"""The organisation's settings over REST: read, planned, applied, refused with every mistake, and told afterwards."""

from typing import Any

import pytest

from callcenter.domain.agent import Role
from tests.web.conftest import Doors


@pytest.fixture
async def house(doors: Doors) -> Doors:
    await doors.add_user("ann", Role.ADMINISTRATOR)
    return doors


async def ask(doors: Doors, method: str, path: str, who: str = "ann", /, **body: Any) -> tuple[int, Any]:
    response = await doors.call(who, method, f"/api/v1/organisation{path}", **({"json": body} if body else {}))
    return response.status, await response.json()


HOURS = '[[hours]]\nname = "office"\ntimezone = "UTC"\nweekly = { mon = ["09:00-17:00"] }\n'


async def test_only_administrators_read_or_change_the_settings(house: Doors):
    assert (await ask(house, "GET", "", "sue"))[0] == 403
    assert (await ask(house, "PUT", "", "sue", text=HOURS))[0] == 403
    assert (await ask(house, "GET", "/history", "amy"))[0] == 403


async def test_what_is_read_can_be_planned_applied_and_is_told_in_the_history(house: Doors):
    status, found = await ask(house, "GET", "")
    assert status == 200
    wanted = found["text"] + "\n" + HOURS
    status, planned = await ask(house, "POST", "/plan", text=wanted, prune=True)
    assert (status, planned["lines"]) == (200, ["+ hours office"])
    assert (await ask(house, "GET", ""))[1] == found
    status, done = await ask(house, "PUT", "", text=wanted, prune=True, version=found["version"])
    assert (status, done["created"]) == (200, 1)
    assert 'name = "office"' in (await ask(house, "GET", ""))[1]["text"]
    _, history = await ask(house, "GET", "/history")
    newest = history["items"][0]
    assert (newest["actor"], newest["via"], newest["lines"]) == ("Ann", "api", ["+ hours office"])


async def test_a_version_that_is_no_longer_in_force_changes_nothing(house: Doors):
    _, found = await ask(house, "GET", "")
    assert (await ask(house, "PUT", "", text=HOURS))[0] == 200
    status, problem = await ask(house, "PUT", "", text=HOURS.replace("17:00", "18:00"), version=found["version"])
    assert status == 409
    assert "Somebody else has applied something since" in problem["detail"]
    assert "18:00" not in (await ask(house, "GET", ""))[1]["text"]


async def test_every_mistake_is_named_with_line_and_key(house: Doors):
    text = HOURS.replace("UTC", "Moon") + '[[queues]]\nname = "q"\nhour = "x"\n'
    status, problem = await ask(house, "POST", "/plan", text=text)
    assert status == 422
    assert [(each["line"], each["field"]) for each in problem["errors"]] == [
        (3, "hours[1].timezone"), (7, "queues[1].hour"),
    ]  # fmt: skip


async def test_nobody_locks_themselves_out_or_reads_the_environment(house: Doors):
    status, problem = await ask(house, "PUT", "", text=HOURS, prune=True)
    assert status == 422
    assert "this is your own account" in problem["detail"]
    text = '[[webhooks]]\nname = "w"\nurl = "https://x.example"\nsecret_env = "HOME"\n'
    status, problem = await ask(house, "POST", "/plan", text=text)
    assert status == 422
    assert "only a file on the server may name its environment" in problem["detail"]
