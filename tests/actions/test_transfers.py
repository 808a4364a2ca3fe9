"""Written work that one agent hands to a queue or a colleague: places, figures, and what becomes of it."""

import asyncpg
import pytest

from callcenter.actions import agents, interactions, tickets, transfers
from callcenter.domain.capacity import AT_ONCE
from callcenter.domain.interaction import Arrival, Channel, Outcome, ReservationState
from callcenter.errors import Conflict, Invalid
from callcenter.store.pool import Pool
from callcenter.store.queries import ROOT, Queries
from tests.builders import NOW, Floor, ident_of, later, make_floor, make_queue, make_user, on_queue, reserve


async def talk(floor: Floor, channel: Channel = Channel.CHAT) -> tuple[int, int]:
    """Waited for 10 s, and in hand since; the interaction and its reservation."""
    arrival = Arrival(channel, None, None, None)
    ident = ident_of(await interactions.arrive(floor.log, arrival, queue=floor.queue, queued=True, node=None, now=NOW))
    reservation = await reserve(floor.log, ident, floor.agent, now=later(9))
    await interactions.answer(floor.log, reservation, now=later(10))
    return ident, reservation


async def colleague(floor: Floor, name: str = "bo") -> int:
    ident = await make_user(floor.log.pool, name)
    await on_queue(floor.log, ident)
    return ident


async def row(floor: Floor, ident: int) -> asyncpg.Record:
    found = await floor.log.pool.fetchrow("select * from interaction where id = $1", ident)
    assert found is not None
    return found


async def agent(floor: Floor, ident: int) -> asyncpg.Record:
    found = await floor.log.pool.fetchrow("select * from agent where user_id = $1", ident)
    assert found is not None
    return found


@pytest.mark.parametrize("channel", [Channel.CHAT, Channel.EMAIL])
async def test_work_handed_to_a_queue_waits_there_at_its_old_place(pool: Pool, channel: Channel) -> None:
    floor = await make_floor(pool)
    billing = await make_queue(pool, "billing")
    ident, reservation = await talk(floor, channel)
    events = await transfers.hand_over(
        floor.log, reservation, queue=billing, note="wants a refund", actor=floor.agent, now=later(60)
    )
    after = await row(floor, ident)
    assert (after["state"], after["queue_id"], after["queued_at"]) == ("queued", billing, NOW)
    assert (after["agent_id"], after["answered_at"], after["entered_at"]) == (None, None, later(60))
    assert [event.kind for event in events] == ["interaction.transferred", "agent.status"]
    [note] = await pool.fetch("select * from message where interaction_id = $1", ident)
    assert (note["kind"], note["public"], note["text"]) == ("note", False, "wants a refund")
    segment = await pool.fetchrow("select * from segment where interaction_id = $1", ident)
    assert segment is not None
    assert (segment["ended_at"], segment["cause"]) == (later(60), "transferred")


async def test_the_ticket_of_a_mail_has_the_note_with_which_it_was_handed_over(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident, reservation = await talk(floor, Channel.EMAIL)
    ticket = await tickets.open_ticket(
        floor.log, subject="Refund", customer=None, interaction=ident, queue=None, priority="normal", text=None,
        actor=None, now=NOW,
    )  # fmt: skip
    await transfers.hand_over(
        floor.log, reservation, queue=floor.queue, note="wants a refund", actor=floor.agent, now=later(60)
    )
    [note] = await pool.fetch("select kind, public, text from message where ticket_id = $1", ticket.id)
    assert tuple(note) == ("note", False, "wants a refund")


async def test_whoever_hands_over_has_nothing_to_wrap_up_and_gets_nothing_new_for_a_moment(pool: Pool) -> None:
    floor = await make_floor(pool)
    _, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, queue=floor.queue, note=None, actor=floor.agent, now=later(60))
    after = await agent(floor, floor.agent)
    assert (after["routing_status"], after["load"], after["live"]) == ("idle", {}, 0)
    assert after["not_before"] == later(60) + transfers.APART


async def test_the_next_agent_begins_a_segment_and_the_first_queue_keeps_what_it_answered(pool: Pool) -> None:
    floor = await make_floor(pool)
    billing = await make_queue(pool, "billing")
    bo = await colleague(floor)
    ident, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, queue=billing, note=None, actor=floor.agent, now=later(60))
    await interactions.answer(floor.log, await reserve(floor.log, ident, bo, now=later(70)), now=later(75))
    [stay] = await pool.fetch("select * from handed_over")
    assert (stay["queue_id"], stay["entered_at"], stay["answered_at"]) == (floor.queue, NOW, later(10))
    assert (await row(floor, ident))["answered_at"] == later(75)
    segments = await pool.fetch("select agent_id, ended_at from segment where interaction_id = $1 order by n", ident)
    assert [tuple(each) for each in segments] == [(floor.agent, later(60)), (bo, None)]


