"""The company of a customer is a record, whoever writes the customer."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from callcenter.store.db import connect
from callcenter.store.migrate import Source, migrate, our_source
from callcenter.store.pool import Pool


async def of(pool: Pool, name: str, company: str | None) -> int:
    ident: int = await pool.fetchval("insert into customer (name, company) values ($1, $2) returning id", name, company)
    return ident


async def company(pool: Pool, customer: int) -> int | None:
    ident: int | None = await pool.fetchval("select company_id from customer where id = $1", customer)
    return ident


async def names(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch("select name from company order by id")]


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "Heron Bay Ltd",
            "heron bay ltd.",
            "HERON  BAY",
            "Heron-Bay Limited",
            "HeronBay Co., Ltd.",
            "Ｈｅｒｏｎ Ｂａｙ",
        ),
        ("Müller", "müller GmbH", "Müller GmbH & Co. KG"),
        ("Gris S.A.", "Gris SA", "gris"),
        ("苍鹭科技有限公司", "蒼鷺科技股份有限公司", "苍鹭科技", "蒼鷺 科技"),
        ("株式会社アオサギ", "アオサギ株式会社"),
        ("Ltd", "LTD"),
        ("!!!", "！！！"),
    ],
)
async def test_one_company_is_written_in_many_ways(pool: Pool, spellings: tuple[str, ...]) -> None:
    ids = {await company(pool, await of(pool, "Li", spelling)) for spelling in spellings}
    assert len(ids) == 1
    assert ids != {None}
    # The first spelling is the record's; each customer keeps their own.
    assert await names(pool) == [spellings[0]]
    assert [row[0] for row in await pool.fetch("select company from customer order by id")] == list(spellings)


async def test_companies_of_nearly_one_name_are_several(pool: Pool) -> None:
    several = [
        "Heron",
        "Heron Group",
        "Heron Bay",
        "苍鹭科技有限公司",
        "苍鹭集团有限公司",
        "AS Roma",
        "SA Water",
        "有限公司",
    ]
    assert len({await company(pool, await of(pool, "Li", each)) for each in several}) == len(several)


async def test_names_of_ascii_alone_are_compared_as_all_others_are(pool: Pool) -> None:
    signs = "".join(map(chr, range(33, 127)))
    for name in ("Heron Bay Co., Ltd.", "O'Neil & Sons (Asia) S.A.", f"a{signs}b", signs, "  A_B-c  ", "Ltd. Inc."):
        wide = "".join(chr(ord(char) + 0xFEE0) if char != " " else char for char in name)
        assert await pool.fetchval("select company_key($1) = company_key($2)", name, wide), name


async def test_who_is_of_no_company_has_none(pool: Pool) -> None:
    for nothing in (None, "", "  "):
        assert await company(pool, await of(pool, "Li", nothing)) is None
    assert await names(pool) == []


async def test_another_company_is_another_record_and_the_one_that_nobody_is_of_is_gone(pool: Pool) -> None:
    li, wang = await of(pool, "Li", "Heron"), await of(pool, "Wang", "Heron Ltd")
    await pool.execute("update customer set company = 'Lark' where id = $1", li)
    assert await names(pool) == ["Heron", "Lark"]
    await pool.execute("update customer set company = null where id = $1", wang)
    assert await names(pool) == ["Lark"]
    assert await company(pool, wang) is None
    assert await pool.fetchval("select count(*) from company_name") == 1


@pytest.mark.parametrize("what", ["note = 'pays late'", "domains = '{heron.example}'"])
async def test_a_company_of_which_something_is_noted_stays_without_people(pool: Pool, what: str) -> None:
    li = await of(pool, "Li", "Heron")
    heron = await company(pool, li)
    await pool.execute(f"update company set {what}")
    await pool.execute("update customer set company = null where id = $1", li)
    assert await names(pool) == ["Heron"]
    assert await company(pool, await of(pool, "Wang", "heron gmbh")) == heron


async def test_an_update_of_something_else_leaves_the_company_alone(pool: Pool) -> None:
    li = await of(pool, "Li", "Heron")
    before = await pool.fetchrow("select xmin::text, * from company")
    await pool.execute("update customer set company = company, note = 'tall' where id = $1", li)
    assert await pool.fetchrow("select xmin::text, * from company") == before


async def test_a_renamed_company_renames_its_people_and_is_found_by_both_names(pool: Pool) -> None:
    li = await of(pool, "Li", "Heron Limited")
    heron = await company(pool, li)
    await pool.execute("select rename_company($1, 'Egret Ltd')", heron)
    assert await pool.fetchval("select company from customer where id = $1", li) == "Egret Ltd"
    wang, chen = await of(pool, "Wang", "HERON"), await of(pool, "Chen", "egret")
    assert {await company(pool, each) for each in (wang, chen)} == {heron}
    assert await pool.fetchval("select company from customer where id = $1", wang) == "Egret Ltd"
    assert await pool.fetchval("select company from customer where id = $1", chen) == "egret"


async def test_the_migration_makes_companies_of_what_customers_have(empty_database: str, tmp_path: Path) -> None:
    ours, before = our_source(), Source(tmp_path / "migrations", tmp_path / "functions")
    for folder in (before.migrations, before.functions):
        folder.mkdir()
    for file in ours.numbered():
        if file.name < "0045":
            shutil.copy(file, before.migrations)
    connection = await connect(empty_database)
    try:
        await migrate(connection, before)
        await connection.execute(
            "insert into customer (name, company) values ('Li', 'Heron Ltd'), ('Wang', 'HERON'), ('Bo', null),"
            " ('Amy', ' '), ('Chen', '蒼鷺'), ('Zhou', '苍鹭有限公司'), ('Qian', 'Heron Ltd')"
        )
        # Whatever was added after it is left out: only what it does itself is looked at.
        shutil.copy(next(file for file in ours.numbered() if file.name.startswith("0045")), before.migrations)
        await migrate(connection, before)
        rows = await connection.fetch(
            "select c.name, c.company, f.name as firm from customer c left join company f on f.id = c.company_id"
            " order by c.id"
        )
        assert [tuple(row) for row in rows] == [
            ("Li", "Heron Ltd", "Heron Ltd"), ("Wang", "HERON", "Heron Ltd"), ("Bo", None, None), ("Amy", " ", None),
            ("Chen", "蒼鷺", "蒼鷺"), ("Zhou", "苍鹭有限公司", "蒼鷺"), ("Qian", "Heron Ltd", "Heron Ltd"),
        ]  # fmt: skip
        keys = await connection.fetch("select key, former from company_name order by company_id")
        assert [tuple(row) for row in keys] == [("heron", False), ("苍鹭", False)]
    finally:
        await connection.close()


async def connections(database: str, count: int) -> list[asyncpg.Connection]:
    return [await asyncpg.connect(database) for _ in range(count)]


async def test_two_who_bring_a_new_company_at_once_bring_one(database: str, pool: Pool) -> None:
    one, other = await connections(database, 2)
    try:
        first = one.transaction()
        await first.start()
        await one.execute("insert into customer (name, company) values ('Li', 'Heron')")
        late = asyncio.create_task(other.execute("insert into customer (name, company) values ('Wang', 'Heron Ltd')"))
        await _waiting(pool)
        await first.commit()
        await late
    finally:
        for connection in (one, other):
            await connection.close()
    assert await pool.fetchval("select count(distinct company_id) from customer") == 1
    assert await names(pool) == ["Heron"]


async def test_whoever_comes_while_a_company_is_renamed_has_its_new_name(database: str, pool: Pool) -> None:
    heron = await company(pool, await of(pool, "Li", "Heron"))
    one, other = await connections(database, 2)
    try:
        first = one.transaction()
        await first.start()
        await one.execute("select rename_company($1, 'Egret')", heron)
        late = asyncio.create_task(other.execute("insert into customer (name, company) values ('Wang', 'Heron')"))
        await _waiting(pool)
        await first.commit()
        await late
    finally:
        for connection in (one, other):
            await connection.close()
    assert {row[0] for row in await pool.fetch("select company from customer")} == {"Egret"}


async def test_whoever_comes_while_the_last_one_leaves_finds_a_company(database: str, pool: Pool) -> None:
    await of(pool, "Li", "Heron")
    one, other = await connections(database, 2)
    try:
        first = one.transaction()
        await first.start()
        await one.execute("update customer set company = null")
        late = asyncio.create_task(other.execute("insert into customer (name, company) values ('Wang', 'Heron')"))
        await _waiting(pool)
        await first.commit()
        await late
    finally:
        for connection in (one, other):
            await connection.close()
    assert await names(pool) == ["Heron"]
    assert await pool.fetchval("select count(*) from customer where company_id is not null") == 1


async def _waiting(pool: Pool) -> None:
    """Until somebody waits for a lock."""
    async with asyncio.timeout(10):
        while not await pool.fetchval(  # noqa: ASYNC110 it is the database's
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0)


async def test_companies_are_found_by_parts_of_their_name(pool: Pool) -> None:
    for each in ("Heron Bay Ltd", "鹭湾家电有限公司", "Lark"):
        await of(pool, "Li", each)
    await pool.execute("insert into company (name) select 'Firm ' || n from generate_series(1, 20000) n")

    async def found(*words: str) -> list[str]:
        idents = await pool.fetchval("select companies_named($1, 0, 10)", list(words))
        rows = await pool.fetch("select name from company where id = any ($1) order by id", idents)
        return [row[0] for row in rows]

    assert await found("bay") == ["Heron Bay Ltd"]
    assert await found("ltd", "HER") == ["Heron Bay Ltd"]
    assert await found("家电") == ["鹭湾家电有限公司"]
    assert await found("19999") == ["Firm 19999"]
    assert await found("nobody") == []


async def test_a_mail_address_is_of_the_only_company_with_its_domain(pool: Pool) -> None:
    for name, domains in (("Heron", ["heron.example"]), ("Lark", ["birds.example"]), ("Egret", ["birds.example"])):
        await pool.execute("insert into company (name, domains) values ($1, $2)", name, domains)

    async def whose(address: str) -> str | None:
        name: str | None = await pool.fetchval("select name from company where id = company_of_mail($1)", address)
        return name

    assert await whose("li@heron.example") == "Heron"
    assert await whose("Li@Sales.Heron.example") == "Heron"
    for other in ("li@birds.example", "li@otherheron.example", "li@example", "heron.example", "", "@"):
        assert await whose(other) is None, other
