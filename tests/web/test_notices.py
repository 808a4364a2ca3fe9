"""Notices of tickets and deliveries to other systems, over REST."""

from callcenter import toml
from callcenter.actions import organisation, sla
from callcenter.domain.agent import Role
from callcenter.domain.organisation_file import understand
from tests.builders import later
from tests.web.conftest import Doors

ORGANISATION = """
[[webhooks]]
name = "crm"
url = "https://crm.example.com/hook"
secret = "0123456789abcdef"
[[sla_policies]]
name = "all"
resolution = "1h"
escalations = [{ clock = "resolution", at = "+0m", actions = [{ notify = "owner" }, { webhook = "crm" }] }]
"""


async def escalate(doors: Doors) -> int:
    file = understand(toml.parse(ORGANISATION, "org.toml"), {})
    await organisation.apply(doors.log, file, prune=False, actor=None, now=doors.clock())
    response = await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": "No hot water", "owner": "amy"})
    ticket = await response.json()
    await sla.sweep(doors.log, doors.directory, now=later(3600, doors.clock()))
    return int(ticket["id"])


async def test_people_read_their_own_notices_and_say_that_they_have_seen_them(doors: Doors) -> None:
    ticket = await escalate(doors)
    [notice] = (await doors.get("amy", "/api/v1/notices"))["items"]
    assert (notice["ticket"], notice["subject"], notice["clock"]) == (ticket, "No hot water", "resolution")
    assert (notice["seen_at"], notice["call"]) == (None, None)
    assert (await doors.get("bo", "/api/v1/notices"))["items"] == []
    assert (await doors.call("bo", "POST", f"/api/v1/notices/{notice['id']}/seen")).status == 404
    assert (await doors.call("amy", "POST", f"/api/v1/notices/{notice['id']}/seen")).status == 204
    assert (await doors.call("amy", "POST", "/api/v1/notices/seen")).status == 204
    assert (await doors.get("amy", "/api/v1/notices?seen=false"))["items"] == []
    [seen] = (await doors.get("amy", "/api/v1/notices?seen=true"))["items"]
    assert seen["seen_at"] is not None


async def test_administrators_see_what_was_given_up_and_send_it_once_more(doors: Doors) -> None:
    await doors.add_user("ada", Role.ADMINISTRATOR)
    await escalate(doors)
    [delivery] = (await doors.get("ada", "/api/v1/deliveries?webhook=crm"))["items"]
    assert (delivery["kind"], delivery["state"], delivery["attempts"]) == ("ticket.escalated", "waiting", 0)
    path = f"/api/v1/deliveries/{delivery['id']}/retry"
    assert (await doors.call("ada", "POST", path)).status == 409
    assert (await doors.call("ada", "POST", "/api/v1/deliveries/99/retry")).status == 404
    await doors.log.pool.execute("update delivery set state = 'failed', ended_at = now(), last_error = '500 oops'")
    [failed] = (await doors.get("ada", "/api/v1/deliveries?state=failed"))["items"]
    assert failed["last_error"] == "500 oops"
    text = await (await doors.call("ada", "GET", "/metrics")).text()
    assert 'callcenter_webhook_deliveries{state="failed",webhook="crm"} 1.0' in text
    assert (await doors.call("ada", "POST", path)).status == 204
    assert (await doors.get("ada", "/api/v1/deliveries?state=failed"))["items"] == []
    assert (await doors.call("sue", "GET", "/api/v1/deliveries")).status == 403


async def test_an_address_that_is_no_id_leads_nowhere(doors: Doors) -> None:
    await doors.add_user("ada", Role.ADMINISTRATOR)
    for path in ("notices/x/seen", "notices/99999999999999999999/seen", "deliveries/x/retry"):
        assert (await doors.call("ada", "POST", f"/api/v1/{path}")).status == 404
