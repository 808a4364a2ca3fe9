"""Promises in an organisation file: what is refused, and where, and what people are told."""

import pytest

from callcenter.actions import organisation
from callcenter.toml import BadFile
from tests.actions.organisation_files import SMALL, apply, complaints

PROMISE = (
    SMALL
    + """
[[sla_policies]]
name = "all"
own = "10m"
resolution = "8h"
escalations = [
  { clock = "resolution", at = "80%", actions = [{ notify = "owner" }] },
]
"""
)
LEVEL = '{ clock = "resolution", at = "80%", actions = [{ notify = "owner" }] }'


def at_target(actions: str) -> str:
    return f"{{ clock = 'resolution', at = '+0m', actions = [{actions}] }}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "next_response='2h'\nresolution='1h'",
            "line 3: sla_policies[1].next_response: this is longer than resolution",
        ),
        ("own='2h'\nresolution='1h'", "line 3: sla_policies[1].own: this is longer than resolution"),
        ("own='0s'", "line 3: sla_policies[1].own: expected a duration above zero"),
        ("own='1m'\npauses=['open']", "line 4: sla_policies[1].pauses[1]: expected 'pending' or 'on_hold'"),
        ("own='1m'\nwhen={colour='red'}", "line 4: sla_policies[1].when.colour: there is no such key"),
    ],
)
def test_a_promise_that_cannot_be_meant_is_refused_with_its_line(text, words):
    assert any(words in each for each in complaints(f"[[sla_policies]]\nname='a'\n{text}"))


def test_a_calendar_of_days_that_never_open_is_refused():
    [found] = complaints("[[hours]]\nname='a'\ntimezone='UTC'\nopen={'2026-01-01'=[]}")
    assert "never open" in found


@pytest.mark.parametrize(
    ("level", "place", "words"),
    [
        ("{ clock = 'resolution', at = '-9h', actions = [{ notify = 'owner' }] }", ".at", "its target is shorter"),
        ("{ clock = 'resolution', at = '-8h', actions = [{ notify = 'owner' }] }", ".at", "its target is shorter"),
        ("{ clock = 'resolution', at = '0%', actions = [{ notify = 'owner' }] }", ".at", "expected a share"),
        ("{ clock = 'resolution', at = '2h', actions = [{ notify = 'owner' }] }", ".at", "expected a share"),
        ("{ clock = 'resolution', at = '+2 hours', actions = [{ notify = 'owner' }] }", ".at", "expected a duration"),
        (f"{LEVEL}, {LEVEL}", "[2].at", "a level at 80% already"),
        ("{ clock = 'next_response', at = '+0m', actions = [{ notify = 'owner' }] }", ".clock", "has no next_response"),
        ("{ clock = 'answer', at = '+0m', actions = [{ notify = 'owner' }] }", ".clock", "expected 'own'"),
        (at_target(""), ".actions", "expected a list of what to do"),
        (at_target("{}"), ".actions[1]", "expected one thing to do"),
        (
            at_target("{ notify = 'sue' }"),
            ".actions[1]",
            "notify: expected owner",
        ),
        (at_target("{ priority = 'asap' }"), ".actions[1]", "low, normal, high"),
        (at_target("{ webhook = 'x', by = ['email'] }"), ".actions[1]", "webhook takes no by"),
        (at_target("{ mail = 'x' }"), ".actions[1]", "a mail is a notice"),
        (at_target("{ phone = 'x' }"), ".actions[1]", "a call is a notice"),
        (at_target("{ notify = 'owner', by = ['fax'] }"), ".actions[1]", "a list of email and phone"),
        (at_target("{ notify = 'owner', by = 'email' }"), ".actions[1]", "a list of email and phone"),
        (at_target("{ notify = 'owner', respect_hours = 'yes' }"), ".actions[1]", "expected true or false"),
        (at_target("{ tag = ',' }"), ".actions[1]", "no comma"),
        (at_target("{ task = 'x' }"), ".actions[1]", "expected a table like"),
        (at_target("{ task = { title = 'x', hours = 'office' } }"), ".actions[1]", "hours is of no use without due"),
        (at_target("{ task = { due = '1h' } }"), ".actions[1]", "task.title"),
        ("{ clock = 'own', at = '+0m', actions = [{ notify = 'owner' }] }", ".notify", "nobody owns the ticket"),
        ("{ clock = 'own', at = '+0m', actions = [{ reassign = 'manager' }] }", ".reassign", "nobody owns the ticket"),
    ],
)
def test_an_escalation_that_cannot_be_meant_is_refused_with_its_line(level, place, words):
    [found] = complaints(PROMISE.replace(LEVEL, level))
    assert found.startswith("org.toml, line 19: sla_policies[1].escalations[")
    assert place in found
    assert words in found


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{ notify = 'agent:zed' }", "there are no users of the name 'zed'"),
        ("{ reassign = 'queue:tier2' }", "there are no queues of the name 'tier2'"),
        ("{ notify = 'role:supervisor' }", "this escalates to nobody: there is no supervisor"),
        ("{ notify = 'manager' }", "this escalates to nobody: no user has a manager"),
    ],
)
async def test_an_escalation_to_nobody_is_refused(log, now, action, words):
    with pytest.raises(BadFile) as caught:
        await apply(log, now, PROMISE.replace('{ notify = "owner" }', action))
    [found] = map(str, caught.value.problems)
    assert found.startswith("org.toml, line 19: sla_policies[1].escalations[1].actions[1].")
    assert words in found


