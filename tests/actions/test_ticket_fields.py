"""What organisations let their tickets be, what must be filled in and when, and what is remembered of each change."""

import asyncio
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import organisation, sla, tickets
from callcenter.actions.notices import see
from callcenter.domain.events import Event
from callcenter.domain.organisation_file import understand
from callcenter.errors import Invalid
from callcenter.store import ticket_family, ticket_filter
from callcenter.store import tickets as store
from callcenter.store.directory import Directory
from callcenter.store.ticket_filter import Filter
from callcenter.toml import BadFile
from tests.actions.organisation_files import complaints
from tests.builders import later, make_customer, make_queue, make_user

RULES = """
[tickets]
types = ["question", "repair"]
categories = ["hardware/rice_cooker", "hardware/kettle", "delivery"]

[[tickets.fields]]
name = "serial"
type = "text"
title = { en = "Serial number", zh_CN = "序列号" }
required = { type = "repair" }

[[tickets.fields]]
name = "cause"
type = "choice"
choices = ["wear", "drop"]
required = { state = "resolved", category = "hardware" }

[[tickets.fields]]
name = "amount"
type = "number"

[[tickets.fields]]
name = "bought"
type = "date"
"""


async def apply(log, now, text, *, prune=False):
    return await organisation.apply(log, understand(toml.parse(text, "org.toml"), {}), prune=prune, actor=None, now=now)


@pytest.fixture
async def rules(log, now):
    await apply(log, now, RULES)


async def open_ticket(log, now, actor=None, **more):
    given: dict[str, Any] = {
        "subject": "No hot water",
        "customer": None,
        "interaction": None,
        "queue": None,
        "priority": "normal",
    }
    given |= {name: more.pop(name) for name in ("category", "owner", "queue", "customer") if name in more}
    return await tickets.open_ticket(log, **given, text=None, actor=actor, now=now, more=more)


async def change(log, ticket, now, version=None, actor=None, **changes):
    return await tickets.change(log, ticket.id, changes=changes, version=version, actor=actor, now=now)


async def history(log, ticket):
    found = await ticket_family.history(log.pool, ticket.id, below=1000, limit=100)
    return [(each.version, each.field, each.before, each.after, each.actor) for each in found]


# -- the file


async def test_what_tickets_may_be_comes_back_as_it_went_in(log, now, rules):
    async with log.pool.acquire() as connection:
        text = await organisation.export(connection)
    assert '[tickets]\ntypes = ["question", "repair"]\n' in text
    assert '\nrequired = { type = ["repair"] }\n' in text
    assert (await apply(log, now, text)).empty
    directory = Directory(log.pool)
    await directory.load()
    assert [field.title_in("zh_CN") for field in directory.ticket_rules.fields] == [
        "序列号", "cause", "amount", "bought"
    ]  # fmt: skip


async def test_a_file_without_tickets_leaves_them_alone_unless_it_prunes(log, now, rules):
    assert (await apply(log, now, "[organisation]\n")).empty
    plan = await apply(log, now, "[organisation]\n", prune=True)
    assert [line[:30] for line in plan.changed] == ["tickets: types [question, repai"[:30]]
    assert (await open_ticket(log, now, category="anything")).category == "anything"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("types=['a','a']", "line 2: tickets.types[2]: 'a' stands here a second time"),
        ("categories=['a/b','a/b']", "line 2: tickets.categories[2]: 'a/b' stands here a second time"),
        ("categories=['a//b']", 'line 2: tickets.categories[1]: expected a path like "hardware/rice_cooker"'),
        ("categories=['/a']", "tickets.categories[1]: expected a path"),
        ("colour='red'", "line 2: tickets.colour: there is no such key"),
        ("[[tickets.fields]]\nname='a b'\ntype='text'", "line 3: tickets.fields[1].name: expected"),
        ("[[tickets.fields]]\nname='a'\ntype='colour'", "line 4: tickets.fields[1].type: expected 'text', 'number'"),
        ("[[tickets.fields]]\nname='a'\ntype='choice'", "a field of type choice has choices"),
        ("[[tickets.fields]]\nname='a'\ntype='text'\nchoices=['x']", "a field of type choice has choices"),
        ("[[tickets.fields]]\nname='a'\ntype='choice'\nchoices=['x','x']", "fields[1].choices[2]: 'x' stands here"),
        (
            "[[tickets.fields]]\nname='a'\ntype='text'\nrequired='yes'",
            "line 5: tickets.fields[1].required: expected true",
        ),
        ("[[tickets.fields]]\nname='a'\ntype='text'\nrequired={state='done'}", "required.state"),
        (
            "types=['x']\n[[tickets.fields]]\nname='a'\ntype='text'\nrequired={type='y'}",
            "line 6: tickets.fields[1].required.type: there is no ticket type 'y'",
        ),
        (
            "[[tickets.fields]]\nname='a'\ntype='text'\nrequired={category='y'}",
            "line 5: tickets.fields[1].required.category: there is no category 'y'",
        ),
        (
            "[[tickets.fields]]\nname='a'\ntype='text'\n[[tickets.fields]]\nname='a'\ntype='date'",
            "line 6: tickets.fields[2].name: 'a' stands here a second time",
        ),
    ],
)
def test_rules_that_cannot_be_meant_are_refused_with_their_line(text, words):
    assert any(words in each for each in complaints(f"[tickets]\n{text}")), complaints(f"[tickets]\n{text}")


