"""An organisation's rules at work: within the act that sets them off, in time, and by an agent's hand."""

from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import customers, organisation, rules, sla, tickets
from callcenter.domain.organisation_file import understand
from callcenter.errors import Conflict, NotFound
from callcenter.store.directory import Directory
from tests.actions.shop import HOUR, PEOPLE, REMIND, Shop
from tests.builders import later


@pytest.fixture
async def shop(log, pool) -> Shop:
    found = Shop(log, Directory(pool))
    await found.apply(PEOPLE)
    return found


VIP = """
[[triggers]]
name = "vip"
on = "opened"
when = { tier = "gold" }
then = [{ priority = "urgent" }, { reassign = "queue:tier2" }, { notify = "role:supervisor" }]
[[triggers]]
name = "urgent"
on = "changed"
when = { changed = "priority", priority = "urgent" }
then = [{ note = "{{ customer.name }} waits: #{{ ticket.number }} in {{ ticket.queue }}." }]
"""


async def test_a_trigger_acts_within_the_act_that_sets_it_off_and_the_log_names_it(shop: Shop):
    await shop.apply(VIP)
    amy = shop.user("amy")
    customer = await customers.create(
        shop.log, name="王", company=None, tier="gold", addresses=(), actor=amy, now=later(0)
    )
    shop.said.clear()
    ticket = await shop.open(customer=customer)
    assert (ticket.priority, ticket.queue, ticket.owner) == ("urgent", shop.directory.queue_named("tier2").id, None)
    assert await shop.texts(ticket) == [(f"王 waits: #{ticket.number} in tier2.", False, None)]
    assert await shop.notices("sue") == ["rule"]
    assert shop.rules_in() == [
        ("ticket.changed", "trigger:vip"),
        ("notice.given", "trigger:vip"),
        ("ticket.replied", "trigger:urgent"),
    ]
    assert {event.xid for event in shop.said} == {shop.said[0].xid}
    assert [event.actor for event in shop.said if "rule" in event.data] == [None] * 3


async def test_without_a_fitting_rule_nothing_is_written(shop: Shop):
    await shop.apply(VIP)
    shop.said.clear()
    ticket = await shop.open()
    assert ticket.version == 1
    assert [event.kind for event in shop.said] == ["ticket.opened"]


async def test_a_reply_of_a_trigger_is_filled_in_as_plain_text_and_stops_no_clock(shop: Shop):
    await shop.apply(
        '[[sla_policies]]\nname = "all"\nfirst_response = "1h"\n'
        '[[triggers]]\nname = "thanks"\non = "opened"\nthen = [{ reply = \'\'\'Dear {{ customer.name }} & Co,\n'
        "about <{{ ticket.subject }}>.\n{{ organisation.name }}''' }]"
    )
    customer = await customers.create(
        shop.log, name="<Li>", company=None, tier=None, addresses=(), actor=None, now=later(0)
    )
    ticket = await shop.open(customer=customer)
    assert await shop.texts(ticket) == [("Dear <Li> & Co,\nabout <No hot water>.\nHeronbay", True, None)]
    clock = await shop.log.pool.fetchval("select state from sla_clock where clock = 'first_response'")
    assert clock == "running"


async def test_words_of_the_customer_in_two_languages_raise_the_priority(shop: Shop):
    await shop.apply(
        '[[triggers]]\nname = "angry"\non = ["opened", "noted"]\nwhen = { text = ["Lawyer", "律师"] }\n'
        'then = [{ priority = "high" }]'
    )
    assert (await shop.open(subject="我要找律师")).priority == "high"
    ticket = await shop.open(text="It drips.")
    assert ticket.priority == "normal"
    await tickets.reply(shop.log, ticket.id, text="She will call her LAWYER.", public=False, actor=None, now=later(5))
    assert (await shop.now(ticket)).priority == "high"


async def test_rules_that_set_each_other_off_in_a_way_that_nobody_could_know_fire_once_each(shop: Shop):
    await shop.apply(
        '[[triggers]]\nname = "echo"\non = "noted"\nwhen = { text = "Wang" }\n'
        'then = [{ note = "{{ customer.name }} was named." }]\n'
        '[[triggers]]\nname = "again"\non = "noted"\nwhen = { text = "named" }\n'
        'then = [{ note = "{{ customer.name }} was seen." }]'
    )
    customer = await customers.create(
        shop.log, name="Wang", company=None, tier=None, addresses=(), actor=None, now=later(0)
    )
    ticket = await shop.open(customer=customer)
    await tickets.reply(shop.log, ticket.id, text="Wang called.", public=False, actor=None, now=later(1))
    assert [text for text, _, _ in await shop.texts(ticket)] == ["Wang called.", "Wang was named.", "Wang was seen."]


