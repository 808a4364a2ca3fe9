"""Where tickets, tasks, rules, promises, contracts and surveys meet."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.actions import (
    contracts,
    customers,
    interactions,
    opinions,
    outbox,
    sla,
    surveys,
    tasks,
    ticket_ties,
    tickets,
)
from callcenter.actions.contracts import NewContract
from callcenter.actions.surveys import FollowUp
from callcenter.actions.tasks import Unfinished
from callcenter.store import tasks as task_store
from callcenter.store import ticket_family
from callcenter.store.directory import Directory
from callcenter.store.rules import TaskPlan
from tests.actions.shop import HOUR, PEOPLE, Shop
from tests.builders import NOW, Floor, arrive, later, make_customer, make_floor, reserve, settled

DAY = 24 * HOUR
SHANGHAI = ZoneInfo("Asia/Shanghai")
REACHED = PEOPLE.replace('full_name = "Sue"', 'full_name = "Sue"\nemail = "sue@example.com"').replace(
    'full_name = "Bo"', 'full_name = "Bo"\nemail = "bo@example.com"\nphone = "PJSIP/77"'
)


def promise(actions: str) -> str:
    level = f'{{ clock = "resolution", at = "+0m", actions = [{actions}] }}'
    return f'[[sla_policies]]\nname = "all"\nresolution = "8h"\nescalations = [{level}]\n'


@pytest.fixture
async def shop(log, pool) -> Shop:
    return Shop(log, Directory(pool))


async def escalate(shop: Shop, at: float) -> int:
    return await sla.sweep(shop.log, shop.directory, now=later(at))


async def letters(shop: Shop) -> list[tuple[str, str]]:
    rows = await shop.log.pool.fetch("select recipient, state from outbox order by id")
    return [(row["recipient"], row["state"]) for row in rows]


async def open_task(shop: Shop, ticket: Any, title: str = "Call them", at: float = 1, **more: Any) -> Any:
    plan = TaskPlan(title, "agent:bo")
    return await tasks.open_task(
        shop.log, shop.directory, plan=plan, ticket=ticket.id, actor=None, now=later(at), **more
    )


# -- escalations


async def test_an_escalation_tags_the_ticket_and_opens_a_task_once(shop: Shop):
    task = '{ title = "Bring a spare part", assignee = "agent:bo", due = "2h" }'
    await shop.apply(PEOPLE + promise(f'{{ tag = "Late" }}, {{ task = {task} }}'))
    ticket = await shop.open()
    await shop.change(ticket, 5, priority="high")
    for at in (8 * HOUR, 8 * HOUR, 7 * HOUR, 9 * HOUR):
        await escalate(shop, at)
    assert (await shop.now(ticket)).tags == ("late",)
    [found] = await task_store.of_ticket(shop.log.pool, ticket.id)
    assert (found.title, found.user, found.rule) == ("Bring a spare part", shop.user("bo"), "policy:all")
    assert found.due_at == later(10 * HOUR)
    assert await shop.notices("bo") == ["assigned"]
    [told] = [event for event in shop.said if event.kind == "ticket.escalated"]
    assert (told.data["policy"], told.data["changed"]) == ("all", ["tags"])
    rows = await shop.log.pool.fetch(ticket_family.SQL.history, ticket.id, 99, 50)
    assert ("tags", "policy:all") in [(row["field"], row["rule"]) for row in rows]


async def test_a_task_whose_assignee_has_left_is_opened_for_nobody_and_supervisors_hear_of_it(shop: Shop):
    await shop.apply(PEOPLE + promise('{ task = { title = "Go there", assignee = "agent:bo" } }'))
    ticket = await shop.open()
    await shop.log.pool.execute("update users set active = false where name = 'bo'")
    await shop.directory.load()
    await escalate(shop, 8 * HOUR)
    [found] = await task_store.of_ticket(shop.log.pool, ticket.id)
    assert (found.user, found.queue) == (None, None)
    assert await shop.notices("sue") == ["sla"]


@pytest.mark.parametrize(
    ("actions", "following", "told"),
    [
        ('{ notify = "followers" }', ["bo"], {"bo"}),
        ('{ notify = "followers" }', [], {"sue"}),
        ('{ notify = "followers" }, { notify = "owner" }', [], {"amy"}),
    ],
)
async def test_followers_are_told_and_supervisors_only_where_nobody_else_is(
    shop: Shop, actions: str, following: list[str], told: set[str]
):
    await shop.apply(PEOPLE + promise(actions))
    more = {"followers": [shop.user(name) for name in following]}
    ticket = await shop.open(more=more)
    await shop.change(ticket, 5, owner=shop.user("amy"))
    await escalate(shop, 8 * HOUR)
    assert {name for name in ("amy", "bo", "sue") if "sla" in await shop.notices(name)} == told


async def test_a_trigger_sees_what_an_escalation_changed(shop: Shop):
    trigger = '[[triggers]]\nname = "hand"\non = ["changed"]\nwhen = { changed = "tags", tags = "late" }\n'
    await shop.apply(PEOPLE + promise('{ tag = "late" }') + trigger + 'then = [{ reassign = "agent:bo" }]\n')
    ticket = await shop.open()
    await escalate(shop, 8 * HOUR)
    assert (await shop.now(ticket)).owner == shop.user("bo")


# -- rules


async def test_a_rule_tells_people_in_the_ways_it_names_and_mails_to_a_role(shop: Shop):
    mail = '{ mail = { to = "role:supervisor", subject = "#{ticket.number}", text = "Look at it." } }'
    notify = '{ notify = "agent:bo", by = ["email", "phone"] }'
    text = f'[[triggers]]\nname = "tell"\non = ["opened"]\nthen = [{notify}, {mail}]\n'
    await shop.apply(REACHED + text)
    await shop.open()
    assert await letters(shop) == [("bo@example.com", "waiting"), ("sue@example.com", "waiting")]
    assert await shop.notices("bo") == ["rule"]
    assert await shop.log.pool.fetchval("select endpoint from phone_notice") == "PJSIP/77"


async def test_a_notice_of_a_rule_goes_nowhere_that_nobody_takes_it(log, pool):
    shop = Shop(log, Directory(pool, able=()))
    text = '[[triggers]]\nname = "tell"\non = ["opened"]\nthen = [{ notify = "agent:bo", by = ["email", "phone"] }]\n'
    await shop.apply(REACHED + text)
    await shop.open()
    assert await letters(shop) == []
    assert await shop.notices("bo") == ["rule"]


GOLD = """
[[automations]]
name = "hurry"
since = "created"
after = "2h"
when = { tier = "gold" }
then = [{ tag = "hurry" }]
"""


async def test_a_customer_who_is_worth_more_has_the_turns_of_their_tickets_without_an_event_of_them(shop: Shop):
    await shop.apply(PEOPLE + promise('{ notify = "owner" }') + GOLD)
    customer = await make_customer(shop.log.pool)
    ticket = await shop.open(customer=customer)
    assert await shop.sweep(3 * HOUR) == 0
    await customers.update(shop.log, customer, changes={"tier": "gold"}, version=None, actor=None, now=later(3 * HOUR))
    async with asyncio.timeout(30):
        # Other tests' transactions may hold it back.
        while await contracts.review(shop.log, now=later(3 * HOUR)) >= 0:
            pass
    assert await escalate(shop, 3 * HOUR) == 1
    assert await shop.sweep(3 * HOUR) == 1
    assert (await shop.now(ticket)).tags == ("hurry",)


async def test_a_changed_promise_moves_the_turns_that_count_from_it(shop: Shop):
    warn = '[[automations]]\nname = "warn"\nsince = "due"\nafter = "-1h"\nthen = [{ tag = "soon" }]\n'
    await shop.apply(PEOPLE + promise('{ notify = "owner" }') + warn)
    ticket = await shop.open()
    await shop.apply(PEOPLE + promise('{ notify = "owner" }').replace("8h", "4h"), at=1)
    await escalate(shop, 2)
    assert await shop.sweep(3 * HOUR) == 1
    assert (await shop.now(ticket)).tags == ("soon",)


# -- contracts

CARE = """
[[contracts]]
name = "care"
title = "Care plan"
visits = { every = "1 month", ahead = "7d", subject = "Service visit", queue = "support" }
renewal = { before = "30d", subject = "Renew the contract", queue = "support" }
"""


async def test_a_visit_and_a_renewal_are_tasks_on_their_tickets_and_triggers_see_these(shop: Shop):
    seen = '[[triggers]]\nname = "seen"\non = ["opened"]\nthen = [{ tag = "seen" }]\n'
    await shop.apply(PEOPLE + CARE + seen)
    customer = await make_customer(shop.log.pool)
    starts_on = NOW.astimezone(SHANGHAI).date()
    ends_on = starts_on + timedelta(days=28)
    owner = shop.user("amy")
    given = NewContract(customer=customer, kind="care", starts_on=starts_on, ends_on=ends_on, owner=owner)
    await contracts.create(shop.log, given, zone=SHANGHAI, actor=None, now=NOW)
    await contracts.perform_due(shop.log, shop.directory, now=later(1))
    await contracts.perform_due(shop.log, shop.directory, now=later(27 * DAY))
    rows = await shop.log.pool.fetch("select k.*, t.tags from task k join ticket t on t.id = k.ticket_id")
    by_title = {row["title"]: row for row in rows}
    renewal = by_title["Renew the contract"]
    assert (renewal["user_id"], renewal["rule"], renewal["tags"]) == (shop.user("amy"), "contract:care", ["seen"])
    assert renewal["due_at"] == datetime.combine(starts_on + timedelta(days=29), datetime.min.time(), SHANGHAI)
    done = await shop.log.pool.fetch("select what, ticket_id from contract_duty")
    assert {row["ticket_id"] for row in rows} == {row["ticket_id"] for row in done}


# -- merging

CHECK = '[[checklists]]\nname = "repair"\nrequired = true\nsteps = [{ title = "Order" }, { title = "Fit" }]\n'


async def test_the_tasks_of_a_merged_ticket_go_along_and_refuse_nothing_but_the_target_waits_for_them(shop: Shop):
    await shop.apply(PEOPLE + CHECK)
    target, source = await shop.open(), await shop.open()
    await tasks.apply_checklist(
        shop.log, shop.directory, checklist="repair", ticket=source.id, actor=None, now=later(1)
    )
    first, second = await task_store.of_ticket(shop.log.pool, source.id)
    await tasks.change(
        shop.log, shop.directory, first.id, changes={"state": "done"}, version=None, actor=None, now=later(2)
    )
    await ticket_ties.merge(shop.log, source.id, into=target.id, version=None, actor=None, now=later(3))
    assert [task.id for task in await task_store.of_ticket(shop.log.pool, target.id)] == [second.id]
    assert [task.id for task in await task_store.of_ticket(shop.log.pool, source.id)] == [first.id]
    with pytest.raises(Unfinished):
        await shop.change(target, 4, state="resolved")
    moved = [event for event in shop.said if event.kind == "task.changed"]
    assert [(event.ticket, event.data["before_ticket"]) for event in moved] == [(target.id, source.id)]


async def test_unseen_notices_and_waiting_calls_of_a_merged_ticket_lead_to_the_target(shop: Shop):
    await shop.apply(REACHED + promise('{ notify = "agent:bo", by = ["phone"] }'))
    target, source = await shop.open(7 * HOUR), await shop.open()
    await escalate(shop, 8 * HOUR)
    await ticket_ties.merge(shop.log, source.id, into=target.id, version=None, actor=None, now=later(8 * HOUR + 1))
    assert await shop.log.pool.fetchval("select ticket_id from notice where kind = 'sla'") == target.id
    assert await shop.log.pool.fetchval("select number from phone_notice") == target.number


async def test_a_reminder_of_a_task_that_moved_comes_once_and_names_the_target(shop: Shop):
    await shop.apply(PEOPLE)
    target, source = await shop.open(), await shop.open()
    task = await open_task(shop, source, due_at=later(HOUR))
    await ticket_ties.merge(shop.log, source.id, into=target.id, version=None, actor=None, now=later(3))
    for _ in range(2):
        await tasks.sweep(shop.log, shop.directory, now=later(HOUR))
    [event] = [event for event in shop.said if event.kind == "task.overdue"]
    assert (event.ticket, event.data["task"]) == (target.id, task.id)


# -- letters and words


@pytest.mark.parametrize(("state", "sent"), [("resolved", False), ("open", True)])
async def test_a_letter_that_waits_for_hours_is_dropped_when_its_ticket_is_over_by_then(
    shop: Shop, state: str, sent: bool
):
    hours = '[[hours]]\nname = "late"\ntimezone = "UTC"\nweekly = { sat = ["09:00-10:00"] }\n'
    people = REACHED.replace('email = "sue@example.com"', 'email = "sue@example.com"\nhours = "late"')
    notify = '{ notify = "agent:sue", by = ["email"], respect_hours = true }, { notify = "agent:bo", by = ["email"] }'
    await shop.apply(people + hours + promise(notify))
    ticket = await shop.open()
    await shop.change(ticket, 5, state="open")
    await escalate(shop, 8 * HOUR)
    if state != "open":
        await shop.change(ticket, 9 * HOUR, state=state)
    taken = []
    while letter := await outbox.take(shop.log, domain="x", lease=timedelta(days=30), now=later(8 * DAY)):
        taken.append(letter.recipient)
    # What was to go out at once is sent whatever became of the ticket.
    assert sorted(taken) == (["bo@example.com", "sue@example.com"] if sent else ["bo@example.com"])


RULES = {"ask": "csat", "bad": 2, "delay": 600, "not_again": 30 * 86400, "valid": 14 * 86400, "change_within": 3600}
NOTE = FollowUp("Unhappy with a contact", "The customer answered: 1.\n\nAn hour of music.\n\nSigned, Wang.")


@pytest.fixture
async def floor(pool) -> Floor:
    return await make_floor(pool, survey=RULES)


async def had(floor: Floor, *, phone: str = "+8613800138000", at: float = 0) -> tuple[int, int]:
    """A conversation that is over, and the agent's reservation, which is not."""
    contact = await arrive(floor.log, queue=floor.queue, phone=phone, now=later(at))
    offer = await reserve(floor.log, contact, floor.agent, now=later(at + 1))
    await interactions.answer(floor.log, offer, now=later(at + 2))
    await interactions.end_interaction(floor.log, contact, cause="agent_hangup", now=later(at + 30))
    return contact, offer


