"""Tickets that are merged, split, related and put below each other, also by several people at once."""

import asyncio

import pytest

from callcenter import toml
from callcenter.actions import organisation, ticket_ties, tickets
from callcenter.actions.interactions import identify
from callcenter.actions.ticket_family import DEEPEST, Children
from callcenter.domain.organisation_file import understand
from callcenter.domain.sla import ClockName
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import sla as clocks
from callcenter.store import ticket_family, ticket_filter
from callcenter.store import tickets as store
from callcenter.store.ticket_filter import Filter
from tests.actions.test_ticket_fields import change, history, notices, open_ticket
from tests.builders import arrive, later, make_customer, make_user

POLICY = "[[sla_policies]]\nname='all'\nown='1h'\nfirst_response='2h'\nresolution='8h'\n"


async def merge(log, ticket, into, now, version=None, actor=None):
    return await ticket_ties.merge(log, ticket.id, into=into.id, version=version, actor=actor, now=now)


async def kin(log, ticket):
    return {(each.kin, each.id) for each in await ticket_family.family(log.pool, ticket.id)}


async def texts(log, ticket):
    return [message.text for message in await store.messages(log.pool, ticket.id)]


async def note(log, ticket, text, now, *, public=False, actor=None):
    return await tickets.reply(log, ticket.id, text=text, public=public, actor=actor, now=now)


# -- merging


async def test_a_merged_ticket_gives_all_it_has_and_its_number_finds_the_target(log, now, call, amy):
    bo = await make_user(log.pool, "bo")
    first, second = await make_customer(log.pool, "a"), await make_customer(log.pool, "b")
    target = await open_ticket(log, now, customer=first, tags=["x"], owner=amy)
    source = await open_ticket(log, now, customer=second, tags=["y"], followers=[bo])
    child = await open_ticket(log, now, parent=source.id)
    await tickets.link(log, source.id, interaction=call, actor=None, now=now)
    await note(log, source, "two", now)
    await note(log, target, "one", now)
    after = await merge(log, source, target, now, actor=amy)
    assert (after.id, after.customer, after.customers, after.tags) == (target.id, first, (second,), ("x", "y"))
    assert (after.followers, after.interactions) == ((bo,), (call,))
    assert await texts(log, target) == ["two", "one"]
    assert await texts(log, source) == []
    left = await store.get(log.pool, source.id)
    assert (left.state, left.merged_into, left.interactions, left.tags) == ("closed", target.id, (), ("y",))
    assert (await store.get(log.pool, child.id)).parent == target.id
    assert await kin(log, target) == {("merged", source.id), ("child", child.id)}
    assert await kin(log, source) == {("merged_into", target.id)}
    [found] = await ticket_filter.find(log.pool, Filter(number=source.number), below=99, limit=9)
    assert found.id == target.id
    assert ("bo", "ticket.merged") in await notices(log)
    assert ("merged", None, source.id) in [entry[1:4] for entry in await history(log, after)]


async def test_the_number_of_a_ticket_that_was_merged_twice_finds_the_last_target(log, now):
    first, second, third = [await open_ticket(log, now) for _ in range(3)]
    await merge(log, first, second, now)
    await merge(log, second, third, now)
    for ticket in (first, second, third):
        [found] = await ticket_filter.find(log.pool, Filter(number=ticket.number), below=99, limit=9)
        assert found.id == third.id


async def test_what_runs_in_a_merged_ticket_is_void_and_what_was_judged_stays(log, now):
    await organisation.apply(log, understand(toml.parse(POLICY, "o"), {}), prune=False, actor=None, now=now)
    bo = await make_user(log.pool, "bo")
    target, source = await open_ticket(log, now), await open_ticket(log, now, owner=bo)
    await merge(log, source, target, later(60, now))
    found = await clocks.clocks_of(log.pool, [source.id, target.id])
    assert [(clock.clock, clock.state) for clock in found[source.id]] == [
        ("own", "met"), ("first_response", "void"), ("resolution", "void"),
    ]  # fmt: skip
    assert {clock.state for clock in found[target.id]} == {"running"}
    assert await log.pool.fetchval("select next_at from ticket_sla where ticket_id = $1", source.id) is None


