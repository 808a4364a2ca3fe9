"""Calling people back: once, in turn, within the hours, and not for ever."""

from datetime import timedelta

import pytest

from callcenter.actions import callbacks, interactions
from callcenter.actions.callbacks import Wish
from callcenter.domain.callback import CallbackRules
from callcenter.domain.outbox import Letter
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from tests.builders import NOW, Floor, arrive, later, make_customer, make_floor, reserve

NUMBER = "+8613800138000"


class Words:
    """callcenter.ports.Letters, saying what it was told."""

    def write(self, template, language, data) -> Letter:
        return Letter(f"{template} {data['attempts']}", "Nobody was reached.")


class House:
    def __init__(self, floor: Floor, directory: Directory) -> None:
        self.floor, self.directory, self.log, self.pool = floor, directory, floor.log, floor.log.pool

    async def ask(self, now=NOW, **wish):
        asked = Wish(**{"number": NUMBER, "queue": self.floor.queue, **wish})
        return await callbacks.ask(self.log, self.directory, asked, now=now)

    async def row(self, ident: int):
        return await self.pool.fetchrow("select * from interaction where id = $1", ident)

    async def due(self, now) -> None:
        await callbacks.run_due(self.log, self.directory, now=now)

    async def take(self, ident: int, now=NOW) -> int:
        """The agent has accepted it."""
        reservation = await reserve(self.log, ident, self.floor.agent, now=now)
        await interactions.answer(self.log, reservation, now=now)
        return reservation

    async def miss(self, ident: int, now) -> None:
        await callbacks.missed(self.log, self.directory, Words(), ident, cause="no_answer", now=now)

    async def calls(self):
        return await self.pool.fetch("select * from interaction where channel = 'callback' order by id")


@pytest.fixture
async def house(pool: Pool) -> House:
    floor = await make_floor(pool)
    directory = Directory(pool)
    await directory.load()
    return House(floor, directory)


async def shut(house: House, opens: str = "12:00") -> None:
    """The queue opens at noon, UTC; NOW is half past eight on a Tuesday."""
    hours = await house.pool.fetchval(
        "insert into hours (name, timezone, weekly, closed, open) values ('noon', 'UTC', $1, '{}', '{}') returning id",
        {"tue": [f"{opens}-18:00"], "wed": [f"{opens}-18:00"]},
    )
    await house.pool.execute("update queue set hours_id = $1", hours)
    await house.directory.load()


async def test_who_asks_is_known_by_the_number_and_waits_in_the_queue(house: House):
    customer = await make_customer(house.pool, phone=NUMBER)
    asked = await house.ask(number="138 0013 8000", text="The boiler\nis cold")
    row = await house.row(asked.interaction)
    assert (row["channel"], row["state"], row["customer_id"], row["queued_at"]) == ("callback", "queued", customer, NOW)
    assert (row["address"], row["subject"], asked.due_at) == (NUMBER, "The boiler", None)
    assert await house.pool.fetchval("select text from message") == "The boiler\nis cold"


async def test_a_call_that_waits_keeps_its_place_and_is_no_abandon(house: House):
    call = await arrive(house.log, queue=house.floor.queue, now=NOW)
    asked = await house.ask(instead_of=call, now=later(90))
    before, row = await house.row(call), await house.row(asked.interaction)
    assert (before["state"], before["outcome"], before["end_cause"]) == ("closed", "flow_out", "callback")
    assert (row["state"], row["queued_at"], row["arrived_at"]) == ("queued", NOW, later(90))


async def test_whoever_talks_already_goes_on_talking(house: House):
    call = await arrive(house.log, queue=house.floor.queue)
    await house.take(call)
    asked = await house.ask(instead_of=call, now=later(60))
    assert (await house.row(call))["state"] == "active"
    assert (await house.row(asked.interaction))["queued_at"] == NOW


async def test_asked_for_twice_it_is_done_once_and_who_waited_need_not_wait(house: House):
    first = await house.ask()
    call = await arrive(house.log, queue=house.floor.queue)
    again = await house.ask(instead_of=call, now=later(5))
    assert (again.interaction, again.new) == (first.interaction, False)
    assert (await house.row(call))["state"] == "closed"
    assert len(await house.calls()) == 1


