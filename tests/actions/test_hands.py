"""Several contacts in one hand: capacity, interruption, and the presence that comes next."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from callcenter.actions import agents, interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, ReservationState
from callcenter.errors import Conflict
from callcenter.store.pool import Pool
from tests.builders import NOW, Floor, arrive, ident_of, later, make_floor, on_queue, reserve


async def hand_in(floor: Floor, channel: Channel = Channel.EMAIL) -> int:
    """Work of another channel than the phone, waiting in the floor's queue."""
    arrival = Arrival(channel, None, None, None)
    return ident_of(await interactions.arrive(floor.log, arrival, queue=floor.queue, queued=True, node=None, now=NOW))


async def take(floor: Floor, channel: Channel, *, at: float) -> tuple[int, int]:
    """Offered and accepted; the interaction and its reservation."""
    ident = await (arrive(floor.log, queue=floor.queue) if channel is Channel.PHONE else hand_in(floor, channel))
    reservation = await reserve(floor.log, ident, floor.agent, now=later(at))
    await interactions.answer(floor.log, reservation, now=later(at + 1))
    return ident, reservation


async def finish(floor: Floor, ident: int, reservation: int, *, at: float) -> Sequence[Event]:
    await interactions.end_interaction(floor.log, ident, cause="agent", now=later(at))
    return await interactions.wrap_up(
        floor.log, reservation, queue=None, disposition=None, note=None, now=later(at + 1)
    )


async def offer_of(floor: Floor, ident: int) -> Sequence[Event]:
    return await interactions.reserve(
        floor.log, ident, agent=floor.agent, agent_version=None, reason="", decision=None, due=later(99), now=later(50)
    )


async def agent(floor: Floor) -> asyncpg.Record:
    row = await floor.log.pool.fetchrow("select * from agent where user_id = $1", floor.agent)
    assert row is not None
    return row


async def is_(floor: Floor, status: str, **load: int) -> None:
    row = await agent(floor)
    assert (row["routing_status"], row["load"]) == (status, load)


def told(events: Sequence[Event]) -> list[tuple[str, Any]]:
    return [(event.kind, event.data.get("reason")) for event in events if event.noun == "interaction"]


async def test_four_chats_fit_one_agent_each_in_a_slot_of_its_own_and_the_fifth_waits(pool: Pool) -> None:
    floor = await make_floor(pool)
    chats = [await take(floor, Channel.CHAT, at=n) for n in range(4)]
    await is_(floor, "interacting", chat=4)
    fifth = await hand_in(floor, Channel.CHAT)
    assert await offer_of(floor, fifth) == ()
    await finish(floor, *chats[1], at=20)
    await is_(floor, "interacting", chat=3)
    assert await offer_of(floor, fifth)
    slots = await pool.fetch("select slot from reservation where state in ('pending', 'accepted') order by id")
    assert [row["slot"] for row in slots] == [0, 2, 3, 1]
    await is_(floor, "offered", chat=4)


async def test_an_agent_with_a_pending_offer_gets_no_second_one_whatever_the_channel(pool: Pool) -> None:
    floor = await make_floor(pool)
    await reserve(floor.log, await hand_in(floor, Channel.CHAT), floor.agent)
    assert await offer_of(floor, await hand_in(floor, Channel.CHAT)) == ()
    assert await offer_of(floor, await arrive(floor.log, queue=floor.queue)) == ()
    with pytest.raises(asyncpg.UniqueViolationError):
        await pool.execute(
            "insert into reservation (interaction_id, agent_id, segment, channel, slot, created_at) "
            "values (99, $1, 1, 'email', 0, now())",
            floor.agent,
        )


async def test_a_wrap_up_still_takes_room(pool: Pool) -> None:
    floor = await make_floor(pool)
    call, reservation = await take(floor, Channel.PHONE, at=0)
    second = await arrive(floor.log, queue=floor.queue)
    await interactions.end_interaction(floor.log, call, cause="customer_hangup", now=later(9))
    await is_(floor, "wrap_up", phone=1)
    assert await offer_of(floor, second) == ()
    assert await offer_of(floor, await hand_in(floor)) == ()
    await interactions.wrap_up(floor.log, reservation, queue=None, disposition=None, note=None, now=later(12))
    assert await offer_of(floor, second)


