"""The caller who stays on the line when the agent has hung up is asked, and answers with a key."""

from typing import Any

from channels.telephony.fakepbx import FakeCall
from tests.builders import eventually
from tests.journeys.test_announcements import played
from tests.journeys.world import World, a_world, kinds_of

RULES = {
    "ask": "csat", "bad": 2, "delay": 600, "not_again": 86400, "valid": 86400, "change_within": 3600,
    "by": ["keypad", "mail"], "prompt": "custom/how-was-it", "again": "vm-pls-try-again", "thanks": "auth-thankyou",
    "form": None,
}  # fmt: skip
ASKED: dict[str, Any] = {"survey": RULES}


async def talked(world: World) -> FakeCall:
    """A call whose agent has hung up."""
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking", timeout=20)
    call.agent_hangs_up()
    return call


async def the_survey(world: World) -> dict[str, Any]:
    [survey] = (await world.ask("GET", "/surveys", who="sue"))["items"]
    found: dict[str, Any] = survey
    return found


async def test_a_key_is_an_answer_and_a_bad_one_reaches_the_supervisor(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        await world.pool.execute("update users set manager_id = $1 where name = 'amy'", world.agents["sue"])
        call = await talked(world)
        await call.until("asked")
        call.presses("1")
        await call.until("ended")
        assert played(call)[-2:] == ["custom/how-was-it 0123456789*#", "auth-thankyou"]
        survey = await the_survey(world)
        assert (survey["score"], survey["via"], survey["letter"], survey["agent"]) == (1, "keypad", None, "amy")
        [ticket] = (await world.ask("GET", "/tickets", who="sue"))["items"]
        assert (ticket["id"], ticket["owner"]) == (survey["ticket"], "sue")


async def test_the_agent_is_free_and_the_talk_is_over_while_the_caller_is_asked(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        call = await talked(world)
        await call.until("asked")
        ident = (await world.until("interaction.ended"))["interaction"]
        await world.settled("amy", "wrap_up")
        await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition=None, note="")
        await world.settled("amy", "idle")
        before = await world.interaction(ident)
        call.presses("5")
        await call.until("ended")
        after = await world.interaction(ident)
        assert [after[key] for key in ("ended_at", "closed_at", "segments")] == [
            before[key] for key in ("ended_at", "closed_at", "segments")
        ]
        assert (after["state"], after["outcome"]) == ("closed", "handled")


async def test_a_wrong_key_is_asked_about_once_more(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        call = await talked(world)
        await call.until("asked")
        call.presses("9")
        await eventually(lambda: asked_twice(call))
        call.presses("4")
        await call.until("ended")
        prompt = "custom/how-was-it 0123456789*#"
        assert played(call) == [prompt, "vm-pls-try-again 0123456789*#", prompt, "auth-thankyou"]
        assert (await the_survey(world))["score"] == 4


async def asked_twice(call: FakeCall) -> bool:
    return [line for _, way, line in call.history if way == ">"].count("WAIT FOR DIGIT 5000") == 2


async def test_a_key_may_be_pressed_before_the_question_is_over(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        world.pbx.prompts["custom/how-was-it"] = 60.0
        call = await talked(world)
        await call.until("playing")
        call.presses("5")
        await call.until("ended")
        assert (await the_survey(world))["score"] == 5


async def test_who_hangs_up_has_not_answered_and_is_not_asked_again_by_mail(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        call = await talked(world)
        await call.until("asked")
        call.hangup()
        await call.until("ended")
        survey = await the_survey(world)
        assert survey["score"] is None
        ident = survey["interaction"]
        assert "interaction.abandoned" not in kinds_of(world.events, ident)
        assert (await world.interaction(ident))["outcome"] == "handled"


async def test_a_caller_who_hangs_up_first_is_not_asked_on_the_phone(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        await world.on_queue("amy")
        call = await world.call()
        await call.until("talking", timeout=20)
        call.hangup()
        await call.until("ended")
        await world.until("interaction.ended")
        assert (await world.ask("GET", "/surveys", who="sue"))["items"] == []
        assert played(call) == []


async def test_nobody_is_asked_twice_within_the_time(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        call = await talked(world)
        await call.until("asked")
        call.presses("5")
        await call.until("ended")
        ident = (await world.until("interaction.ended"))["interaction"]
        await world.settled("amy", "wrap_up")
        await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition=None, note="")
        await world.settled("amy", "idle")
        second = await talked(world)
        await second.until("ended")
        assert played(second) == []


async def test_without_the_recording_nobody_was_asked_and_the_call_ends(database: str) -> None:
    async with a_world(database, queue=ASKED) as world:
        world.pbx.missing.add("custom/how-was-it")
        call = await talked(world)
        await call.until("ended")
        assert (await world.ask("GET", "/surveys", who="sue"))["items"] == []
