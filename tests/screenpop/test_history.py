"""The one query behind a pop."""

from datetime import timedelta

import pytest

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel
from callcenter.errors import NotFound
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from screenpop import history
from screenpop.history import load_address, load_card, load_pop
from screenpop.pop import of_arrival
from tests.builders import NOW, arrive, later, make_customer, make_queue, make_user

NUMBER = "+8613800138000"


@pytest.fixture
def log(pool: Pool) -> ContactLog:
    return ContactLog(pool)


async def add_past(
    pool: Pool, customer: int | None, count: int, *, days: float = 1, address: str = NUMBER
) -> list[int]:
    """Closed calls, the newest last, one every `days`."""
    rows = await pool.fetch(
        """insert into interaction (channel, state, outcome, customer_id, address_kind, address, arrived_at, closed_at)
           select 'phone', 'closed', 'handled', $1, 'phone', $2, at, at
           from (select $3::timestamptz - n * $4::interval as at from generate_series($5::integer, 1, -1) n) past
           returning id""",
        customer,
        address,
        NOW,
        timedelta(days=days),
        count,
    )
    return [row["id"] for row in rows]


async def test_a_known_caller_pops_with_the_last_50_contacts_newest_first(pool: Pool, log: ContactLog):
    customer = await make_customer(pool, phone=NUMBER)
    past = await add_past(pool, customer, 60)
    queue = await make_queue(pool)
    now = await arrive(log, queue=queue, phone=NUMBER)
    pop = await load_pop(pool, now, now=NOW)
    assert pop["interaction"] is not None
    assert (pop["interaction"]["id"], pop["interaction"]["queue"]) == (now, "support")
    assert pop["customer"] is not None
    assert pop["customer"]["name"] == "王小明"
    assert pop["customer"]["addresses"] == [{"kind": "phone", "value": NUMBER, "certainty": "known"}]
    assert [match["id"] for match in pop["matches"]] == [customer]
    assert [entry["id"] for entry in pop["history"]] == past[::-1][:50]
    assert pop["recent_count"] == {"days": 7, "count": 7}


async def test_nobody_known_pops_with_what_this_number_did_before_and_its_neighbours(pool: Pool, log: ContactLog):
    near = await make_customer(pool, "Acme, reception", phone="+8613800138001")
    await make_customer(pool, "Far away", phone="+8613800139001")
    past = await add_past(pool, None, 2)
    await add_past(pool, None, 3, address="+8613900000000")
    now = await arrive(log, phone=NUMBER)
    pop = await load_pop(pool, now, now=NOW)
    assert pop["customer"] is None
    assert pop["matches"] == []
    assert [person["id"] for person in pop["near"]] == [near]
    assert pop["near"][0]["addresses"][0]["certainty"] == "maybe"
    assert [entry["id"] for entry in pop["history"]] == past[::-1]
    assert pop["recent_count"]["count"] == 3


@pytest.mark.parametrize("known", [[], ["+8613800138001"], [NUMBER], [NUMBER, NUMBER]])
async def test_what_is_read_of_an_address_before_a_contact_is_written_down_is_its_pop(
    pool: Pool, log: ContactLog, known: list[str]
):
    people = [await make_customer(pool, f"Customer {n}", phone=number) for n, number in enumerate(known)]
    only = people[0] if known == [NUMBER] else None
    await add_past(pool, only, 60)
    before = await load_address(pool, "phone", NUMBER, now=NOW)
    popped = await load_pop(pool, await arrive(log, phone=NUMBER), now=NOW)
    assert popped["interaction"] is not None
    assert before["interaction"] is None
    assert of_arrival(before, popped["interaction"]) == popped


async def test_a_shared_number_pops_with_all_who_use_it_and_no_ones_history(pool: Pool, log: ContactLog):
    first = await make_customer(pool, "李娜", phone=NUMBER)
    second = await make_customer(pool, "Wang Fang", phone=NUMBER)
    await add_past(pool, first, 3)
    pop = await load_pop(pool, await arrive(log, phone=NUMBER), now=NOW)
    assert pop["customer"] is None
    assert {match["id"] for match in pop["matches"]} == {first, second}
    assert pop["history"] == []


async def test_the_choice_is_remembered_for_the_next_contact(pool: Pool, log: ContactLog):
    await make_customer(pool, "李娜", phone=NUMBER)
    chosen = await make_customer(pool, "Wang Fang", phone=NUMBER)
    agent = await make_user(pool)
    await interactions.identify(log, await arrive(log, phone=NUMBER), customer=chosen, actor=agent, now=NOW)
    pop = await load_pop(pool, await arrive(log, phone=NUMBER, now=later(60)), now=later(60))
    assert pop["customer"] is not None
    assert pop["customer"]["id"] == chosen
    assert pop["customer"]["addresses"][0]["certainty"] == "verified"


async def test_a_withheld_number_matches_nobody(pool: Pool, log: ContactLog):
    await add_past(pool, None, 2)
    await pool.execute("update interaction set address = null, address_kind = null")
    arrival = Arrival(Channel.PHONE, "default/9.9", None, None)
    events = await interactions.arrive(log, arrival, queue=None, queued=False, node=None, now=NOW)
    assert events[0].interaction is not None
    pop = await load_pop(pool, events[0].interaction, now=NOW)
    assert (pop["customer"], pop["matches"], pop["near"], pop["history"]) == (None, [], [], [])
    assert pop["recent_count"]["count"] == 1


