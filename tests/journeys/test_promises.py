"""A whole server keeps promises by itself: it sleeps until one is due, and hears when it moves."""

from datetime import timedelta

from callcenter import toml
from callcenter.actions import organisation
from callcenter.app import clock
from callcenter.domain.organisation_file import understand
from tests.journeys.world import World, a_world

POLICY = """
[[sla_policies]]
name = "all"
resolution = "{resolution}"
escalations = [
  {{ clock = "resolution", at = "50%", actions = [{{ notify = "owner" }}] }},
  {{ clock = "resolution", at = "+0m", actions = [{{ notify = "role:supervisor" }}, {{ priority = "high" }}] }},
]
"""


async def promise(world: World, resolution: str) -> None:
    file = understand(toml.parse(POLICY.format(resolution=resolution), "org.toml"), {})
    await organisation.apply(world.server.log, file, prune=False, actor=None, now=clock())


async def test_a_ticket_that_nobody_solves_warns_and_escalates_in_time(database: str):
    async with a_world(database) as world:
        await promise(world, "1200ms")
        ticket = await world.ask("POST", "/tickets", subject="No hot water", owner="amy")
        warned = await world.until("sla.warned", ticket=ticket["id"])
        assert warned["agent"] == "amy"
        breached = await world.until("sla.breached", ticket=ticket["id"])
        escalated = await world.until("ticket.escalated", ticket=ticket["id"], level=2)
        assert escalated["data"]["notified"] == [world.agents["sue"]]
        due = ticket["clocks"][-1]["due_at"]
        assert breached["data"]["due_at"][:19] == due[:19]
        assert breached["data"]["late"] is False
        found = await world.ask("GET", f"/tickets/{ticket['id']}")
        assert found["priority"] == "high"
        assert found["clocks"][-1]["state"] == "breached"


async def test_another_promise_moves_open_tickets_while_the_server_runs(database: str):
    async with a_world(database) as world:
        await promise(world, "8h")
        ticket = await world.ask("POST", "/tickets", subject="No hot water", owner="amy")
        await world.ask("PATCH", f"/tickets/{ticket['id']}", state="pending")
        await world.until("sla.paused", ticket=ticket["id"])
        await promise(world, "100ms")
        await world.ask("PATCH", f"/tickets/{ticket['id']}", state="open")
        await world.until("ticket.escalated", ticket=ticket["id"], level=2, within=10)
        waited = await world.pool.fetchval("select max(at) - min(at) from contact_log where kind like 'sla.%'")
        assert waited < timedelta(seconds=10)
