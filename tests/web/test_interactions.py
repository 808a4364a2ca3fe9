"""Interactions over REST: who sees what, who may do what, and what is handed in twice."""

import asyncio
import csv
import io

import pytest

from callcenter.actions import agents, interactions
from callcenter.domain.interaction import Channel, ReservationState
from tests.builders import a_wait
from tests.web.conftest import Doors, Phones

FIELDS = {
    "id", "channel", "direction", "state", "outcome", "external_id", "customer", "queue", "agent", "ticket", "address",
    "arrived_at", "queued_at", "answered_at", "ended_at", "closed_at", "disposition", "note",
}  # fmt: skip


async def talk(doors: Doors, agent: str, **more) -> int:
    ident = await doors.arrive(**more)
    reservation = await doors.offer(ident, agent)
    doors.clock.move(seconds=5)
    await interactions.answer(doors.log, reservation, now=doors.clock())
    return ident


async def wrapped(doors: Doors, agent: str) -> int:
    ident = await talk(doors, agent)
    doors.clock.move(seconds=60)
    await interactions.end_interaction(doors.log, ident, cause="hangup", now=doors.clock())
    response = await doors.call(
        agent, "POST", f"/api/v1/interactions/{ident}/wrap-up", json={"disposition": "solved", "note": "fixed"}
    )
    assert response.status == 200, await response.text()
    return ident


async def test_an_item_has_the_fields_of_the_surface_with_names_and_utc(doors: Doors) -> None:
    await wrapped(doors, "amy")
    [item] = (await doors.get("sue", "/api/v1/interactions"))["items"]
    assert set(item) >= FIELDS
    assert (item["queue"], item["agent"], item["state"], item["outcome"]) == ("support", "amy", "closed", "handled")
    assert (item["disposition"], item["note"], item["external_id"]) == ("solved", "fixed", "default/0")
    assert item["arrived_at"] == "2026-03-10T08:30:00Z"
    assert isinstance(item["id"], int)


async def test_a_whole_interaction_tells_its_story(doors: Doors) -> None:
    ident = await wrapped(doors, "amy")
    whole = await doors.get("amy", f"/api/v1/interactions/{ident}")
    kinds = [event["kind"] for event in whole["timeline"] if event["kind"].startswith("interaction.")]
    story = ["arrived", "queued", "reserved", "offered", "answered", "ended", "wrapped", "closed"]
    assert kinds == [f"interaction.{word}" for word in story]
    [segment] = whole["segments"]
    assert (segment["agent"], segment["hold_seconds"]) == ("amy", 0.0)
    assert segment["answered_at"] == "2026-03-10T08:30:05Z"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 4), ("?channel=phone", 3), ("?channel=fax", 0), ("?state=queued", 2), ("?state=active", 1),
        ("?state=closed", 1), ("?queue=billing", 1), ("?agent=amy", 1), ("?agent=bo", 1),
        ("?queue=support&state=queued", 1),
        ("?external_id=default/1", 1), ("?external_id=default/1&channel=email", 0), ("?limit=2", 2),
        ("?customer=99", 0),
    ],
)  # fmt: skip
async def test_interactions_are_found_by_what_the_query_names(doors: Doors, query: str, expected: int) -> None:
    await wrapped(doors, "amy")
    await talk(doors, "bo")
    await doors.arrive("billing")
    await doors.arrive(channel=Channel.EMAIL, external_id="m1")
    assert len((await doors.get("sue", f"/api/v1/interactions{query}"))["items"]) == expected


async def test_pages_hold_each_interaction_once_while_more_arrive(doors: Doors) -> None:
    before = [await doors.arrive() for _ in range(7)]
    seen, path = [], "/api/v1/interactions?limit=3"
    while path:
        page = await doors.get("sue", path)
        seen += [item["id"] for item in page["items"]]
        await doors.arrive()
        path = page["next"] and f"/api/v1/interactions?limit=3&after={page['next']}"
    assert seen == before[::-1]


