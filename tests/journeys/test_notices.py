"""What happens reaches people and systems outside: a phone that is read to, the next one up the line, a webhook."""

from ipaddress import ip_network

from callcenter import toml
from callcenter.actions import organisation
from callcenter.app import clock
from callcenter.domain.callout import ATTEMPTS
from callcenter.domain.organisation_file import understand
from tests.builders import eventually
from tests.channels.webhooks.system import a_system
from tests.journeys.world import World, a_world

POLICY = """
[[sla_policies]]
name = "all"
resolution = "1s"
escalations = [{ clock = "resolution", at = "+0m", actions = [{ notify = "owner", by = ["phone"] }] }]
"""


async def escalate(world: World) -> int:
    """A ticket of amy's that is late in a second; its id."""
    await world.pool.execute("update users set manager_id = $1 where name = 'amy'", world.agents["sue"])
    file = understand(toml.parse(POLICY, "org.toml"), {})
    await organisation.apply(world.server.log, file, prune=False, actor=None, now=clock())
    ticket = await world.ask("POST", "/tickets", subject="No hot water", owner="amy")
    await world.until("ticket.escalated", ticket=ticket["id"])
    return int(ticket["id"])


async def test_the_phone_rings_and_a_key_says_that_the_notice_is_known(database: str) -> None:
    async with a_world(database) as world:
        phone = world.pbx.phone("PJSIP/1001", answers_after=0.02)
        ticket = await escalate(world)

        async def talking() -> bool:
            phone.presses("1")
            return bool([event for event in world.events if event["kind"] == "notice.seen"])

        await eventually(talking)
        seen = await world.until("notice.seen")
        assert (seen["agent"], seen["ticket"]) == ("amy", ticket)
        [notice] = (await world.ask("GET", "/notices"))["items"]
        assert notice["call"] == "acknowledged"
        assert notice["seen_at"] is not None
        assert (await world.ask("GET", "/notices", who="sue"))["items"] == []


async def test_whom_nobody_can_wake_is_followed_by_their_manager(database: str) -> None:
    async with a_world(database) as world:
        world.pbx.phone("PJSIP/1001", busy=True)
        boss = world.pbx.phone("PJSIP/1009", answers_after=0.02)
        await escalate(world)
        for attempt in range(1, ATTEMPTS + 1):

            async def tried(attempt: int = attempt) -> bool:
                return bool(await world.pool.fetchval("select attempts = $1 from phone_notice", attempt))

            await eventually(tried)
            await world.pool.execute("update phone_notice set due_at = $1", clock())
        unanswered = await world.until("notice.unanswered")
        assert (unanswered["agent"], unanswered["data"]["notified"]) == ("amy", [world.agents["sue"]])

        async def known() -> bool:
            boss.presses("1")
            return bool([event for event in world.events if event["kind"] == "notice.seen"])

        await eventually(known)
        assert (await world.until("notice.seen"))["agent"] == "sue"
        states = await world.pool.fetch("select state from phone_notice order by id")
        assert [row["state"] for row in states] == ["failed", "acknowledged"]


async def test_another_system_hears_of_what_it_subscribes_to(database: str) -> None:
    networks = (ip_network("127.0.0.0/8"),)
    async with a_system() as system, a_world(database, webhook_networks=networks) as world:
        url = f"http://127.0.0.1:{system.port}/hook"
        text = f'[[webhooks]]\nname = "crm"\nurl = "{url}"\nevents = ["ticket.*"]\nsecret = "0123456789abcdef"\n'
        file = understand(toml.parse(text, "org.toml"), {})
        await organisation.apply(world.server.log, file, prune=False, actor=None, now=clock())
        ticket = await world.ask("POST", "/tickets", subject="No hot water", owner="amy")

        async def heard() -> bool:
            return bool(system.got)

        await eventually(heard)
        [said] = system.bodies()
        assert (said["kind"], said["ticket"], said["agent"]) == ("ticket.opened", ticket["id"], "amy")
