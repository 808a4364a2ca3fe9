"""Tickets and tasks that nobody has wait in their queue as other work does, and are whose offer of them is accepted."""

import asyncio
from datetime import timedelta

import pytest

from callcenter.actions import interactions, offered_work, tasks, ticket_ties, tickets
from callcenter.domain.events import Event
from callcenter.domain.interaction import Outcome, ReservationState
from callcenter.errors import Conflict
from callcenter.store import tasks as task_rows
from callcenter.store import tickets as store
from callcenter.store.directory import Directory
from callcenter.store.rules import TaskPlan
from tests.actions.test_tickets import change, open_ticket
from tests.builders import make_customer

OFFERING = "insert into queue (name, offers_tickets, offers_tasks) values ($1, true, true) returning id"


@pytest.fixture
async def support(pool):
    return await pool.fetchval(OFFERING, "support")


@pytest.fixture
async def billing(pool):
    return await pool.fetchval(OFFERING, "billing")


@pytest.fixture
async def ann(pool, amy):
    """Amy, who takes work."""
    await pool.execute("update agent set presence = 'on_queue', routing_status = 'idle', idle_since = now()")
    return amy


@pytest.fixture
async def directory(pool, support, billing, amy):
    found = Directory(pool)
    await found.load()
    return found


async def offers(log, *, ticket=None, task=None):
    """State, queue, priority and why it ended, of all offers of a ticket or a task, the oldest first."""
    rows = await log.pool.fetch(
        "select i.* from interaction i join offered_work w on w.interaction_id = i.id "
        "where w.ticket_id = $1 or w.task_id = $2 order by i.id",
        ticket.id if ticket else None,
        task.id if task else None,
    )
    return [(row["state"], row["queue_id"], row["priority"], row["end_cause"]) for row in rows]


async def settle(log, now):
    """What hears of events does, without them."""
    while await offered_work.reconcile_all(log, now=now):
        pass


async def waiting(log):
    return await log.pool.fetchval(
        "select id from interaction where channel in ('ticket', 'task') and closed_at is null"
    )


async def reserve(log, ident, agent, now):
    events = await interactions.reserve(
        log, ident, agent=agent, agent_version=None, reason="longest_idle", decision=None,
        due=now + timedelta(seconds=20), now=now,
    )  # fmt: skip
    return next(event.data["reservation"] for event in events if event.kind == "interaction.reserved")


async def test_a_ticket_without_an_owner_waits_in_its_queue(log, now, support):
    ticket = await open_ticket(log, now, queue=support)
    events: list[Event] = []
    log.listen(events.extend)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", support, 0, None)]
    assert [event.kind for event in events] == ["interaction.arrived", "interaction.queued"]
    assert (await store.get(log.pool, ticket.id)).interactions == ()


async def test_what_is_as_it_should_be_is_left_alone(log, now, support):
    await open_ticket(log, now, queue=support)
    await settle(log, now)
    assert await offered_work.reconcile_all(log, now=now) == 0


async def test_tickets_from_before_are_offered_when_their_queue_begins_to(log, now, pool):
    queue = await pool.fetchval("insert into queue (name) values ('plain') returning id")
    ticket = await open_ticket(log, now, queue=queue)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == []
    await pool.execute("update queue set offers_tickets = true")
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", queue, 0, None)]
    await pool.execute("update queue set offers_tickets = false")
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("closed", queue, 0, "ticket_moved")]


async def test_a_ticket_of_a_live_contact_is_offered_when_that_is_over(log, now, support, call):
    ticket = await open_ticket(log, now, queue=support, interaction=call)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == []
    await interactions.leave_unserved(log, call, outcome=Outcome.ABANDONED, cause="caller", node=None, now=now)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", support, 0, None)]


async def test_a_ticket_whose_customer_writes_comes_with_what_they_wrote(log, now, support, call):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    await tickets.link(log, ticket.id, interaction=call, actor=None, now=now)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("closed", support, 0, "ticket_in_contact")]


async def test_a_ticket_of_somebodys_is_not_offered_until_they_give_it_back(log, now, support, amy):
    ticket = await open_ticket(log, now, queue=support, owner=amy)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == []
    await change(log, ticket, now, owner=None)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", support, 0, None)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "pending"}, "ticket_paused"),
        ({"state": "on_hold"}, "ticket_paused"),
        ({"state": "resolved"}, "ticket_over"),
        ({"state": "closed"}, "ticket_over"),
        ({"queue": None}, "ticket_moved"),
    ],
)
async def test_a_ticket_that_nobody_is_to_take_waits_no_longer(log, now, support, changes, reason):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    await change(log, ticket, now, **changes)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("closed", support, 0, reason)]