async def test_a_rule_that_cannot_be_carried_out_does_nothing_and_stops_nobody(shop: Shop):
    await shop.apply(
        '[[triggers]]\nname = "bad"\non = "closed"\nthen = [{ note = "Closed." }, { reply = "Goodbye." }]\n'
        '[[triggers]]\nname = "good"\non = "closed"\nthen = [{ note = "Over." }]'
    )
    ticket = await shop.change(await shop.open(), state="closed")
    assert ticket.state == "closed"
    assert [text for text, _, _ in await shop.texts(ticket)] == ["Over."]
    assert shop.rules_in() == [("rule.failed", "trigger:bad"), ("ticket.replied", "trigger:good")]


async def test_hours_by_person_and_unless_are_asked(shop: Shop):
    await shop.apply(
        '[[triggers]]\nname = "night"\non = "opened"\nwhen = { hours = "outside:office" }\n'
        'then = [{ note = "night" }]\n'
        '[[triggers]]\nname = "day"\non = "opened"\nwhen = { hours = "in:office", by = "person" }\n'
        'unless = { channel = "phone" }\nthen = [{ note = "day" }]'
    )
    assert [text for text, _, _ in await shop.texts(await shop.open())] == ["day"]
    assert [text for text, _, _ in await shop.texts(await shop.open(at=6 * HOUR))] == ["night"]


async def test_an_escalation_sets_off_triggers_too(shop: Shop):
    await shop.apply(
        '[[sla_policies]]\nname = "all"\nresolution = "1h"\n'
        'escalations = [{ clock = "resolution", at = "+0m", actions = [{ notify = "role:supervisor" }] }]\n'
        '[[triggers]]\nname = "late"\non = "escalated"\nthen = [{ reassign = "queue:tier2" }]'
    )
    ticket = await shop.open()
    await sla.sweep(shop.log, shop.directory, now=later(HOUR + 1))
    assert (await shop.now(ticket)).queue == shop.directory.queue_named("tier2").id


# -- macros

MACRO = """
[[macros]]
name = "refund"
title = "Refund and close"
then = [{ reply = "Dear {{ customer.name }}, you get your money back." }, { set = { state = "resolved" } }]
"""


async def test_a_macro_is_the_agents_own_act_in_one_step(shop: Shop):
    await shop.apply(MACRO)
    ticket, amy = await shop.open(), shop.user("amy")
    await rules.apply_macro(shop.log, shop.directory, "refund", ticket=ticket.id, version=1, actor=amy, now=later(5))
    after = await shop.now(ticket)
    assert after.state == "resolved"
    assert await shop.texts(ticket) == [("Dear , you get your money back.", True, "amy")]
    assert {event.actor for event in shop.said if event.data.get("rule") == "macro:refund"} == {amy}


async def test_a_macro_that_cannot_be_done_is_refused_as_a_whole(shop: Shop):
    await shop.apply(MACRO)
    ticket = await shop.change(await shop.open(), state="resolved")
    await shop.change(ticket, state="closed")
    given: dict[str, Any] = {"actor": shop.user("amy"), "now": later(9)}
    with pytest.raises(Conflict, match="closed"):
        await rules.apply_macro(shop.log, shop.directory, "refund", ticket=ticket.id, version=None, **given)
    with pytest.raises(Conflict, match="at version 3 now, not 1"):
        await rules.apply_macro(shop.log, shop.directory, "refund", ticket=ticket.id, version=1, **given)
    with pytest.raises(NotFound):
        await rules.apply_macro(shop.log, shop.directory, "nothing", ticket=ticket.id, version=None, **given)
    assert await shop.texts(ticket) == []


# -- what an organisation declares of its own

OWN = """
[tickets]
types = ["incident", "request"]
categories = ["hardware/kettle", "hardware/cooker"]
fields = [{ name = "amount", type = "number" }, { name = "model", type = "choice", choices = ["a", "b"] }]
"""


