"""Tickets and tasks that nobody has are offered as other work is, and are whose offer of them is accepted."""

from tests.builders import eventually
from tests.journeys.world import World, a_world


async def _offer(world: World) -> None:
    await world.pool.execute(
        "update queue set offers_tickets = true, offers_tasks = true, ring_timeout = interval '1 second' "
        "where name = 'support'"
    )
    await world.applied()


async def test_a_ticket_nobody_answers_goes_to_the_next_agent_with_its_time_and_is_theirs(database: str) -> None:
    async with a_world(database) as world:
        await _offer(world)
        await world.on_queue("amy")
        ticket = await world.ask("POST", "/tickets", who="sue", subject="No hot water", queue="support")
        reserved = await world.until("interaction.reserved", agent="amy")
        ident, case = reserved["interaction"], ticket["id"]
        assert (reserved["data"]["channel"], reserved["queue"]) == ("ticket", "support")
        await world.pop("amy")
        queued_at = (await world.interaction(ident))["queued_at"]
        await world.until("reservation.timed_out", interaction=ident, agent="amy")
        await world.settled("amy", "not_responding")
        assert (await world.ask("GET", f"/tickets/{case}", who="sue"))["owner"] is None
        await world.pool.execute("update queue set ring_timeout = interval '30 seconds'")
        await world.on_queue("bo")
        await world.until("interaction.reserved", interaction=ident, agent="bo")
        assert (await world.interaction(ident))["queued_at"] == queued_at
        await world.ask("POST", f"/interactions/{ident}/accept", who="bo")
        mine = await world.ask("GET", f"/tickets/{case}", who="sue")
        assert (mine["owner"], mine["state"], mine["interactions"]) == ("bo", "open", [])
        await world.ask("POST", f"/interactions/{ident}/end", who="bo")
        await world.ask("POST", f"/interactions/{ident}/wrap-up", who="bo", disposition="solved")
        await world.until("interaction.closed", interaction=ident)
        assert (await world.ask("GET", f"/tickets/{case}", who="sue"))["owner"] == "bo"
        queues = (await world.ask("GET", "/queues", who="sue"))["items"]
        assert [queue["answered"] for queue in queues if queue["name"] == "support"] == [0]


async def test_a_ticket_that_is_taken_by_hand_leaves_the_desk_it_was_offered_to(database: str) -> None:
    async with a_world(database) as world:
        ticket = await world.ask("POST", "/tickets", who="sue", subject="No hot water", queue="support")
        await world.on_queue("amy")
        await world.pool.execute("update queue set offers_tickets = true where name = 'support'")
        await world.applied()
        reserved = await world.until("interaction.reserved", agent="amy")
        await world.ask("PATCH", f"/tickets/{ticket['id']}", who="sue", owner="bo")
        closed = await world.until("interaction.closed", interaction=reserved["interaction"])
        assert closed["data"]["cause"] == "ticket_taken"

        async def idle() -> bool:
            return await world.status("amy") == "idle"

        await eventually(idle)


async def test_a_ticket_of_a_call_is_offered_when_the_call_is_over(database: str) -> None:
    async with a_world(database) as world:
        await world.pool.execute("update queue set offers_tickets = true where name = 'support'")
        await world.applied()
        await world.on_queue("amy")
        call = await world.call()
        ident = (await world.until("interaction.answered"))["interaction"]
        await world.ask("POST", "/tickets", interaction=ident, subject="No hot water")
        call.hangup()
        await world.until("interaction.ended", interaction=ident)
        await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition="solved")
        await world.until("interaction.closed", interaction=ident)
        await world.until("interaction.reserved", agent="amy", channel="ticket")


async def test_a_task_of_a_queue_is_offered_and_is_whose_accepts_it(database: str) -> None:
    async with a_world(database) as world:
        await _offer(world)
        task = await world.ask("POST", "/tasks", who="sue", title="Send the cheque", assignee="queue:support")
        await world.pool.execute("update queue set ring_timeout = interval '30 seconds'")
        await world.on_queue("amy")
        reserved = await world.until("interaction.reserved", agent="amy", channel="task")
        ident = reserved["interaction"]
        await world.ask("POST", f"/interactions/{ident}/reject")
        await world.on_queue("bo")
        await world.until("interaction.reserved", interaction=ident, agent="bo")
        await world.ask("POST", f"/interactions/{ident}/accept", who="bo")
        assert (await world.ask("GET", f"/tasks/{task['id']}", who="sue"))["assignee"] == "agent:bo"
        await world.ask("PATCH", f"/tasks/{task['id']}", who="bo", state="done")
        assert (await world.interaction(ident))["state"] == "active"
