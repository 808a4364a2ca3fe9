"""The search finds people by any part of what is known of them, and what was written by its words, through indexes."""

import asyncpg
import pytest

from callcenter.actions import tickets
from callcenter.domain.search import understand
from callcenter.store import search
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import NOW, make_customer, make_user


@pytest.fixture
def log(pool: Pool) -> ContactLog:
    return ContactLog(pool)


async def find(pool: Pool, typed: str, *, reader: int | None = None) -> search.Found:
    return await search.find(pool, understand(typed, region="CN"), reader=reader, limit=6)


async def people(pool: Pool, typed: str) -> list[str]:
    return [each.name for each in (await find(pool, typed)).customers]


async def contact(pool: Pool, text: str, *, customer: int | None, closed: bool = True, agent: int | None = None) -> int:
    """One with a message outside tickets."""
    ident: int = await pool.fetchval(
        "insert into interaction (channel, state, customer_id, agent_id, arrived_at, closed_at)"
        " values ('chat', $1, $2, $3, $4, $5) returning id",
        "closed" if closed else "active", customer, agent, NOW, NOW if closed else None,
    )  # fmt: skip
    await pool.execute(
        "insert into message (interaction_id, kind, text, at) values ($1, 'inbound', $2, $3)", ident, text, NOW
    )
    return ident


async def test_people_are_found_by_either_end_of_any_address(pool: Pool) -> None:
    amy = await make_customer(pool, "Amy", phone="+8613800138421")
    await pool.execute(
        "insert into address (customer_id, kind, value)"
        " values ($1, 'email', 'amy.w@heron.example'), ($1, 'external', 'Wx_77')",
        amy,
    )
    await make_customer(pool, "London", phone="+442079460018")
    for typed in (
        "13800138421", "138 0013", "+86138", "8421", "138421", "AMY.W@heron.example", "amy.w", "@heron.example",
        "heron.example", "Wx_7",
    ):  # fmt: skip
        assert await people(pool, typed) == ["Amy"], typed
    for typed in ("020 7946 0018", "+44 (0)20 7946 0018", "0044 20", "0018"):
        assert await people(pool, typed) == ["London"], typed
    assert await people(pool, "421") == []
    [found] = (await find(pool, "8421")).customers
    assert found.address == "+8613800138421"


async def test_people_are_found_by_parts_of_names_in_any_script(pool: Pool) -> None:
    for name in ("欧阳娜娜", "Bo Wikström", "Анна Петрова", "ＡＢＣ Ltd", "山田たろう", "Nana B"):
        await make_customer(pool, name)
    for typed, name in (
        ("娜娜", "欧阳娜娜"), ("欧", "欧阳娜娜"), ("阳娜", "欧阳娜娜"), ("strö", "Bo Wikström"), ("ik", "Bo Wikström"),
        ("ström bo", "Bo Wikström"), ("петр", "Анна Петрова"), ("abc", "ＡＢＣ Ltd"), ("たろ", "山田たろう"),
        ("nana", "Nana B"), ("w", "Bo Wikström"),
    ):  # fmt: skip
        assert await people(pool, typed) == [name], typed
    assert await people(pool, "娜阳") == []
    assert await people(pool, "anna петр") == []


async def test_who_was_merged_or_erased_is_never_found(pool: Pool) -> None:
    await make_customer(pool, "Gone One", phone="+8613800138421")
    merged = await make_customer(pool, "Gone Two", phone="+8613800138421")
    kept = await make_customer(pool, "Here")
    await pool.execute("update customer set erased_at = now() where name = 'Gone One'")
    await pool.execute("update customer set merged_into = $2 where id = $1", merged, kept)
    assert await people(pool, "gone") == []
    assert await people(pool, "8421") == []


async def test_a_search_goes_on_over_blocks_of_customers(pool: Pool) -> None:
    await make_customer(pool, "Early Bird")
    await pool.execute("alter table customer alter column id restart with 40000")
    await make_customer(pool, "Late Bird")
    assert await people(pool, "bird") == ["Early Bird", "Late Bird"]


async def test_tickets_are_found_by_number_and_words_with_what_was_said(log: ContactLog, pool: Pool) -> None:
    async def opened(subject: str, text: str) -> int:
        ticket = await tickets.open_ticket(
            log, subject=subject, customer=None, interaction=None, queue=None, priority="normal", text=text, actor=None,
            now=NOW,
        )  # fmt: skip
        return ticket.id

    old, new = await opened("Heater", "They want refunds for 热水器"), await opened("Refund", "退款")
    number = await pool.fetchval("select number from ticket where id = $1", old)
    assert [each.id for each in (await find(pool, f"#{number}")).tickets] == [old]
    assert (await find(pool, str(number))).tickets[0].id == old
    found = (await find(pool, "refund")).tickets
    assert [(each.id, each.cut) for each in found] == [(new, None), (old, "They want refunds for 热水器")]
    assert [each.cut for each in (await find(pool, "热水器")).tickets] == ["They want refunds for 热水器"]
    assert (await find(pool, "refund")).contacts == []