async def test_a_colleague_is_asked_at_once_and_the_queue_has_answered_once(pool: Pool) -> None:
    floor = await make_floor(pool)
    bo = await colleague(floor)
    ident, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, agent=bo, note=None, actor=floor.agent, now=later(60))
    after = await row(floor, ident)
    assert (after["state"], after["agent_id"], after["answered_at"]) == ("offered", bo, later(10))
    assert (await agent(floor, bo))["routing_status"] == "offered"
    assert await pool.fetchval("select count(*) from handed_over") == 0
    reason = await pool.fetchval("select reason from reservation where agent_id = $1 and state = 'pending'", bo)
    assert reason == "transfer"


async def test_a_customer_who_leaves_when_the_colleague_did_not_take_it_has_not_abandoned(pool: Pool) -> None:
    floor = await make_floor(pool)
    bo = await colleague(floor)
    ident, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, agent=bo, note=None, actor=floor.agent, now=later(60))
    asked = await pool.fetchval("select id from reservation where agent_id = $1", bo)
    await interactions.return_to_queue(
        floor.log, asked, state=ReservationState.REJECTED, reason="declined", now=later(65)
    )
    waiting = await row(floor, ident)
    assert (waiting["state"], waiting["queued_at"]) == ("queued", NOW)
    await interactions.leave_unserved(
        floor.log, ident, outcome=Outcome.ABANDONED, cause="visitor", node=None, now=later(90)
    )
    over = await row(floor, ident)
    assert (over["state"], over["outcome"]) == ("closed", "handled")


async def test_a_customer_who_gives_up_in_the_second_queue_is_its_loss_and_the_first_ones_answer(pool: Pool) -> None:
    floor = await make_floor(pool)
    billing = await make_queue(pool, "billing")
    ident, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, queue=billing, note=None, actor=floor.agent, now=later(60))
    await interactions.leave_unserved(
        floor.log, ident, outcome=Outcome.ABANDONED, cause="visitor", node=None, now=later(90)
    )
    over = await row(floor, ident)
    assert (over["queue_id"], over["outcome"]) == (billing, "abandoned")
    assert await pool.fetchval("select count(*) from handed_over where queue_id = $1", floor.queue) == 1


async def test_nothing_moves_when_the_colleague_cannot_take_it(pool: Pool) -> None:
    floor = await make_floor(pool)
    bo = await colleague(floor)
    await agents.set_presence(floor.log, bo, presence="break", reason=None, actor=bo, now=later(20))
    ident, reservation = await talk(floor)
    with pytest.raises(Conflict, match="takes none"):
        await transfers.hand_over(floor.log, reservation, agent=bo, note="x", actor=floor.agent, now=later(60))
    after = await row(floor, ident)
    assert (after["state"], after["agent_id"]) == ("active", floor.agent)
    assert await pool.fetchval("select count(*) from message") == 0


async def test_what_was_noted_before_stays_with_the_contact(pool: Pool) -> None:
    floor = await make_floor(pool)
    ident, reservation = await talk(floor)
    await pool.execute(
        "insert into draft (user_id, interaction_id, note, updated_at) values ($1, $2, 'paid twice', $3)",
        floor.agent, ident, later(20),
    )  # fmt: skip
    await transfers.hand_over(floor.log, reservation, queue=floor.queue, note=None, actor=floor.agent, now=later(60))
    assert (await row(floor, ident))["note"] == "paid twice"
    assert await pool.fetchval("select count(*) from draft") == 0


async def test_it_is_handed_over_once(pool: Pool) -> None:
    floor = await make_floor(pool)
    _, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, queue=floor.queue, note=None, actor=floor.agent, now=later(60))
    with pytest.raises(Conflict, match="not in hand"):
        await transfers.hand_over(
            floor.log, reservation, queue=floor.queue, note=None, actor=floor.agent, now=later(61)
        )


async def test_a_call_and_a_note_without_end_are_refused(pool: Pool) -> None:
    floor = await make_floor(pool)
    _, reservation = await talk(floor, Channel.PHONE)
    with pytest.raises(Conflict):
        await transfers.hand_over(
            floor.log, reservation, queue=floor.queue, note=None, actor=floor.agent, now=later(60)
        )
    with pytest.raises(Invalid, match="2000"):
        await transfers.hand_over(
            floor.log, reservation, queue=floor.queue, note="x" * 2001, actor=floor.agent, now=later(60)
        )


async def test_a_chat_in_the_second_queue_is_not_answered_there_until_it_is(pool: Pool) -> None:
    wall = Queries(ROOT / "screenpop" / "wallboard.sql")
    floor = await make_floor(pool)
    billing = await make_queue(pool, "billing")
    _, reservation = await talk(floor)
    await transfers.hand_over(floor.log, reservation, queue=billing, note=None, actor=floor.agent, now=later(60))
    rows = {each["queue_id"]: each for each in await pool.fetch(wall.today, NOW, later(61), list(AT_ONCE))}
    assert (rows[floor.queue]["answered"], rows[floor.queue]["in_time"]) == (1, 1)
    assert (rows[billing]["answered"], rows[billing]["in_time"]) == (0, 0)
