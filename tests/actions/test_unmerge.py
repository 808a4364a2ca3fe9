"""What of two records that are parted is whose: what came between, what was found out, what was set by hand."""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from callcenter.actions import contract_import, customer_merges, customers, opinions, order_import, value
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind, Certainty
from callcenter.store import customers as store
from callcenter.store import value as value_store
from tests.actions.test_customer_merges import OWN, SHARED, call, create, of, phone, ticket_of
from tests.builders import make_queue, make_user


@pytest.fixture
async def queue(log):
    return await make_queue(log.pool)


async def numbers(log, customer):
    return [(each.value, str(each.certainty)) for each in (await store.get(log.pool, customer)).addresses]


async def parted(log, now, merge, into):
    await customer_merges.undo(log, merge, into=into, actor=None, now=now + timedelta(days=1))


async def letter_to(log, now, recipient, *, customer, ticket=None, interaction=None):
    return await log.pool.fetchval(
        "insert into outbox (recipient, template, customer_id, ticket_id, interaction_id, created_at, due_at,"
        " expires_at) values ($1, 'closed', $2, $3, $4, $5, $5, $5) returning id",
        recipient, customer, ticket, interaction, now,
    )  # fmt: skip


async def take_orders(log, now, *rows):
    read = [
        order_import.Row(number, external, address, date(2026, 3, 1), Decimal(10), "CNY")
        for number, external, address in rows
    ]
    orders, missing = await order_import.find_customers(log.pool, read)
    assert not missing
    await value.take_orders(log, orders, actor=None, now=now)
    return [await log.pool.fetchval("select id from customer_order where number = $1", row[0]) for row in rows]


async def test_letters_of_the_time_between_go_back_with_their_contact_ticket_or_address(log, now, queue):
    mail = read_address(AddressKind.EMAIL, "li@x.example", region="CN")
    first, second = await create(log, now, "李娜"), await create(log, now, "Li Na", phone(OWN), mail)
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    soon = now + timedelta(hours=1)
    contact = await call(log, soon, queue, OWN)
    ticket = await ticket_of(log, soon, first, contact)
    theirs = [
        await letter_to(log, soon, "other@x.example", customer=first, interaction=contact),
        await letter_to(log, soon, "other@x.example", customer=first, ticket=ticket),
        await letter_to(log, soon, "li@x.example", customer=first),
    ]
    ours = await letter_to(log, soon, "na@x.example", customer=first)
    await parted(log, now, merge, first)
    assert [await of(log, "outbox", each) for each in theirs] == [second] * 3
    assert await of(log, "outbox", ours) == first


async def test_who_wants_to_be_asked_no_more_is_known_with_the_question(log, now, queue):
    first, second = await create(log, now, "李娜"), await create(log, now, "Li Na", phone(OWN))
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    contact = await call(log, now + timedelta(hours=1), queue, OWN)
    survey = await log.pool.fetchval(
        "insert into survey (interaction_id, customer_id, queue_id, ask, bad, change_within, asked_at, expires_at)"
        " values ($1, $2, $3, 'csat', 2, '1 day', $4, $4) returning id",
        contact, first, queue, now,
    )  # fmt: skip
    await opinions.refuse(log, survey, now=now)
    refusal = await log.pool.fetchval("select id from survey_refusal")
    await parted(log, now, merge, first)
    assert await of(log, "survey", survey) == await of(log, "survey_refusal", refusal) == second


async def test_orders_and_contracts_that_name_a_record_go_with_that_record(log, now):
    first = await create(log, now, "李娜", external_id="C-1")
    second = await create(log, now, "Li Na", phone(OWN), external_id="C-2")
    [old] = await take_orders(log, now, ("old", "C-2", None))
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    orders = await take_orders(
        log,
        now,
        ("a", "C-1", None),
        ("b", "C-2", None),
        ("c", None, order_import.At("phone", OWN)),
        ("old", "C-1", None),
    )
    await log.pool.execute("insert into contract_kind (name, title) values ('care', 'Care')")
    rows = [
        contract_import.Row(external, customer, {"kind": "care", "starts_on": date(2026, 3, 1)})
        for external, customer in (("K-1", "C-1"), ("K-2", "C-2"))
    ]
    await contract_import.import_rows(log, rows, zone=ZoneInfo("Asia/Shanghai"), actor=None, now=now)
    contracts = [row["id"] for row in await log.pool.fetch("select id from contract order by external_id")]
    assert [await of(log, "customer_order", each) for each in orders] == [first] * 4
    await parted(log, now, merge, first)
    assert [await of(log, "customer_order", each) for each in orders] == [first, second, second, first]
    assert orders[-1] == old
    assert [await of(log, "contract", each) for each in contracts] == [first, second]