async def test_the_note_of_a_bad_score_loses_the_customers_words_with_the_survey_wherever_it_was_merged(floor: Floor):
    contact, _ = await had(floor)
    survey = await opinions.ask_caller(floor.log, contact, now=later(31))
    assert survey is not None
    answered = await surveys.answer(
        floor.log, survey.id, score=1, comment="An hour of music.", follow_up=NOTE, now=later(40)
    )
    other = await arrive(floor.log, queue=floor.queue, phone="+8613900139000", now=later(50))
    await interactions.identify(floor.log, other, customer=None, actor=floor.agent, now=later(51))
    target = await tickets.open_ticket(
        floor.log, subject="Music", customer=None, interaction=None, queue=None, priority="normal",
        text="Ours.\n\nToo.", actor=None, now=later(52),
    )  # fmt: skip
    await ticket_ties.merge(floor.log, answered.ticket or 0, into=target.id, version=None, actor=None, now=later(60))
    assert await floor.log.pool.fetchval("select ticket_id from survey") == target.id
    await opinions.purge(floor.log, letters_before=NOW, words_before=later(DAY))
    texts = await floor.log.pool.fetch("select text from message where ticket_id = $1 order by id", target.id)
    assert [row["text"] for row in texts] == ["The customer answered: 1.", "Ours.\n\nToo."]