async def test_a_promise_for_a_category_that_no_ticket_can_have_is_refused(log, now):
    promise = "[[sla_policies]]\nname='all'\nown='1h'\n[[sla_policies]]\nname='a'\nown='1h'\nwhen={category='hard'}\n"
    with pytest.raises(BadFile, match=r"sla_policies\[2\].when.category: there is no category 'hard'"):
        await apply(log, now, RULES + promise)


# -- values


async def test_a_ticket_is_opened_with_all_that_it_may_be(log, now, rules, amy):
    ticket = await open_ticket(
        log, now, actor=amy, type="repair", category="hardware/kettle", tags=["VIP", "vip", "Call back"],
        followers=[amy], fields={"serial": " A 1 ", "amount": 3, "bought": "2026-01-02"},
    )  # fmt: skip
    assert (ticket.type, ticket.category, ticket.tags) == ("repair", "hardware/kettle", ("call_back", "vip"))
    assert (ticket.followers, ticket.fields) == ((amy,), {"serial": "A 1", "amount": 3, "bought": "2026-01-02"})
    assert await store.get(log.pool, ticket.id) == ticket


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("type", "party", "type"),
        ("category", "hardware/toaster", "category"),
        ("fields", {"serial": "a\nb"}, "fields.serial"),
        ("fields", {"amount": "many"}, "fields.amount"),
        ("fields", {"colour": "red"}, "fields.colour"),
        ("tags", ["a,b"], "tags"),
        ("followers", [99], "followers"),
        ("customers", [99], "customers"),
        ("parent", 99, None),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(log, now, rules, field, value, named):
    ticket = await open_ticket(log, now)
    for act in (open_ticket(log, now, **{field: value}), change(log, ticket, now, **{field: value})):
        with pytest.raises(Exception, match=r".") as caught:
            await act
        assert getattr(caught.value, "field", None) == named
    assert (await store.get(log.pool, ticket.id)).version == 1


async def test_a_category_from_before_there_was_a_tree_stays_readable(log, now):
    ticket = await open_ticket(log, now, category="hot water")
    await apply(log, now, RULES)
    assert (await change(log, ticket, now, priority="high")).category == "hot water"
    assert (await change(log, ticket, now, category="hot water", subject="Cold")).category == "hot water"
    with pytest.raises(Invalid):
        await change(log, ticket, now, category="cold water")


async def test_a_field_is_needed_when_its_case_comes_about(log, now, rules, amy):
    with pytest.raises(Invalid, match="Needed of a ticket that is new: Serial number") as caught:
        await open_ticket(log, now, actor=amy, type="repair")
    assert caught.value.field == "fields.serial"
    ticket = await open_ticket(log, now, actor=amy, category="hardware/kettle")
    with pytest.raises(Invalid, match="Needed of a ticket that is resolved: cause"):
        await change(log, ticket, now, actor=amy, state="resolved")
    with pytest.raises(Invalid, match="Needed of a ticket that is closed: cause"):
        await change(log, ticket, now, actor=amy, state="closed")
    done = await change(log, ticket, now, actor=amy, state="resolved", fields={"cause": "drop"})
    assert done.state == "resolved"
    with pytest.raises(Invalid):
        await change(log, ticket, now, actor=amy, fields={"cause": None})
    assert (await change(log, ticket, now, actor=amy, category="delivery", fields={"cause": None})).fields == {}


