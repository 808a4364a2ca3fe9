"""Whom an escalation tells and in which ways: by mail, within their hours, under conditions."""

import asyncio
from datetime import datetime, timedelta

import pytest

from callcenter import toml
from callcenter.actions import notices, organisation, sla
from callcenter.domain.organisation_file import understand
from callcenter.errors import NotFound
from callcenter.store import tickets as ticket_store
from callcenter.store.directory import Directory
from tests.actions.test_sla import HOUR, PEOPLE, POLICIES, Desk
from tests.builders import NOW, later

REACHED = PEOPLE.replace(
    'full_name = "Amy"', 'full_name = "Amy"\nemail = "amy@example.com"\nnotify = ["email"]'
).replace('full_name = "Sue"', 'full_name = "Sue"\nemail = "sue@example.com"\nlanguage = "zh_CN"')


def promise(actions: str, *, more: str = "", at: str = "80%") -> str:
    return f"""
[[sla_policies]]
name = "all"
resolution = "8h"
escalations = [{{ clock = "resolution", at = "{at}", actions = [{actions}]{more} }}]
"""


@pytest.fixture
async def desk(log, pool) -> Desk:
    return Desk(log, Directory(pool))


async def letters(desk: Desk) -> list[tuple[str, datetime]]:
    rows = await desk.log.pool.fetch("select recipient, due_at from outbox where template = 'escalation' order by id")
    return [(row["recipient"], row["due_at"]) for row in rows]


async def test_a_notice_stands_on_the_console_and_goes_by_mail_where_its_reader_wants_it(desk: Desk):
    await desk.apply(REACHED + promise('{ notify = "owner" }, { notify = "manager" }'))
    await desk.open(owner=desk.user("amy"))
    await desk.sweep(7 * HOUR)
    assert await desk.notices("amy") == ["resolution"]
    assert await desk.notices("sue") == ["resolution"]
    assert await letters(desk) == [("amy@example.com", later(7 * HOUR))]
    assert await desk.sweep(7 * HOUR + 1) == 0
    assert len(await letters(desk)) == 1


async def test_an_action_may_say_by_which_way_and_who_has_no_address_reads_it_on_the_console(desk: Desk):
    await desk.apply(REACHED + promise('{ notify = "role:supervisor", by = ["email"] }, { notify = "agent:bo" }'))
    await desk.open()
    await desk.sweep(7 * HOUR)
    assert await letters(desk) == [("sue@example.com", later(7 * HOUR))]
    assert await desk.notices("bo") == ["resolution"]
    [row] = await desk.log.pool.fetch("select language, data, ticket_id from outbox")
    assert row["language"] == "zh_CN"
    assert set(row["data"]) == {"number", "clock", "due_at", "priority", "queue"}


async def test_who_is_told_twice_by_one_level_gets_one_notice_in_all_the_ways(desk: Desk):
    await desk.apply(REACHED + promise('{ notify = "agent:sue" }, { notify = "manager", by = ["email"] }'))
    await desk.open(owner=desk.user("amy"))
    await desk.sweep(7 * HOUR)
    assert await desk.notices("sue") == ["resolution"]
    assert [to for to, _ in await letters(desk)] == ["sue@example.com"]


async def test_the_supervisors_of_a_queue_are_those_who_manage_its_members(desk: Desk):
    eve = '[[users]]\nname = "eve"\nfull_name = "Eve"\nrole = "supervisor"\n'
    await desk.apply(REACHED + eve + promise('{ notify = "supervisors" }'))
    await desk.open(queue=desk.directory.queue_named("support").id)
    await desk.sweep(7 * HOUR)
    assert (await desk.notices("sue"), await desk.notices("eve")) == (["resolution"], [])