async def test_agents_see_their_own_work_and_supervisors_all(doors: Doors) -> None:
    hers, his = await talk(doors, "amy"), await talk(doors, "bo")
    waiting = await doors.arrive()
    assert [item["id"] for item in (await doors.get("amy", "/api/v1/interactions"))["items"]] == [hers]
    assert [item["id"] for item in (await doors.get("sue", "/api/v1/interactions"))["items"]] == [waiting, his, hers]
    assert (await doors.call("amy", "GET", f"/api/v1/interactions/{hers}")).status == 200
    assert (await doors.call("amy", "GET", f"/api/v1/interactions/{his}")).status == 403
    assert (await doors.call("amy", "GET", "/api/v1/interactions/99")).status == 404
    assert (await doors.call("amy", "POST", f"/api/v1/interactions/{his}/end")).status == 403
    assert (await doors.call("amy", "POST", f"/api/v1/interactions/{his}/wrap-up", json={})).status == 403
    assert (await doors.call(None, "GET", "/api/v1/interactions")).status == 401


async def test_a_known_external_id_opens_no_work_of_others_and_fits_the_other_conditions(doors: Doors) -> None:
    ident = await talk(doors, "amy")
    key = (await doors.get("amy", f"/api/v1/interactions/{ident}"))["external_id"]
    path = f"/api/v1/interactions?external_id={key}"
    assert [item["id"] for item in (await doors.get("amy", path))["items"]] == [ident]
    for who, more in (("bo", ""), ("bo", "&customer=1"), ("sue", "&state=closed"), ("sue", "&queue=billing")):
        assert (await doors.get(who, path + more))["items"] == []


async def test_what_is_no_longer_in_use_gets_no_new_work(doors: Doors) -> None:
    await doors.log.pool.execute("update queue set active = false where name = 'billing'")
    await doors.directory.load()
    work = {"channel": "visit", "address": "desk 1", "queue": "billing"}
    refused = await doors.call("sue", "POST", "/api/v1/interactions", json=work)
    assert refused.status == 422
    assert "no longer in use" in await refused.text()
    ident = await doors.arrive()
    path = f"/api/v1/interactions/{ident}/move"
    assert (await doors.call("sue", "POST", path, json={"queue": "billing"})).status == 422


async def test_work_is_handed_in_once_however_often(doors: Doors) -> None:
    given = {"channel": "email", "address": "Wei@Example.org", "external_id": "<1@x>", "subject": "水", "text": "Help"}
    answers = await asyncio.gather(*(doors.call("amy", "POST", "/api/v1/interactions", json=given) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 201]
    [ident] = {(await answer.json())["id"] for answer in answers}
    whole = await doors.get("sue", f"/api/v1/interactions/{ident}")
    assert (whole["state"], whole["queue"], whole["address"]) == ("queued", "support", "wei@example.org")
    assert [message["text"] for message in whole["messages"]] == ["Help"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"channel": "phone"}, "channel"), ({"channel": "pigeon"}, "channel"), ({}, "channel"),
        ({"channel": "email", "queue": "nowhere"}, "queue"), ({"channel": "email", "colour": "red"}, "colour"),
        ({"channel": "email", "address": 7}, "address"), ({"channel": "email", "address": "a\r\nb"}, "address"),
        ({"channel": "email", "text": "a\x00b"}, None),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_handed_in_work_is_named(
    doors: Doors, given: dict[str, object], field: str | None
) -> None:
    response = await doors.call("amy", "POST", "/api/v1/interactions", json=given)
    problem = await response.json()
    assert response.status == 422
    assert response.content_type == "application/problem+json"
    assert field is None or [error["field"] for error in problem["errors"]] == [field]


