"""Tasks and checklists: whose they are, when somebody is reminded, and what a ticket waits for."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from callcenter.actions import tasks
from callcenter.domain.machine import step
from callcenter.domain.task import TRANSITIONS, Call, Reminders, TaskState, TaskVerb
from callcenter.errors import Conflict, IllegalTransition, Invalid, NotFound, Outdated
from callcenter.store import tasks as store
from callcenter.store.directory import Directory
from callcenter.store.rules import TaskPlan
from tests.actions.shop import PEOPLE, Shop
from tests.builders import NOW, later

HOUR = 3600
LISTS = """
[[checklists]]
name = "return"
title = "Return of goods"
in_order = true
required = true
steps = [
  { title = "Send a label", assignee = "queue:tier2", due = "2h", hours = "office" },
  { title = "Goods are back", assignee = "agent:bo", due = "3d", remind = "1d" },
  { title = "Pay back", assignee = "owner" },
]
[[checklists]]
name = "greet"
steps = [{ title = "Call back" }, { title = "Write a card" }]
"""


@pytest.fixture
async def shop(log, pool) -> Shop:
    found = Shop(log, Directory(pool))
    await found.apply(PEOPLE + LISTS)
    return found


async def open_task(
    shop: Shop, at: float = 0, *, ticket: Any = None, due: float | None = None, **plan: Any
) -> store.Task:
    return await tasks.open_task(
        shop.log,
        shop.directory,
        plan=TaskPlan(plan.pop("title", "Call back"), **plan),
        ticket=ticket.id if ticket else None,
        due_at=None if due is None else later(due),
        actor=shop.user("amy"),
        now=later(at),
    )


async def change(
    shop: Shop, task: store.Task, at: float = 5, *, version: int | None = None, **changes: Any
) -> store.Task:
    return await tasks.change(
        shop.log, shop.directory, task.id, changes=changes, version=version, actor=shop.user("amy"), now=later(at)
    )


async def begin(shop: Shop, ticket: Any, name: str = "return") -> list[store.Task]:
    await tasks.apply_checklist(
        shop.log, shop.directory, checklist=name, ticket=ticket.id, actor=shop.user("amy"), now=later(0)
    )
    return await steps(shop, ticket)


async def steps(shop: Shop, ticket: Any) -> list[store.Task]:
    return list(await store.of_ticket(shop.log.pool, ticket.id))


def kinds(shop: Shop) -> list[str]:
    return [event.kind for event in shop.said if event.noun == "task"]


def test_every_move_of_state_is_that_of_the_table():
    for state in TaskState:
        for verb in TaskVerb:
            if (state, verb) in TRANSITIONS:
                assert step(TRANSITIONS, state, verb) is TRANSITIONS[state, verb]
            else:
                with pytest.raises(IllegalTransition):
                    step(TRANSITIONS, state, verb)


def test_a_task_that_is_overdue_already_reminds_nobody_any_more():
    before = Reminders(later(100), timedelta(seconds=60))
    assert before.next(TaskState.OPEN) == (Call.REMINDED, later(40))
    assert before.due_calls(TaskState.OPEN, later(39)) == ()
    assert before.due_calls(TaskState.OPEN, later(40)) == (Call.REMINDED,)
    assert before.due_calls(TaskState.OPEN, later(100)) == (Call.OVERDUE,)
    assert before.next(TaskState.DONE) is before.next(TaskState.WAITING) is None
    assert Reminders(later(100), None, overdue=True).next(TaskState.OPEN) is None


async def test_a_task_may_stand_alone_and_tells_whose_it_is(shop: Shop):
    task = await open_task(shop, assignee="agent:bo")
    assert (task.ticket, task.user, task.state, task.due_at) == (None, shop.user("bo"), "open", None)
    assert await shop.notices("bo") == ["assigned"]
    assert "Call back" not in str(shop.said)
    await open_task(shop, assignee="agent:amy")
    assert await shop.notices("amy") == []


async def test_a_task_is_due_in_business_time(shop: Shop):
    task = await open_task(shop, due=None, assignee="queue:tier2")
    assert task.due_at is None
    task = await tasks.open_task(
        shop.log, shop.directory, plan=TaskPlan("x", due=timedelta(hours=2), hours="office"), ticket=None, actor=None,
        now=NOW,
    )  # fmt: skip
    assert task.due_at == later(17 * HOUR)  # 16:30 in Shanghai, which closes at 18:00; 09:30 the next day


async def test_somebody_is_reminded_once_and_told_once_that_it_is_overdue(shop: Shop):
    await open_task(shop, due=HOUR, remind=timedelta(minutes=10), assignee="queue:support")
    assert await tasks.sweep(shop.log, shop.directory, now=later(HOUR - 601)) == 0
    await asyncio.gather(*[tasks.sweep(shop.log, shop.directory, now=later(HOUR - 600)) for _ in range(4)])
    await asyncio.gather(*[tasks.sweep(shop.log, shop.directory, now=later(2 * HOUR)) for _ in range(4)])
    assert await tasks.sweep(shop.log, shop.directory, now=later(HOUR)) == 0
    assert await shop.notices("amy") == await shop.notices("bo") == ["reminded", "overdue"]
    assert kinds(shop) == ["task.opened", "task.reminded", "task.overdue"]


async def test_after_a_weekend_off_what_is_overdue_is_said_and_not_that_it_will_be(shop: Shop):
    await open_task(shop, due=HOUR, remind=timedelta(minutes=10), assignee="agent:bo")
    assert await tasks.sweep(shop.log, shop.directory, now=later(60 * HOUR)) == 1
    assert await shop.notices("bo") == ["assigned", "overdue"]


async def test_another_due_moment_reminds_anew_and_a_finished_task_nobody(shop: Shop):
    task = await open_task(shop, due=HOUR, assignee="agent:bo")
    await tasks.sweep(shop.log, shop.directory, now=later(HOUR))
    await change(shop, task, due_at=later(3 * HOUR))
    await tasks.sweep(shop.log, shop.directory, now=later(3 * HOUR))
    assert await shop.notices("bo") == ["assigned", "overdue", "overdue"]
    await change(shop, task, due_at=later(5 * HOUR))
    await change(shop, task, state="done")
    assert await tasks.sweep(shop.log, shop.directory, now=later(6 * HOUR)) == 0


async def test_a_task_is_handed_over_finished_and_taken_up_again(shop: Shop):
    task = await open_task(shop, assignee="queue:tier2")
    task = await change(shop, task, user=shop.user("bo"))
    assert (task.user, task.queue) == (shop.user("bo"), None)
    task = await change(shop, task, state="done", at=50)
    assert (task.ended_at, task.ended_by) == (later(50), shop.user("amy"))
    task = await change(shop, task, state="open")
    assert (task.state, task.ended_at) == ("open", None)
    assert kinds(shop) == ["task.opened", "task.changed", "task.done", "task.reopened"]
    version = task.version
    assert (await change(shop, task, state="open", title="Call back")).version == version


async def test_what_cannot_be_done_to_a_task_is_refused_in_words(shop: Shop):
    task = await open_task(shop)
    done = await change(shop, task, state="done")
    with pytest.raises(IllegalTransition):
        await change(shop, done, state="cancelled")
    with pytest.raises(Outdated, match="at version 2 now, not 1"):
        await change(shop, task, version=1, title="x")
    for changes in ({"title": ""}, {"title": "a\nb"}, {"state": "waiting"}, {"remind_before": timedelta(1)}, {"x": 1}):
        with pytest.raises(Invalid):
            await change(shop, task, **changes)
    with pytest.raises(Invalid, match="no user named nobody"):
        await open_task(shop, assignee="agent:nobody")
    with pytest.raises(NotFound):
        await change(shop, store.Task(**{**_values(task), "id": 99}), title="x")


def _values(task: store.Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in store.Task.__dataclass_fields__}


async def test_the_next_step_opens_when_the_one_before_it_is_over_and_is_due_from_then(shop: Shop):
    ticket = await shop.open(owner=shop.user("amy"))
    first, second, third = await begin(shop, ticket)
    assert [(each.state, each.due_at) for each in (first, second, third)] == [
        ("open", later(17 * HOUR)),
        ("waiting", None),
        ("waiting", None),
    ]
    assert third.user == shop.user("amy")
    with pytest.raises(IllegalTransition):
        await change(shop, second, state="done")
    await change(shop, first, at=100, state="done")
    _, second, third = await steps(shop, ticket)
    assert (second.state, second.due_at, third.state) == ("open", later(100) + timedelta(days=3), "waiting")
    await change(shop, second, state="cancelled")
    assert (await steps(shop, ticket))[2].state == "open"
    assert kinds(shop)[3:] == ["task.done", "task.begun", "task.cancelled", "task.begun"]


async def test_a_ticket_is_resolved_when_what_must_be_done_is_done(shop: Shop):
    ticket = await shop.open()
    found = await begin(shop, ticket)
    for state in ("resolved", "closed"):
        with pytest.raises(Conflict, match="Send a label, Goods are back, Pay back"):
            await shop.change(ticket, state=state)
    assert (await shop.now(ticket)).state == "new"
    for task in found:
        await change(shop, task, state="done")
    assert (await shop.change(ticket, state="resolved")).state == "resolved"


async def test_tasks_that_are_not_required_hold_up_nothing(shop: Shop):
    ticket = await shop.open()
    await begin(shop, ticket, "greet")
    assert (await shop.change(ticket, state="resolved")).state == "resolved"


async def test_a_checklist_stands_on_a_ticket_once_until_it_is_done(shop: Shop):
    ticket = await shop.open()
    found = await begin(shop, ticket, "greet")
    with pytest.raises(Conflict, match="greet already"):
        await begin(shop, ticket, "greet")
    for task in found:
        await change(shop, task, state="done")
    assert len(await begin(shop, ticket, "greet")) == 4
    with pytest.raises(NotFound, match="no checklist named x"):
        await begin(shop, ticket, "x")


async def test_a_rule_begins_a_checklist_and_the_end_of_it_sets_off_another(shop: Shop):
    await shop.apply(
        '[[triggers]]\nname = "goods"\non = ["opened", "changed"]\nwhen = { category = "return" }\n'
        'then = [{ checklist = "greet" }, { task = { title = "Look at it", assignee = "owner", due = "1h" } }]\n'
        '[[triggers]]\nname = "all_done"\non = "tasks_done"\nthen = [{ set = { state = "resolved" } }]'
    )
    ticket = await shop.open(category="return/kettle", owner=shop.user("bo"))
    found = await steps(shop, ticket)
    assert [(each.title, each.rule) for each in found] == [
        ("Call back", "trigger:goods"),
        ("Write a card", "trigger:goods"),
        ("Look at it", "trigger:goods"),
    ]
    assert found[2].user == shop.user("bo")
    await change(shop, found[0], state="done")
    await change(shop, found[1], state="cancelled")
    assert (await shop.now(ticket)).state == "open"
    await change(shop, found[2], state="done")
    assert (await shop.now(ticket)).state == "resolved"


async def test_a_rule_that_may_not_resolve_yet_stops_neither_who_set_it_off_nor_the_sweep(shop: Shop):
    await shop.apply(
        '[[triggers]]\nname = "eager"\non = "changed"\nwhen = { priority = "low" }\n'
        'then = [{ note = "Over." }, { set = { state = "resolved" } }]\n'
        '[[automations]]\nname = "silence"\nsince = "pending"\nafter = "1h"\nthen = [{ set = { state = "resolved" } }]'
    )
    ticket = await shop.open()
    await begin(shop, ticket)
    ticket = await shop.change(ticket, priority="low", state="pending")
    assert (ticket.state, ticket.priority, await shop.texts(ticket)) == ("pending", "low", [])
    assert await shop.sweep(2 * HOUR) == 1
    assert await shop.sweep(3 * HOUR) == 0
    failed = [event.data for event in shop.said if event.kind == "rule.failed"]
    assert failed == [
        {"rule": "trigger:eager", "reason": "unfinished tasks"},
        {"rule": "automation:silence", "reason": "unfinished tasks"},
    ]


async def test_two_who_finish_steps_at_once_open_the_next_one_once(shop: Shop):
    ticket = await shop.open()
    first, *_ = await begin(shop, ticket)
    done = await asyncio.gather(*[change(shop, first, state="done") for _ in range(4)], return_exceptions=True)
    assert {each.version for each in done if isinstance(each, store.Task)} == {2}
    assert kinds(shop).count("task.begun") == 1


async def test_a_task_of_no_ticket_is_refused(shop: Shop):
    with pytest.raises(NotFound, match="no ticket 99"):
        await tasks.open_task(shop.log, shop.directory, plan=TaskPlan("x"), ticket=99, actor=None, now=NOW)