async def test_who_changes_something_else_is_not_held_up_by_what_is_missing(log, now, amy):
    ticket = await open_ticket(log, now, actor=amy)
    await apply(log, now, RULES.replace('required = { type = "repair" }', "required = true"))
    assert (await change(log, ticket, now, actor=amy, priority="high", owner=amy)).priority == "high"
    with pytest.raises(Invalid):
        await change(log, ticket, now, actor=amy, state="pending")


async def test_what_nobody_does_is_not_held_up_by_what_is_missing(log, now, rules):
    ticket = await open_ticket(log, now, type="repair", category="hardware")
    assert (await change(log, ticket, now, state="resolved")).state == "resolved"


async def test_two_who_add_tags_at_once_both_have_theirs(log, now, rules):
    ticket = await open_ticket(log, now, tags=["a"])
    await asyncio.gather(*(change(log, ticket, now, add_tags=[f"t{n}"]) for n in range(8)))
    after = await change(log, ticket, now, remove_tags=["A"])
    assert after.tags == tuple(f"t{n}" for n in range(8))
    assert after.version == 10


async def test_who_asked_is_not_among_the_others(log, now, rules):
    first, second = await make_customer(log.pool, "a"), await make_customer(log.pool, "b")
    ticket = await open_ticket(log, now, customer=first, customers=[first, second])
    assert (ticket.customer, ticket.customers) == (first, (second,))
    after = await change(log, ticket, now, customer=second, add_customers=[first])
    assert (after.customer, after.customers) == (second, (first,))


async def test_the_loser_learns_which_of_the_own_fields_changed(log, now, rules, amy):
    ticket = await open_ticket(log, now)
    await change(log, ticket, now, version=1, actor=amy, fields={"amount": 3, "serial": "A"}, add_tags=["x"])
    with pytest.raises(tickets.Stale) as caught:
        await change(log, ticket, now, version=1, fields={"serial": "B"})
    assert {(each.field, str(each.now), each.actor) for each in caught.value.changes} == {
        ("fields.amount", "3", amy), ("fields.serial", "A", amy), ("tags", "('x',)", amy),
    }  # fmt: skip


# -- history


async def test_each_change_of_each_field_is_remembered(log, now, rules, amy):
    queue = await make_queue(log.pool)
    ticket = await open_ticket(log, now)
    await change(log, ticket, now, actor=amy, subject="Cold water", queue=queue, fields={"amount": 3, "serial": "A"})
    await change(log, ticket, later(5), fields={"amount": 4, "serial": None}, tags=["x"], owner=amy)
    await tickets.reply(log, ticket.id, text="Dear…", public=True, actor=amy, now=later(6))
    assert await history(log, ticket) == [
        (3, "fields.amount", 3, 4, None),
        (3, "fields.serial", "A", None, None),
        (3, "owner", None, amy, None),
        (3, "state", "new", "open", None),
        (3, "tags", None, ["x"], None),
        (2, "fields.amount", None, 3, amy),
        (2, "fields.serial", None, "A", amy),
        (2, "queue", None, queue, amy),
        (2, "subject", "No hot water", "Cold water", amy),
    ]


async def test_what_an_escalation_changed_is_remembered_as_nobodys(log, now):
    policy = """
[[users]]
name = "sue"
full_name = "Sue"
role = "supervisor"
[[sla_policies]]
name = "all"
own = "10m"
escalations = [{ clock = "own", at = "+0m", actions = [{ priority = "urgent" }] }]
"""
    await apply(log, now, policy)
    ticket = await open_ticket(log, now)
    await sla.sweep(log, Directory(log.pool), now=later(700, now))
    [past] = await ticket_family.history(log.pool, ticket.id, below=1000, limit=10)
    assert (past.field, past.before, past.after, past.actor) == ("priority", "normal", "urgent", None)
    assert (past.kind, past.at) == ("ticket.escalated", later(700, now))


async def test_texts_stay_out_of_the_log(log, now, rules, amy):
    events: list[Event] = []
    log.listen(events.extend)
    ticket = await open_ticket(log, now, fields={"serial": "SECRET"}, tags=["private"])
    await change(log, ticket, now, actor=amy, subject="SECRET too", fields={"serial": "SECRET 2"}, add_tags=["own"])
    assert "SECRET" not in str(events)
    assert "private" not in str(events)


# -- notices


async def notices(log):
    rows = await log.pool.fetch(
        "select u.name, n.kind from notice n join users u on u.id = n.user_id where n.seen_at is null order by n.id"
    )
    return [tuple(row) for row in rows]


