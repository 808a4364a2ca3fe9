"""What tickets owe, over REST."""

from callcenter import toml
from callcenter.actions import organisation, sla
from callcenter.domain.organisation_file import understand
from tests.builders import later
from tests.web.conftest import Doors

POLICY = """
[[sla_policies]]
name = "all"
own = "10m"
resolution = "1h"
"""


async def test_a_ticket_tells_its_clocks_alone_and_in_lists(doors: Doors) -> None:
    file = understand(toml.parse(POLICY, "org.toml"), {})
    await organisation.apply(doors.log, file, prune=False, actor=None, now=doors.clock())
    response = await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": "x", "owner": "amy"})
    ticket = await response.json()
    owned, resolution = ticket["clocks"]
    assert (owned["clock"], owned["state"], owned["difference_seconds"]) == ("own", "met", 600)
    due = f"{later(3600, doors.clock()):%Y-%m-%dT%H:%M:%SZ}"
    assert resolution == {
        "clock": "resolution", "state": "running", "due_at": due, "met_at": None, "breached_at": None,
        "remaining_seconds": None, "difference_seconds": None,
    }  # fmt: skip
    path = f"/api/v1/tickets/{ticket['id']}"
    paused = await (await doors.call("amy", "PATCH", path, json={"state": "pending"})).json()
    assert (paused["clocks"][1]["state"], paused["clocks"][1]["due_at"]) == ("paused", None)
    assert paused["clocks"][1]["remaining_seconds"] == 3600
    await doors.call("amy", "PATCH", path, json={"state": "open"})
    await sla.sweep(doors.log, doors.directory, now=later(3600, doors.clock()))
    whole = await doors.get("amy", path)
    [item] = (await doors.get("amy", "/api/v1/tickets"))["items"]
    assert whole["clocks"] == item["clocks"]
    assert (item["clocks"][1]["state"], item["clocks"][1]["breached_at"]) == ("breached", due)
    assert item["version"] == whole["version"] == 3
