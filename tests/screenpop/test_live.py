"""The hub: pops to one agent, hints to whoever looks, and nobody who waits for a slow console."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import orjson
import pytest
from aiohttp import WSServerHandshakeError, web

from callcenter.actions import agents, drafts, interactions
from callcenter.actions.users import change_password, create_token
from callcenter.domain.events import Cursor, Event
from callcenter.domain.interaction import Arrival, Channel, Outcome, Proposal
from callcenter.store.log import ContactLog
from screenpop.client import Client
from screenpop.history import load_pop
from screenpop.pop import pop_view
from tests.builders import NOW, arrive, eventually, ident_of, later, make_customer, on_queue, reserve
from tests.screenpop.conftest import PASSWORD, House, frame, read_up

NUMBER = "+8613800138000"


async def test_a_reservation_pops_on_the_desk_of_its_agent_and_on_no_other(house: House):
    customer = await make_customer(house.pool, "王小明", phone=NUMBER)
    await house.sign_in("amy")
    amy = await house.desk("amy")
    await house.sign_in("bo")
    bo = await house.desk("bo")
    await on_queue(house.log, house.users["amy"])
    interaction = await arrive(house.log, queue=house.queue, phone=NUMBER)
    reservation = await reserve(house.log, interaction, house.users["amy"])
    pop = await frame(amy, "pop")
    assert await house.hub.written(reservation, house.users["amy"])
    assert (pop["interaction"], pop["reservation"]) == (interaction, reservation)
    assert pop["pop"]["customer"]["id"] == customer
    assert pop["pop"]["interaction"]["state"] == "offered"
    assert pop["pop"]["interaction"]["agent"] == "amy"
    assert "王小明" in pop["html"]
    assert (await frame(bo, "hint"))["regions"] == ["queue:support"]


async def test_a_program_gets_the_same_pop_with_a_token(house: House):
    token = await create_token(house.log, house.users["amy"], name="test", expires_at=None, actor=None, now=NOW)
    desk = await house.client.ws_connect("/api/v1/desk", headers={"Authorization": f"Bearer {token}"})
    await on_queue(house.log, house.users["amy"])
    interaction = await arrive(house.log, queue=house.queue)
    await reserve(house.log, interaction, house.users["amy"])
    pop = await frame(desk, "pop")
    answer = await house.client.get(
        f"/api/v1/interactions/{interaction}/pop", headers={"Authorization": f"Bearer {token}"}
    )
    assert (await answer.json())["history"] == pop["pop"]["history"]


async def test_what_was_prepared_is_shown_as_the_reservation_left_it(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await on_queue(house.log, house.users["amy"])
    interaction = await arrive(house.log, queue=house.queue)
    house.hub.ahead.prepare(interaction)
    await reserve(house.log, interaction, house.users["amy"])
    item = (await frame(desk, "pop"))["pop"]["interaction"]
    fresh = await house.client.get(f"/api/v1/interactions/{interaction}/pop")
    assert item == (await fresh.json())["interaction"]


@pytest.mark.parametrize("known", [True, False])
async def test_what_was_read_while_a_contact_was_written_down_is_its_pop(house: House, known: bool):
    if known:
        await make_customer(house.pool, "Li Na", phone=NUMBER)
    await arrive(house.log, phone=NUMBER)
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await on_queue(house.log, house.users["amy"])
    amy = house.users["amy"]
    # That the desk is open moves the agent's version.
    await eventually(lambda: house.pool.fetchval("select desk_lost_at is null from agent where user_id = $1", amy))
    version = await house.pool.fetchval("select version from agent where user_id = $1", amy)
    arrival = Arrival(Channel.PHONE, "default/1.1", "phone", NUMBER, "LI NA", "95500", pbx="default")
    proposal = Proposal(house.queue, amy, version, "longest_idle", {})
    house.hub.expect(arrival, proposal)
    events = await interactions.arrive(
        house.log, arrival, queue=house.queue, queued=True, node=None, now=NOW, proposal=proposal
    )
    seen = await frame(desk, "pop")
    pop = seen["pop"]
    fresh = await house.client.get(f"/api/v1/interactions/{events[0].interaction}/pop")
    assert pop == await fresh.json()
    assert (pop["interaction"]["state"], pop["interaction"]["agent"], len(pop["history"])) == ("offered", "amy", 1)
    page = await (await house.client.get("/desk")).text()
    for part in ("who", "timeline", "side"):
        assert section(seen["html"], part) == section(page, part)


def section(html: str, name: str) -> str:
    """From the start of what has this class to the end of that part of the stage; space between tags means nothing."""
    _, begin, rest = html.partition(f'class="{name}"')
    assert begin
    ends = {"who": "</header>", "timeline": "<aside", "side": "</aside>"}
    return re.sub(r">\s+<", "><", rest.partition(ends[name])[0]).strip()


async def test_a_contact_that_was_read_as_history_of_itself_is_no_part_of_it(house: House):
    number = "+8613800138001"
    arrival = Arrival(Channel.PHONE, "default/2.1", "phone", number, "LI NA", "95500", pbx="default")
    unheard, language = ContactLog(house.pool), house.hub.renderer.language("en")
    events = await interactions.arrive(unheard, arrival, queue=house.queue, queued=True, node=None, now=NOW)
    ahead = house.hub.ahead
    ahead.expect(arrival, "support", lambda pop: {"en": pop_view(pop, language, now=NOW, zone=UTC)})
    ahead.arrived(events[0])
    read = await ahead.take(replace(events[0], version=2), "amy")
    assert read is not None
    pop, views = read
    fresh = await load_pop(house.pool, ident_of(events), now=NOW)
    assert (pop["history"], pop["recent_count"], views) == (fresh["history"], fresh["recent_count"], {})


async def test_what_was_prepared_before_somebody_said_who_it_is_is_not_shown(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await on_queue(house.log, house.users["amy"])
    interaction = await arrive(house.log, queue=house.queue)
    house.hub.ahead.prepare(interaction)
    customer = await make_customer(house.pool, "Li Na")
    await interactions.identify(house.log, interaction, customer=customer, actor=house.users["sue"], now=NOW)
    await reserve(house.log, interaction, house.users["amy"])
    assert (await frame(desk, "pop"))["pop"]["customer"]["id"] == customer


async def test_a_ring_does_not_wait_for_an_agent_without_console(house: House):
    async with asyncio.timeout(1):
        assert await house.hub.written(1, house.users["amy"])


async def test_hints_name_the_desk_and_carry_the_cursor(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    events = await agents.set_presence(
        house.log, house.users["amy"], presence="meal", reason=None, actor=house.users["amy"], now=NOW
    )
    hint = await frame(desk, "hint")
    assert hint["regions"] == ["desk"]
    assert Cursor.parse(hint["cursor"]) >= events[-1].cursor


async def test_a_console_that_comes_back_is_told_what_it_missed_and_nothing_else(house: House):
    await house.sign_in("amy")
    before = str(house.feed.cursor)
    await agents.set_presence(
        house.log, house.users["bo"], presence="meal", reason=None, actor=house.users["bo"], now=NOW
    )
    await agents.set_presence(
        house.log, house.users["amy"], presence="meal", reason=None, actor=house.users["amy"], now=NOW
    )
    desk = await house.desk("amy")
    await read_up(house)
    await desk.send_json({"type": "seen", "cursor": before})
    assert (await frame(desk, "hint"))["regions"] == ["desk"]


@pytest.mark.parametrize("cursor", ["0-0-0", None])
async def test_a_console_of_another_life_is_told_to_load_anew(house: House, cursor: str | None):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    before = house.feed.cursor
    await desk.send_json({"type": "seen", "cursor": cursor})
    assert before <= Cursor.parse((await frame(desk, "resync"))["cursor"]) <= house.feed.cursor


@pytest.mark.parametrize("said", ["{", "[]", '{"type": "other"}', '{"type": "seen", "cursor": "x"}', "x" * 5000])
async def test_a_console_that_says_nonsense_is_hung_up(house: House, said: str):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await desk.send_str(said)
    async with asyncio.timeout(20):
        while not (await desk.receive()).type.name.startswith("CLOS"):
            continue


async def test_a_desk_is_open_while_one_of_its_sockets_is(house: House):
    house.hub.reload = 0
    desks: list[bool] = []
    moved = asyncio.Condition()

    async def tell() -> None:
        async with moved:
            moved.notify_all()

    def note(events: Sequence[Event]) -> None:
        desks.extend(event.data["desk"] for event in events if event.kind == "agent.desk")
        tasks.append(asyncio.create_task(tell()))

    async def until(*wanted: bool) -> None:
        async with asyncio.timeout(20), moved:
            await moved.wait_for(lambda: tuple(desks) == wanted)

    tasks: list[asyncio.Task[None]] = []
    house.log.listen(note)
    await house.sign_in("amy")
    first = await house.desk("amy")
    await until(True)
    second = await house.desk("amy")
    await second.send_json({"type": "seen", "cursor": None, "clock": True})
    await frame(second, "hello")
    await first.close()
    await second.send_json({"type": "seen", "cursor": None, "clock": True})
    await frame(second, "hello")
    await until(True)
    await second.close()
    await until(True, False)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_a_session_without_our_origin_gets_no_socket(house: House, headers: dict[str, str]):
    await house.sign_in("amy")
    with pytest.raises(WSServerHandshakeError, match="403"):
        await house.client.ws_connect("/api/v1/desk", headers=headers)


async def test_agents_get_no_view_of_the_wall(house: House):
    await house.sign_in("amy")
    with pytest.raises(WSServerHandshakeError, match="403"):
        await house.desk("amy", view="wall")


async def test_the_wall_hears_of_everything_and_not_of_desks(house: House):
    await house.sign_in("sue")
    wall = await house.desk("sue", view="wall")
    await arrive(house.log, queue=house.queue)
    assert (await frame(wall, "hint"))["regions"] == ["wall"]


class Stuck(web.WebSocketResponse):
    """A console whose network has stopped."""

    async def send_frame(self, *args: Any, **more: Any) -> None:
        await asyncio.Event().wait()


async def test_a_console_that_takes_no_frames_is_told_to_load_anew_and_holds_nobody_up(house: House):
    client = Client(Stuck(), agent=1, view="desk", language=house.hub.renderer.language("en"))
    writer = asyncio.create_task(client.write())
    written = asyncio.get_running_loop().create_future()
    client.put(b"{}", written=written)
    await asyncio.sleep(0)
    for _ in range(200):
        client.put(orjson.dumps({"type": "hint"}))
    assert client.overflows >= 2
    assert len(client._frames) <= 65
    assert not written.done()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


async def test_an_offer_taken_over_by_transfer_pops_too(house: House):
    await house.sign_in("bo")
    desk = await house.desk("bo")
    for name in ("amy", "bo"):
        await on_queue(house.log, house.users[name])
    interaction = await arrive(house.log, queue=house.queue)
    reservation = await reserve(house.log, interaction, house.users["amy"])
    await interactions.offer(house.log, reservation, due=later(20), now=later(1))
    await interactions.answer(house.log, reservation, now=later(2))
    await interactions.transfer(
        house.log, interaction, agent=house.users["bo"], endpoint="PJSIP/1002", leg=None, kind="blind", now=later(9)
    )
    pop = await frame(desk, "pop")
    assert pop["interaction"] == interaction
    assert 'data-state="active"' in pop["html"]


async def test_a_page_whose_session_is_over_hears_no_more(house: House):
    csrf = await house.sign_in("amy")
    desk = await house.desk("amy")
    await desk.send_json({"type": "seen", "cursor": None, "clock": True})
    await frame(desk, "hello")
    await house.client.post("/sign-out", data={"csrf": csrf}, allow_redirects=False)
    async with asyncio.timeout(20):
        while not (await desk.receive()).type.name.startswith("CLOS"):
            continue


async def test_a_changed_password_ends_what_other_browsers_hear(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await desk.send_json({"type": "seen", "cursor": None, "clock": True})
    await frame(desk, "hello")
    new = "an even longer walk"
    await change_password(house.log, house.users["amy"], old=PASSWORD, new=new, now=NOW)
    async with asyncio.timeout(20):
        while not (await desk.receive()).type.name.startswith("CLOS"):
            continue


async def test_a_pop_that_is_late_shows_no_offer_that_is_over(house: House):
    amy = house.users["amy"]
    told: list[Event] = []
    house.log.listen(told.extend)
    await on_queue(house.log, amy)
    interaction = await arrive(house.log, queue=house.queue)
    reservation = await reserve(house.log, interaction, amy)
    reserved = next(event for event in told if event.kind == "interaction.reserved")
    await interactions.leave_unserved(
        house.log, interaction, outcome=Outcome.ABANDONED, cause="hangup", node=None, now=later(1)
    )
    await read_up(house)
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await desk.send_json({"type": "seen", "cursor": None, "clock": True})
    await frame(desk, "hello")
    house.hub._offer_pop(reserved)
    assert not await house.hub.written(reservation, amy)
    await desk.send_json({"type": "seen", "cursor": None, "clock": True})
    async with asyncio.timeout(20):
        while (kind := (await desk.receive()).json()["type"]) != "hello":
            assert kind != "pop"


async def test_a_call_that_comes_back_pops_with_what_had_been_typed(house: House):
    amy, bo = house.users["amy"], house.users["bo"]
    await house.sign_in("amy")
    desk = await house.desk("amy")
    for agent in (amy, bo):
        await on_queue(house.log, agent)
    interaction = await arrive(house.log, queue=house.queue)
    reservation = await reserve(house.log, interaction, amy)
    await interactions.answer(house.log, reservation, now=later(1))
    await drafts.save(
        house.pool, amy, interaction=interaction, note="wants a refund", disposition="solved", now=later(2)
    )
    for to, endpoint, at in ((bo, "PJSIP/1002", 3), (amy, "PJSIP/1001", 5)):
        await interactions.transfer(
            house.log, interaction, agent=to, endpoint=endpoint, leg=f"leg-{at}", kind="blind", now=later(at)
        )
        if to == bo:
            await interactions.release(house.log, reservation, cause="transfer", now=later(4))
    while 'data-state="active"' not in (html := (await frame(desk, "pop"))["html"]):
        continue
    assert "wants a refund</textarea>" in html
    assert 'value="solved" data-digit="1" checked' in html


async def test_a_desk_that_others_count_as_lost_is_open_while_its_console_is_here(house: House):
    amy = house.users["amy"]
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await desk.send_json({"type": "seen", "cursor": None, "clock": True})
    await frame(desk, "hello")
    desks: list[bool] = []
    opened = asyncio.Event()

    def note(events: Sequence[Event]) -> None:
        desks.extend(event.data["desk"] for event in events if event.kind == "agent.desk")
        if desks == [False, True]:
            opened.set()

    house.log.listen(note)
    node = await house.pool.fetchval("select desk_node_id from agent where user_id = $1", amy)
    await agents.lose_desks(house.log, node=node, now=NOW)
    async with asyncio.timeout(20):
        await opened.wait()
    assert await house.pool.fetchval("select desk_lost_at from agent where user_id = $1", amy) is None
