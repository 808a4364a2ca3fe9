"""Customers who may be one, over REST."""

from callcenter.actions import duplicates
from tests.builders import NOW
from tests.web.conftest import Doors

_AT = "/api/v1/customers"


async def test_pairs_are_suggested_and_told_apart_for_good(doors: Doors) -> None:
    body = {"name": "王伟", "company": "苍鹭科技有限公司"}
    one = (await (await doors.call("sue", "POST", _AT, json=body)).json())["id"]
    body = {"name": "王偉", "company": "蒼鷺科技"}
    other = (await (await doors.call("sue", "POST", _AT, json=body)).json())["id"]
    await duplicates.search(doors.log, now=NOW)
    [pair] = (await doors.get("sue", f"{_AT}/duplicates"))["items"]
    assert (pair["one"]["id"], pair["other"]["id"], pair["reasons"]) == (one, other, ["name"])
    [like] = (await doors.get("amy", f"{_AT}/{other}/duplicates"))["items"]
    assert like == {
        "customer": {"id": one, "name": "王伟", "company": "苍鹭科技有限公司"},
        "reasons": ["name"],
    }
    assert (await doors.call("amy", "GET", f"{_AT}/duplicates")).status == 403
    apart = f"{_AT}/{other}/tell-apart"
    assert (await doors.call("amy", "POST", apart, json={"customer": one})).status == 403
    for wrong, status in ((other, 422), (404, 404)):
        assert (await doors.call("sue", "POST", apart, json={"customer": wrong})).status == status
    told = await doors.call("sue", "POST", apart, json={"customer": one})
    assert await told.json() == {"items": []}
    assert (await doors.get("sue", f"{_AT}/duplicates"))["items"] == []
    assert (await doors.call("amy", "GET", f"{_AT}/404/duplicates")).status == 404