async def test_a_question_that_is_open_in_the_merged_ticket_is_open_in_the_target(log, now, amy):
    policy = POLICY + "next_response='1h'\n"
    await organisation.apply(log, understand(toml.parse(policy, "o"), {}), prune=False, actor=None, now=now)
    target = await open_ticket(log, now, owner=amy)
    await note(log, target, "Dear…", later(10, now), public=True, actor=amy)
    await change(log, target, later(20, now), state="pending")
    source = await open_ticket(log, later(30, now))
    after = await merge(log, source, target, later(60, now))
    assert after.state == "open"
    found = {clock.clock: clock for clock in (await clocks.clocks_of(log.pool, [target.id]))[target.id]}
    assert found[ClockName.NEXT_RESPONSE].started_at == later(30, now)
    assert found[ClockName.NEXT_RESPONSE].due_at == later(60 + 3600, now)  # nothing was used up while it was pending


async def test_what_makes_no_sense_is_not_merged(log, now):
    ticket, other = await open_ticket(log, now), await open_ticket(log, now)
    below = await open_ticket(log, now, parent=ticket.id)
    closed = await change(log, await open_ticket(log, now), now, state="closed")
    with pytest.raises(Invalid, match="into itself"):
        await merge(log, ticket, ticket, now)
    with pytest.raises(Invalid, match=f"#{below.number} stands below #{ticket.number}"):
        await merge(log, ticket, below, now)
    with pytest.raises(Conflict, match="is closed; reopen it first"):
        await merge(log, ticket, closed, now)
    with pytest.raises(tickets.Stale):
        await merge(log, ticket, other, now, version=7)
    with pytest.raises(NotFound):
        await ticket_ties.merge(log, ticket.id, into=99, version=None, actor=None, now=now)
    await merge(log, closed, other, now)
    await merge(log, below, ticket, now)
    assert (await store.get(log.pool, ticket.id)).state == "new"


async def test_a_merged_ticket_is_left_alone(log, now, call):
    target, source = await open_ticket(log, now), await open_ticket(log, now)
    await merge(log, source, target, now)
    words = f"#{source.number} was merged into #{target.number}"
    for act in (
        change(log, source, now, state="open"),
        note(log, source, "hm", now),
        tickets.link(log, source.id, interaction=call, actor=None, now=now),
        merge(log, source, await open_ticket(log, now), now),
        merge(log, await open_ticket(log, now), source, now),
        open_ticket(log, now, parent=source.id),
    ):
        with pytest.raises(Conflict, match=words):
            await act


async def test_two_tickets_that_are_merged_into_each_other_at_once_become_one(log, now):
    for _ in range(5):
        one, two = await open_ticket(log, now), await open_ticket(log, now)
        done = await asyncio.gather(merge(log, one, two, now), merge(log, two, one, now), return_exceptions=True)
        assert [isinstance(each, Conflict) for each in done].count(True) == 1
        states = {(await store.get(log.pool, ticket.id)).merged_into for ticket in (one, two)}
        assert len(states) == 2
        assert None in states


async def test_merges_links_and_changes_at_once_lose_nothing_and_stop_nobody(log, now, amy):
    tied = [await open_ticket(log, now) for _ in range(4)]
    target = tied[1]
    calls = [await arrive(log, now=now) for _ in range(8)]

    async def busy(n: int) -> None:
        ticket = tied[n % 4]
        try:
            await tickets.link(log, ticket.id, interaction=calls[n], actor=amy, now=now)
            await change(log, ticket, now, add_tags=[f"t{n}"])
            await note(log, ticket, f"note {n}", now)
            if ticket is not target:
                await merge(log, ticket, target, now)
        except Conflict:
            await tickets.link(log, target.id, interaction=calls[n], actor=amy, now=now)

    async with asyncio.timeout(30):
        await asyncio.gather(*(busy(n) for n in range(8)))
    for ticket in (tied[0], tied[2], tied[3]):
        if (await store.get(log.pool, ticket.id)).merged_into is None:
            await merge(log, ticket, target, now)
    after = await store.get(log.pool, target.id)
    assert after.interactions == tuple(sorted(calls))
    written = await log.pool.fetchval("select count(*) from message where ticket_id <> $1", target.id)
    assert written == 0
    versions = [
        row["version"]
        for row in await log.pool.fetch(
            "select version from contact_log where ticket_id = $1 and kind like 'ticket.%' order by xid, seq", target.id
        )
    ]
    assert versions == sorted(versions) == list(range(1, after.version + 1))


