"""Pages of customers: found, looked at, compared, merged, taken apart, erased."""

import pytest

from callcenter.actions import duplicates
from callcenter.store import duplicates as duplicates_store
from callcenter.store import search
from tests.builders import NOW, make_customer
from tests.screenpop.conftest import House

_NUMBER = "+8613800138000"


@pytest.fixture
async def two(house: House) -> tuple[int, int]:
    """Li Na, and another record with her number."""
    first = await make_customer(house.pool, "李娜 <b>", phone=_NUMBER, certainty="verified")
    second = await make_customer(house.pool, "Li Na", phone=_NUMBER)
    await house.pool.execute("update customer set company = 'Heron' where id = $1", second)
    await duplicates.search(house.log, now=NOW)
    return first, second


async def page(house: House, path: str, status: int = 200) -> str:
    response = await house.client.get(path)
    assert response.status == status, await response.text()
    return await response.text()


async def administrator(house: House, name: str) -> None:
    await house.pool.execute("update users set role = 'administrator' where name = $1", name)
    await house.directory.load()


async def test_agents_find_customers_and_read_their_record(house: House, two: tuple[int, int]):
    await house.sign_in("amy")
    found = await page(house, "/customers?q=李娜")
    assert f'href="/customers/{two[0]}"' in found
    assert "李娜 &lt;b&gt;" in found
    assert f'href="/customers/{two[1]}"' in await page(house, "/customers?q=138 0013")
    record = await page(house, f"/customers/{two[0]}")
    assert "+86 138 0013 8000" in record
    assert "verified" in record
    assert f'href="/customers/{two[1]}"' in record
    for act in ("/merge", "/erase", "/export", "take-apart", "Not the same"):
        assert act not in record


async def test_pages_of_merging_are_for_supervisors_and_erasing_for_administrators(house: House, two: tuple[int, int]):
    first, second = two
    await house.sign_in("amy")
    for path in ("/customers/duplicates", f"/customers/{first}/merge?with={second}"):
        assert (await house.client.get(path)).status == 403
    for path in ("/customers/duplicates", f"/customers/{first}/merge", f"/customers/{first}/take-apart"):
        assert (await house.act("amy", path, one=str(first), other=str(second), source=str(second))).status == 403
    await house.sign_in("sue")
    assert "/erase" not in await page(house, f"/customers/{first}")
    assert (await house.act("sue", f"/customers/{first}/erase", name="李娜 <b>", reason="7")).status == 403


async def test_two_records_are_put_side_by_side_merged_and_taken_apart(house: House, two: tuple[int, int]):
    first, second = two
    await house.sign_in("sue")
    listed = await page(house, "/customers/duplicates")
    assert f"/customers/{first}/merge?with={second}" in listed
    assert "+86 138 0013 8000" in listed
    beside = await page(house, f"/customers/{first}/merge?with={second}")
    assert 'name="from_name" value="into" checked' in beside
    assert 'name="from_company" value="source" checked' in beside
    fields = {"source": str(second), "from_name": "into", "from_company": "source"}
    merged = await (await house.act("sue", f"/customers/{first}/merge", **fields)).text()
    assert "Heron" in merged
    assert "Take apart" in merged
    assert "No two records" in await page(house, "/customers/duplicates")
    # The address of a merged record leads to where it is.
    assert (await house.client.get(f"/customers/{second}")).url.path == f"/customers/{first}"
    [merge] = await house.pool.fetch("select id, taken from customer_merge")
    assert merge["taken"] == {"company": [None, "Heron"]}
    apart = await house.act("sue", f"/customers/{first}/take-apart", merge=str(merge["id"]))
    assert apart.url.path == f"/customers/{second}"
    assert "taken apart again" in await page(house, f"/customers/{first}")
    await duplicates.search(house.log, now=NOW)
    assert "No two records" in await page(house, "/customers/duplicates")


