"""Lists of tickets over REST: built-in views, words, saved views, and the same change to many."""

from typing import Any

from callcenter.domain.agent import Role
from tests.web.conftest import Doors


async def open_one(doors: Doors, subject: str, **more: Any) -> dict[str, Any]:
    response = await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": subject, **more})
    assert response.status == 201, await response.text()
    found: dict[str, Any] = await response.json()
    return found


async def subjects(doors: Doors, query: str, who: str = "amy") -> list[str]:
    return [each["subject"] for each in (await doors.get(who, f"/api/v1/tickets?{query}"))["items"]]


async def test_each_view_has_its_tickets(doors: Doors) -> None:
    await open_one(doors, "mine", owner="amy", queue="support", text="退款")
    await open_one(doors, "free", queue="support")
    waits = await open_one(doors, "waits", owner="amy", text="the refund was refused")
    await doors.call("amy", "PATCH", f"/api/v1/tickets/{waits['id']}", json={"state": "pending"})
    assert await subjects(doors, "view=mine") == ["mine", "waits"]
    assert await subjects(doors, "view=queue&queue=support") == ["mine", "free"]
    assert await subjects(doors, "view=unassigned") == ["free"]
    assert await subjects(doors, "view=waiting") == ["waits"]
    assert await subjects(doors, "view=breached") == []
    assert await subjects(doors, "view=words&q=退款") == ["mine"]
    assert await subjects(doors, "q=refunds&owner=amy") == ["waits"]
    page = await doors.get("amy", "/api/v1/tickets?view=mine&limit=1")
    assert await subjects(doors, f"view=mine&after={page['next']}") == ["waits"]


async def test_what_a_view_cannot_answer_is_refused_in_words(doors: Doors) -> None:
    for query, word in (
        ("view=queue", "needs queue"),
        ("view=customer", "needs customer"),
        ("view=words", "needs q"),
        ("view=strange", "There is no view"),
        ("view=mine&queue=nowhere", "There is no queue"),
        ("view=mine&after=ff", "no place in this list"),
        ("q=a+b+c+d+e+f+g+h+i", "At most 8 words"),
        ("q=a&number=3", "not narrowed down by number"),
    ):
        response = await doors.call("amy", "GET", f"/api/v1/tickets?{query}")
        assert response.status == 422, query
        assert word in (await response.json())["detail"], query
    assert (await doors.call("amy", "GET", "/api/v1/tickets?view=77")).status == 404


async def test_a_saved_view_is_ones_own_until_a_supervisor_shares_it(doors: Doors) -> None:
    await doors.add_user("zoe", Role.SUPERVISOR)
    await open_one(doors, "urgent", owner="amy", priority="urgent")
    await open_one(doors, "normal", owner="amy")
    wanted = {"name": "Burning", "conditions": {"priority": ["urgent"], "open": True}, "order": "due"}
    made = await doors.call("amy", "POST", "/api/v1/views", json=wanted)
    assert made.status == 201, await made.text()
    own = await made.json()
    assert await subjects(doors, f"view={own['id']}") == ["urgent"]
    assert (await doors.call("zoe", "GET", f"/api/v1/tickets?view={own['id']}")).status == 404
    assert (
        await doors.call("amy", "POST", "/api/v1/views", json={**wanted, "name": "x", "shared": True})
    ).status == 403
    assert (await doors.call("amy", "POST", "/api/v1/views", json=wanted)).status == 409
    shared = await (await doors.call("zoe", "POST", "/api/v1/views", json={**wanted, "shared": True})).json()
    names = [(each["name"], each["owner"]) for each in (await doors.get("amy", "/api/v1/views"))["items"]]
    assert names[:2] == [("mine", None), ("queue", None)]
    assert names[-2:] == [("Burning", "amy"), ("Burning", "zoe")]
    at = f"/api/v1/views/{shared['id']}"
    assert (await doors.call("amy", "PATCH", at, json={"name": "Mine now"})).status == 403
    changed = await (await doors.call("zoe", "PATCH", at, json={"conditions": {}, "order": "newest"})).json()
    assert (changed["version"], changed["conditions"]) == (2, {})
    late = await doors.call("zoe", "PATCH", at, json={"name": "Late"}, headers={"If-Match": '"1"'})
    assert late.status == 412
    assert (await doors.call("zoe", "DELETE", at)).status == 204
    assert (await doors.call("amy", "GET", at)).status == 404


