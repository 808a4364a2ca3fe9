"""Written work counts as offered when its card stands on its agent's desk."""

from typing import Any

import pytest

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel
from tests.builders import NOW, arrive, eventually, ident_of, later, on_queue, reserve
from tests.screenpop.conftest import House, frame


@pytest.mark.parametrize("channel", [Channel.CHAT, Channel.EMAIL, Channel.FORM])
async def test_written_work_is_offered_when_its_card_is_on_the_desk(house: House, channel: Channel):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await on_queue(house.log, house.users["amy"])
    interaction = await written(house, channel)
    reservation = await reserve(house.log, interaction, house.users["amy"])
    before = await house.pool.fetchval("select due_at from reservation where id = $1", reservation)
    await frame(desk, "pop")
    await eventually(lambda: offered(house, interaction))
    row = await offered(house, interaction)
    assert (row["agent_id"], row["reservation"]) == (house.users["amy"], reservation)
    # What ends it, and that nobody has begun, stay as they were.
    assert await house.pool.fetchval("select due_at from reservation where id = $1", reservation) == before
    assert await house.pool.fetchval("select count(*) from segment where interaction_id = $1", interaction) == 0
    assert not await interactions.show_offer(house.log, reservation, now=later(5))


async def test_what_rings_is_not_offered_by_its_card(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await on_queue(house.log, house.users["amy"])
    interaction = await arrive(house.log, queue=house.queue)
    reservation = await reserve(house.log, interaction, house.users["amy"])
    await frame(desk, "pop")
    assert not await interactions.show_offer(house.log, reservation, now=later(5))
    assert await offered(house, interaction) is None


async def test_an_offer_that_was_taken_at_once_is_not_told_behind_its_answer(house: House):
    await on_queue(house.log, house.users["amy"])
    interaction = await written(house, Channel.CHAT)
    reservation = await reserve(house.log, interaction, house.users["amy"])
    await interactions.answer(house.log, reservation, now=later(2))
    assert not await interactions.show_offer(house.log, reservation, now=later(3))


async def written(house: House, channel: Channel) -> int:
    """Work that nobody dials, in the queue."""
    arrival = Arrival(channel, f"given/{channel}", "email", "wang@shop.example")
    return ident_of(await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=NOW))


async def offered(house: House, interaction: int) -> Any:
    return await house.pool.fetchrow(
        "select agent_id, (data ->> 'reservation')::bigint as reservation from contact_log "
        "where interaction_id = $1 and kind = 'interaction.offered'",
        interaction,
    )
