"""Customers who may be one: found, merged, told apart, and not asked about again."""

import pytest

from callcenter.actions import customer_merges, customers, duplicates, erasures
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.duplicate import (
    _DROPPED,
    _SIMPLIFIED,
    _SPACES,
    _TRADITIONAL,
    Reason,
    folded,
    near_companies,
    near_names,
)
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import duplicates as store

_NUMBER = "+8613800138000"


async def create(log, now, name, *phones, company=None):
    addresses = [read_address(AddressKind.PHONE, each, region="CN") for each in phones]
    return await customers.create(log, name=name, company=company, tier=None, addresses=addresses, actor=None, now=now)


async def like(log, ident):
    found = await store.of_customer(log.pool, ident)
    return [(each.who.id, list(each.reasons)) for each in found]


async def pairs(log, now):
    await duplicates.search(log, now=now)
    return [(pair.one.id, pair.other.id) for pair in await store.undecided(log.pool, limit=9)]


async def test_a_shared_number_or_a_near_name_of_one_company_suggests_somebody(log, now):
    wang = await create(log, now, "王伟", _NUMBER, company="苍鹭科技有限公司")
    same = await create(log, now, "王偉", company="蒼鷺科技")
    wife = await create(log, now, "李娜", _NUMBER)
    await create(log, now, "王伟", company="Lark")
    assert await like(log, wang) == [(wife, [Reason.ADDRESS]), (same, [Reason.NAME])]
    assert await like(log, same) == [(wang, [Reason.NAME])]
    assert await pairs(log, now) == [(wang, same), (wang, wife)]
    [first, second] = await store.undecided(log.pool, limit=9)
    assert (first.shared, second.shared) == ([], [("phone", _NUMBER)])


async def test_a_number_of_many_is_a_switchboards(log, now):
    [one, *_] = [await create(log, now, f"Person {n}", _NUMBER) for n in range(6)]
    assert await like(log, one) == []


async def test_whoever_was_told_apart_is_not_suggested_again_nor_is_who_they_became(log, now):
    wang = await create(log, now, "王伟", _NUMBER)
    wife = await create(log, now, "李娜", _NUMBER)
    await duplicates.search(log, now=now)
    await duplicates.decline(log, wife, wang, actor=None, now=now)
    assert await like(log, wang) == await like(log, wife) == await pairs(log, now) == []
    more = await create(log, now, "李 娜", "+8613800138001")
    await customer_merges.merge(log, wife, into=more, actor=None, now=now)
    assert await like(log, more) == await like(log, wang) == await pairs(log, now) == []
    [event] = await log.pool.fetch("select customer_id, data from contact_log where kind = 'customer.told_apart'")
    assert (event["customer_id"], event["data"]) == (wife, {"from": wang})


async def test_telling_apart_needs_two_that_there_are(log, now):
    one = await create(log, now, "王伟")
    other = await create(log, now, "李娜")
    with pytest.raises(Invalid):
        await duplicates.decline(log, one, one, actor=None, now=now)
    with pytest.raises(NotFound):
        await duplicates.decline(log, one, 404, actor=None, now=now)
    await customer_merges.merge(log, other, into=one, actor=None, now=now)
    with pytest.raises(Conflict):
        await duplicates.decline(log, one, other, actor=None, now=now)


async def test_merged_pairs_go_and_what_was_taken_apart_is_told_apart(log, now):
    one = await create(log, now, "王伟", _NUMBER)
    other = await create(log, now, "Wang Wei", _NUMBER)
    assert await pairs(log, now) == [(one, other)]
    merge = await customer_merges.merge(log, other, into=one, actor=None, now=now)
    assert await pairs(log, now) == []
    await customer_merges.undo(log, merge, into=one, actor=None, now=now)
    assert await pairs(log, now) == await like(log, one) == []


async def test_what_speaks_for_a_pair_no_more_takes_it_off_the_list(log, now):
    one = await create(log, now, "王伟", company="苍鹭科技")
    other = await create(log, now, "王偉", company="苍鹭科技")
    assert await pairs(log, now) == [(one, other)]
    await customers.update(log, other, changes={"name": "李娜"}, version=None, actor=None, now=now)
    assert await pairs(log, now) == []


async def test_nobody_is_like_a_person_who_was_erased(log, now):
    one = await create(log, now, "王伟", _NUMBER)
    other = await create(log, now, "Wang Wei", _NUMBER)
    assert await pairs(log, now) == [(one, other)]
    await erasures.erase(log, one, reason="Request 7", actor=None, now=now)
    assert await pairs(log, now) == await like(log, other) == []


async def test_the_search_goes_through_all_customers_and_begins_again(log, now):
    for n in range(5):
        await create(log, now, f"Person {n}")
    one = await create(log, now, "王伟", _NUMBER)
    other = await create(log, now, "Wang Wei", _NUMBER)
    steps = [await store.search_on(log.pool, most=3, now=now) for _ in range(4)]
    assert steps == [True, True, False, True]
    assert [(pair.one.id, pair.other.id) for pair in await store.undecided(log.pool, limit=9)] == [(one, other)]


_PAIRS = [
    ("王伟", "苍鹭科技有限公司", "王 偉先生", "蒼鷺科技（集团）股份有限公司"),
    ("王伟", "苍鹭", "王偉", "苍鹭物流"),
    ("Amy Chen", "The Heron Co., Ltd.", "CHEN, Amy", "heron logistics"),
    ("Ａｍｙ Chen", "Heron", "Mrs. A. Chen", "Ｈｅｒｏｎ ＧｍｂＨ"),
    ("Sean O'Brien", "Co Ltd", "O’Brien Shaun", "Co. Ltd."),
    ("Jonathan Smith", "3M", "Smith Jonathon", "3M China"),
]


async def test_the_index_finds_all_that_are_compared_and_folds_as_the_rules_do(log):
    for name, company, other, elsewhere in _PAIRS:
        near = near_names(name, other) and near_companies(company, elsewhere)
        found = await log.pool.fetchval(
            "select likeness_keys($1, $2) && likeness_keys($3, $4)", name, company, other, elsewhere
        )
        assert found or not near, (name, other)
    text = _TRADITIONAL + _SIMPLIFIED + "x".join(_SPACES + _DROPPED) + "ＡＢｃ"
    assert (await log.pool.fetchval("select folded($1)", text)).split() == folded(text).split()
    assert await log.pool.fetchval("select likeness_keys('Amy', null)") == []
