"""Callers who wait too long, and what they may be told meanwhile."""

from datetime import datetime, timedelta
from typing import Any

from callcenter.app import clock
from tests.builders import eventually, make_queue
from tests.journeys.world import World, a_world


async def with_billing(world: World, **columns: Any) -> None:
    """A second queue, whose only agent is cy; support has amy and bo."""
    await world.pool.execute("delete from queue_member where user_id = $1", world.agents["cy"])
    await make_queue(world.pool, "billing", members=[world.agents["cy"]], **columns)
    await world.applied()


async def test_a_caller_who_waits_too_long_is_answered_by_the_queue_that_the_call_overflows_to(database: str) -> None:
    async with a_world(database, queue={"overflow": [{"after": "3s", "to": "billing"}]}) as world:
        await with_billing(world)
        await world.on_queue("cy")
        call = await world.call()
        await call.until("waiting")
        ident = (await world.until("interaction.queued"))["interaction"]
        asked: dict[str, Any] = {}

        async def known() -> object:
            asked.update(await world.ask("GET", f"/interactions/{ident}/why", who="sue"))
            return asked["wait"]

        await eventually(known, within=20)
        assert "It overflows to billing in " in asked["waiting_because"]
        assert (asked["wait"]["position"], asked["wait"]["expected_seconds"]) == (1, None)
        moved = await world.until("interaction.moved")
        assert (moved["queue"], moved["data"]["reason"]) == ("billing", "overflow")
        await call.until("talking")
        item = await world.interaction(ident)
        assert (item["queue"], item["agent"]) == ("billing", "cy")
        assert item["queued_at"] == item["arrived_at"]
        call.hangup()
        await call.until("ended")


async def test_an_agent_of_another_queue_helps_out(database: str) -> None:
    async with a_world(database, queue={"overflow": [{"after": "1s", "lend": "billing"}]}) as world:
        await with_billing(world)
        await world.on_queue("cy")
        call = await world.call()
        await call.until("talking")
        ident = (await world.until("interaction.answered", agent="cy"))["interaction"]
        assert (await world.interaction(ident))["queue"] == "support"
        call.hangup()
        await call.until("ended")


async def test_a_caller_may_be_treated_as_outside_the_opening_hours(database: str) -> None:
    async with a_world(database, queue={"overflow": [{"expected": "1s", "treatment": "closed"}]}) as world:
        call = await world.call()
        await call.until("ended")
        told = await world.until("interaction.treatment")
        assert told["data"]["treatment"] == "closed"
        closed = await world.until("interaction.closed", interaction=told["interaction"])
        assert (closed["data"]["outcome"], closed["data"]["cause"]) == ("flow_out", "overflow")


async def test_a_caller_who_is_told_that_it_is_closed_is_offered_to_nobody_who_becomes_free(database: str) -> None:
    queue = {"overflow": [{"expected": "1s", "treatment": "closed"}], "closed_announcement": "sorry"}
    async with a_world(database, queue=queue) as world:
        world.pbx.prompts["sorry"] = 1.0
        call = await world.call()
        told = await world.until("interaction.treatment")
        await world.on_queue("amy")
        await call.until("ended")
        assert clock() - datetime.fromisoformat(told["at"]) > timedelta(seconds=1)  # it was heard out
        closed = await world.until("interaction.closed", interaction=told["interaction"])
        assert (closed["data"]["outcome"], closed["data"]["cause"]) == ("flow_out", "overflow")
        assert not await world.pool.fetchval("select count(*) from reservation")


async def test_what_a_second_caller_is_told_is_compared_with_what_came(database: str) -> None:
    async with a_world(database) as world:
        await world.on_queue("amy")
        first = await world.call()
        await first.until("talking")
        second = await world.call(caller="+8613800138001")
        await second.until("waiting")
        ident = (await world.until("interaction.queued", count=2))["interaction"]
        wait = await world.wait_of(ident)
        assert (wait["position"], wait["expected_seconds"], wait["told_seconds"]) == (1, 90, 90)
        [queue] = (await world.ask("GET", "/queues"))["items"]
        assert queue["expected_wait_seconds"] == 180
        first.hangup()
        talked = (await world.until("interaction.answered"))["interaction"]
        await world.settled("amy", "wrap_up")
        await world.ask("POST", f"/interactions/{talked}/wrap-up", disposition=None, note="done")
        await second.until("talking")
        why = await world.ask("GET", f"/interactions/{ident}/why", who="sue")
        assert why["decision"]["told_seconds"] == 90
        assert why["wait"] is None
        async with world.http.get(world.server.url + "/metrics") as answer:
            text = await answer.text()
        assert 'callcenter_wait_error_seconds_count{channel="phone"} 2.0' in text
        second.hangup()
        await second.until("ended")
