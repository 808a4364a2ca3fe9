"""Calls, and what is wrong with the phones and numbers they are to ring at."""

import pytest
from structlog.testing import capture_logs

from tests.journeys.world import a_world


async def test_who_has_no_phone_is_offered_no_call_and_why_says_so(database: str) -> None:
    async with a_world(database) as world:
        await world.pool.execute("update users set endpoint = null where name = 'amy'")
        await world.applied()
        await world.on_queue("amy")
        call = await world.call()
        await call.until("waiting")
        ident = (await world.until("interaction.queued"))["interaction"]
        why = await world.ask("GET", f"/interactions/{ident}/why", who="sue")
        assert "amy is free and has no phone." in why["waiting_because"]
        with pytest.raises(AssertionError, match=r"409.*no phone to take a call with"):
            await world.ask("POST", f"/interactions/{ident}/assign", who="sue", agent="amy")
        await world.on_queue("bo")
        await call.until("talking")
        why = await world.ask("GET", f"/interactions/{ident}/why", who="sue")
        assert (why["decision"]["agent"], why["decision"]["excluded"]["no_phone"]) == ("bo", 1)
        assert await world.status("amy") == "idle"
        call.hangup()
        await call.until("ended")


async def test_a_phone_that_is_picked_up_after_a_decline_on_the_console_is_hung_up_without_ami_too(
    database: str,
) -> None:
    async with a_world(database, ami=False) as world:
        world.pbx.phone("PJSIP/1001", answers_after=None)
        await world.on_queue("amy")
        call = await world.call()
        await call.until("ringing")
        offered = await world.until("interaction.offered")
        await world.ask("POST", f"/interactions/{offered['interaction']}/reject")
        await world.until("reservation.rejected", agent="amy")
        world.pbx.phones["PJSIP/1001"].pick_up()
        await call.until("waiting")
        await world.on_queue("bo")
        await call.until("talking")
        assert call.agent is not None
        assert call.agent.name.startswith("PJSIP/1002")
        call.hangup()
        await call.until("ended")


@pytest.mark.parametrize("named", ["closed_down", "nowhere"])
async def test_a_queue_that_is_retired_or_unknown_takes_no_calls_whatever_the_dialplan_says(
    database: str, named: str
) -> None:
    async with a_world(database) as world:
        await world.pool.execute("insert into queue (name, active) values ('closed_down', false)")
        await world.pool.execute("update queue set is_default = true where name = 'support'")
        await world.applied()
        world.pbx.script = f"inbound?pbx=default&queue={named}"
        with capture_logs() as logs:
            call = await world.call(to="12345")
            arrived = await world.until("interaction.queued")
        assert arrived["queue"] == "support"
        assert [entry["queue"] for entry in logs if entry["event"] == "call.queue_unknown"] == [named]
        call.hangup()
        await call.until("ended")