async def test_types_tags_and_own_fields_are_asked_and_set_like_any_other(shop: Shop):
    await shop.apply(
        f"{OWN}"
        '[[triggers]]\nname = "dear"\non = "changed"\nwhen = { fields.amount = { above = 1000 } }\n'
        'unless = { category = "hardware/cooker" }\n'
        'then = [{ tag = "Big Money" }, { set = { type = "incident", fields.model = "b" } }]\n'
        '[[triggers]]\nname = "tagged"\non = "changed"\nwhen = { changed = "tags", tags = "big_money" }\n'
        'then = [{ note = "Look twice." }]'
    )
    ticket = await shop.open(category="hardware/kettle", more={"tags": ["vip"]})
    ticket = await shop.change(ticket, fields={"amount": 1000})
    assert ticket.tags == ("vip",)
    ticket = await shop.change(ticket, fields={"amount": 1001})
    assert (ticket.tags, ticket.type, ticket.fields["model"]) == (("big_money", "vip"), "incident", "b")
    assert [text for text, _, _ in await shop.texts(ticket)] == ["Look twice."]
    version = (await shop.change(ticket, fields={"amount": 1002})).version
    assert (await shop.now(ticket)).version == version


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('when = { fields.size = "x" }', "triggers[1].when.fields.size: tickets have no field 'size' in [tickets]"),
        ('when = { type = "none" }\nunless = { type = "question" }', "there is no ticket type 'question' in [tickets]"),
        ('when = { category = "soft" }', "there is no category 'soft' in [tickets]"),
        ('then = [{ set = { type = "question" } }]', "There is no ticket type 'question'"),
        ('then = [{ set = { fields.model = "c" } }]', "model: expected one of a, b"),
        ('then = [{ set = { category = "hardware/iron" } }]', "There is no category 'hardware/iron'"),
    ],
)
async def test_what_was_never_declared_is_refused(shop: Shop, text, complaint):
    then = "" if "then" in text else '\nthen = [{ note = "x" }]'
    with pytest.raises(toml.BadFile, match="line ") as caught:
        await shop.apply(f'{OWN}[[triggers]]\nname = "a"\non = "opened"\n{text}{then}')
    assert complaint in str(caught.value)


# -- bad files


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'then = [{ reassign = "queue:nowhere" }]',
            "triggers[1].then[1].reassign: there are no queues of the name 'nowhere'",
        ),
        (
            'then = [{ set = { owner = "nobody" } }]',
            "triggers[1].then[1].set.owner: there are no users of the name 'nobody'",
        ),
        ('then = [{ checklist = "none" }]', "there are no checklists of the name 'none'"),
        ('then = [{ task = { title = "x", assignee = "agent:no" } }]', "there are no users of the name 'no'"),
        ('then = [{ notify = "role:administrator" }]', "there are no roles of the name 'administrator'"),
        ('when = { hours = "in:moon" }\nthen = [{ note = "x" }]', "there are no hours of the name 'moon'"),
        ('when = { queue = ["support", "q"] }\nthen = [{ note = "x" }]', "there are no queues of the name 'q'"),
    ],
)
async def test_names_that_lead_nowhere_are_refused(shop: Shop, text, complaint):
    with pytest.raises(toml.BadFile, match="line ") as caught:
        await shop.apply(f'[[triggers]]\nname = "a"\non = "opened"\n{text}')
    assert complaint in str(caught.value)


async def test_rules_in_a_circle_are_refused_with_their_names_though_one_is_here_already(shop: Shop):
    rule = '[[triggers]]\nname = "{}"\non = "changed"\nwhen = {{ priority = "{}" }}\n'
    rule += 'then = [{{ set = {{ priority = "{}" }} }}]'
    up, down = rule.format("up", "low", "high"), rule.format("down", "high", "low")
    await shop.apply(up)
    with pytest.raises(
        toml.BadFile, match=r"line 5: triggers\[1\].then: these rules set each other off.*up → down → up"
    ):
        await shop.apply(down)


async def test_rules_are_exported_as_they_were_given(shop: Shop):
    await shop.apply(VIP + REMIND + MACRO)
    async with shop.log.pool.acquire() as connection:
        text = await organisation.export(connection)
    file = understand(toml.parse(text, "again.toml"), {})
    async with shop.log.pool.acquire() as connection:
        plan = await organisation.plan(connection, file, prune=True)
    assert plan.empty
    assert [entry.name for entry in file.organisation.triggers] == ["vip", "urgent"]


async def test_rules_that_the_file_no_longer_names_go_when_it_is_pruned(shop: Shop):
    await shop.apply(VIP)
    file = understand(toml.parse(PEOPLE, "org.toml"), {})
    plan = await organisation.apply(shop.log, file, prune=True, actor=None, now=later(1))
    assert plan.removed == ("trigger vip", "trigger urgent")
    await shop.directory.load()
    assert shop.directory.rules.triggers == ()