async def test_followers_hear_what_others_do_and_once_until_they_have_seen_it(log, now, amy):
    bo = await make_user(log.pool, "bo")
    ticket = await open_ticket(log, now, followers=[amy, bo])
    events: list[Event] = []
    log.listen(events.extend)
    await change(log, ticket, now, actor=amy, priority="high")
    assert await notices(log) == []
    await tickets.reply(log, ticket.id, text="Dear…", public=True, actor=amy, now=now)
    await tickets.reply(log, ticket.id, text="hm", public=False, actor=amy, now=now)
    await change(log, ticket, now, actor=None, state="resolved")
    assert await notices(log) == [("bo", "ticket.replied"), ("amy", "ticket.resolved"), ("bo", "ticket.resolved")]
    told = [event.data.get("notified") for event in events if event.noun == "ticket"]
    assert told == [None, [bo], None, [amy, bo]]
    await see(log, None, user=bo, now=now)
    await tickets.reply(log, ticket.id, text="again", public=False, actor=amy, now=now)
    assert ("bo", "ticket.replied") in await notices(log)


@pytest.mark.parametrize(
    ("owner_presence", "agent_presence", "expected", "told"),
    [
        ("on_queue", "offline", "amy", []),
        ("meal", "on_queue", "amy", []),
        ("offline", "offline", None, ["amy"]),
        ("offline", "on_queue", "bo", ["amy", "bo"]),
        ("away", "on_queue", "amy", []),
        ("out_of_office", "on_queue", "bo", ["amy", "bo"]),
    ],
)
async def test_a_reopened_ticket_goes_to_somebody_on_shift(
    log, now, amy, owner_presence, agent_presence, expected, told
):
    bo = await make_user(log.pool, "bo")
    customer = await make_customer(log.pool)
    await log.pool.execute("update customer set owner_id = $1", bo)
    queue = await make_queue(log.pool)
    ticket = await open_ticket(log, now, owner=amy, customer=customer, queue=queue)
    await change(log, ticket, now, actor=amy, state="resolved")
    presences = [(amy, owner_presence), (bo, agent_presence)]
    for presence in presences:
        await log.pool.execute("update agent set presence = $2 where user_id = $1", *presence)
    after = await change(log, ticket, now, state="open")
    names = {amy: "amy", bo: "bo", None: None}
    assert (names[after.owner], after.queue, after.state) == (expected, queue, "open")
    assert await notices(log) == [(name, "ticket.reopened") for name in told]


async def test_who_reopens_a_ticket_for_somebody_is_believed(log, now, amy):
    bo = await make_user(log.pool, "bo")
    ticket = await change(log, await open_ticket(log, now, owner=amy), now, state="closed")
    assert (await change(log, ticket, now, state="open", owner=bo)).owner == bo
    assert await notices(log) == []


# -- looking for them


async def test_tickets_are_found_by_each_of_what_they_are(log, now, rules, amy):
    queue = await make_queue(log.pool)
    first, second = await make_customer(log.pool, "a"), await make_customer(log.pool, "b")
    whole = await open_ticket(
        log, now, owner=amy, queue=queue, customer=first, customers=[second], type="question", tags=["x", "y"],
        category="hardware/kettle", followers=[amy], fields={"amount": 3, "serial": "A"},
    )  # fmt: skip
    child = await open_ticket(log, now, parent=whole.id)

    async def found(**wanted):
        page = await ticket_filter.find(log.pool, Filter(**wanted), below=1000, limit=10)
        return [ticket.id for ticket in page]

    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"state": "open"}, {"state": "closed"}),
        ({"priority": "normal", "queue": queue}, {"priority": "high"}),
        ({"owner": amy}, {"owner": 99}),
        ({"customer": first}, {"customer": 99}),
        ({"customer": second}, {"queue": 99}),
        ({"type": "question"}, {"type": "repair"}),
        ({"category": "hardware"}, {"category": "hard"}),
        ({"category": "hardware/kettle"}, {"category": "hardware/ket"}),
        ({"tag": "x", "follower": amy}, {"tag": "z"}),
        ({"values": {"amount": 3.0, "serial": "A"}}, {"values": {"amount": 3, "serial": "B"}}),
        ({"number": whole.number}, {"number": 1}),
    ]
    for hit, miss in pairs:
        assert (await found(**hit), await found(**miss)) == ([whole.id], []), (hit, miss)
    assert await found(parent=whole.id) == [child.id]
    assert await found() == [child.id, whole.id]