async def test_an_offer_is_taken_once_by_whom_it_was_made_to(doors: Doors) -> None:
    ident = await doors.arrive(channel=Channel.EMAIL)
    await doors.offer(ident, "amy")
    assert (await doors.call("bo", "POST", f"/api/v1/interactions/{ident}/accept")).status == 403
    taken = await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/accept")
    assert (await taken.json())["state"] == "active"
    assert (await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/accept")).status == 409
    assert (await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/reject")).status == 409
    ended = await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/end")
    assert (await ended.json())["state"] == "wrapping"


async def test_a_declined_call_goes_back_with_its_time_and_the_agent_is_not_responding(doors: Doors) -> None:
    ident = await doors.arrive()
    queued_at = (await doors.get("sue", f"/api/v1/interactions/{ident}"))["queued_at"]
    await doors.offer(ident, "amy")
    doors.clock.move(seconds=3)
    item = await (await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/reject")).json()
    assert (item["state"], item["queued_at"], item["agent"]) == ("queued", queued_at, None)
    agents = {each["name"]: each for each in (await doors.get("amy", "/api/v1/agents"))["items"]}
    assert agents["amy"]["routing_status"] == "not_responding"


async def test_a_call_is_answered_on_the_phone_and_hung_up_by_the_pbx(
    doors: Doors, switches: dict[str, Phones]
) -> None:
    ident = await doors.arrive()
    await doors.offer(ident, "amy")
    assert (await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/accept")).status == 409
    talking = await talk(doors, "bo")
    assert (await doors.call("bo", "POST", f"/api/v1/interactions/{talking}/end")).status == 200
    assert switches["default"].hung_up == [talking]
    switches.clear()
    assert (await doors.call("bo", "POST", f"/api/v1/interactions/{talking}/end")).status == 409


async def test_who_only_heard_it_ring_may_not_act_on_it(doors: Doors) -> None:
    ident = await doors.arrive()
    reservation = await doors.offer(ident, "bo")
    missed = ReservationState.REJECTED
    await interactions.return_to_queue(doors.log, reservation, state=missed, reason="x", now=doors.clock())
    await interactions.answer(doors.log, await doors.offer(ident, "amy"), now=doors.clock())
    for act, body in (("end", None), ("identify", {"customer": None}), ("wrap-up", {"disposition": "solved"})):
        assert (await doors.call("bo", "POST", f"/api/v1/interactions/{ident}/{act}", json=body)).status == 403
    assert (await doors.call("bo", "GET", f"/api/v1/interactions/{ident}")).status == 403


async def test_wrap_up_takes_the_dispositions_of_the_queue(doors: Doors) -> None:
    ident = await talk(doors, "amy")
    path = f"/api/v1/interactions/{ident}/wrap-up"
    assert (await doors.call("amy", "POST", path, json={"disposition": "solved"})).status == 409
    await interactions.end_interaction(doors.log, ident, cause="hangup", now=doors.clock())
    assert (await doors.call("amy", "POST", path, json={})).status == 422
    assert (await doors.call("amy", "POST", path, json={"disposition": "magic"})).status == 422
    assert (await doors.call("amy", "POST", path, json={"disposition": "solved"})).status == 200
    assert (await doors.call("amy", "POST", path, json={"disposition": "solved"})).status == 409


async def test_a_person_says_who_it_is_and_the_number_is_remembered(doors: Doors) -> None:
    ident = await talk(doors, "amy")
    customer = await (await doors.call("amy", "POST", "/api/v1/customers", json={"name": "陈"})).json()
    path = f"/api/v1/interactions/{ident}/identify"
    assert (await doors.call("amy", "POST", path, json={"customer": 99})).status == 422
    assert (await (await doors.call("amy", "POST", path, json={"customer": customer["id"]})).json())[
        "customer"
    ] == customer["id"]
    [found] = (await doors.get("bo", "/api/v1/customers?phone=13800138000"))["items"]
    assert (found["id"], found["addresses"][0]["certainty"]) == (customer["id"], "known")
    [past] = (await doors.get("bo", f"/api/v1/customers/{customer['id']}/history"))["items"]
    assert past["id"] == ident


async def test_why_explains_an_offer_and_a_wait(doors: Doors) -> None:
    first, second = await doors.arrive(), await doors.arrive()
    await doors.offer(first, "amy")
    offered = await doors.get("amy", f"/api/v1/interactions/{first}/why")
    assert offered["decision"]["reason"] == "longest_idle"
    assert set(offered["decision"]) >= {"candidates", "excluded", "step", "reason"}
    doors.waits.waits[second] = a_wait()
    waiting = await doors.get("sue", f"/api/v1/interactions/{second}/why")
    assert waiting["decision"] is None
    said = "It is the first in line. The queue's agents: 1 offered, 1 offline. Expected to wait 1m30s more."
    assert waiting["waiting_because"] == said


async def test_what_waits_has_a_place_and_an_expected_wait_and_nothing_else_has(doors: Doors) -> None:
    ident = await doors.arrive()
    at = f"/api/v1/interactions/{ident}"
    assert (await doors.get("sue", f"{at}/why"))["wait"] is None
    assert (await doors.call("sue", "GET", f"{at}/wait")).status == 409
    doors.waits.waits[ident] = a_wait(position=2, expected_seconds=150.2, p80_seconds=40.0)
    why = await doors.get("sue", f"{at}/why")
    assert why["wait"] == await doors.get("sue", f"{at}/wait")
    assert why["wait"]["position"] == 2
    assert why["waiting_because"].endswith(" Expected to wait 2m30s more.")
    doors.waits.waits[ident] = a_wait(expected_seconds=None)
    why = (await doors.get("sue", f"{at}/why"))["waiting_because"]
    assert why.endswith("How long it will take is unknown: nobody is at work there.")
    assert (await doors.call("bo", "GET", f"{at}/wait")).status == 403


async def test_why_says_the_place_and_what_is_asked_for(doors: Doors) -> None:
    steps = [{"after": "30s", "needs": {"zh": 1}}]
    async with doors.log.pool.acquire() as connection:
        await connection.execute("update queue set needs = $1, steps = $2 where name = 'support'", {"zh": 3}, steps)
    await doors.directory.load()
    first = await doors.arrive()
    doors.waits.waits[first] = a_wait(position=2)
    doors.clock.move(seconds=20)
    why = (await doors.get("sue", f"/api/v1/interactions/{first}/why"))["waiting_because"]
    assert why.startswith("1 wait in front of it. It asks for zh 3, until it has waited 30s. ")
    doors.clock.move(seconds=20)
    why = (await doors.get("sue", f"/api/v1/interactions/{first}/why"))["waiting_because"]
    assert why.startswith("1 wait in front of it. It asks for zh 1. ")


async def read_csv(doors: Doors, query: str) -> list[dict[str, str]]:
    response = await doors.call("sue", "GET", f"/api/v1/interactions.csv{query}")
    assert response.status == 200, await response.text()
    assert response.content_type == "text/csv"
    return list(csv.DictReader(io.StringIO(await response.text())))


async def test_a_supervisor_moves_waiting_work_which_keeps_its_time(doors: Doors) -> None:
    ident = await doors.arrive()
    doors.clock.move(seconds=30)
    path = f"/api/v1/interactions/{ident}/move"
    moved = await doors.call("sue", "POST", path, json={"queue": "billing", "priority": 3})
    assert moved.status == 200, await moved.text()
    item = await moved.json()
    assert (item["queue"], item["priority"], item["state"]) == ("billing", 3, "queued")
    assert item["queued_at"] == "2026-03-10T08:30:00Z"
    whole = await doors.get("sue", f"/api/v1/interactions/{ident}")
    (event,) = [event for event in whole["timeline"] if event["kind"] == "interaction.moved"]
    assert (event["actor"], event["queue"]) == ("sue", "billing")


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("amy", {"queue": "billing"}, 403),
        ("sue", {}, 422),
        ("sue", {"queue": "nowhere"}, 422),
        ("sue", {"priority": 10_000}, 422),
        ("sue", {"priority": "high"}, 422),
    ],
)
async def test_a_move_that_cannot_be_meant_is_refused(
    doors: Doors, who: str, body: dict[str, object], status: int
) -> None:
    ident = await doors.arrive()
    assert (await doors.call(who, "POST", f"/api/v1/interactions/{ident}/move", json=body)).status == status


async def test_a_supervisor_chooses_who_is_asked(doors: Doors) -> None:
    ident = await doors.arrive()
    path = f"/api/v1/interactions/{ident}/assign"
    assert (await doors.call("amy", "POST", path, json={"agent": "bo"})).status == 403
    assert (await doors.call("sue", "POST", path, json={"agent": "nobody"})).status == 422
    assert (await doors.call("sue", "POST", path, json={"agent": "bo"})).status == 409
    bo = doors.ids["bo"]
    await agents.set_presence(doors.log, bo, presence="on_queue", reason=None, actor=bo, now=doors.clock())
    assigned = await doors.call("sue", "POST", path, json={"agent": "bo"})
    assert (assigned.status, (await assigned.json())["agent"]) == (200, "bo")
    decision = (await doors.get("sue", f"/api/v1/interactions/{ident}/why"))["decision"]
    assert (decision["reason"], decision["by"]) == ("assigned", "sue")


async def test_work_that_does_not_wait_cannot_be_moved(doors: Doors) -> None:
    ident = await talk(doors, "amy")
    path = f"/api/v1/interactions/{ident}/move"
    assert (await doors.call("sue", "POST", path, json={"priority": 1})).status == 409
    assert (await doors.call("sue", "POST", "/api/v1/interactions/999/move", json={"priority": 1})).status == 404


async def test_a_days_interactions_come_as_csv(doors: Doors) -> None:
    ident = await wrapped(doors, "amy")
    doors.clock.move(days=1)
    await doors.arrive()
    [row] = await read_csv(doors, "?from=2026-03-10&to=2026-03-11")
    assert (row["id"], row["agent"], row["address"], row["ended_at"]) == (
        str(ident), "amy", "+8613800138000", "2026-03-10T08:31:05Z",
    )  # fmt: skip
    assert len(await read_csv(doors, "?from=2026-03-10T00:00:00Z&to=2026-03-12T00:00:00Z")) == 2
    assert len(await read_csv(doors, "")) == 1
    assert await read_csv(doors, "?from=2020-01-01") == []


async def test_no_cell_of_the_csv_is_a_formula(doors: Doors) -> None:
    await doors.arrive(channel=Channel.EMAIL, address='=HYPERLINK("http://evil")', external_id="@SUM(A1)")
    [row] = await read_csv(doors, "")
    assert row["address"] == '\'=HYPERLINK("http://evil")'
    assert row["external_id"] == "'@SUM(A1)"


@pytest.mark.parametrize(
    "query",
    ["?from=tomorrow", "?from=2026-03-10&to=2026-03-10", "?from=2020-01-01&to=2026-01-01", "?from=2026-03-10T00:00:00"],
)
async def test_a_time_that_cannot_be_meant_is_refused(doors: Doors, query: str) -> None:
    assert (await doors.call("sue", "GET", f"/api/v1/interactions.csv{query}")).status == 422


async def test_exports_are_for_supervisors_and_leave_a_trace(doors: Doors) -> None:
    assert (await doors.call("amy", "GET", "/api/v1/interactions.csv")).status == 403
    await read_csv(doors, "")
    actor = await doors.log.pool.fetchval("select actor_id from contact_log where kind = 'interactions.exported'")
    assert actor == doors.ids["sue"]
