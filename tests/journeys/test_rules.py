"""A whole server carries out rules by itself: within the act, and while nobody does anything."""

from callcenter import toml
from callcenter.actions import organisation
from callcenter.app import clock
from callcenter.domain.organisation_file import understand
from tests.journeys.world import World, a_world

RULES = """
[[triggers]]
name = "hot"
on = "opened"
when = { text = "smoke" }
then = [{ priority = "urgent" }, { task = { title = "Call back", assignee = "owner", due = "1s" } }]
[[automations]]
name = "wait"
since = "pending"
after = "60s"
then = [{ set = { state = "resolved" } }]
"""


async def apply(world: World, text: str) -> None:
    file = understand(toml.parse(text, "org.toml"), {})
    await organisation.apply(world.server.log, file, prune=False, actor=None, now=clock())
    await world.server.directory.load()


async def test_a_trigger_opens_a_task_and_the_sweep_says_that_it_is_overdue(database: str):
    async with a_world(database) as world:
        await apply(world, RULES)
        ticket = await world.ask("POST", "/tickets", subject="Smoke!", owner="amy")
        assert (ticket["priority"], ticket["version"]) == ("urgent", 2)
        changed = await world.until("ticket.changed", ticket=ticket["id"])
        assert (changed["actor"], changed["data"]["rule"]) == (None, "trigger:hot")
        overdue = await world.until("task.overdue", ticket=ticket["id"])
        assert overdue["data"]["notified"] == [world.agents["amy"]]
        [task] = (await world.ask("GET", f"/tickets/{ticket['id']}/tasks"))["items"]
        assert (task["assignee"], task["overdue"], task["rule"]) == ("agent:amy", True, "trigger:hot")


async def test_an_automation_that_is_applied_later_finds_the_tickets_that_wait_already(database: str):
    async with a_world(database) as world:
        ticket = await world.ask("POST", "/tickets", subject="x", owner="amy")
        await world.ask("PATCH", f"/tickets/{ticket['id']}", state="pending")
        await world.pool.execute("update sla_pause set began_at = began_at - interval '1 hour'")
        await apply(world, RULES)
        resolved = await world.until("ticket.resolved", ticket=ticket["id"], within=15)
        assert (resolved["actor"], resolved["data"]["rule"]) == (None, "automation:wait")