@pytest.mark.parametrize("whose", ["their own", "the queue's"])
async def test_a_letter_that_respects_hours_goes_out_once_when_they_open(desk: Desk, whose: str):
    # NOW is a moment of the builders; the office opens an hour after the level is due.
    opens = (NOW + timedelta(hours=8)).replace(minute=0, second=0, microsecond=0)
    text = f'[[hours]]\nname = "late"\ntimezone = "UTC"\nopen = {{ "{opens:%Y-%m-%d}" = ["{opens:%H:%M}-24:00"] }}\n'
    people = (
        REACHED.replace('notify = ["email"]', 'notify = ["email"]\nhours = "late"') if whose == "their own" else REACHED
    )
    if whose == "the queue's":
        people = people.replace('name = "support"\n', 'name = "support"\nhours = "late"\n')
    await desk.apply(people + text + promise('{ notify = "owner", respect_hours = true }', at="-2h"))
    ticket = await desk.open(owner=desk.user("amy"), queue=desk.directory.queue_named("support").id)
    await desk.sweep(6 * HOUR)
    assert await letters(desk) == [("amy@example.com", opens)]
    assert await desk.notices("amy") == ["resolution"]
    await desk.change(ticket, 6 * HOUR + 5, priority="high")
    await desk.sweep(7 * HOUR)
    assert len(await letters(desk)) == 1


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        ('{ owner = "none" }', False),
        ('{ owner = "any" }', True),
        ('{ owner = ["bo", "amy"] }', True),
        ('{ priority = ["high", "urgent"] }', False),
        ('{ priority = "normal", state = "open" }', True),
        ('{ queue = "tier2" }', False),
    ],
)
async def test_a_level_whose_condition_does_not_hold_at_its_moment_is_passed_over_for_good(
    desk: Desk, condition: str, fires: bool
):
    await desk.apply(REACHED + promise('{ notify = "agent:sue" }', more=f", when = {condition}"))
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.change(ticket, 5, state="open")
    await desk.sweep(7 * HOUR)
    assert await desk.notices("sue") == (["resolution"] if fires else [])
    await desk.change(ticket, 7 * HOUR, priority="urgent", owner=None, queue=desk.directory.queue_named("tier2").id)
    await desk.sweep(7 * HOUR + 60)
    assert await desk.notices("sue") == (["resolution"] if fires else [])


