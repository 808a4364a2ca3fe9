"""Who gets a call: skills that are asked for less with time, and the word of a supervisor."""

from datetime import datetime

from tests.builders import make_queue
from tests.journeys.world import a_world


async def test_a_step_later_somebody_with_less_skill_is_rung(database: str) -> None:
    queue = {"needs": {"zh": 3}, "steps": [{"after": "1s", "needs": {}}]}
    async with a_world(database, queue=queue) as world:
        await world.on_queue("amy")
        call = await world.call()
        await call.until("talking")
        ident = (await world.until("interaction.answered", agent="amy"))["interaction"]
        item = await world.interaction(ident)
        waited = datetime.fromisoformat(item["answered_at"]) - datetime.fromisoformat(item["queued_at"])
        assert waited.total_seconds() >= 1
        decision = (await world.ask("GET", f"/interactions/{ident}/why", who="sue"))["decision"]
        assert (decision["step"], [each["agent"] for each in decision["candidates"]]) == (1, ["amy"])
        call.hangup()
        await call.until("ended")


async def test_a_caller_who_is_moved_is_rung_for_by_the_other_queue(database: str) -> None:
    async with a_world(database) as world:
        await world.pool.execute("delete from queue_member")
        await make_queue(world.pool, "billing", members=[world.agents["cy"]])
        await world.applied()
        await world.on_queue("cy")
        call = await world.call()
        await call.until("waiting")
        ident = (await world.until("interaction.queued"))["interaction"]
        await world.ask("POST", f"/interactions/{ident}/move", who="sue", queue="billing", priority=5)
        await call.until("talking")
        item = await world.interaction(ident)
        assert (item["queue"], item["agent"], item["priority"]) == ("billing", "cy", 5)
        call.hangup()
        await call.until("ended")


async def test_a_caller_comes_back_to_the_agent_they_talked_with(database: str) -> None:
    async with a_world(database, queue={"prefer": "last_agent"}) as world:
        await world.on_queue("amy")
        first = await world.call()
        await first.until("talking")
        ident = (await world.until("interaction.answered"))["interaction"]
        await world.on_queue("bo", "cy")
        first.hangup()
        await world.settled("amy", "wrap_up")
        second = await world.call()
        await second.until("waiting")
        again = (await world.until("interaction.queued", count=2))["interaction"]
        why = await world.ask("GET", f"/interactions/{again}/why", who="sue")
        assert "It waits for amy until" in why["waiting_because"]
        await world.ask("POST", f"/interactions/{ident}/wrap-up", who="amy", note="Until later.")
        await second.until("talking")
        why = await world.ask("GET", f"/interactions/{again}/why", who="sue")
        assert (why["decision"]["agent"], why["chosen_because"]) == ("amy", "amy was preferred: last agent.")
        second.hangup()
        await second.until("ended")


async def test_a_caller_who_is_taken_out_hears_that_it_is_closed_and_the_phone_stops_ringing(database: str) -> None:
    async with a_world(database, queue={"closed_announcement": "sorry"}) as world:
        world.pbx.prompts["sorry"] = 0.1
        world.pbx.phone("PJSIP/1001", answers_after=60)
        for ringing in (False, True):
            if ringing:
                await world.on_queue("amy")
            call = await world.call()
            await call.until("ringing" if ringing else "waiting")
            arrived = await world.until("interaction.arrived", external_id=f"default/{call.uniqueid}")
            ident = arrived["interaction"]
            await world.ask("POST", f"/interactions/{ident}/take-out", who="sue", reason="The line is broken.")
            await call.until("ended")
            assert "playing" in [state for _, state in call.states]
            assert any("CC_DONE" in line for _, _, line in call.history)
            closed = await world.until("interaction.closed", interaction=ident)
            assert (closed["data"]["outcome"], closed["data"]["cause"]) == ("flow_out", "taken_out")
        await world.settled("amy", "idle")