async def test_what_was_written_or_noted_outside_tickets_is_found_the_newest_first(pool: Pool) -> None:
    customer = await make_customer(pool, "王小明")
    first = await contact(pool, "Where is my parcel? 包裹在哪里", customer=customer)
    second = await contact(pool, "nothing", customer=customer)
    await pool.execute(
        "update interaction set note = 'Promised the parcel 包裹', closed_at = $2 where id = $1",
        second,
        NOW.replace(year=2027),
    )
    for typed in ("parcel", "包裹", "parcels 包裹"):
        assert [each.id for each in (await find(pool, typed)).contacts] == [second, first], typed
    [found] = (await find(pool, "在哪里")).contacts
    assert (found.customer, found.cut) == ("王小明", "Where is my parcel? 包裹在哪里")
    await pool.execute("update message set text = ''")
    assert (await find(pool, "在哪里")).contacts == []


async def test_agents_find_their_own_contacts_and_those_that_are_over(pool: Pool) -> None:
    amy, bo = await make_user(pool, "amy"), await make_user(pool, "bo")
    customer = await make_customer(pool, "王小明")
    going_on = await contact(pool, "parcel", customer=customer, closed=False, agent=bo)
    nobodys = await contact(pool, "parcel", customer=None)
    over = await contact(pool, "parcel", customer=customer)

    async def seen(reader: int | None) -> set[int]:
        return {each.id for each in (await find(pool, "parcel", reader=reader)).contacts}

    assert await seen(amy) == {over}
    assert await seen(bo) == {over, going_on}
    assert await seen(None) == {over, going_on, nobodys}


MANY = """
select setval('customer_id_seq', 15000);
insert into customer (name, company) select 'Customer ' || n, '公司' || n % 1000 from generate_series(1, 3000) n;
insert into address (customer_id, kind, value) select id, 'phone', '+86' || 13000000000 + id * 7 from customer;
insert into ticket (number, subject, created_at, updated_at)
select n, 'parcel ' || n, now(), now() from generate_series(1, 3000) n;
insert into interaction (channel, state, customer_id, arrived_at, closed_at, note)
select 'chat', 'closed', 15000 + n, now(), now(), 'noted ' || n from generate_series(1, 3000) n;
insert into message (interaction_id, kind, text, at) select id, 'inbound', 'said 退款 ' || id, now() from interaction;
"""
SCANS = """
select coalesce(sum(seq_tup_read), 0) as read, sum(idx_scan) as looked_up from pg_stat_user_tables
where relname in ('customer', 'address', 'ticket', 'ticket_text', 'message', 'interaction', 'company')
"""


async def test_no_search_reads_a_whole_table(db: asyncpg.Connection) -> None:
    for statement in MANY.strip().split(";\n"):  # an open transaction holds up the readers of the log of all databases
        await db.execute(statement)
    await db.execute("analyze")
    await db.execute("select pg_stat_force_next_flush()")
    before = await db.fetchrow(SCANS)
    for typed in (
        "8000",
        "13000",
        "@x.example",
        "customer",
        "公司",
        "公",
        "nobody",
        "said",
        "退款",
        "noted 退款",
        "parcel",
        "#77",
    ):
        sought = understand(typed, region="CN")
        await db.fetchrow(
            search.SQL.everything, list(sought.beginnings), list(sought.endings), list(sought.names), sought.ticket,
            sought.texts.spaced, list(sought.texts.signs), list(sought.texts.phrases), list(sought.terms), 1, 6,
        )  # fmt: skip
        await db.fetch(search.SQL.customers, list(sought.beginnings), list(sought.endings), list(sought.names), 20)
    await db.execute("select pg_stat_force_next_flush()")
    await db.execute("select pg_stat_clear_snapshot()")
    after = await db.fetchrow(SCANS)
    assert before is not None
    assert after is not None
    assert after["read"] == before["read"]
    assert after["looked_up"] > before["looked_up"]


async def test_lines_of_a_chat_are_sorted_in_together_and_few_of_them_wait_for_that(pool: Pool) -> None:
    options = await pool.fetchval("select reloptions from pg_class where relname = 'message_words'")
    assert set(options) == {"gin_pending_list_limit=64"}
