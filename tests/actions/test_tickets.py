"""A ticket's life, and two people who write to it at once."""

import pytest

from callcenter.actions import customers, tickets
from callcenter.actions.interactions import identify
from callcenter.domain.events import Event
from callcenter.domain.ticket import TRANSITIONS, TicketState, TicketVerb
from callcenter.errors import Conflict, IllegalTransition, Invalid, NotFound
from callcenter.store import tickets as store


async def open_ticket(log, now, **more):
    given = {"subject": "No hot water", "customer": None, "interaction": None, "queue": None, "priority": "normal"}
    return await tickets.open_ticket(log, **{**given, "text": None, "actor": None, "now": now, **more})


async def change(log, ticket, now, version=None, actor=None, **changes):
    return await tickets.change(log, ticket.id, changes=changes, version=version, actor=actor, now=now)


async def test_a_ticket_of_a_call_is_the_calls_customers(log, now, call, amy):
    customer = await customers.create(log, name="陈", company=None, tier=None, addresses=(), actor=amy, now=now)
    await identify(log, call, customer=customer, actor=amy, now=now)
    events: list[Event] = []
    log.listen(events.extend)
    ticket = await open_ticket(log, now, interaction=call, text="She called twice.", actor=amy)
    assert (ticket.customer, ticket.interactions, ticket.state, ticket.number) == (customer, (call,), "new", 1001)
    assert [event.kind for event in events] == ["interaction.linked", "ticket.opened"]
    assert "No hot water" not in str(events)
    [text] = await store.messages(log.pool, ticket.id)
    assert (text.text, text.author, text.public) == ("She called twice.", "amy", False)


async def test_numbers_are_given_in_turn(log, now):
    assert [(await open_ticket(log, now)).number for _ in range(3)] == [1001, 1002, 1003]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", ""),
        ("subject", "a\nb"),
        ("subject", "x" * 201),
        ("priority", "asap"),
        ("queue", 99),
        ("owner", 99),
        ("customer", 99),
    ],
)
async def test_a_bad_field_is_named(log, now, field, value):
    with pytest.raises(Invalid) as caught:
        await open_ticket(log, now, **{field: value})
    assert caught.value.field == field


async def test_every_move_of_state_is_that_of_the_table(log, now):
    for before in TicketState:
        for verb in TicketVerb:
            after = TicketState(verb)
            ticket = await open_ticket(log, now)
            await log.pool.execute("update ticket set state = $2 where id = $1", ticket.id, before)
            allowed = TRANSITIONS.get((before, verb)) is after
            if allowed or before == after:
                assert (await change(log, ticket, now, state=after)).state == after
            else:
                with pytest.raises(IllegalTransition):
                    await change(log, ticket, now, state=after)


async def test_events_are_named_by_what_happened(log, now, amy):
    kinds: list[str] = []
    log.listen(lambda events: kinds.extend(event.kind for event in events))
    ticket = await open_ticket(log, now)
    for state in ("open", "pending", "resolved", "open", "closed"):
        await change(log, ticket, now, state=state)
    await change(log, ticket, now, priority="high")
    happened = ["opened", "changed", "pending", "resolved", "reopened", "closed", "changed"]
    assert kinds == [f"ticket.{word}" for word in happened]


async def test_taking_a_new_ticket_opens_it(log, now, amy):
    ticket = await change(log, await open_ticket(log, now), now, owner=amy)
    assert (ticket.owner, ticket.state) == (amy, "open")


async def test_who_writes_on_an_older_version_learns_what_was_changed(log, now, amy):
    ticket = await open_ticket(log, now)
    await change(log, ticket, now, priority="high", actor=amy)
    await tickets.reply(log, ticket.id, text="Looked into it.", public=False, actor=amy, now=now)
    with pytest.raises(tickets.Stale) as caught:
        await change(log, ticket, now, version=1, subject="Cold water")
    assert {(each.field, each.now, each.actor) for each in caught.value.changes} == {
        ("priority", "high", amy),
        ("replied", None, amy),
    }
    assert caught.value.ticket.version == 3


async def test_nothing_changed_is_no_event(log, now):
    ticket = await open_ticket(log, now)
    assert (await change(log, ticket, now, subject="No hot water")).version == 1


async def test_an_answer_opens_a_new_ticket_and_a_note_does_not(log, now):
    ticket = await open_ticket(log, now)
    noted = await tickets.reply(log, ticket.id, text="hm", public=False, actor=None, now=now)
    answered = await tickets.reply(log, ticket.id, text="Dear…", public=True, actor=None, now=now)
    assert (noted.state, answered.state) == ("new", "open")


async def test_a_closed_ticket_takes_notes_but_no_answers(log, now):
    ticket = await change(log, await open_ticket(log, now), now, state="closed")
    assert ticket.closed_at == now
    await tickets.reply(log, ticket.id, text="hm", public=False, actor=None, now=now)
    with pytest.raises(Conflict):
        await tickets.reply(log, ticket.id, text="Dear…", public=True, actor=None, now=now)
    assert (await change(log, ticket, now, state="open")).closed_at is None


async def test_a_link_is_made_once(log, now, call, amy):
    ticket = await open_ticket(log, now)
    first = await tickets.link(log, ticket.id, interaction=call, actor=amy, now=now)
    again = await tickets.link(log, ticket.id, interaction=call, actor=amy, now=now)
    assert first.interactions == again.interactions == (call,)
    assert first.version == again.version == 2


async def test_what_is_not_there_is_not_found(log, now):
    for act in (
        tickets.reply(log, 99, text="x", public=False, actor=None, now=now),
        tickets.change(log, 99, changes={"state": "open"}, version=None, actor=None, now=now),
        tickets.link(log, 99, interaction=1, actor=None, now=now),
        open_ticket(log, now, interaction=99),
    ):
        with pytest.raises(NotFound):
            await act
