"""An agent works on a mail, and the phone rings."""

from typing import Any

from tests.journeys.world import World, a_world


async def _accepted(world: World, channel: str, *, count: int = 1) -> int:
    """Handed in by another system, routed to amy, and taken at the console."""
    body: dict[str, Any] = {"channel": channel, "address": "xiaoming@example.org", "text": "It still beeps."}
    ident: int = (await world.ask("POST", "/interactions", who="sue", queue="support", **body))["id"]
    await world.until("interaction.reserved", interaction=ident)
    await world.pop("amy", count=count)
    await world.ask("POST", f"/interactions/{ident}/accept")
    return ident


async def _amy(world: World) -> dict[str, Any]:
    agents = (await world.ask("GET", "/agents", who="sue"))["items"]
    return next(agent for agent in agents if agent["name"] == "amy")


async def test_a_call_interrupts_the_mail_in_hand_which_goes_on_after_the_wrap_up(database: str) -> None:
    async with a_world(database) as world:
        await world.on_queue("amy")
        mail = await _accepted(world, "email")
        call = await world.call()
        await call.until("talking")
        pop = await world.pop("amy", count=2)
        ident = pop["interaction"]
        held = await world.until("interaction.held", interaction=mail)
        assert (held["agent"], held["data"]["reason"], held["data"]["by"]) == ("amy", "interrupted", ident)
        amy = await _amy(world)
        assert (amy["load"], set(amy["on"])) == ({"email": 1, "phone": 1}, {mail, ident})
        choice = await world.ask("PUT", "/agents/amy/presence", presence="break", reason="coffee")
        assert (choice["presence"], choice["next_presence"], choice["next_reason"]) == ("on_queue", "break", "coffee")
        call.hangup()
        await world.until("interaction.ended", interaction=ident)
        await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition="solved")
        await world.until("interaction.resumed", interaction=mail)
        assert (await _amy(world))["presence"] == "on_queue"
        await world.ask("POST", f"/interactions/{mail}/end")
        await world.ask("POST", f"/interactions/{mail}/wrap-up", disposition="solved", note="Sent a new one.")
        await world.until("agent.presence", presence="break")
        whole = await world.ask("GET", f"/interactions/{mail}", who="sue")
        assert (whole["state"], whole["outcome"]) == ("closed", "handled")
        (segment,) = whole["segments"]
        assert segment["hold_seconds"] > 0
        amy = await _amy(world)
        assert (amy["presence"], amy["reason"], amy["routing_status"], amy["load"]) == (
            "break", "coffee", "off_queue", {},
        )  # fmt: skip


async def test_one_agent_has_four_chats_and_the_fifth_goes_to_a_colleague_who_comes(database: str) -> None:
    async with a_world(database) as world:
        await world.on_queue("amy")
        for number in range(4):
            await _accepted(world, "chat", count=number + 1)
        fifth = (await world.ask("POST", "/interactions", who="sue", channel="chat", address="li", queue="support"))[
            "id"
        ]
        mine = (await world.ask("POST", "/interactions", who="sue", channel="email", queue="support"))["id"]
        why = await world.ask("GET", f"/interactions/{fifth}/why", who="sue")
        assert "1 interacting" in why["waiting_because"]
        await world.on_queue("bo")
        await world.until("interaction.reserved", interaction=fifth, agent="bo")
        decision = (await world.ask("GET", f"/interactions/{fifth}/why", who="sue"))["decision"]
        assert decision["excluded"]["capacity"] == 1
        assert (await world.interaction(mine))["state"] == "queued"