async def test_a_ticket_taken_by_hand_is_offered_to_nobody_else(log, now, support, ann, pool):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    reservation = await reserve(log, await waiting(log), ann, now)
    await change(log, ticket, now, owner=ann)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("closed", support, 0, "ticket_taken")]
    assert await pool.fetchval("select state from reservation where id = $1", reservation) == "cancelled"
    assert await pool.fetchval("select routing_status from agent where user_id = $1", ann) == "idle"


async def test_a_ticket_moved_to_another_queue_waits_there(log, now, support, billing):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    await change(log, ticket, now, queue=billing)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("closed", support, 0, "ticket_moved"), ("queued", billing, 0, None)]


async def test_an_offer_stays_where_a_supervisor_put_it(log, now, support, billing, amy):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    await interactions.move(log, await waiting(log), queue=billing, priority=7, actor=amy, now=now)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", billing, 7, None)]


async def test_what_a_supervisor_took_out_waits_again_when_it_was_changed(log, now, support, amy):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    await log.write("take_out", await waiting(log), None, amy, now + timedelta(minutes=1))
    await settle(log, now)
    assert [state for state, *_ in await offers(log, ticket=ticket)] == ["closed"]
    await change(log, ticket, now + timedelta(minutes=2), category="heating")
    await settle(log, now)
    assert [state for state, *_ in await offers(log, ticket=ticket)] == ["closed", "queued"]


async def test_a_merged_ticket_waits_no_longer(log, now, support):
    target = await open_ticket(log, now)
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    await ticket_ties.merge(log, ticket.id, into=target.id, version=None, actor=None, now=now)
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("closed", support, 0, "ticket_merged")]


async def test_a_reopened_ticket_that_nobody_owns_waits_again(log, now, support):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    for state in ("resolved", "open"):
        await change(log, ticket, now, state=state)
        await settle(log, now)
    assert [state for state, *_ in await offers(log, ticket=ticket)] == ["closed", "queued"]


async def test_a_tickets_priority_brings_it_forward(log, now, support):
    ticket = await open_ticket(log, now, queue=support, priority="high")
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", support, 60, None)]
    await change(log, ticket, now, priority="urgent")
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("queued", support, 240, None)]


async def test_two_servers_at_once_make_one_offer(log, now, directory, support):
    tickets = [await open_ticket(log, now, queue=support) for _ in range(20)]
    todo = [await open_task(log, directory, now) for _ in range(20)]
    some = {"tickets": [each.id for each in tickets], "tasks": [each.id for each in todo], "now": now}
    await asyncio.gather(*[offered_work.reconcile(log, **some) for _ in range(4)])
    await settle(log, now)
    assert all([await offers(log, ticket=each) == [("queued", support, 0, None)] for each in tickets])
    assert all([await offers(log, task=each) == [("queued", support, 0, None)] for each in todo])


async def test_whoever_accepts_a_ticket_owns_it_and_keeps_it_after_the_wrap_up(log, now, directory, support, ann, pool):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now)
    events = await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=now)
    assert {"interaction.answered", "ticket.changed"} <= {event.kind for event in events}
    taken = await store.get(pool, ticket.id)
    assert (taken.owner, taken.state) == (ann, "open")
    await settle(log, now)
    assert await offers(log, ticket=ticket) == [("active", support, 0, None)]
    await interactions.end_interaction(log, ident, cause="agent", now=now)
    await interactions.wrap_up(log, reservation, queue=None, disposition=None, note=None, now=now)
    await settle(log, now)
    assert (await store.get(pool, ticket.id)).owner == ann
    assert [state for state, *_ in await offers(log, ticket=ticket)] == ["closed"]


async def test_a_ticket_given_back_is_offered_again_when_its_offer_is_out_of_the_agents_hand(
    log, now, directory, support, ann
):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now)
    await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=now)
    await change(log, ticket, now, owner=None)
    await settle(log, now)
    assert [state for state, *_ in await offers(log, ticket=ticket)] == ["active"]
    await interactions.end_interaction(log, ident, cause="agent", now=now)
    await interactions.wrap_up(log, reservation, queue=None, disposition=None, note=None, now=now)
    await settle(log, now)
    assert [state for state, *_ in await offers(log, ticket=ticket)] == ["closed", "queued"]