async def test_whose_interaction_is_linked_is_one_of_the_tickets_customers(log, now, call, amy):
    first, second = await make_customer(log.pool, "a"), await make_customer(log.pool, "b")
    await identify(log, call, customer=second, actor=amy, now=now)
    ticket = await open_ticket(log, now, customer=first)
    linked = await tickets.link(log, ticket.id, interaction=call, actor=amy, now=now)
    assert (linked.customer, linked.customers) == (first, (second,))


# -- splitting and relating


async def test_a_text_becomes_a_ticket_of_its_own(log, now, amy):
    customer = await make_customer(log.pool)
    ticket = await open_ticket(log, now, customer=customer, category="kettle")
    await note(log, ticket, "one", now)
    await note(log, ticket, "two", now)
    message = (await store.messages(log.pool, ticket.id))[1].id
    new = await ticket_ties.split(
        log, ticket.id, subject="Another matter", message=message, interaction=None, actor=amy, now=now
    )
    assert (new.subject, new.customer, new.category, new.state) == ("Another matter", customer, "kettle", "new")
    assert (await texts(log, ticket), await texts(log, new)) == (["one"], ["two"])
    assert await kin(log, ticket) == {("split_to", new.id)}
    assert await kin(log, new) == {("split_from", ticket.id)}
    assert (await store.get(log.pool, ticket.id)).version == 4
    with pytest.raises(NotFound, match="has no message"):
        await ticket_ties.split(log, ticket.id, subject="x", message=message, interaction=None, actor=amy, now=now)


async def test_an_interaction_becomes_a_ticket_of_its_own(log, now, call):
    ticket = await open_ticket(log, now)
    await tickets.link(log, ticket.id, interaction=call, actor=None, now=now)
    given = {"subject": "Another matter", "message": None, "actor": None, "now": now}
    new = await ticket_ties.split(log, ticket.id, interaction=call, **given)
    assert new.interactions == (call,)
    assert (await store.get(log.pool, ticket.id)).interactions == ()
    with pytest.raises(NotFound, match="has no interaction"):
        await ticket_ties.split(log, ticket.id, interaction=call, **given)
    with pytest.raises(Invalid, match="one message, or one interaction"):
        await ticket_ties.split(log, ticket.id, interaction=None, **given)


async def test_tickets_are_related_from_both_sides_and_once(log, now, amy):
    one, two = await open_ticket(log, now), await open_ticket(log, now)
    first = await ticket_ties.relate(log, one.id, to=two.id, actor=amy, now=now)
    again = await ticket_ties.relate(log, two.id, to=one.id, actor=amy, now=now)
    assert (first.version, again.version) == (2, 2)
    assert (await kin(log, one), await kin(log, two)) == ({("related", two.id)}, {("related", one.id)})
    assert await history(log, one) == [(2, "related", None, two.id, amy)]
    await ticket_ties.unrelate(log, two.id, to=one.id, actor=amy, now=now)
    assert await kin(log, one) == set()
    with pytest.raises(Invalid):
        await ticket_ties.relate(log, one.id, to=one.id, actor=amy, now=now)


# -- parents and children


async def test_a_ticket_is_never_above_itself(log, now):
    one, two, three = [await open_ticket(log, now) for _ in range(3)]
    await change(log, two, now, parent=one.id)
    await change(log, three, now, parent=two.id)
    with pytest.raises(Invalid, match=rf"#{one.number} → #{three.number} → #{two.number} → #{one.number}") as caught:
        await change(log, one, now, parent=three.id)
    assert caught.value.field == "parent"
    with pytest.raises(Invalid):
        await change(log, one, now, parent=one.id)
    assert (await change(log, two, now, parent=None)).parent is None
    assert (await change(log, one, now, parent=three.id)).parent == three.id