async def test_open_tickets_come_along_and_closed_ones_do_not(pool: Pool, log: ContactLog):
    customer = await make_customer(pool, phone=NUMBER)
    for number, state in enumerate(("new", "pending", "resolved", "closed")):
        await pool.execute(
            """insert into ticket (number, subject, state, customer_id, created_at, updated_at)
               values ($1, 'Refund', $2, $3, $4, $4)""",
            number,
            state,
            customer,
            NOW,
        )
    pop = await load_pop(pool, await arrive(log, phone=NUMBER), now=NOW)
    assert [ticket["state"] for ticket in pop["open_tickets"]] == ["pending", "new"]


async def test_open_tickets_of_colleagues_are_counted(pool: Pool, log: ContactLog):
    customer = await make_customer(pool, phone=NUMBER)
    arrived = await arrive(log, phone=NUMBER)
    assert (await load_pop(pool, arrived, now=NOW))["colleagues"] is None
    await pool.execute("insert into customer (name, company) select 'c' || n, 'Heron' from generate_series(1, 3) n")
    await pool.execute("update customer set company = 'Heron Ltd' where id = $1", customer)
    await pool.execute(
        """insert into ticket (number, subject, state, customer_id, created_at, updated_at)
           select row_number() over (), 'Refund', state, c.id, now(), now()
           from customer c, unnest('{new,pending,closed}'::text[]) state"""
    )
    company = await pool.fetchval("select id from company")
    pop = await load_pop(pool, arrived, now=NOW)
    assert pop["colleagues"] == {"company": company, "open_tickets": 6}
    assert pop["customer"] is not None
    assert (pop["customer"]["company"], pop["customer"]["company_id"]) == ("Heron Ltd", company)


async def test_who_writes_from_a_companys_domain_and_is_not_known_is_proposed_as_of_it(pool: Pool, log: ContactLog):
    await pool.execute("insert into company (name, domains) values ('Heron', '{heron.example}')")

    async def proposed(kind: str, address: str) -> str | None:
        return (await load_address(pool, kind, address, now=NOW))["proposed_company"]

    assert await proposed("email", "li@heron.example") == "Heron"
    assert await proposed("email", "li@sales.heron.example") == "Heron"
    assert await proposed("email", "li@lark.example") is None
    assert await proposed("phone", NUMBER) is None
    # Somebody known is of the company that they are of, if any.
    known = await make_customer(pool)
    await pool.execute(
        "insert into address (customer_id, kind, value, certainty) values ($1, 'email', 'li@heron.example', 'known')",
        known,
    )
    assert await proposed("email", "li@heron.example") is None


async def test_a_customers_card_is_the_same_without_a_contact(pool: Pool):
    customer = await make_customer(pool, phone=NUMBER)
    past = await add_past(pool, customer, 2)
    card = await load_card(pool, customer, now=NOW)
    assert card["interaction"] is None
    assert card["customer"] is not None
    assert card["customer"]["id"] == customer
    assert [entry["id"] for entry in card["history"]] == past[::-1]


async def test_what_does_not_exist_is_not_found(pool: Pool):
    with pytest.raises(NotFound):
        await load_pop(pool, 404, now=NOW)
    with pytest.raises(NotFound):
        await load_card(pool, 404, now=NOW)


async def test_the_history_walks_an_index_and_no_table_is_read_from_end_to_end(pool: Pool):
    await pool.execute(
        """insert into customer (name, company)
           select 'Customer ' || n, 'Company ' || n / 100 from generate_series(1, 3000) n;
           insert into ticket (number, subject, state, customer_id, created_at, updated_at)
           select n, 'x', case when n % 10 = 0 then 'open' else 'closed' end, n % 3000 + 1, now(), now()
           from generate_series(1, 9000) n;
           insert into address (customer_id, kind, value)
           select id, 'phone', '+86138' || lpad(id::text, 8, '0') from customer;
           insert into customer_value (customer_id) select id from customer;
           insert into interaction (channel, state, customer_id, arrived_at, address_kind, address)
           select 'phone', 'closed', c.id, now() - n * interval '1 hour', 'phone', '+86138' || lpad(c.id::text, 8, '0')
           from customer c, generate_series(1, 12) n"""
    )
    await pool.execute("vacuum analyze")
    query = Queries.beside(history.__file__).pop
    async with pool.acquire() as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare pop (bigint, bigint, timestamptz, text, text) as {query}")
        plan = "\n".join(row[0] for row in await connection.fetch("explain execute pop(5, 0, now(), '', '')"))
        await connection.execute("deallocate pop")
    assert "interaction_customer" in plan
    assert "interaction_address" in plan
    assert "address_value" in plan
    assert "customer_company" in plan
    assert "ticket_open_customer" in plan
    for table in ("interaction", "customer", "address", "ticket", "company"):
        assert f"Seq Scan on {table}" not in plan, plan
