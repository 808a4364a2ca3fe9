"""An agent with several contacts in hand: which is on the stage, how to get to the others, and what comes next."""

import html
import re

import pytest

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel
from tests.builders import NOW, arrive, ident_of, later, on_queue, reserve
from tests.screenpop.conftest import House


async def desk(house: House, address: str = "/desk") -> str:
    return await (await house.client.get(address)).text()


def on_stage(page: str) -> tuple[str, int]:
    found = re.search(r'data-state="(\w+)"[^>]* data-interaction="(\d+)"', page)
    assert found
    return found[1], int(found[2])


def again(page: str) -> str:
    found = re.search(r'<main id="desk"[^>]* hx-get="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def listed(page: str) -> dict[int, tuple[str, str]]:
    """By interaction: what the list says of it, and the key that leads there."""
    items = re.findall(r'<a class="work-item.*?</a>', page, re.DOTALL)
    found = {}
    for item in items:
        ident, state = re.search(r"interaction=(\d+)", item), re.search(r'work-state">([^<·]+)', item)
        assert ident
        assert state
        key = re.search(r'data-key="(\w)"', item)
        found[int(ident[1])] = (state[1].strip(), key[1] if key else "")
    return found


async def take(house: House, channel: Channel, *, at: float) -> tuple[int, int]:
    """Offered and accepted; the interaction and its reservation."""
    arrival = Arrival(channel, None, None, None)
    events = await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=later(at))
    reservation = await reserve(house.log, ident_of(events), house.users["amy"], now=later(at))
    await interactions.answer(house.log, reservation, now=later(at + 1))
    return ident_of(events), reservation


async def test_a_call_that_interrupts_a_mail_is_on_the_stage_until_it_is_wrapped_up(house: House):
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    mail, _ = await take(house, Channel.EMAIL, at=-60)
    assert on_stage(await desk(house)) == ("active", mail)
    call = await arrive(house.log, queue=house.queue)
    reservation = await reserve(house.log, call, house.users["amy"])
    page = await desk(house, f"/desk?interaction={mail}")
    assert on_stage(page) == ("offered", call)
    assert again(page) == "/desk"
    await interactions.answer(house.log, reservation, now=NOW)
    page = await desk(house)
    assert on_stage(page) == ("active", call)
    assert listed(page) == {mail: ("Interrupted", "s"), call: ("In contact", "")}
    await interactions.end_interaction(house.log, call, cause="customer_hangup", now=NOW)
    assert on_stage(await desk(house)) == ("wrapping", call)
    await house.act("amy", f"/desk/interactions/{call}/wrap-up", disposition="solved")
    page = await desk(house)
    assert on_stage(page) == ("active", mail)
    assert listed(page) == {mail: ("In contact", "")}


async def test_the_contact_that_was_chosen_stays_on_the_stage_when_another_chat_comes(house: House):
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    first, _ = await take(house, Channel.CHAT, at=-60)
    second, of_second = await take(house, Channel.CHAT, at=-50)
    page = await desk(house, f"/desk?interaction={second}")
    assert on_stage(page) == ("active", second)
    assert listed(page) == {first: ("In contact", "s"), second: ("In contact", "")}
    assert on_stage(await desk(house, again(page))) == ("active", second)
    third, _ = await take(house, Channel.CHAT, at=-40)
    # Whoever writes in a chat is not torn away by another one.
    assert on_stage(await desk(house, again(page))) == ("active", second)
    page = await desk(house, f"/desk?interaction={first}")
    await interactions.end_interaction(house.log, second, cause="agent", now=NOW)
    await interactions.wrap_up(house.log, of_second, queue=None, disposition=None, note=None, now=NOW)
    page = await desk(house, again(page))
    assert on_stage(page) == ("active", first)
    assert set(listed(page)) == {first, third}


async def test_what_is_accepted_comes_on_the_stage_beside_what_goes_on(house: House):
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    await take(house, Channel.CHAT, at=-60)
    arrival = Arrival(Channel.CHAT, None, None, None)
    events = await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=NOW)
    await reserve(house.log, ident_of(events), house.users["amy"])
    response = await house.act("amy", f"/desk/interactions/{ident_of(events)}/accept")
    assert on_stage(await response.text()) == ("active", ident_of(events))


async def test_a_break_that_is_chosen_leaves_on_the_stage_what_was_there(house: House):
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    await take(house, Channel.CHAT, at=-60)
    second, _ = await take(house, Channel.CHAT, at=-50)
    page = await desk(house, f"/desk?interaction={second}")
    choose = re.search(r'hx-post="(/desk/presence[^"]*)"', page)
    assert choose is not None
    page = await (await house.act("amy", html.unescape(choose[1]), presence="break/coffee")).text()
    assert on_stage(page) == ("active", second)


async def test_a_break_after_this_contact_is_shown_and_can_be_taken_back(house: House):
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    await take(house, Channel.EMAIL, at=-60)
    page = await (await house.act("amy", "/desk/presence", presence="break/coffee")).text()
    assert "Break after this contact" in page
    assert re.search(r'<button[^>]* data-key="q"[^>]*>Take back', page)
    page = await (await house.act("amy", "/desk/presence", presence="on_queue")).text()
    assert "after this contact" not in page


@pytest.mark.parametrize(("channel", "said"), [(Channel.PHONE, "Ringing"), (Channel.EMAIL, "Offer")])
async def test_only_a_phone_rings(house: House, channel: Channel, said: str):
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    arrival = Arrival(channel, None, None, None)
    events = await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=NOW)
    await reserve(house.log, ident_of(events), house.users["amy"])
    assert re.findall(r'presence-name">([^<]+)', await desk(house)) == [said]
