"""Calls to people who are to know: one at a time however many servers call, and the next one where nobody answers."""

import asyncio
from datetime import timedelta

import pytest

from callcenter.actions import callouts, notices
from callcenter.actions.callouts import Callout
from callcenter.domain.callout import ATTEMPTS, EVERY, TRANSITIONS, CalloutState, CalloutVerb
from callcenter.store.directory import Directory
from tests.actions.test_escalations import promise
from tests.actions.test_sla import HOUR, PEOPLE, Desk
from tests.builders import later

AT = later(7 * HOUR)


@pytest.fixture
async def desk(log, pool) -> Desk:
    """Amy is to be called about a ticket of hers."""
    found = Desk(log, Directory(pool))
    await found.apply(PEOPLE + promise('{ notify = "owner", by = ["phone"] }'))
    await found.open(owner=found.user("amy"))
    await found.sweep(7 * HOUR)
    return found


async def states(desk: Desk) -> list[tuple[str, str]]:
    rows = await desk.log.pool.fetch(
        "select u.name, c.state from phone_notice c join users u on u.id = c.user_id order by c.id"
    )
    return [(row["name"], row["state"]) for row in rows]


async def call(desk: Desk, at) -> Callout | None:
    return await callouts.take(desk.log, now=at)


async def test_servers_that_look_at_once_call_once_and_again_after_a_while(desk: Desk):
    taken = await asyncio.gather(*(call(desk, AT) for _ in range(3)))
    assert [each.endpoint for each in taken if each is not None] == ["PJSIP/1001"]
    assert await call(desk, AT + EVERY / 2) is None
    again = await call(desk, AT + EVERY)
    assert again is not None
    assert again.attempt == 2


async def test_who_has_read_the_notice_is_not_called(desk: Desk):
    await notices.see(desk.log, None, user=desk.user("amy"), now=AT)
    assert await call(desk, AT) is None
    assert await states(desk) == [("amy", "acknowledged")]


async def test_nobody_is_called_about_a_ticket_that_is_over(desk: Desk):
    [ticket] = await desk.log.pool.fetch("select id from ticket")
    await desk.log.pool.execute("update ticket set state = 'resolved' where id = $1", ticket["id"])
    assert await call(desk, AT) is None


async def test_a_key_acknowledges_what_its_reader_has_of_this_ticket_and_twice_is_as_once(desk: Desk):
    taken = await call(desk, AT)
    assert taken is not None
    assert await callouts.number_of(desk.log, taken.id) is not None
    for _ in range(2):
        await callouts.acknowledge(desk.log, taken.id, now=AT)
    assert await callouts.number_of(desk.log, taken.id) is None
    assert await states(desk) == [("amy", "acknowledged")]
    assert [event.kind for event in desk.said].count("notice.seen") == 1
    assert await call(desk, AT + EVERY) is None


async def test_where_nobody_answers_the_manager_is_next_once_and_at_the_top_it_ends(desk: Desk):
    at = AT
    for _ in range(ATTEMPTS):
        assert await call(desk, at) is not None
        assert await callouts.pass_on(desk.log, desk.directory, now=at) == 0
        at += EVERY
    assert await call(desk, at) is None
    passed = await asyncio.gather(*(callouts.pass_on(desk.log, desk.directory, now=at) for _ in range(3)))
    assert sum(passed) == 1
    assert await desk.notices("sue") == ["resolution"]
    # Sue has no phone: she reads it on the console, and nobody else is called.
    assert await states(desk) == [("amy", "failed")]
    assert await callouts.pass_on(desk.log, desk.directory, now=at + timedelta(days=1)) == 0


async def test_what_no_pbx_could_call_about_in_time_is_passed_on(desk: Desk):
    late = AT + timedelta(hours=1)
    assert await call(desk, late) is None
    assert await callouts.pass_on(desk.log, desk.directory, now=late) == 1
    assert await states(desk) == [("amy", "failed")]


async def test_a_call_that_nobody_knows_says_nothing(desk: Desk):
    assert await callouts.number_of(desk.log, 99) is None
    await callouts.acknowledge(desk.log, 99, now=AT)


def test_what_is_over_stays_over():
    for (state, verb), after in TRANSITIONS.items():
        assert state is CalloutState.WAITING or (verb is CalloutVerb.ACKNOWLEDGE and after is state)