async def test_a_view_that_will_not_do_is_refused_with_the_field(doors: Doors) -> None:
    for wanted, field in (
        ({"conditions": {"states": ["open"]}}, "conditions.states"),
        ({"conditions": {"state": ["lost"]}}, "conditions.state[0]"),
        ({"conditions": {"owner": ["nobody"]}}, "owner"),
        ({"conditions": {}, "order": "due"}, "order"),
        ({"conditions": {"open": True}, "order": "quiet"}, "order"),
        ({"conditions": {"words": "refund"}, "order": "oldest"}, "order"),
        ({"conditions": {"open": True, "state": ["closed"]}}, "state"),
        ({"conditions": {}, "name": "mine"}, "name"),
    ):
        response = await doors.call("amy", "POST", "/api/v1/views", json={"name": "A list", **wanted})
        assert response.status == 422, wanted
        assert (await response.json())["errors"][0]["field"] == field, wanted


async def test_many_tickets_are_changed_each_for_itself(doors: Doors) -> None:
    first, second = await open_one(doors, "first"), await open_one(doors, "second")
    await doors.call("amy", "PATCH", f"/api/v1/tickets/{second['id']}", json={"priority": "high"})
    chosen = [{"id": each["id"], "version": 1} for each in (first, second)] + [{"id": 999}]
    changes = {"owner": "amy", "queue": "support"}
    response = await doors.call("amy", "POST", "/api/v1/tickets/bulk", json={"tickets": chosen, "changes": changes})
    done, stale, missing = (await response.json())["items"]
    assert (done["done"], done["number"], done["version"], done["why"]) == (True, first["number"], 2, None)
    assert (stale["done"], stale["changed"], stale["version"]) == (False, ["priority"], 2)
    assert "version 2 now, not 1" in stale["why"]
    assert (missing["done"], missing["number"]) == (False, None)
    assert await subjects(doors, "view=mine") == ["first"]
    again = await doors.call(
        "amy", "POST", "/api/v1/tickets/bulk", json={"tickets": chosen[:1], "changes": {"state": "new"}}
    )
    assert [each["why"] for each in (await again.json())["items"]] == ["A ticket is new only once."]
    nothing = await doors.call("amy", "POST", "/api/v1/tickets/bulk", json={"tickets": chosen, "changes": {}})
    assert nothing.status == 422


async def test_a_list_with_a_condition_that_is_unknown_says_so_and_breaks_no_other(doors: Doors) -> None:
    wanted = {"name": "Old", "conditions": {"open": True}, "order": "due"}
    made = await (await doors.call("amy", "POST", "/api/v1/views", json=wanted)).json()
    await doors.log.pool.execute("""update ticket_view set conditions = '{"mood": ["bad"]}'""")
    [kept] = [each for each in (await doors.get("amy", "/api/v1/views"))["items"] if each["id"] == made["id"]]
    assert "know no condition mood" in kept["fault"]
    used = await doors.call("amy", "GET", f"/api/v1/tickets?view={made['id']}")
    assert used.status == 422
    assert "The list Old cannot be read" in (await used.json())["detail"]
    at = f"/api/v1/views/{made['id']}"
    assert (await doors.call("amy", "PATCH", at, json={"name": "Older"})).status == 422
    mended = await doors.call("amy", "PATCH", at, json={"conditions": {}, "order": "newest"})
    assert (mended.status, (await mended.json())["fault"]) == (200, "")