async def test_a_number_whose_callback_is_over_may_ask_anew(house: House):
    first = await house.ask()
    await house.take(first.interaction)
    await interactions.end_interaction(house.log, first.interaction, cause="agent_hangup", now=later(60))
    assert (await house.ask(now=later(61))).new


@pytest.mark.parametrize("number", ["12", "+18005550199", "", "anonymous", "+8695012345"])
async def test_what_is_no_number_of_a_person_here_is_not_called(house: House, number: str):
    with pytest.raises(Invalid):
        await house.ask(number=number)
    assert await house.calls() == []


async def test_a_chosen_moment_comes_in_its_time(house: House):
    asked = await house.ask(at=later(3600))
    assert (asked.due_at, (await house.row(asked.interaction))["state"]) == (later(3600), "new")
    await house.due(later(3599))
    assert (await house.row(asked.interaction))["state"] == "new"
    await house.due(later(3601))
    row = await house.row(asked.interaction)
    assert (row["state"], row["queued_at"]) == ("queued", later(3601))


async def test_nobody_is_called_while_nobody_is_there(house: House):
    asked = await house.ask()
    await shut(house)
    await house.due(later(1))
    assert (await house.row(asked.interaction))["state"] == "new"
    at_noon = NOW.replace(hour=12, minute=0)
    await house.due(at_noon)
    row = await house.row(asked.interaction)
    assert (row["state"], row["queued_at"]) == ("queued", NOW)
    other = await house.ask(number="+8613800138001", now=later(2))
    assert other.due_at == at_noon


async def test_moments_that_cannot_be_are_refused_in_words(house: House):
    await shut(house)
    for at, words in (
        (later(-3600), "passed"),
        (later(3600), "Nobody is there then; open again 2026-03-10 12:00"),
        (NOW + timedelta(days=30), "further ahead"),
    ):
        with pytest.raises(Invalid, match=words):
            await house.ask(at=at)


async def test_nobody_reached_is_tried_again_and_in_the_end_becomes_a_ticket(house: House):
    house.directory.callback_rules = CallbackRules(attempts=2, again=timedelta(minutes=10))
    first = await house.ask(text="The boiler")
    reservation = await house.take(first.interaction)
    await house.miss(first.interaction, later(60))
    await interactions.wrap_up(house.log, reservation, queue=None, disposition=None, note=None, now=later(70))
    _, second = await house.calls()
    assert (second["state"], second["subject"], second["address"]) == ("new", "The boiler", NUMBER)
    await house.due(later(661))
    await house.take(second["id"], now=later(700))
    await house.miss(second["id"], later(720))
    rows = await house.calls()
    assert [row["outcome"] for row in rows] == ["missed", "failed"]
    [ticket] = await house.pool.fetch("select * from ticket")
    assert ticket["subject"] == "callback_given_up 2"
    assert rows[1]["ticket_id"] == ticket["id"]
    await house.miss(second["id"], later(721))
    assert len(await house.calls()) == 2


async def test_whoever_does_not_want_to_be_called_is_not(house: House):
    agent = house.floor.agent
    await callbacks.forbid(house.log, house.directory, "13800138000", reason="asked", actor=agent, now=NOW)
    with pytest.raises(Invalid, match="does not want"):
        await house.ask()
    await callbacks.allow(house.log, house.directory, NUMBER, actor=agent, now=NOW)
    assert (await house.ask()).new
    with pytest.raises(NotFound):
        await callbacks.allow(house.log, house.directory, NUMBER, actor=agent, now=NOW)


async def test_what_nobody_has_in_hand_can_be_cancelled(house: House):
    asked = await house.ask()
    await callbacks.cancel(house.log, asked.interaction, actor=house.floor.agent, now=later(1))
    row = await house.row(asked.interaction)
    assert (row["outcome"], row["end_cause"]) == ("flow_out", "cancelled")
    with pytest.raises(Conflict):
        await callbacks.cancel(house.log, asked.interaction, actor=house.floor.agent, now=later(2))
