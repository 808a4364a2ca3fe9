"""Companies over REST."""

from tests.web.conftest import Doors


async def _customer(doors: Doors, name: str, company: str, **more: object) -> tuple[int, int]:
    """The customer and their company."""
    response = await doors.call("amy", "POST", "/api/v1/customers", json={"name": name, "company": company, **more})
    assert response.status == 201, await response.text()
    found = await response.json()
    return found["id"], found["company_id"]


async def test_companies_are_found_by_parts_of_their_name_and_by_domain(doors: Doors) -> None:
    _, heron = await _customer(doors, "Li", "Heron Bay Ltd")
    _, lark = await _customer(doors, "Wang", "鹭湾家电")
    await doors.call("amy", "PATCH", f"/api/v1/companies/{lark}", json={"domains": ["Lark.example"]})

    async def found(query: str) -> list[int]:
        return [each["id"] for each in (await doors.get("amy", f"/api/v1/companies?{query}"))["items"]]

    assert await found("q=bay") == [heron]
    assert await found("q=家电") == [lark]
    assert await found("domain=lark.EXAMPLE") == [lark]
    assert await found("q=nobody") == []
    first = await doors.get("amy", "/api/v1/companies?limit=1")
    assert [each["id"] for each in first["items"]] == [heron]
    assert await found(f"limit=1&after={first['next']}") == [lark]
    assert (await doors.call("amy", "GET", "/api/v1/companies?q=a&domain=b.example")).status == 422
    assert (await doors.call(None, "GET", "/api/v1/companies")).status == 401
    # The search of everything finds it too.
    assert (await doors.get("amy", "/api/v1/search?q=heron"))["companies"] == [{"id": heron, "name": "Heron Bay Ltd"}]


async def test_a_company_is_shown_with_its_people_and_what_they_have(doors: Doors) -> None:
    li, heron = await _customer(doors, "Li", "Heron Ltd", tier="gold")
    wang, _ = await _customer(doors, "Wang", "HERON")
    body = {"subject": "Kettle", "customer": wang, "text": "It leaks"}
    response = await doors.call("amy", "POST", "/api/v1/tickets", json=body)
    assert response.status == 201, await response.text()
    found = await doors.get("amy", f"/api/v1/companies/{heron}")
    assert (found["name"], found["people_count"], found["contracts"]) == ("Heron Ltd", 2, [])
    assert {(each["customer"], each["name"], each["tier"]) for each in found["people"]} == {
        (li, "Li", "gold"), (wang, "Wang", None),
    }  # fmt: skip
    [ticket] = found["open_tickets"]
    assert (ticket["subject"], ticket["customer"], ticket["customer_name"]) == ("Kettle", wang, "Wang")
    assert (await doors.call("amy", "GET", "/api/v1/companies/404")).status == 404


async def test_a_company_is_changed_by_whoever_has_seen_its_version(doors: Doors) -> None:
    li, heron = await _customer(doors, "Li", "Heron Ltd")
    at = f"/api/v1/companies/{heron}"
    response = await doors.call("amy", "GET", at)
    tag = response.headers["ETag"]
    body = {"name": "Egret", "domains": ["egret.example"], "note": "pays late"}
    response = await doors.call("amy", "PATCH", at, json=body, headers={"If-Match": tag})
    assert response.status == 200, await response.text()
    found = await response.json()
    assert (found["name"], found["domains"], found["note"], found["version"]) == (
        "Egret", ["egret.example"], "pays late", 2,
    )  # fmt: skip
    assert (await doors.get("amy", f"/api/v1/customers/{li}"))["company"] == "Egret"
    response = await doors.call("amy", "PATCH", at, json={"note": None}, headers={"If-Match": tag})
    assert response.status == 412
    await _customer(doors, "Wang", "Lark")
    refused: list[tuple[dict[str, object], int]] = [
        ({"name": "lark inc"}, 409), ({"name": " "}, 422), ({"domains": ["qq.com"]}, 422), ({"domains": "x"}, 422),
        ({"people": 3}, 422),
    ]  # fmt: skip
    for wrong, status in refused:
        response = await doors.call("amy", "PATCH", at, json=wrong)
        assert response.status == status, await response.text()


async def test_a_supervisor_merges_two_companies_and_takes_them_apart(doors: Doors) -> None:
    _, heron = await _customer(doors, "Li", "Heron")
    wang, bay = await _customer(doors, "Wang", "Heron Bay")
    at = f"/api/v1/companies/{heron}"
    assert (await doors.call("amy", "POST", f"{at}/merge", json={"source": bay})).status == 403
    for body, status in (({"source": heron}, 422), ({"source": 404}, 404)):
        assert (await doors.call("sue", "POST", f"{at}/merge", json=body)).status == status
    response = await doors.call("sue", "POST", f"{at}/merge", json={"source": bay})
    assert response.status == 200, await response.text()
    [merge] = (await response.json())["items"]
    assert (merge["source"], merge["source_name"], merge["by"], merge["undone_at"]) == (bay, "Heron Bay", "sue", None)
    assert (await doors.get("amy", f"/api/v1/companies/{bay}"))["merged_into"] == heron
    assert (await doors.get("amy", f"/api/v1/customers/{wang}"))["company_id"] == heron
    response = await doors.call("sue", "POST", f"{at}/undo-merge", json={})
    assert response.status == 200, await response.text()
    assert (await doors.get("amy", f"/api/v1/customers/{wang}"))["company"] == "Heron Bay"
    assert (await doors.call("sue", "POST", f"{at}/undo-merge", json={})).status == 404
