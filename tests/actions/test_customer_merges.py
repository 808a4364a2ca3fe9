"""Two records of one customer become one, and two again."""

from datetime import timedelta

import pytest

from callcenter.actions import customer_merges, customers, interactions, tickets
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind, Certainty
from callcenter.domain.interaction import Arrival, Channel
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import customers as store
from tests.actions.test_ticket_fields import open_ticket
from tests.builders import make_queue, make_user

SHARED, OWN, OTHER = "+8613800138000", "+8613800138001", "+8613800138002"

# Where a customer is named in the database, and what becomes of it in a merge.
_MOVED = {
    "address.customer_id", "interaction.customer_id", "ticket.customer_id", "ticket.customers", "contract.customer_id",
    "customer_order.customer_id", "survey.customer_id", "outbox.customer_id", "survey_refusal.customer_id",
}  # fmt: skip
_KEPT = {
    "contact_log.customer_id",  # what happened, happened to whom it happened
    "customer_value.customer_id",  # worked out anew of each
    "promise_review.customer_id",  # a moment's work
    "offered_work.customer_id",  # follows its ticket when that is looked at next
    "erasure.customer_id",  # the proof is about that record
}


def phone(value, certainty=Certainty.KNOWN):
    return read_address(AddressKind.PHONE, value, region="CN", certainty=certainty)


async def create(log, now, name, *addresses, **more):
    given = {"company": None, "tier": None, "actor": None, **more}
    return await customers.create(log, name=name, now=now, addresses=addresses, **given)


async def call(log, now, queue, address):
    arrival = Arrival(Channel.PHONE, external_id=f"{address}/{now}", address_kind="phone", address=address)
    [event, *_] = await interactions.arrive(log, arrival, queue=queue, queued=True, node=None, now=now)
    return event.interaction


async def of(log, table, ident):
    return await log.pool.fetchval(f"select customer_id from {table} where id = $1", ident)


async def ticket_of(log, now, customer, interaction=None):
    ticket = await open_ticket(log, now, customer=customer)
    if interaction is not None:
        await tickets.link(log, ticket.id, interaction=interaction, actor=None, now=now)
    return ticket.id


@pytest.fixture
async def queue(log):
    return await make_queue(log.pool)


@pytest.fixture
async def two(log, now):
    """Li, and a second record of hers that has another number too."""
    first = await create(log, now, "李娜", phone(SHARED, Certainty.MAYBE), phone(OTHER))
    second = await create(log, now, "Li Na", phone(SHARED), phone(OWN), company="Heron", external_id="C-7")
    return first, second


async def test_all_that_was_of_the_one_is_of_the_other_and_goes_back_again(log, now, queue, two):
    first, second = two
    contact = await call(log, now, queue, OWN)
    ticket = await ticket_of(log, now, second, contact)
    assert await of(log, "interaction", contact) == second

    merge = await customer_merges.merge(log, second, into=first, take=["company"], actor=None, now=now)
    assert [await of(log, "interaction", contact), await of(log, "ticket", ticket)] == [first, first]
    record = await store.get(log.pool, first)
    assert (record.name, record.company) == ("李娜", "Heron")
    assert [(each.value, each.certainty) for each in record.addresses] == [
        (SHARED, "known"),
        (OTHER, "known"),
        (OWN, "known"),
    ]
    assert (await store.get(log.pool, second)).merged_into == first

    await customer_merges.undo(log, merge, into=first, actor=None, now=now)
    assert [await of(log, "interaction", contact), await of(log, "ticket", ticket)] == [second, second]
    record = await store.get(log.pool, first)
    assert (record.name, record.company) == ("李娜", None)
    assert [(each.value, each.certainty) for each in record.addresses] == [(SHARED, "maybe"), (OTHER, "known")]
    again = await store.get(log.pool, second)
    assert (again.merged_into, [each.value for each in again.addresses]) == (None, [SHARED, OWN])
    kinds = await log.pool.fetch(
        "select kind, customer_id from contact_log where kind like 'customer.%merged' order by seq"
    )
    assert [tuple(row) for row in kinds] == [("customer.merged", second), ("customer.unmerged", second)]