async def test_a_call_that_is_answered_holds_the_mail_in_hand_until_it_is_wrapped_up(pool: Pool) -> None:
    floor = await make_floor(pool)
    mail, of_mail = await take(floor, Channel.EMAIL, at=0)
    call = await arrive(floor.log, queue=floor.queue)
    of_call = await reserve(floor.log, call, floor.agent, now=later(10))
    await is_(floor, "offered", email=1, phone=1)
    answered = await interactions.answer(floor.log, of_call, now=later(12))
    assert told(answered) == [("interaction.answered", None), ("interaction.held", "interrupted")]
    held = answered[1]
    assert (held.interaction, held.agent, held.data["by"]) == (mail, floor.agent, call)
    await is_(floor, "interacting", email=1, phone=1)
    await interactions.end_interaction(floor.log, call, cause="customer_hangup", now=later(40))
    await is_(floor, "interacting", email=1, phone=1)
    wrapped = await interactions.wrap_up(floor.log, of_call, queue=None, disposition=None, note=None, now=later(45))
    assert told(wrapped) == [
        ("interaction.wrapped", None),
        ("interaction.resumed", "interrupted"),
        ("interaction.closed", None),
    ]
    segment = await pool.fetchrow("select hold, held_at, hold_reason from segment where interaction_id = $1", mail)
    assert tuple(segment or ()) == (timedelta(seconds=33), None, None)
    await is_(floor, "interacting", email=1)
    await finish(floor, mail, of_mail, at=60)
    await is_(floor, "idle")


async def test_a_mail_goes_on_only_when_the_last_that_interrupts_it_is_over(pool: Pool) -> None:
    floor = await make_floor(pool)
    mail, _ = await take(floor, Channel.EMAIL, at=0)
    first = await take(floor, Channel.CHAT, at=10)
    second = await take(floor, Channel.CHAT, at=20)

    async def held() -> bool:
        return bool(await pool.fetchval("select held_at is not null from segment where interaction_id = $1", mail))

    await finish(floor, *first, at=30)
    assert await held()
    await finish(floor, *second, at=40)
    assert not await held()
    assert await pool.fetchval("select hold from segment where interaction_id = $1", mail) == timedelta(seconds=30)


async def test_a_mail_that_is_ended_while_it_is_interrupted_has_its_hold_booked(pool: Pool) -> None:
    floor = await make_floor(pool)
    mail, of_mail = await take(floor, Channel.EMAIL, at=0)
    call = await take(floor, Channel.PHONE, at=10)
    await finish(floor, mail, of_mail, at=21)
    assert await pool.fetchval("select hold from segment where interaction_id = $1", mail) == timedelta(seconds=10)
    assert told(await finish(floor, *call, at=30)) == [("interaction.wrapped", None), ("interaction.closed", None)]


async def test_a_call_transferred_to_an_agent_with_a_mail_in_hand_interrupts_it(pool: Pool) -> None:
    floor = await make_floor(pool)
    mail, _ = await take(floor, Channel.EMAIL, at=0)
    call = await arrive(floor.log, queue=floor.queue)
    await pool.execute("update interaction set state = 'active' where id = $1", call)
    events = await interactions.transfer(
        floor.log, call, agent=floor.agent, endpoint="P/1", leg="P/1-1", kind="blind", now=later(10)
    )
    assert told(events) == [("interaction.transferred", None), ("interaction.held", "interrupted")]
    assert events[1].interaction == mail
    await is_(floor, "interacting", email=1, phone=1)


