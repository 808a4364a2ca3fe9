"""Solutions over REST: who writes, who publishes, what is found, and what is counted."""

from typing import Any

from tests.web.conftest import Doors

API = "/api/v1/solutions"
REFUNDS = {
    "texts": {
        "en": {"title": "How long a refund takes", "text": "**Cards**: three days."},
        "zh_CN": {"title": "退款多久到账", "text": "银行卡三天。"},
    },
    "category": "payment",
    "tags": ["Money", "card"],
}


async def send(doors: Doors, who: str | None, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
    response = await doors.call(who, method, f"{API}{path}", **more)
    assert response.status == status, await response.text()
    return await response.json()


async def published(doors: Doors, **more: object) -> dict[str, Any]:
    body = {**REFUNDS, "publish": True, **more}
    found: dict[str, Any] = await send(doors, "sue", "POST", "", status=201, json=body)
    return found


async def test_an_agent_proposes_and_a_supervisor_publishes(doors: Doors) -> None:
    draft = await send(doors, "amy", "POST", "", status=201, json=REFUNDS)
    assert (draft["state"], draft["owner"], draft["tags"]) == ("draft", "amy", ["money", "card"])
    at = f"/{draft['id']}"
    assert await send(doors, "amy", "GET", "/search?q=refund") == {"items": [], "next": None}
    await send(doors, "amy", "POST", f"{at}/publish", status=403)
    await send(doors, "amy", "POST", "", status=403, json={**REFUNDS, "publish": True})
    done = await send(doors, "sue", "POST", f"{at}/publish", headers={"If-Match": f'"{draft["version"]}"'})
    assert done["state"] == "published"
    [found] = (await send(doors, "amy", "GET", "/search?q=refunds"))["items"]
    assert found["title"] == "How long a refund takes"
    edit = {"title": "Refund times", "text": "Four days."}
    proposal = await send(doors, "amy", "PUT", f"{at}/texts/en", json=edit)
    english = next(text for text in proposal["texts"] if text["language"] == "en")
    assert (english["version"], english["latest"], english["title"]) == (1, 2, "How long a refund takes")
    assert english["html"] == "<p><strong>Cards</strong>: three days.</p>\n"
    await send(doors, "amy", "PUT", f"{at}/texts/en", status=403, json={**edit, "publish": True})
    await send(doors, "amy", "PATCH", at, status=403, json={"category": "x"})
    [waiting] = (await send(doors, "sue", "GET", "?proposed=true"))["items"]
    assert waiting["id"] == draft["id"]


async def test_whoever_saves_what_somebody_else_changed_is_refused(doors: Doors) -> None:
    made = await published(doors)
    at, seen = f"/{made['id']}", {"If-Match": f'"{made["version"]}"'}
    await send(doors, "sue", "PATCH", at, json={"category": "refunds", "review_on": "2026-09-01"}, headers=seen)
    problem = await send(doors, "sue", "PATCH", at, status=412, json={"category": "x"}, headers=seen)
    assert "Somebody else changed" in problem["detail"]
    await send(doors, "sue", "POST", f"{at}/retire", status=412, headers=seen)
    assert (await send(doors, "sue", "POST", f"{at}/retire"))["state"] == "retired"
    await send(doors, "sue", "POST", f"{at}/retire", status=409)


async def test_versions_are_listed_and_restored(doors: Doors) -> None:
    made = await published(doors)
    at = f"/{made['id']}"
    await send(doors, "sue", "PUT", f"{at}/texts/en", json={"title": "T", "text": "Other.", "publish": True})
    back = await send(doors, "amy", "POST", f"{at}/restore", json={"language": "en", "version": 1})
    assert [text["latest"] for text in back["texts"]] == [3, 1]
    kept = (await send(doors, "amy", "GET", f"{at}/versions"))["items"]
    english = [(each["version"], each["author"], each["restored_from"]) for each in kept if each["language"] == "en"]
    assert sorted(english) == [(1, "sue", None), (2, "sue", None), (3, "amy", 1)]
    await send(doors, "amy", "POST", f"{at}/restore", status=404, json={"language": "en", "version": 9})


async def test_customers_get_public_suggestions_without_signing_in(doors: Doors) -> None:
    await published(doors)
    assert await send(doors, None, "GET", "/suggest?text=my refund is late") == {"items": [], "next": None}
    public = await published(doors, public=True)
    [found] = (await send(doors, None, "GET", "/suggest?text=my refund is late"))["items"]
    assert found["id"] == public["id"]
    [found] = (await send(doors, None, "GET", "/suggest?text=退款怎么还没有到&language=zh_CN"))["items"]
    assert found["title"] == "退款多久到账"
    for path in ("", f"/{public['id']}", "/search?q=refund", "/figures", "/searches"):
        await send(doors, None, "GET", path, status=401)


async def test_whoever_asks_too_often_without_signing_in_has_to_wait(doors: Doors) -> None:
    for _ in range(30):
        await send(doors, None, "GET", "/suggest?text=x")
    response = await doors.call(None, "GET", f"{API}/suggest?text=x")
    assert response.status == 429
    assert response.headers["Retry-After"] == "1"
    await send(doors, "amy", "GET", "/suggest?text=x")
    doors.clock.move(seconds=1)
    await send(doors, None, "GET", "/suggest?text=x")


async def test_the_text_of_a_ticket_suggests_and_uses_are_counted_once(doors: Doors) -> None:
    made = await published(doors)
    response = await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": "Refund not received"})
    ticket = (await response.json())["id"]
    [found] = (await send(doors, "amy", "GET", f"/suggest?ticket={ticket}"))["items"]
    assert found["id"] == made["id"]
    use = {"how": "solved", "ticket": ticket}
    assert await send(doors, "amy", "POST", f"/{made['id']}/use", json=use) == {"counted": True}
    assert await send(doors, "amy", "POST", f"/{made['id']}/use", json=use) == {"counted": False}
    await send(doors, "amy", "POST", f"/{made['id']}/use", status=422, json={"how": "solved"})
    [figures] = (await send(doors, "sue", "GET", "/figures"))["items"]
    assert (figures["id"], figures["solved"], figures["inserted"]) == (made["id"], 1, 0)
    await send(doors, "amy", "GET", "/figures", status=403)


async def test_searches_in_vain_are_listed_for_supervisors(doors: Doors) -> None:
    await published(doors)
    for text in ("refund", "parcel", "parcel", "PARCEL", "call 13800138000"):
        await send(doors, "amy", "GET", f"/search?q={text}")
    items = (await send(doors, "sue", "GET", "/searches"))["items"]
    assert [(each["query"], each["missed"]) for each in items] == [("parcel", 3), ("call #", 1)]
    assert len((await send(doors, "sue", "GET", "/searches?missed=false"))["items"]) == 3
    await send(doors, "amy", "GET", "/searches", status=403)


async def test_bad_input_is_named(doors: Doors) -> None:
    for body, field in [
        ({**REFUNDS, "texts": {}}, "texts"),
        ({**REFUNDS, "texts": {"english": {"title": "a", "text": "b"}}}, "language"),
        ({**REFUNDS, "owner": "nobody"}, "owner"),
        ({**REFUNDS, "review_on": "tomorrow"}, "review_on"),
        ({**REFUNDS, "colour": "red"}, "colour"),
    ]:
        problem = await send(doors, "sue", "POST", "", status=422, json=body)
        assert problem["errors"][0]["field"] == field
    await send(doors, "amy", "GET", "/999", status=404)
    await send(doors, "amy", "GET", "/search?q=", status=422)


async def test_the_work_of_somebody_else_neither_suggests_nor_counts(doors: Doors) -> None:
    article, interaction = await published(doors), await doors.arrive()
    await doors.offer(interaction, "bo")
    use = f"/{article['id']}/use"
    await send(doors, "amy", "GET", f"/suggest?interaction={interaction}", status=403)
    await send(doors, "amy", "POST", use, status=403, json={"interaction": interaction, "how": "solved"})
    await send(doors, "bo", "GET", f"/suggest?interaction={interaction}")
    assert await send(doors, "bo", "POST", use, json={"interaction": interaction, "how": "solved"}) == {"counted": True}
