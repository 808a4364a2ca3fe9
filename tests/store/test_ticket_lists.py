"""Lists of tickets: the right rows in their order, page by page, each from an index; words of two kinds of script."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from callcenter.actions import tickets
from callcenter.domain.ticket_view import BUILTIN, Builtin, Conditions, Order, Place, View, builtin
from callcenter.errors import Invalid
from callcenter.store import ticket_lists
from callcenter.store.deliveries import SQL as DELIVERIES
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.ticket_family import SQL as FAMILY
from tests.builders import NOW, arrive, make_customer, make_queue, make_user
from tests.store.test_hot_queries import indexes_of

MANY = """
insert into ticket (number, subject, state, priority, queue_id, owner_id, customer_id, created_at, updated_at, due_at)
select n, 'parcel ' || n, (array['new', 'open', 'open', 'pending', 'resolved', 'closed'])[1 + n % 6], 'normal',
    (select min(id) from queue), case when n % 3 > 0 then (select min(id) from users) end,
    (select min(id) from customer) + n % 500,
    at, at, case when n % 6 < 3 then at + interval '1 day' else 'infinity' end
from (select n, timestamptz '2026-01-01' + n * interval '1 minute' as at from generate_series(1, 6000) n) past
"""

SAID = """
insert into message (interaction_id, kind, text, at)
select $1, 'inbound', 'parcel ' || n, $2 from generate_series(1, 500) n
"""
GATHERED = """
select coalesce(sum(calls), 0)::int from pg_stat_xact_user_functions where funcname like 'gather\\_ticket\\_text%'
"""


@pytest.fixture
def log(pool: Pool) -> ContactLog:
    return ContactLog(pool)


async def listed(
    pool: Pool, view: View, *, user: int = 0, limit: int = 50, after: Place | None = None
) -> Sequence[ticket_lists.Listed]:
    directory = Directory(pool)
    await directory.load()
    return await ticket_lists.page(pool, view, directory, user=user, after=after, limit=limit, now=NOW)


async def found(pool: Pool, words: str) -> list[int]:
    return [each.id for each in await listed(pool, View(Conditions(words=words)))]


async def open_one(log: ContactLog, subject: str, text: str | None = None) -> int:
    ticket = await tickets.open_ticket(
        log, subject=subject, customer=None, interaction=None, queue=None, priority="normal", text=text, actor=None,
        now=NOW,
    )  # fmt: skip
    return ticket.id


async def test_words_of_english_and_chinese_are_found_in_subject_and_messages(log: ContactLog, pool: Pool) -> None:
    cooker = await open_one(log, "电饭煲坏了", "The customer wants a refund for two parcels.")
    heater = await open_one(log, "Water heater", "热水器漏水，客户要求退款。Ｒｅｆｕｎｄ is due")
    other = await open_one(log, "水热", "器皿")
    assert await found(pool, "退款") == [heater]
    assert await found(pool, "坏") == [cooker]
    assert await found(pool, "热水器") == [heater]
    assert await found(pool, "refunds") == [heater, cooker]  # stems, and letters of any width
    assert await found(pool, "parcel 饭煲") == [cooker]
    assert await found(pool, "refund 水热") == []
    assert await found(pool, "水热 器皿") == [other]
    assert await found(pool, "the") == []  # is everywhere, and nowhere kept


async def test_a_run_of_characters_must_stand_there_as_it_is(log: ContactLog, pool: Pool) -> None:
    await open_one(log, "热水和水器")  # holds 热水 and 水器, but not the word
    there = await open_one(log, "新热水器到了")
    assert await found(pool, "热水器") == [there]


async def test_what_is_found_follows_changed_moved_and_deleted_texts(log: ContactLog, pool: Pool) -> None:
    one, two = await open_one(log, "first", "发票"), await open_one(log, "second")
    await tickets.change(log, one, changes={"subject": "invoice"}, version=None, actor=None, now=NOW)
    await tickets.reply(log, two, text="保修期", public=False, actor=None, now=NOW)
    assert await found(pool, "first") == []
    assert await found(pool, "invoice 发票") == [one]
    assert await found(pool, "保修") == [two]
    await pool.execute("update message set ticket_id = $1 where ticket_id = $2", one, two)
    assert await found(pool, "保修") == [one]
    await pool.execute("delete from message where ticket_id = $1", one)
    assert await found(pool, "保修") == await found(pool, "发票") == []


async def test_however_many_lines_change_at_once_their_ticket_is_gathered_once(log: ContactLog, pool: Pool) -> None:
    one = await open_one(log, "first")
    contact = await arrive(log, queue=await make_queue(pool))
    await pool.execute(SAID, contact, NOW)
    moved = "update message set ticket_id = $1 where interaction_id = $2"
    emptied = "update message set text = 'gone' where ticket_id = $1"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local track_functions = 'all'")
        for act, of in ((moved, (one, contact)), (emptied, (one,))):
            before = await connection.fetchval(GATHERED)
            await connection.execute(act, *of)
            assert await connection.fetchval(GATHERED) - before == 1
    assert await found(pool, "gone") == [one]
    assert await found(pool, "parcel") == []


async def test_a_search_goes_on_over_blocks_the_newest_first(log: ContactLog, pool: Pool) -> None:
    old = await open_one(log, "退款 refund")
    await pool.execute("alter table ticket alter column id restart with 40000")
    new = await open_one(log, "退款 refund again")
    assert await found(pool, "退款 refund") == [new, old]
    view = View(Conditions(words="退款"))
    [first] = await listed(pool, view, limit=1)
    assert [each.id for each in await listed(pool, view, after=first.place)] == [old]


async def some_tickets(pool: Pool) -> tuple[int, int]:
    amy, customer = await make_user(pool, "amy"), await make_customer(pool)
    await make_queue(pool, members=[amy])
    await pool.execute("insert into customer (name) select 'c' || n from generate_series(1, 500) n")
    await pool.execute(MANY)
    await pool.execute("analyze")
    return amy, customer


async def test_pages_join_without_gap_or_repetition_in_each_order(pool: Pool) -> None:
    amy, _ = await some_tickets(pool)
    for view in (
        BUILTIN[Builtin.MINE],
        BUILTIN[Builtin.WAITING],
        View(Conditions(priority=("normal",)), Order.OLDEST),  # type: ignore[arg-type]
        View(Conditions(open=True), Order.DUE),
    ):
        whole = [each.id for each in await listed(pool, view, user=amy, limit=1300)]
        pages: list[int] = []
        after: Place | None = None
        while len(pages) < len(whole):
            page = await listed(pool, view, user=amy, limit=190, after=after)
            pages += [each.id for each in page]
            after = Place.read(page[-1].place.write(view.order), view.order)
        assert pages[: len(whole)] == whole
        assert len(set(pages)) == len(pages)


async def test_each_built_in_list_is_read_from_its_index(pool: Pool, db: asyncpg.Connection) -> None:
    amy, customer = await some_tickets(pool)
    directory = Directory(pool)
    await directory.load()
    await db.execute("set plan_cache_mode = force_generic_plan")
    for name, index, more in (
        (Builtin.MINE, "ticket_owner_due", Conditions()),
        (Builtin.QUEUE, "ticket_queue_due", Conditions(queue=("support",))),
        (Builtin.UNASSIGNED, "ticket_unassigned_due", Conditions()),
        (Builtin.BREACHED, "ticket_due", Conditions()),
        (Builtin.WAITING, "ticket_pending", Conditions()),
        (Builtin.CUSTOMER, "ticket_customer", Conditions(customer=customer)),
        (Builtin.WORDS, "ticket_text_words", Conditions(words="parcel 退款")),
    ):
        view = builtin(name, more)
        for after in (None, Place(5000, NOW - timedelta(days=1))):
            sql, args = ticket_lists.statement(view, directory, user=amy, after=after, limit=51, now=NOW)
            if name in (Builtin.WORDS, Builtin.CUSTOMER):  # of whom there are few, which may be sorted
                plan = "\n".join(row[0] for row in await db.fetch(f"explain {sql}", *args))
                assert "Seq Scan" not in plan, name
                assert index in plan, name
            else:
                assert index in await indexes_of(db, sql, *args), name


async def test_a_rare_tag_is_found_by_its_index_in_any_order(pool: Pool, db: asyncpg.Connection) -> None:
    await some_tickets(pool)
    await pool.execute("update ticket set tags = '{rare}' where number in (7, 3000)")
    await pool.execute("analyze ticket")
    directory = Directory(pool)
    await directory.load()
    await db.execute("set plan_cache_mode = force_generic_plan")
    for order in (Order.NEWEST, Order.OLDEST):
        view = View(Conditions(tags=("rare",)), order)
        sql, args = ticket_lists.statement(view, directory, user=0, after=Place(4000), limit=51, now=NOW)
        assert "ticket_tags" in await indexes_of(db, sql, *args)
        assert len(await listed(pool, view)) == 2
        assert len(await listed(pool, view, after=Place(4000))) == (2 if order is Order.NEWEST else 0)


async def test_owners_queues_and_states_narrow_a_list_down(log: ContactLog, pool: Pool) -> None:
    amy, bo = await make_user(pool, "amy"), await make_user(pool, "bo")
    support, billing = await make_queue(pool), await make_queue(pool, "billing")
    ids = {}
    for name, owner, queue in (("a", amy, support), ("b", bo, billing), ("n", None, support)):
        ticket = await tickets.open_ticket(
            log, subject=name, customer=None, interaction=None, queue=queue, priority="high", text=None, actor=None,
            owner=owner, now=NOW,
        )  # fmt: skip
        ids[name] = ticket.id

    async def names(**conditions: object) -> str:
        rows = await listed(pool, View(Conditions.parse(conditions)), user=amy)
        return "".join(sorted(name for name, ident in ids.items() if ident in {row.id for row in rows}))

    assert await names(owner=["@me"]) == "a"
    assert await names(owner=["@none", "bo"]) == "bn"
    assert await names(queue=["support"]) == "an"
    assert await names(queue=["support", "billing"], owner=["@me", "bo"]) == "ab"
    assert await names(state=["new"]) == "n"
    assert await names(queue=["gone"]) == await names(owner=["gone"]) == await names(priority=["low"]) == ""


async def test_a_list_that_takes_too_long_is_refused_with_the_reason(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_tickets(pool)
    monkeypatch.setattr(ticket_lists, "LIMIT", 0.0)
    with pytest.raises(Invalid, match="takes longer than"):
        await listed(pool, replace(BUILTIN[Builtin.BREACHED]))


async def test_a_ticket_with_a_book_of_texts_is_still_answered(log: ContactLog, pool: Pool) -> None:
    one = await open_one(log, "first", "heater")
    # Each text with words of its own: 1.2 million characters of them are more than PostgreSQL keeps of one row's words.
    await pool.execute(
        """insert into message (ticket_id, kind, public, text, at)
        select $1, 'note', false, (select string_agg(md5((n * 1000 + m)::text), ' ') from generate_series(1, 300) m), $2
        from generate_series(1, 120) n""",
        one,
        NOW,
    )
    await tickets.reply(log, one, text="the last word", public=False, actor=None, now=NOW)
    await tickets.change(log, one, changes={"subject": "still here"}, version=None, actor=None, now=NOW)
    assert await found(pool, "heater") == await found(pool, "still") == [one]
    assert await pool.fetchval("select length(text) from ticket_text where ticket_id = $1", one) == 100_000


async def test_who_reads_the_log_for_webhooks_does_not_wait_for_families(database: str) -> None:
    one, two = await asyncpg.connect(database), await asyncpg.connect(database)
    async with one.transaction(), two.transaction():
        await one.execute(FAMILY.lock_families)
        assert await two.fetchval(DELIVERIES.lock_reader)
    await one.close()
    await two.close()