async def test_a_record_below_the_one_that_goes_takes_its_orders_along(log, now):
    first, second = await create(log, now, "李娜"), await create(log, now, "Li Na")
    third = await create(log, now, "L. Na", external_id="C-3")
    below = await customer_merges.merge(log, third, into=second, actor=None, now=now)
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    [order] = await take_orders(log, now, ("a", "C-3", None))
    await parted(log, now, merge, first)
    assert await of(log, "customer_order", order) == second
    await parted(log, now, below, second)
    assert await of(log, "customer_order", order) == third


async def test_an_address_that_was_verified_since_stays_verified(log, now):
    first = await create(log, now, "李娜", phone(SHARED, Certainty.MAYBE))
    second = await create(log, now, "Li Na", phone(SHARED))
    merge = await customer_merges.merge(log, second, into=first, actor=None, now=now)
    assert await numbers(log, first) == [(SHARED, "known")]
    await customers.add_address(log, first, address=phone(SHARED, Certainty.VERIFIED), actor=None, now=now)
    await parted(log, now, merge, first)
    assert await numbers(log, first) == [(SHARED, "verified")]


async def test_a_number_that_another_merged_record_has_stays(log, now):
    target = await create(log, now, "李娜")
    one, two = (
        await create(log, now, "Li Na", phone(SHARED, Certainty.MAYBE)),
        await create(log, now, "Na", phone(SHARED)),
    )
    first = await customer_merges.merge(log, one, into=target, actor=None, now=now)
    second = await customer_merges.merge(log, two, into=target, actor=None, now=now)
    await parted(log, now, first, target)
    assert [await numbers(log, each) for each in (target, one)] == [[(SHARED, "known")], [(SHARED, "maybe")]]
    await parted(log, now, second, target)
    assert [await numbers(log, each) for each in (target, two)] == [[], [(SHARED, "known")]]


async def test_a_tier_by_hand_moves_with_its_reason_and_comes_back_with_its_own(log, now):
    amy, bob = await make_user(log.pool, "amy"), await make_user(log.pool, "bob")
    first, second = await create(log, now, "李娜"), await create(log, now, "Li Na")
    until = now + timedelta(days=30)
    for customer, tier, actor in ((first, "silver", amy), (second, "gold", bob)):
        await value.set_tier(
            log,
            customer,
            tier=tier,
            reason=f"{tier} by contract",
            until=until,
            actor=actor,
            now=now - timedelta(days=1),
        )

    async def standing():
        found = await value_store.get(log.pool, first)
        assert found is not None
        return found.tier, found.hand_tier, found.hand_reason, found.hand_by, found.hand_until

    merge = await customer_merges.merge(log, second, into=first, take=["tier"], actor=amy, now=now)
    assert await standing() == ("gold", "gold", "gold by contract", "bob", until)
    await parted(log, now, merge, first)
    assert await standing() == ("silver", "silver", "silver by contract", "amy", until)


async def test_a_tier_of_the_rules_is_theirs_again(log, now):
    first, second = await create(log, now, "李娜"), await create(log, now, "Li Na")
    await value.set_tier(log, second, tier="gold", reason="A friend", until=None, actor=None, now=now)
    await log.pool.execute("insert into customer_value (customer_id, rule_tier) values ($1, 'silver')", first)
    await log.pool.execute("update customer set tier = 'silver' where id = $1", first)
    merge = await customer_merges.merge(log, second, into=first, take=["tier"], actor=None, now=now)
    await parted(log, now, merge, first)
    found = await value_store.get(log.pool, first)
    assert found is not None
    assert (found.tier, found.hand_tier, found.hand_at) == ("silver", None, None)