async def test_parents_that_are_chosen_at_once_make_no_circle(log, now):
    for _ in range(5):
        ring = [await open_ticket(log, now) for _ in range(6)]
        pairs = [(child, ring[(at + 1) % 6]) for at, child in enumerate(ring)]
        async with asyncio.timeout(30):
            done = await asyncio.gather(
                *(change(log, child, now, parent=parent.id) for child, parent in pairs), return_exceptions=True
            )
        assert [isinstance(each, Invalid) for each in done].count(True) == 1


async def test_tickets_stand_only_so_deep(log, now):
    line = [await open_ticket(log, now)]
    for _ in range(DEEPEST - 1):
        line.append(await open_ticket(log, now, parent=line[-1].id))
    with pytest.raises(Invalid, match="at most 10 levels"):
        await open_ticket(log, now, parent=line[-1].id)
    top = await open_ticket(log, now)
    with pytest.raises(Invalid, match="at most 10 levels"):
        await change(log, line[0], now, parent=top.id)


async def end(log, ticket, now, children, state="resolved", actor=None):
    changes = {"state": state}
    return await tickets.change(log, ticket.id, changes=changes, version=None, actor=actor, now=now, children=children)


async def test_a_parent_waits_for_its_children_unless_they_may_stay_or_end_with_it(log, now):
    parent = await open_ticket(log, now)
    child = await open_ticket(log, now, parent=parent.id)
    grandchild = await open_ticket(log, now, parent=child.id)
    with pytest.raises(Conflict, match=f"still open: #{grandchild.number}, #{child.number}"):
        await end(log, parent, now, Children.REFUSE)
    assert (await end(log, parent, now, Children.LEAVE)).state == "resolved"
    assert (await store.get(log.pool, child.id)).state == "new"
    with pytest.raises(Conflict, match="is resolved; reopen it first"):
        await open_ticket(log, now, parent=parent.id)
    await change(log, parent, now, state="open")
    assert (await end(log, parent, now, Children.RESOLVE, "closed")).state == "closed"
    states = [(await store.get(log.pool, each.id)).state for each in (parent, child, grandchild)]
    assert states == ["closed", "resolved", "resolved"]


async def test_children_end_with_their_parent_all_or_none(log, now, amy):
    rules = "[tickets]\ntypes=['repair']\n[[tickets.fields]]\nname='cause'\ntype='text'\n"
    rules += "required={type='repair', state='resolved'}\n"
    await organisation.apply(log, understand(toml.parse(rules, "o"), {}), prune=False, actor=None, now=now)
    parent = await open_ticket(log, now)
    good = await open_ticket(log, now, parent=parent.id)
    bad = await open_ticket(log, now, parent=parent.id, type="repair")
    with pytest.raises(Invalid, match=f"#{bad.number}: Needed of a ticket that is resolved: cause"):
        await end(log, parent, now, Children.RESOLVE, actor=amy)
    assert (await store.get(log.pool, good.id)).state == "new"


async def test_a_parent_that_ends_with_its_children_while_they_change_stops_nobody(log, now):
    # Younger and older children, so that locks in any other order than by id would meet.
    for _ in range(5):
        children = [await open_ticket(log, now) for _ in range(3)]
        parent = await open_ticket(log, now)
        children += [await open_ticket(log, now) for _ in range(3)]
        for child in children:
            await change(log, child, now, parent=parent.id)
        async with asyncio.timeout(30):
            done = await asyncio.gather(
                end(log, parent, now, Children.RESOLVE),
                *(change(log, child, now, add_tags=["x"]) for child in children),
                *(change(log, child, now, parent=None) for child in children[::2]),
                return_exceptions=True,
            )
        assert [each for each in done if isinstance(each, BaseException)] == []
