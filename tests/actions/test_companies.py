"""Companies are changed, merged and taken apart; their people keep in step."""

import asyncio
from typing import cast

import pytest

from callcenter.actions import companies, company_merges, customer_merges, customers, erasures
from callcenter.errors import Conflict, Invalid, NotFound, Outdated
from callcenter.store import companies as store
from callcenter.store import customers as people
from tests.builders import import_customers


async def create(log, now, name, company, **more):
    given = {"tier": None, "addresses": (), "actor": None, **more}
    return await customers.create(log, name=name, company=company, now=now, **given)


async def of(log, customer):
    found = await people.get(log.pool, customer)
    return found.company_id, found.company


async def change(log, now, company, *, version=None, **changes):
    await companies.change(
        log, company, changes=cast("companies.Changes", changes), version=version, actor=None, now=now
    )


@pytest.fixture
async def heron(log, now):
    """Of which Li Na is."""
    li = await create(log, now, "李娜", "Heron Ltd")
    return (await of(log, li))[0], li


async def test_name_domains_and_note_are_changed_and_the_log_says_which(log, now, heron):
    ident, li = heron
    await change(log, now, ident, name="Egret Ltd", domains=["Egret.example"], note=" pays late\n", version=1)
    found = await store.get(log.pool, ident)
    assert (found.name, found.domains, found.note, found.version, found.people) == (
        "Egret Ltd", ("egret.example",), "pays late", 2, 1,
    )  # fmt: skip
    assert await of(log, li) == (ident, "Egret Ltd")
    [data] = [row[0] for row in await log.pool.fetch("select data from contact_log where kind = 'company.changed'")]
    assert (data["company"], data["changed"]) == (ident, ["name", "domains", "note"])


async def test_what_is_so_already_is_no_change(log, now, heron):
    ident, _ = heron
    await change(log, now, ident, name="Heron Ltd", domains=[], note="")
    assert (await store.get(log.pool, ident)).version == 1
    assert not await log.pool.fetchval("select count(*) from contact_log where kind = 'company.changed'")


async def test_what_cannot_be_kept_is_refused(log, now, heron):
    ident, _ = heron
    for bad in (
        {"name": " "},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"note": "x" * 10_001},
        {"domains": ["gmail.com"]},
    ):
        with pytest.raises(Invalid):
            await change(log, now, ident, **bad)
    with pytest.raises(NotFound):
        await change(log, now, ident + 1, note="x")
    await change(log, now, ident, note="x")
    with pytest.raises(Outdated, match="version 2"):
        await change(log, now, ident, note="y", version=1)


async def test_a_company_of_which_nobody_is_goes_with_the_last_that_is_known_of_it(log, now, heron):
    ident, li = heron
    await change(log, now, ident, domains=["heron.example"], note="x")
    await customers.update(log, li, changes={"company": None}, version=None, actor=None, now=now)
    await change(log, now, ident, note=None)
    assert (await store.get(log.pool, ident)).people == 0
    await change(log, now, ident, domains=[])
    with pytest.raises(NotFound):
        await store.get(log.pool, ident)
    assert not await log.pool.fetchval("select count(*) from company_name")


async def test_a_name_that_another_company_has_or_had_is_refused(log, now, heron):
    ident, _ = heron
    lark, _name = await of(log, await create(log, now, "Wang", "Lark"))
    await change(log, now, lark, name="Wren")
    for taken in ("LARK ltd", "wren"):
        with pytest.raises(Conflict, match="Another company"):
            await change(log, now, ident, name=taken)
    await change(log, now, lark, name="Lark")
    assert (await store.get(log.pool, lark)).name == "Lark"
    assert (await store.get(log.pool, ident)).name == "Heron Ltd"


async def test_a_list_that_knows_the_old_name_changes_nobody(log, now, heron):
    ident, _ = heron
    listed = "external_id,name,company\nC1,Wang,heron\n"
    await import_customers(log, listed)
    await change(log, now, ident, name="Egret")
    counts = await import_customers(log, listed)
    assert (counts.created, counts.changed, counts.unchanged) == (0, 0, 1)
    wang = await log.pool.fetchval("select id from customer where external_id = 'C1'")
    assert await of(log, wang) == (ident, "Egret")


async def test_a_list_of_many_of_one_new_company_makes_one(log, now):
    await import_customers(
        log, 'external_id,name,company\n1,Wang,Heron\n2,Wang,HERON GmbH\n3,Wang,Lark\n4,Wang,\n5,Wang,"heron, inc."\n'
    )
    assert [row[0] for row in await log.pool.fetch("select name from company order by name")] == ["Heron", "Lark"]
    assert await log.pool.fetchval("select count(company_id) from customer") == 4


async def test_two_lists_that_bring_the_same_new_companies_at_once_do_not_wait_in_a_circle(log, now):
    def rows(order, mark):
        return "external_id,name,company\n" + "".join(f"{mark}{n},Wang,Firm {n}\n" for n in order)

    there, back = rows(range(100), "A"), rows(range(99, -1, -1), "B")
    counts = await asyncio.gather(*[import_customers(log, each) for each in (there, back)])
    assert [each.created for each in counts] == [100, 100]
    assert await log.pool.fetchval("select count(*) from company") == 100


