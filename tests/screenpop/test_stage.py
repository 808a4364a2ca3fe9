"""What stands on the stage while a customer's card is open, and what of it goes into the log."""

import re

from callcenter.actions import drafts, interactions
from tests.builders import arrive, later, make_customer, on_queue, reserve
from tests.screenpop.conftest import House

NUMBER = "+8613800138000"


async def stage(house: House, address: str) -> tuple[str, str]:
    """The state of the stage, and where it is fetched from again."""
    text = await (await house.client.get(address)).text()
    state, again = re.search(r'data-state="(\w+)"', text), re.search(r'<main id="desk"[^>]* hx-get="([^"]+)"', text)
    assert state
    assert again
    return state[1], again[1].replace("&amp;", "&")


async def offered(house: House) -> tuple[int, int]:
    await on_queue(house.log, house.users["amy"])
    interaction = await arrive(house.log, queue=house.queue, phone=NUMBER)
    return interaction, await reserve(house.log, interaction, house.users["amy"])


async def test_a_call_that_is_offered_and_answered_ends_the_look_at_a_card(house: House):
    other = await make_customer(house.pool, "Li Na")
    await house.sign_in("amy")
    state, again = await stage(house, f"/desk?customer={other}")
    assert state == "card"
    assert (await stage(house, again))[0] == "card"
    _, reservation = await offered(house)
    assert await stage(house, again) == ("offered", "/desk")
    await interactions.answer(house.log, reservation, now=later(1))
    # The page may have been told of the offer too late to ask for it.
    assert await stage(house, again) == ("active", "/desk")


async def test_a_card_opened_during_a_call_stays_until_the_wrap_up_begins(house: House):
    other = await make_customer(house.pool, "Li Na")
    await house.sign_in("amy")
    interaction, reservation = await offered(house)
    await interactions.answer(house.log, reservation, now=later(1))
    state, again = await stage(house, f"/desk?customer={other}")
    assert state == "card"
    await interactions.hold(house.log, interaction, held=True, now=later(2))
    assert await stage(house, again) == ("card", again)
    await interactions.end_interaction(house.log, interaction, cause="customer_hangup", now=later(3))
    assert await stage(house, again) == ("wrapping", "/desk")
    assert (await stage(house, f"/desk?customer={other}"))[0] == "card"


async def test_another_contact_that_was_chosen_gives_way_to_an_offer(house: House):
    await house.sign_in("amy")
    await offered(house)
    assert await stage(house, "/desk?interaction=404") == ("offered", "/desk")


async def test_what_was_typed_and_chosen_last_is_kept_when_the_time_is_over(house: House):
    interaction, reservation = await offered(house)
    await interactions.answer(house.log, reservation, now=later(1))
    await interactions.end_interaction(house.log, interaction, cause="customer_hangup", now=later(2))
    amy = house.users["amy"]
    await drafts.save(
        house.pool, amy, interaction=interaction, note="will call back", disposition="call_back", now=later(3)
    )
    await interactions.close_time_box(house.log, reservation, note="will", now=later(4))
    row = await house.pool.fetchrow("select disposition, note from interaction")
    assert row is not None
    assert tuple(row) == ("call_back", "will call back")
    assert await house.pool.fetchval("select count(*) from draft") == 0


async def test_a_choice_that_the_queue_does_not_know_is_none_when_the_time_is_over(house: House):
    interaction, reservation = await offered(house)
    await interactions.answer(house.log, reservation, now=later(1))
    await interactions.end_interaction(house.log, interaction, cause="customer_hangup", now=later(2))
    await drafts.save(
        house.pool, house.users["amy"], interaction=interaction, note="", disposition="made up", now=later(3)
    )
    await interactions.close_time_box(house.log, reservation, note=None, now=later(4))
    assert await house.pool.fetchval("select disposition from interaction") == "timed_out"


async def test_the_agents_own_word_ends_the_draft_and_stands(house: House):
    interaction, reservation = await offered(house)
    await interactions.answer(house.log, reservation, now=later(1))
    await interactions.end_interaction(house.log, interaction, cause="customer_hangup", now=later(2))
    amy = house.users["amy"]
    await drafts.save(house.pool, amy, interaction=interaction, note="older", disposition="call_back", now=later(3))
    await interactions.wrap_up(
        house.log, reservation, queue=None, disposition="solved", note="newer", now=later(4), released_at=later(2)
    )
    row = await house.pool.fetchrow("select disposition, note from interaction")
    assert row is not None
    assert tuple(row) == ("solved", "newer")
    assert await house.pool.fetchval("select count(*) from draft") == 0