async def test_the_other_record_is_searched_for_when_nothing_suggests_it(house: House, two: tuple[int, int]):
    third = await make_customer(house.pool, "Na Li")
    await house.sign_in("sue")
    found = await page(house, f"/customers/{two[0]}/merge?q=li")
    assert f"/customers/{two[0]}/merge?with={third}" in found
    assert f"?with={two[0]}" not in found


async def test_not_the_same_is_remembered(house: House, two: tuple[int, int]):
    first, second = two
    await house.sign_in("sue")
    back = await house.act(
        "sue", "/customers/duplicates", one=str(first), other=str(second), back=f"/customers/{first}"
    )
    assert back.url.path == f"/customers/{first}"
    assert "May be the same as" not in await back.text()
    assert "No two records" in await page(house, "/customers/duplicates")
    for bad in ("x", "", "9" * 30):
        assert (await house.act("sue", "/customers/duplicates", one=str(first), other=bad)).status == 422


async def test_the_card_of_a_desk_has_a_quiet_line(house: House, two: tuple[int, int]):
    first, second = two
    await house.sign_in("amy")
    card = await page(house, f"/desk?customer={first}")
    assert f'hx-get="/desk/customers/{first}/alike"' in card
    assert f'href="/customers/{first}" target="customers"' in card
    line = await page(house, f"/desk/customers/{first}/alike")
    assert f"/?customer={second}" in line
    await house.sign_in("sue")
    assert f"/customers/{first}/merge?with={second}" in await page(house, f"/desk/customers/{first}/alike")
    alone = await make_customer(house.pool, "Alone")
    await page(house, f"/desk/customers/{alone}/alike", 204)


async def test_an_administrator_erases_whom_they_name_and_sees_the_proof(house: House, two: tuple[int, int]):
    first, second = two
    await administrator(house, "sue")
    await house.sign_in("sue")
    at = f"/customers/{first}"
    assert f"/api/v1/customers/{first}/export" in await page(house, at)
    for name, reason in (("Li Na", "7"), ("李娜 <b>", " ")):
        refused = await house.act("sue", f"{at}/erase", name=name, reason=reason)
        assert refused.status == 422
        assert 'role="alert"' in await refused.text()
    erased = await (await house.act("sue", f"{at}/erase", name="李娜 <b>", reason="Request 7")).text()
    assert "This person was erased" in erased
    assert "Request 7" in erased
    assert "<code>address</code>" in erased
    assert "李娜" not in erased
    assert "May be the same as" not in await page(house, f"/customers/{second}")
    await house.sign_in("amy")
    seen = await page(house, at)
    assert "This person was erased" in seen
    assert "Request 7" not in seen


async def test_nobody_is_nobody(house: House):
    await house.sign_in("sue")
    await page(house, "/customers/404", 404)
    await page(house, "/customers/404/merge", 404)
    assert "Write a part of a name" in await page(house, "/customers")


async def test_a_search_that_takes_too_long_says_so_where_the_answers_would_stand(
    house: House, two: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(search, "LIMIT", 0.0)  # no query is as slow as that by itself
    monkeypatch.setattr(duplicates_store, "LIMIT", 0.0)
    await house.sign_in("sue")
    for path in ("/customers?q=李娜", f"/customers/{two[0]}/merge?q=李娜", "/desk/by-hand/customers?who=李娜"):
        assert "This search takes longer than" in await page(house, path)
    # The record does not wait for who may be the same.
    assert "+86 138 0013 8000" in await page(house, f"/customers/{two[0]}")
    assert (await house.client.get(f"/desk/customers/{two[0]}/alike")).status == 204
    for path, words in (
        ("customers?q=李娜", "add a rarer word"),
        (f"customers/{two[0]}/duplicates", "ask again later"),
    ):
        answer = await house.client.get(f"/api/v1/{path}")
        assert answer.status == 422
        assert words in (await answer.json())["detail"]
