"""The page of a company, and where it is led to from."""

from html import unescape

import pytest

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel
from tests.builders import NOW, ident_of, later, make_customer, on_queue, reserve
from tests.screenpop.conftest import House


@pytest.fixture
async def heron(house: House) -> tuple[int, int]:
    """A company, and Li Na who is of it."""
    customer = await make_customer(house.pool, "李娜 <b>")
    await house.pool.execute("update customer set company = 'Heron & Co', tier = 'gold' where id = $1", customer)
    company = await house.pool.fetchval("select company_id from customer where id = $1", customer)
    return company, customer


async def page(house: House, path: str, status: int = 200) -> str:
    response = await house.client.get(path)
    assert response.status == status, await response.text()
    return await response.text()


async def add_ticket(house: House, customer: int) -> None:
    await house.pool.execute(
        "insert into ticket (number, subject, state, customer_id, created_at, updated_at)"
        " values (7, 'Kettle <i>', 'open', $1, $2, $2)",
        customer, NOW,
    )  # fmt: skip


async def test_the_page_shows_people_open_tickets_and_contracts(house: House, heron: tuple[int, int]):
    company, customer = heron
    await house.sign_in("amy")
    empty = await page(house, f"/companies/{company}")
    for said in ("李娜 &lt;b&gt;", "None of its people has an open ticket", "no contract", "Heron &amp; Co", "Gold"):
        assert (said in empty) is (said != "no contract"), said
    await add_ticket(house, customer)
    await house.pool.execute("insert into contract_kind (name, title) values ('care', 'Care')")
    await house.pool.execute(
        "insert into contract (customer_id, kind_id, name, starts_on, starts_at, ends_on, ends_at, created_at)"
        " values ($1, 1, '', $2::date, $2, $2::date + 90, $2 + interval '90 days', $2)",
        customer, NOW,
    )  # fmt: skip
    full = await page(house, f"/companies/{company}")
    assert 'href="/tickets/7"' in full
    assert "Kettle &lt;i&gt;" in full
    assert "Care" in full
    assert "until 8 Jun" in full
    assert "/merge" not in full
    await house.sign_in("sue")
    full = await page(house, f"/companies/{company}")
    assert f'action="/companies/{company}/merge"' in full
    assert 'href="/contracts/1"' in full
    await page(house, "/companies/404", status=404)


async def test_whoever_reads_it_may_change_it_and_is_told_what_is_wrong(house: House, heron: tuple[int, int]):
    company, customer = heron
    await house.sign_in("amy")
    fields = {"name": "Egret", "domains": "egret.example, @Birds.example", "note": "pays\r\nlate", "version": "1"}
    changed = await house.act("amy", f"/companies/{company}", **fields)
    assert changed.status == 200
    text = await changed.text()
    assert "birds.example" in text
    assert "pays\nlate" in text
    assert await house.pool.fetchval("select company from customer where id = $1", customer) == "Egret"
    late = await house.act("amy", f"/companies/{company}", **{**fields, "note": "typed meanwhile"})
    assert late.status == 412
    assert "typed meanwhile" in await late.text()
    wrong = await house.act("amy", f"/companies/{company}", **{**fields, "domains": "gmail.com", "version": "2"})
    assert wrong.status == 422
    assert "Anybody may have a mailbox of this domain" in await wrong.text()
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_CN"}, house.client.make_url("/"))
    wrong = await house.act("amy", f"/companies/{company}", **{**fields, "domains": "gmail.com", "version": "2"})
    assert "任何人都可以拥有此域名的邮箱" in await wrong.text()


async def test_supervisors_merge_by_name_or_number_and_take_apart(house: House, heron: tuple[int, int]):
    company, _ = heron
    await house.sign_in("amy")
    assert (await house.act("amy", f"/companies/{company}/merge", source="Lark")).status == 403
    await house.sign_in("sue")
    other = await make_customer(house.pool, "Wang")
    await house.pool.execute("update customer set company = 'Lark Ltd' where id = $1", other)
    lark = await house.pool.fetchval("select company_id from customer where id = $1", other)
    for bad in ("Wren", "", "404", "9" * 30, str(company)):
        assert (await house.act("sue", f"/companies/{company}/merge", source=bad)).status in (404, 422), bad
    merged = await house.act("sue", f"/companies/{company}/merge", source="lark")
    assert "Take apart" in await merged.text()
    assert (await house.client.get(f"/companies/{lark}")).url.path == f"/companies/{company}"
    merge = await house.pool.fetchval("select id from company_merge")
    apart = await house.act("sue", f"/companies/{company}/take-apart", merge=str(merge))
    assert apart.url.path == f"/companies/{lark}"
    assert "Wang" in await apart.text()
    assert (await house.act("sue", f"/companies/{company}/take-apart", merge="x")).status == 422


async def test_the_pop_and_the_record_lead_to_the_company_and_say_what_colleagues_have_open(
    house: House, heron: tuple[int, int]
):
    company, customer = heron
    other = await make_customer(house.pool, "Wang")
    await house.pool.execute("update customer set company = 'Heron & Co' where id = $1", other)
    await house.sign_in("amy")
    assert "Colleagues have" not in await page(house, f"/desk?customer={customer}")
    await add_ticket(house, other)
    card = await page(house, f"/desk?customer={customer}")
    assert f'<a href="/companies/{company}" target="customers"><bdi>Heron &amp; Co</bdi></a>' in card
    assert "Colleagues have 1 open ticket" in card
    assert "Colleagues have" not in await page(house, f"/desk?customer={other}")
    assert f'href="/companies/{company}"' in await page(house, f"/customers/{customer}")


async def test_somebody_unknown_is_proposed_as_of_the_company_of_their_mail_domain(house: House):
    await house.pool.execute("insert into company (name, domains) values ('Heron \"A\"', '{heron.example}')")
    await house.sign_in("amy")
    await on_queue(house.log, house.users["amy"])
    arrival = Arrival(Channel.EMAIL, None, "email", "li@heron.example")
    events = await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=NOW)
    contact = ident_of(events)
    await interactions.answer(house.log, await reserve(house.log, contact, house.users["amy"]), now=later(1))
    pop = await (await house.client.get(f"/api/v1/interactions/{contact}/pop")).json()
    assert (pop["customer"], pop["proposed_company"]) == (None, 'Heron "A"')
    # Proposed, never written by itself.
    assert await house.pool.fetchval("select count(*) from customer") == 0
    drawn = await page(house, "/desk")
    assert 'Heron "A"' not in drawn
    assert 'name="company" maxlength="200" value="Heron "A""' in unescape(drawn)
    await house.act("amy", f"/desk/interactions/{contact}/customer", name="Li", company='Heron "A"')
    heron = await house.pool.fetchval("select id from company")
    assert await house.pool.fetchval("select company_id from customer where name = 'Li'") == heron


async def test_the_search_finds_companies_by_a_part_of_the_name(house: House, heron: tuple[int, int]):
    company, _ = heron
    await house.sign_in("amy")
    found = await page(house, "/desk/search?q=hero")
    assert f'href="/companies/{company}"' in found
    assert "Companies" in found
    assert "Companies" not in await page(house, "/desk/search?q=lark")