async def test_after_a_weekend_off_each_missed_letter_is_written_once(desk: Desk):
    levels = 'escalations = [{ clock = "resolution", at = "80%", actions = [{ notify = "owner" }] },'
    levels += '{ clock = "resolution", at = "+0m", actions = [{ notify = "owner" }, { reassign = "queue:tier2" }] }]'
    await desk.apply(REACHED + f'[[sla_policies]]\nname = "all"\nresolution = "8h"\n{levels}\n')
    ticket = await desk.open(owner=desk.user("amy"))
    assert await desk.sweep(60 * HOUR) == 1
    assert await desk.sweep(50 * HOUR) == 0
    assert await desk.sweep(61 * HOUR) == 0
    assert [to for to, _ in await letters(desk)] == ["amy@example.com", "amy@example.com"]
    assert (await ticket_store.get(desk.log.pool, ticket.id)).owner is None


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (PEOPLE + promise('{ notify = "agent:bo", by = ["email"] }'), "actions[1].by", "bo has no email"),
        (PEOPLE + promise('{ notify = "role:agent", by = ["email"] }'), "actions[1].by", "no agent has an email"),
        (PEOPLE + promise('{ notify = "owner", by = ["email"] }'), "actions[1].by", "nobody has an email"),
        (
            PEOPLE + promise('{ notify = "agent:sue", by = ["phone"] }'),
            "actions[1].by",
            "sue has neither phone nor endpoint",
        ),
        (PEOPLE + promise('{ webhook = "crm" }'), "actions[1].webhook", "no webhooks of the name 'crm'"),
        (PEOPLE + promise('{ notify = "owner" }', more=', when = { queue = "gone" }'), "when.queue", "no queues"),
        (PEOPLE + promise('{ notify = "owner" }', more=', when = { owner = "eve" }'), "when.owner", "no users"),
    ],
)
async def test_a_way_that_leads_nowhere_is_refused_with_line_and_key(log, text: str, place: str, words: str):
    file = understand(toml.parse(text, "org.toml"), {})
    with pytest.raises(toml.BadFile) as error:
        await organisation.apply(log, file, prune=False, actor=None, now=NOW)
    [problem] = error.value.problems
    assert place in problem.key
    assert words in problem.expected
    assert problem.place.startswith("org.toml, line ")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('notify = ["email"]', "there is no email"),
        ('notify = ["phone"]', "neither phone nor endpoint"),
        ('email = "amy at example"', "email"),
        ('email = "amy@example.com\\nBcc: x@example.com"', "email"),
        ('phone = "PJSIP/1001,20"', "phone"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(keys: str, words: str):
    text = f'[[users]]\nname = "amy"\nfull_name = "Amy"\nrole = "agent"\n{keys}\n'
    with pytest.raises(toml.BadFile) as error:
        understand(toml.parse(text, "org.toml"), {})
    assert words in str(error.value)


async def test_addresses_conditions_and_webhooks_come_back_as_they_were_written(log, db):
    text = (
        REACHED
        + '[[webhooks]]\nname = "crm"\nurl = "https://crm.example.com/hook"\nevents = ["ticket.*"]\n'
        + 'secret = "0123456789abcdef"\n'
    )
    text += promise('{ notify = "owner", by = ["email"], respect_hours = true }, { webhook = "crm" }')
    file = understand(toml.parse(text, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=NOW)
    again = understand(toml.parse(await organisation.export(db), "export.toml"), {})
    assert (await organisation.plan(db, again, prune=True)).empty
    assert again.organisation.webhooks == file.organisation.webhooks


async def test_sweeps_at_once_write_each_notice_letter_call_and_delivery_once(desk: Desk):
    hook = '[[webhooks]]\nname = "crm"\nurl = "https://crm.example.com/hook"\nsecret = "0123456789abcdef"\n'
    told = '{ notify = "agent:amy", by = ["email", "phone"] }, { webhook = "crm" }'
    await desk.apply(REACHED + hook + promise(told))
    for _ in range(30):
        await desk.open()
    done = await asyncio.gather(*(desk.sweep(7 * HOUR) for _ in range(3)))
    done.append(await desk.sweep(7 * HOUR))
    assert sum(done) == 30
    # A clock that was set back and forth finds it done.
    assert await desk.sweep(6 * HOUR) + await desk.sweep(7.5 * HOUR) == 0
    for table in ("notice", "outbox", "phone_notice", "delivery"):
        assert await desk.log.pool.fetchval(f"select count(*) from {table}") == 30, table
    bodies = await desk.log.pool.fetch("select body->>'ticket' as ticket from delivery")
    assert len({row["ticket"] for row in bodies}) == 30


async def test_nothing_is_put_where_nobody_takes_it(desk: Desk):
    await desk.apply(REACHED + promise('{ notify = "agent:amy", by = ["email", "phone"] }'))
    await desk.open()
    await sla.sweep(desk.log, desk.directory, now=later(7 * HOUR), able=())
    assert await desk.notices("amy") == ["resolution"]
    assert await letters(desk) == []
    assert await desk.log.pool.fetchval("select count(*) from phone_notice") == 0


async def test_a_notice_is_seen_by_whom_it_is_for_and_nobody_else(desk: Desk):
    await desk.apply(PEOPLE + POLICIES)
    await desk.open()
    await desk.sweep(600)
    notice = await desk.log.pool.fetchval("select id from notice where user_id = $1", desk.user("sue"))
    with pytest.raises(NotFound):
        await notices.see(desk.log, notice, user=desk.user("amy"), now=NOW)
    for _ in range(2):
        await notices.see(desk.log, notice, user=desk.user("sue"), now=NOW)
    assert await desk.log.pool.fetchval("select seen_at from notice") == NOW
    assert [event.kind for event in desk.said].count("notice.seen") == 1
