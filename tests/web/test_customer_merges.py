"""Customers who are one, over REST."""

from tests.web.conftest import Doors


async def _customer(doors: Doors, name: str, phone: str) -> int:
    addresses = [{"kind": "phone", "value": phone}]
    response = await doors.call("sue", "POST", "/api/v1/customers", json={"name": name, "addresses": addresses})
    assert response.status == 201, await response.text()
    ident: int = (await response.json())["id"]
    return ident


async def test_a_supervisor_merges_two_records_and_takes_them_apart_again(doors: Doors) -> None:
    first = await _customer(doors, "李娜", "13800138001")
    second = await _customer(doors, "Li Na", "13800138002")
    at = f"/api/v1/customers/{first}"
    assert (await doors.call("amy", "POST", f"{at}/merge", json={"source": second})).status == 403
    response = await doors.call("sue", "POST", f"{at}/merge", json={"source": second, "take": ["name"]})
    assert response.status == 200, await response.text()
    [merge] = (await response.json())["items"]
    assert (merge["source"], merge["source_name"], merge["by"], merge["undone_at"]) == (second, "Li Na", "sue", None)
    record = await doors.get("amy", at)
    assert (record["name"], len(record["addresses"])) == ("Li Na", 2)
    assert (await doors.get("amy", f"/api/v1/customers/{second}"))["merged_into"] == first
    found = await doors.get("amy", "/api/v1/customers?phone=13800138002")
    assert [each["id"] for each in found["items"]] == [first]

    response = await doors.call("sue", "POST", f"{at}/undo-merge", json={})
    assert response.status == 200, await response.text()
    [merge] = (await doors.get("amy", f"{at}/merges"))["items"]
    assert merge["undone_by"] == "sue"
    assert (await doors.get("amy", at))["name"] == "李娜"
    assert (await doors.get("amy", f"/api/v1/customers/{second}"))["merged_into"] is None
    assert (await doors.call("sue", "POST", f"{at}/undo-merge", json={})).status == 404


async def test_what_cannot_be_merged_is_refused(doors: Doors) -> None:
    first = await _customer(doors, "李娜", "13800138001")
    at = f"/api/v1/customers/{first}/merge"
    for body, status in (({"source": first}, 422), ({"source": 999}, 404), ({"source": 1, "take": ["age"]}, 422)):
        response = await doors.call("sue", "POST", at, json=body)
        assert response.status == status, await response.text()