async def test_a_second_default_and_a_circle_of_managers_are_refused_beside_what_is_here(log, now):
    await apply(log, now, PROMISE)
    with pytest.raises(BadFile, match="all has no `when` already"):
        await apply(log, now, "[[sla_policies]]\nname='others'\nown='1m'")
    await apply(log, now, "[[users]]\nname='bo'\nfull_name='Bo'\nrole='agent'\nmanager='amy'\n")
    with pytest.raises(BadFile, match=r"managers lead back to where they began: .*amy → "):
        await apply(log, now, SMALL.replace('role = "agent"', 'role = "agent"\nmanager = "bo"'))


async def test_people_are_told_of_promises_that_nobody_gets_and_of_another_order(log, now):
    gold = "[[sla_policies]]\nname='gold'\nwhen={contract='x'}\nown='1m'\n"
    text = PROMISE.replace('notify = "owner"', 'reassign = "queue:empty"')
    kind = "[[contracts]]\nname='x'\ntitle='X'\n"
    plan = await apply(log, now, f"{text}{gold}{kind}[[queues]]\nname='empty'")
    assert plan.warnings[1:] == ("sla_policy all: the queue empty that it escalates to has no members",)
    silver = "[[sla_policies]]\nname='silver'\nwhen={tier='silver'}\nown='1m'\n"
    rest = "[[sla_policies]]\nname='all'\nown='10m'"
    await apply(log, now, gold + silver + rest)
    plan = await apply(log, now, silver + gold + rest)
    assert next(plan.lines()) == "~ sla_policies: order gold, silver, all → silver, gold, all"


async def test_only_another_promise_or_calendar_has_tickets_worked_out_anew(log, now, db):
    async def revision() -> int:
        return int(await db.fetchval("select sla_revision from organisation"))

    await apply(log, now, PROMISE)
    before = await revision()
    await apply(log, now, PROMISE.replace('"95500"', '"95501"'))
    assert await revision() == before
    await apply(log, now, PROMISE.replace('"8h"', '"9h"'))
    assert await revision() == before + 1


@pytest.mark.parametrize("pauses", ["[]", '["on_hold"]', '["pending", "on_hold"]'])
async def test_what_pauses_comes_back_as_it_was_written(log, now, db, pauses):

    await apply(log, now, PROMISE.replace('own = "10m"', f'own = "10m"\npauses = {pauses}'))
    assert f"pauses = {pauses}" in await organisation.export(db)