async def test_what_came_since_goes_back_with_its_address_and_the_rest_stays(log, now, queue, two):
    first, second = two
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    later = now + timedelta(hours=1)
    own, other = await call(log, later, queue, OWN), await call(log, later, queue, OTHER)
    assert [await of(log, "interaction", each) for each in (own, other)] == [first, first]
    cases = [await ticket_of(log, later, first, each) for each in (own, other)]
    await customer_merges.undo(log, merge, into=first, actor=None, now=later)
    assert [await of(log, "interaction", each) for each in (own, other)] == [second, first]
    assert [await of(log, "ticket", each) for each in cases] == [second, first]


async def test_further_customers_of_a_ticket_are_merged_and_come_apart_too(log, now, two):
    first, second = two
    third = await create(log, now, "Third")
    ticket = await ticket_of(log, now, third)
    await log.pool.execute("update ticket set customers = $2 where id = $1", ticket, [first, second])

    async def concerned():
        return await log.pool.fetchval("select customers from ticket where id = $1", ticket)

    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    assert await concerned() == [first]
    await customer_merges.undo(log, merge, into=first, actor=None, now=now)
    assert await concerned() == [first, second]


async def test_a_merge_is_undone_once_and_not_below_another(log, now, two):
    first, second = two
    third = await create(log, now, "Third")
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    with pytest.raises(Conflict, match="merged into"):
        await customer_merges.merge(log, second, into=third, actor=None, now=now)
    with pytest.raises(Conflict, match="merged into"):
        await customer_merges.merge(log, third, into=second, actor=None, now=now)
    above = await customer_merges.merge(log, first, into=third, actor=None, now=now)
    assert await log.pool.fetchval("select customer_now($1)", second) == third
    with pytest.raises(Conflict, match="undo that first"):
        await customer_merges.undo(log, merge, into=first, actor=None, now=now)
    await customer_merges.undo(log, above, into=third, actor=None, now=now)
    await customer_merges.undo(log, merge, into=first, actor=None, now=now)
    with pytest.raises(Conflict, match="undone already"):
        await customer_merges.undo(log, merge, into=first, actor=None, now=now)


async def test_what_cannot_be_merged_is_refused_in_words(log, now, two):
    first, _ = two
    with pytest.raises(Invalid, match="themselves"):
        await customer_merges.merge(log, first, into=first, actor=None, now=now)
    with pytest.raises(NotFound, match="999"):
        await customer_merges.merge(log, 999, into=first, actor=None, now=now)
    with pytest.raises(Invalid, match="age"):
        await customer_merges.merge(log, 999, into=first, take=["age"], actor=None, now=now)
    with pytest.raises(NotFound, match="999"):
        await customer_merges.undo(log, 999, into=first, actor=None, now=now)


async def test_a_contact_that_is_given_to_a_merged_customer_is_of_whom_they_are_now(log, now, queue, two):
    first, second = two
    amy = await make_user(log.pool, "amy")
    contact = await call(log, now, queue, "+8613800138009")
    await customer_merges.merge(log, second, into=first, actor=None, now=now)
    await interactions.identify(log, contact, customer=second, actor=amy, now=now)
    assert await of(log, "interaction", contact) == first
    with pytest.raises(Conflict, match="merged into"):
        await customers.add_address(log, second, address=phone("+8613800138009"), actor=None, now=now)


async def test_every_place_that_names_a_customer_is_thought_of(db):
    found = await db.fetch("""
        select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.attname in ('customer_id', 'customers')""")
    assert {row[0] for row in found} == _MOVED | _KEPT


async def test_an_address_that_both_had_is_the_one_records_from_then_on(log, now, queue):
    email = read_address(AddressKind.EMAIL, "li@x.example", region="CN")
    first, second = [await create(log, now, "Li Na", phone(SHARED), email) for _ in range(2)]
    assert await of(log, "interaction", await call(log, now, queue, SHARED)) is None
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    assert await of(log, "interaction", await call(log, now + timedelta(minutes=1), queue, SHARED)) == first
    assert await log.pool.fetchval("select find_customer('phone', $1)", SHARED) == first
    assert await log.pool.fetchval("select owner_of_mail('li@x.example')") == first
    await customer_merges.undo(log, merge, into=first, actor=None, now=now)
    assert await log.pool.fetchval("select owner_of_mail('li@x.example')") is None