async def test_who_was_asked_as_a_stranger_is_not_asked_again_once_it_is_known_who_they_are(floor: Floor):
    contact, offer = await had(floor)
    assert await opinions.ask_caller(floor.log, contact, now=later(31)) is not None
    customer = await make_customer(floor.log.pool, phone="+8613900139000")
    await interactions.identify(floor.log, contact, customer=customer, actor=floor.agent, now=later(32))
    assert await floor.log.pool.fetchval("select customer_id from survey") == customer
    await interactions.wrap_up(floor.log, offer, queue=None, disposition=None, note=None, now=later(60))
    again, _ = await had(floor, phone="+8613900139000", at=100)
    await interactions.identify(floor.log, again, customer=customer, actor=floor.agent, now=later(131))
    assert await opinions.ask_caller(floor.log, again, now=later(132)) is None


@pytest.mark.parametrize("by_mail", [True, False])
async def test_who_saw_stars_in_a_chat_gets_no_mail_about_it_and_who_was_mailed_sees_none(floor: Floor, by_mail: bool):
    customer = await make_customer(floor.log.pool, phone="+8613900139000")
    await floor.log.pool.execute(
        "insert into address (customer_id, kind, value, certainty) values ($1, 'email', 'wang@example.com', 'known')",
        customer,
    )
    contact, offer = await had(floor, phone="+8613900139000")
    if not by_mail:
        assert await opinions.ask_visitor(floor.log, contact, now=later(31))
    await interactions.wrap_up(floor.log, offer, queue=None, disposition=None, note=None, now=later(60))
    await settled(floor.log.pool)
    assert await surveys.ask_about_closed(floor.log, now=later(61)) == by_mail
    assert await opinions.ask_visitor(floor.log, contact, now=later(62)) is not by_mail
    kinds = await floor.log.pool.fetch("select via from survey")
    assert [row["via"] for row in kinds] == ["mail" if by_mail else "chat"]


async def test_a_letter_waits_for_whoever_asks_the_same_customer_at_that_moment(floor: Floor):
    customer = await make_customer(floor.log.pool, phone="+8613900139000")
    await floor.log.pool.execute(
        "insert into address (customer_id, kind, value, certainty) values ($1, 'email', 'wang@example.com', 'known')",
        customer,
    )
    contact, offer = await had(floor, phone="+8613900139000")
    await interactions.wrap_up(floor.log, offer, queue=None, disposition=None, note=None, now=later(60))
    await settled(floor.log.pool)
    async with floor.log.transaction() as tx:
        await tx.lock_customer(customer)
        letters = asyncio.ensure_future(surveys.ask_about_closed(floor.log, now=later(61)))
        waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted"
        waiting += " and database = (select oid from pg_database where datname = current_database()))"
        while not await tx.connection.fetchval(waiting):
            assert not letters.done()
        await tx.connection.execute(
            "insert into survey (interaction_id, customer_id, queue_id, ask, bad, change_within, asked_at, expires_at)"
            " values ($1, $2, $3, 'csat', 2, '1 hour', $4, $4)", contact, customer, floor.queue, later(61),
        )  # fmt: skip
    assert await letters == 0
