"""Automations: each turn comes in time, once, on any number of servers, and for tickets from before."""

import asyncio

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from callcenter.store.directory import Directory
from tests.actions.shop import HOUR, PEOPLE, REMIND, Shop
from tests.builders import later


@pytest.fixture
async def shop(log, pool) -> Shop:
    found = Shop(log, Directory(pool))
    await found.apply(PEOPLE)
    return found


async def test_automations_are_carried_out_in_time_once_and_in_order(shop: Shop):
    await shop.apply(REMIND)
    ticket = await shop.change(await shop.open(), at=10, state="pending")
    assert await shop.sweep(2 * HOUR) == 0
    assert await shop.sweep(2 * HOUR + 10) == 1
    assert await shop.sweep(2 * HOUR + 11) == 0
    assert [text for text, _, _ in await shop.texts(ticket)] == ["Did you see our answer?"]
    # The server was off: what was missed is done in its order, each once.
    await shop.sweep(30 * HOUR)
    assert (await shop.now(ticket)).state == "resolved"
    await shop.sweep(60 * HOUR)
    assert (await shop.now(ticket)).state == "closed"
    assert [rule for _, rule in shop.rules_in("ticket.replied", "ticket.resolved", "ticket.closed")] == [
        "automation:remind",
        "automation:give_up",
        "automation:give_up",
        "automation:close",
    ]


async def test_another_round_has_its_own_turn_and_an_answer_ends_the_waiting(shop: Shop):
    await shop.apply(REMIND)
    ticket = await shop.change(await shop.open(), at=10, state="pending")
    await shop.change(ticket, at=HOUR, state="open")
    assert await shop.sweep(3 * HOUR) == 0
    await shop.change(ticket, at=3 * HOUR, state="pending")
    assert await shop.sweep(5 * HOUR) == 1
    assert len(await shop.texts(ticket)) == 1


async def test_a_clock_that_is_set_back_lets_nothing_happen_twice(shop: Shop):
    await shop.apply(REMIND)
    ticket = await shop.change(await shop.open(), at=10, state="pending")
    await shop.sweep(3 * HOUR)
    assert await shop.sweep(HOUR) == await shop.sweep(3 * HOUR) == 0
    assert len(await shop.texts(ticket)) == 1


async def test_what_a_rule_does_is_no_update(shop: Shop):
    await shop.apply('[[automations]]\nname = "idle"\nsince = "updated"\nafter = "1h"\nthen = [{ note = "Idle." }]')
    ticket = await shop.open()
    await shop.sweep(HOUR)
    assert await shop.sweep(5 * HOUR) == 0
    await shop.change(ticket, at=6 * HOUR, priority="high")
    assert await shop.sweep(7 * HOUR) == 1
    assert len(await shop.texts(ticket)) == 2


async def test_automations_count_business_time_and_towards_what_is_due(shop: Shop):
    await shop.apply(
        '[[sla_policies]]\nname = "all"\nresolution = "8h"\n'
        '[[automations]]\nname = "old"\nsince = "created"\nafter = "2h"\nhours = "office"\nthen = [{ note = "old" }]\n'
        '[[automations]]\nname = "soon"\nsince = "due"\nafter = "-10m"\nthen = [{ note = "soon" }]'
    )
    ticket = await shop.open()  # at 16:30 in Shanghai, which closes at 18:00
    await shop.sweep(7 * HOUR)
    assert await shop.texts(ticket) == []
    await shop.sweep(8 * HOUR - 600)
    assert [text for text, _, _ in await shop.texts(ticket)] == ["soon"]
    await shop.sweep(17 * HOUR)  # 09:30, the next day
    assert [text for text, _, _ in await shop.texts(ticket)] == ["soon", "old"]


async def test_a_condition_that_comes_to_hold_later_is_seen_then(shop: Shop):
    await shop.apply(
        '[[automations]]\nname = "alone"\nsince = "created"\nafter = "1h"\nwhen = { owner = "none" }\n'
        'then = [{ notify = "role:supervisor" }]'
    )
    ticket = await shop.open(owner=shop.user("amy"))
    assert await shop.sweep(2 * HOUR) == 0
    await shop.change(ticket, at=3 * HOUR, owner=None)
    assert await shop.sweep(3 * HOUR) == 1
    assert await shop.notices("sue") == ["rule"]


async def test_tickets_from_before_get_their_turns_when_all_servers_know_the_automation(shop: Shop):
    old = [await shop.open() for _ in range(5)]
    await shop.change(old[0], at=60, state="pending")
    await shop.apply(REMIND, at=100)
    assert await shop.walk(101) == 0
    assert await shop.walk(110) == 5
    assert await shop.walk(120) == 0
    assert await shop.sweep(2 * HOUR + 60) == 1


async def test_without_automations_nothing_is_kept_of_their_turns(shop: Shop):
    await shop.apply(REMIND)
    await shop.change(await shop.open(), at=10, state="pending")
    file = understand(toml.parse(PEOPLE, "org.toml"), {})
    await organisation.apply(shop.log, file, prune=True, actor=None, now=later(20))
    await shop.directory.load()
    await shop.walk(60)
    await shop.open(at=70)
    assert await shop.log.pool.fetchval("select count(*) from ticket_timer") == 0


async def test_many_sweeps_at_once_carry_each_turn_out_once(shop: Shop):
    await shop.apply(REMIND)
    found = [await shop.change(await shop.open(), at=10, state="pending") for _ in range(12)]
    await asyncio.gather(*[shop.sweep(2 * HOUR + 10) for _ in range(6)])
    while await shop.sweep(2 * HOUR + 20):
        pass
    assert [len(await shop.texts(ticket)) for ticket in found] == [1] * 12


async def test_few_tickets_are_locked_at_once(shop: Shop):
    await shop.apply(REMIND)
    for _ in range(7):
        await shop.change(await shop.open(), at=10, state="pending")
    assert [await shop.sweep(2 * HOUR + 10) for _ in range(3)] == [5, 2, 0]