async def test_a_ticket_that_somebody_took_meanwhile_is_not_taken_from_them(log, now, directory, support, ann, pool):
    bo = await pool.fetchval("insert into users (name, full_name, role) values ('bo', 'Bo', 'agent') returning id")
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now)
    await change(log, ticket, now, owner=bo)
    with pytest.raises(Conflict):
        await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=now)
    assert (await store.get(pool, ticket.id)).owner == bo
    assert await pool.fetchval("select state from reservation where id = $1", reservation) == "pending"


async def test_an_offer_nobody_answers_returns_with_its_time(log, now, directory, support, ann, pool):
    ticket = await open_ticket(log, now, queue=support)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now + timedelta(minutes=5))
    later = now + timedelta(minutes=6)
    await interactions.return_to_queue(log, reservation, state=ReservationState.TIMED_OUT, reason="silent", now=later)
    row = await pool.fetchrow("select state, queued_at from interaction where id = $1", ident)
    assert tuple(row) == ("queued", now)
    with pytest.raises(Conflict):
        await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=later)
    assert (await store.get(pool, ticket.id)).owner is None


async def test_what_was_noted_of_an_offered_ticket_is_erased_with_its_customer(log, now, directory, support, ann, pool):
    customer = await make_customer(pool)
    await open_ticket(log, now, queue=support, customer=customer)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now)
    await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=now)
    await interactions.end_interaction(log, ident, cause="agent", now=now)
    await interactions.wrap_up(log, reservation, queue=None, disposition=None, note="Her leg is broken.", now=now)
    await pool.fetchval("select empty_customer($1, $2)", customer, now)
    assert await pool.fetchval("select note from interaction where id = $1", ident) is None


# -- tasks


async def open_task(log, directory, now, *, queue="support", ticket=None):
    plan = TaskPlan(title="Send the cheque", assignee=f"queue:{queue}" if queue else None)
    return await tasks.open_task(log, directory, plan=plan, ticket=ticket, actor=None, now=now)


async def change_task(log, directory, task, now, **changes):
    return await tasks.change(log, directory, task.id, changes=changes, version=None, actor=None, now=now)


async def test_a_queues_task_waits_there_with_the_priority_of_its_ticket(log, now, directory, support):
    ticket = await open_ticket(log, now, priority="urgent")
    alone, of_ticket = await open_task(log, directory, now), await open_task(log, directory, now, ticket=ticket.id)
    await open_task(log, directory, now, queue=None)
    await settle(log, now)
    assert await offers(log, task=alone) == [("queued", support, 0, None)]
    assert await offers(log, task=of_ticket) == [("queued", support, 240, None)]
    assert await log.pool.fetchval("select count(*) from offered_work") == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"state": "done"}, "task_over"), ({"state": "cancelled"}, "task_over"), ({"queue": None}, "task_moved")],
)
async def test_a_task_that_nobody_is_to_do_waits_no_longer(log, now, directory, support, changes, reason):
    task = await open_task(log, directory, now)
    await settle(log, now)
    await change_task(log, directory, task, now, **changes)
    await settle(log, now)
    assert await offers(log, task=task) == [("closed", support, 0, reason)]


async def test_a_task_taken_by_hand_is_offered_to_nobody_else(log, now, directory, support, amy):
    task = await open_task(log, directory, now)
    await settle(log, now)
    await change_task(log, directory, task, now, user=amy)
    await settle(log, now)
    assert await offers(log, task=task) == [("closed", support, 0, "task_taken")]


async def test_whoever_accepts_a_task_has_it(log, now, directory, support, ann, pool):
    task = await open_task(log, directory, now)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now)
    events = await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=now)
    assert {"interaction.answered", "task.changed"} <= {event.kind for event in events}
    taken = await task_rows.get(pool, task.id)
    assert (taken.user, taken.queue, taken.state) == (ann, None, "open")
    await settle(log, now)
    assert await offers(log, task=task) == [("active", support, 0, None)]


async def test_a_task_that_was_done_meanwhile_is_not_taken(log, now, directory, support, ann):
    task = await open_task(log, directory, now)
    await settle(log, now)
    ident = await waiting(log)
    reservation = await reserve(log, ident, ann, now)
    await change_task(log, directory, task, now, state="done")
    with pytest.raises(Conflict):
        await offered_work.accept(log, directory, ident, reservation=reservation, agent=ann, now=now)