async def test_two_companies_become_one_and_two_again(log, now, heron):
    ident, li = heron
    wang = await create(log, now, "Wang", "Heron Bay")
    bay, _ = await of(log, wang)
    await change(log, now, ident, domains=["heron.example"], note="a")
    await change(log, now, bay, domains=["heron.example", "bay.example"], note="b")
    merge = await company_merges.merge(log, bay, into=ident, actor=None, now=now)
    found = await store.get(log.pool, ident)
    assert (found.domains, found.note, found.people) == (("heron.example", "bay.example"), "a\nb", 2)
    assert await of(log, wang) == (ident, "Heron Ltd")
    assert (await store.get(log.pool, bay)).merged_into == ident
    # Whoever comes by either name is of the one that is left.
    chen = await create(log, now, "Chen", "heron bay gmbh")
    assert await of(log, chen) == (ident, "Heron Ltd")
    # Who was moved on since is not given back.
    zhou = await create(log, now, "Zhou", "Heron")
    await customers.update(log, li, changes={"company": "Lark"}, version=None, actor=None, now=now)
    with pytest.raises(Conflict, match="was merged"):
        await change(log, now, bay, note="x")
    assert await company_merges.undo(log, merge, into=ident, actor=None, now=now) == bay
    found = await store.get(log.pool, ident)
    assert (found.domains, found.people) == (("heron.example",), 2)
    assert await of(log, wang) == (bay, "Heron Bay")
    assert {(await of(log, each))[0] for each in (chen, zhou)} == {ident}
    back = await store.get(log.pool, bay)
    assert (back.merged_into, back.domains, back.note) == (None, ("heron.example", "bay.example"), "b")
    assert (await of(log, await create(log, now, "Qian", "Heron Bay Ltd")))[0] == bay
    kinds = [
        row[0]
        for row in await log.pool.fetch("select kind from contact_log where kind like 'company.%merged' order by seq")
    ]
    assert kinds == ["company.merged", "company.unmerged"]


async def test_what_was_merged_is_not_merged_again_and_taken_apart_once(log, now, heron):
    ident, _ = heron
    bay, _name = await of(log, await create(log, now, "Wang", "Heron Bay"))
    with pytest.raises(Invalid):
        await company_merges.merge(log, ident, into=ident, actor=None, now=now)
    merge = await company_merges.merge(log, bay, into=ident, actor=None, now=now)
    with pytest.raises(Conflict):
        await company_merges.merge(log, bay, into=ident, actor=None, now=now)
    with pytest.raises(NotFound):
        await company_merges.undo(log, merge, into=bay, actor=None, now=now)
    await company_merges.undo(log, merge, into=ident, actor=None, now=now)
    with pytest.raises(Conflict):
        await company_merges.undo(log, merge, into=ident, actor=None, now=now)


async def test_customers_who_are_merged_and_taken_apart_are_of_their_companies(log, now, heron):
    ident, li = heron
    other = await create(log, now, "Li Na", "Lark")
    lark, _ = await of(log, other)
    merge = await customer_merges.merge(log, other, into=li, take=["company"], actor=None, now=now)
    assert await of(log, li) == (lark, "Lark")
    assert not await log.pool.fetchval("select count(*) from company where id = $1", ident)
    await customer_merges.undo(log, merge, into=li, actor=None, now=now)
    assert (await of(log, li))[1] == "Heron Ltd"
    assert await of(log, other) == (lark, "Lark")


async def test_a_company_that_was_one_persons_is_erased_with_them_and_another_one_is_not(log, now, heron):
    ident, li = heron
    alone = await create(log, now, "Zhou", "Zhou Plumbing")
    plumbing, _ = await of(log, alone)
    await create(log, now, "Wang", "Heron")
    bay, _name = await of(log, await create(log, now, "Chen", "Zhou Pipes"))
    await company_merges.merge(log, bay, into=plumbing, actor=None, now=now)
    for who in (li, alone):
        await erasures.erase(log, who, reason="asked", actor=None, now=now)
    assert (await store.get(log.pool, ident)).people == 1
    assert (await store.get(log.pool, plumbing)).people == 1
    chen = await log.pool.fetchval("select id from customer where name = 'Chen'")
    await erasures.erase(log, chen, reason="asked", actor=None, now=now)
    for gone in (plumbing, bay):
        with pytest.raises(NotFound):
            await store.get(log.pool, gone)
    assert not await log.pool.fetchval("select count(*) from company_name where key like 'zhou%'")


async def test_a_company_shows_its_people_their_open_tickets_and_contracts(log, now, heron):
    ident, li = heron
    await log.pool.execute(
        "insert into ticket (number, subject, state, customer_id, created_at, updated_at)"
        " select n, 'Kettle', case n when 1 then 'open' else 'closed' end, $1, $2, $2 from generate_series(1, 2) n",
        li, now,
    )  # fmt: skip
    await log.pool.execute("insert into contract_kind (name, title) values ('care', 'Care')")
    await log.pool.execute(
        "insert into contract (customer_id, kind_id, name, starts_on, starts_at, ends_at, created_at)"
        " select $1, 1, 'Plan ' || n, $2::date, $2, case n when 2 then $2 end, $2 from generate_series(1, 2) n",
        li, now,
    )  # fmt: skip
    await create(log, now, "Wang", "Heron", tier="gold")
    assert {each.name for each in await store.people(log.pool, ident, limit=9)} == {"Wang", "李娜"}
    assert [each.number for each in await store.open_tickets(log.pool, ident, limit=9)] == [1]
    assert [each.name for each in await store.contracts(log.pool, ident, now=now, limit=9)] == ["Plan 1"]