async def test_who_does_not_answer_stays_not_responding_while_what_is_in_hand_goes_on(pool: Pool) -> None:
    floor = await make_floor(pool)
    mail = await take(floor, Channel.EMAIL, at=0)
    of_call = await reserve(floor.log, await arrive(floor.log, queue=floor.queue), floor.agent)
    await interactions.return_to_queue(
        floor.log, of_call, state=ReservationState.TIMED_OUT, reason="no_answer", now=later(9)
    )
    await is_(floor, "not_responding", email=1)
    assert await offer_of(floor, await arrive(floor.log, queue=floor.queue)) == ()
    await finish(floor, *mail, at=20)
    await is_(floor, "not_responding")
    await on_queue(floor.log, floor.agent, now=later(30))
    await is_(floor, "idle")


async def choose(floor: Floor, presence: str, *, at: float, reason: str | None = None) -> None:
    await agents.set_presence(
        floor.log, floor.agent, presence=presence, reason=reason, actor=floor.agent, now=later(at)
    )


async def test_a_break_chosen_with_work_in_hand_begins_with_the_end_of_the_last_of_it(pool: Pool) -> None:
    floor = await make_floor(pool)
    chats = [await take(floor, Channel.CHAT, at=n) for n in range(2)]
    await choose(floor, "break", reason="coffee", at=10)
    row = await agent(floor)
    assert (row["presence"], row["presence_at"], row["next_presence"], row["next_presence_reason"]) == (
        "on_queue", NOW, "break", "coffee",
    )  # fmt: skip
    assert await offer_of(floor, await hand_in(floor, Channel.CHAT)) == ()
    await finish(floor, *chats[0], at=20)
    assert (await agent(floor))["presence"] == "on_queue"
    events = await finish(floor, *chats[1], at=30)
    assert [event.kind for event in events if event.noun == "agent"] == ["agent.presence"]
    row = await agent(floor)
    assert (row["presence"], row["presence_reason"], row["presence_at"], row["routing_status"]) == (
        "break", "coffee", later(31), "off_queue",
    )  # fmt: skip
    assert (row["next_presence"], row["next_presence_reason"]) == (None, None)


async def test_what_comes_next_can_be_changed_and_taken_back(pool: Pool) -> None:
    floor = await make_floor(pool)
    chat = await take(floor, Channel.CHAT, at=0)
    await choose(floor, "break", at=10)
    await choose(floor, "meal", at=11)
    assert (await agent(floor))["next_presence"] == "meal"
    await choose(floor, "on_queue", at=12)
    row = await agent(floor)
    assert (row["presence"], row["presence_at"], row["next_presence"]) == ("on_queue", NOW, None)
    offered = await reserve(floor.log, await hand_in(floor, Channel.CHAT), floor.agent)
    await interactions.return_to_queue(floor.log, offered, state=ReservationState.CANCELLED, reason="x", now=later(13))
    await finish(floor, *chat, at=20)
    await is_(floor, "idle")


async def test_an_offer_that_is_missed_begins_the_break_that_was_to_come_next(pool: Pool) -> None:
    floor = await make_floor(pool)
    offered = await reserve(floor.log, await arrive(floor.log, queue=floor.queue), floor.agent)
    await choose(floor, "break", at=2)
    assert (await agent(floor))["presence"] == "on_queue"
    await interactions.return_to_queue(
        floor.log, offered, state=ReservationState.REJECTED, reason="declined", now=later(3)
    )
    assert (await agent(floor))["presence"] == "break"
    await is_(floor, "off_queue")


async def test_a_supervisor_cannot_assign_beyond_capacity(pool: Pool) -> None:
    floor = await make_floor(pool)
    await take(floor, Channel.EMAIL, at=0)

    async def assign(ident: int) -> None:
        await interactions.assign(floor.log, ident, agent=floor.agent, by="sue", actor=floor.agent, now=later(20))

    with pytest.raises(Conflict):
        await assign(await hand_in(floor))
    await assign(await arrive(floor.log, queue=floor.queue))
    query = "select actor_id from contact_log where kind = 'interaction.reserved' and data ->> 'reason' = 'assigned'"
    assert await pool.fetchval(query) == floor.agent
