"""Queues, agents, customers and tickets over REST."""

import pytest

from callcenter.actions import interactions, transfers
from callcenter.domain.interaction import Channel
from tests.web.conftest import Doors


async def test_queues_show_who_waits_and_what_the_agents_do(doors: Doors) -> None:
    first = await doors.arrive()
    await doors.arrive()
    doors.waits.queues[doors.directory.queue_named("support").id] = 270.0
    doors.clock.move(seconds=30)
    await doors.offer(first, "amy")
    queues = {each["name"]: each for each in (await doors.get("amy", "/api/v1/queues"))["items"]}
    support = queues["support"]
    assert (support["waiting"], support["longest_wait_seconds"]) == (2, 30.0)
    assert (support["answered"], support["abandoned"], support["service_level"]) == (0, 0, 0.0)
    assert (support["expected_wait_seconds"], queues["billing"]["expected_wait_seconds"]) == (270.0, None)
    assert (support["agents"]["offered"], support["agents"]["off_queue"], support["agents"]["idle"]) == (1, 1, 0)


async def test_what_can_wait_for_hours_is_told_apart_from_who_waits_on_the_line(doors: Doors) -> None:
    mail = await doors.arrive(channel=Channel.EMAIL)
    doors.clock.move(seconds=7200)

    async def support() -> dict[str, object]:
        queues = {each["name"]: each for each in (await doors.get("amy", "/api/v1/queues"))["items"]}
        found: dict[str, object] = queues["support"]
        return found

    async def metrics() -> str:
        return await (await doors.call(None, "GET", "/metrics")).text()

    found = await support()
    assert (found["waiting"], found["longest_wait_seconds"], found["service_level"]) == (1, None, None)
    assert (found["waiting_deferrable"], found["longest_deferrable_seconds"]) == (1, 7200)
    assert 'callcenter_longest_wait_seconds{queue="support"} 0.0' in await metrics()
    await doors.arrive()
    doors.clock.move(seconds=5)
    found = await support()
    assert (found["waiting"], found["longest_wait_seconds"]) == (2, 5)
    await interactions.answer(doors.log, await doors.offer(mail, "amy"), now=doors.clock())
    found = await support()
    assert (found["answered"], found["service_level"]) == (1, None)
    assert (found["waiting_deferrable"], found["longest_deferrable_seconds"]) == (0, None)


async def test_a_queue_is_measured_by_the_time_that_callers_spend_in_it(doors: Doors) -> None:
    ids = {name: doors.directory.queue_named(name).id for name in ("support", "billing")}
    first, second = await doors.arrive(), await doors.arrive()
    doors.clock.move(seconds=100)
    for ident in (first, second):
        await interactions.overflow(
            doors.log, ident, queue=ids["support"], to=ids["billing"], rule="after", now=doors.clock()
        )
    doors.clock.move(seconds=15)
    await interactions.answer(doors.log, await doors.offer(first, "amy"), now=doors.clock())

    async def billing() -> tuple[int, float, float]:
        queues = {each["name"]: each for each in (await doors.get("amy", "/api/v1/queues"))["items"]}
        return tuple(queues["billing"][key] for key in ("answered", "service_level", "longest_wait_seconds"))

    assert await billing() == (1, 1.0, 115)
    doors.clock.move(seconds=10)
    assert await billing() == (1, 0.5, 125)


async def test_a_queue_tells_how_many_were_taken_before_and_after_each_step_that_relaxes(doors: Doors) -> None:
    pool, support = doors.log.pool, doors.directory.queue_named("support").id
    steps = [{"after": "20s", "needs": {}}, {"after": "40s", "needs": {}}]
    await pool.execute("update queue set steps = $2 where id = $1", support, steps)
    await doors.directory.load()

    async def figures() -> list[tuple[float, int, float | None]]:
        queues = {each["name"]: each for each in (await doors.get("amy", "/api/v1/queues"))["items"]}
        assert queues["billing"]["steps"] == []
        return [(each["after_seconds"], each["taken"], each["share"]) for each in queues["support"]["steps"]]

    assert await figures() == [(0, 0, None), (20, 0, None), (40, 0, None)]
    for who, decision in (
        ("amy", {"waited_seconds": 0.0}),
        ("amy", {"waited_seconds": 19.999}),
        ("amy", {"waited_seconds": 20.0}),
        ("amy", {"waited_seconds": 900.0}),
        ("bo", {"reason": "assigned"}),
        ("bo", None),
    ):
        reservation = await doors.offer(await doors.arrive(channel=Channel.CHAT), who)
        await pool.execute("update reservation set decision = $2 where id = $1", reservation, decision)
        await interactions.answer(doors.log, reservation, now=doors.clock())
    waiting = await doors.arrive(channel=Channel.CHAT)
    offered = await doors.offer(waiting, "bo")
    await pool.execute("update reservation set decision = $2 where id = $1", offered, {"waited_seconds": 1.0})
    assert await figures() == [(0, 2, 0.5), (20, 1, 0.25), (40, 1, 0.25)]


async def test_what_was_handed_on_counts_at_the_step_of_the_queue_that_took_it(doors: Doors) -> None:
    pool = doors.log.pool
    await pool.execute("update queue set steps = $1", [{"after": "20s", "needs": {}}])
    await doors.directory.load()
    ident = await doors.arrive(channel=Channel.CHAT)
    for who, waited in (("amy", 5.0), ("bo", 65.0)):
        reservation = await doors.offer(ident, who)
        await pool.execute(
            "update reservation set decision = $2 where id = $1", reservation, {"waited_seconds": waited}
        )
        await interactions.answer(doors.log, reservation, now=doors.clock())
        doors.clock.move(seconds=60)
        if who == "amy":
            to, actor = doors.directory.queue_named("billing").id, doors.ids["amy"]
            await transfers.hand_over(doors.log, reservation, queue=to, note=None, actor=actor, now=doors.clock())
    queues = {each["name"]: each for each in (await doors.get("amy", "/api/v1/queues"))["items"]}
    assert [each["taken"] for each in queues["support"]["steps"]] == [1, 0]
    assert [each["taken"] for each in queues["billing"]["steps"]] == [0, 1]


async def test_agents_choose_their_presence_and_supervisors_anybodys(doors: Doors) -> None:
    async def put(who: str, whom: str, **choice):
        return await doors.call(who, "PUT", f"/api/v1/agents/{whom}/presence", json=choice)

    chosen = await (await put("amy", "amy", presence="break", reason="coffee")).json()
    assert (chosen["presence"], chosen["reason"], chosen["routing_status"], chosen["on"]) == (
        "break",
        "coffee",
        "off_queue",
        [],
    )
    assert (await put("amy", "bo", presence="on_queue")).status == 403
    assert (await put("sue", "bo", presence="on_queue")).status == 200
    assert (await put("sue", "nobody", presence="on_queue")).status == 404
    assert (await put("amy", "amy", presence="asleep")).status == 422
    for presence in ("away", "out_of_office"):
        item = await (await put("amy", "amy", presence=presence)).json()
        assert (item["presence"], item["routing_status"]) == (presence, "off_queue")
    assert (await put("amy", "amy", presence="break", reason="x" * 101)).status == 422


async def test_a_break_chosen_with_work_in_hand_is_told_as_what_comes_next_and_can_be_taken_back(doors: Doors) -> None:
    async def put(presence: str, reason: str | None = None):
        body = {"presence": presence, "reason": reason}
        return await (await doors.call("amy", "PUT", "/api/v1/agents/amy/presence", json=body)).json()

    def presences(item):
        return [item[key] for key in ("presence", "reason", "next_presence", "next_reason")]

    mail = await doors.arrive(channel=Channel.EMAIL)
    await doors.offer(mail, "amy")
    assert presences(await put("break", "coffee")) == ["on_queue", None, "break", "coffee"]
    assert presences(await put("on_queue")) == ["on_queue", None, None, None]
    assert presences(await put("meal")) == ["on_queue", None, "meal", None]
    await doors.call("amy", "POST", f"/api/v1/interactions/{mail}/reject")
    agents = {each["name"]: each for each in (await doors.get("amy", "/api/v1/agents"))["items"]}
    assert presences(agents["amy"]) == ["meal", None, None, None]


async def test_agents_show_what_they_have_in_hand_and_how_much_they_may(doors: Doors) -> None:
    await doors.log.pool.execute("""update users set capacity = '{"chat": 2}' where name = 'amy'""")
    mail, call = await doors.arrive(channel=Channel.EMAIL), await doors.arrive()
    await doors.offer(mail, "amy")
    assert (await doors.call("amy", "POST", f"/api/v1/interactions/{mail}/accept")).status == 200
    assert (await doors.call("sue", "POST", f"/api/v1/interactions/{call}/assign", json={"agent": "amy"})).status == 200
    agents = {each["name"]: each for each in (await doors.get("amy", "/api/v1/agents"))["items"]}
    amy = agents["amy"]
    assert (amy["on"], amy["load"], amy["routing_status"]) == ([mail, call], {"email": 1, "phone": 1}, "offered")
    assert (amy["capacity"]["chat"], amy["capacity"]["phone"], agents["bo"]["capacity"]["chat"]) == (2, 1, 4)
    second = await doors.arrive(channel=Channel.EMAIL)
    refused = await doors.call("sue", "POST", f"/api/v1/interactions/{second}/assign", json={"agent": "amy"})
    assert refused.status == 409
    assert "too much in hand" in (await refused.json())["detail"]


async def test_customers_are_found_by_number_mail_and_parts_of_names(doors: Doors) -> None:
    for name, addresses in [
        ("陈艾米", [{"kind": "phone", "value": "138 0013 8000"}]),
        ("陈建国", [{"kind": "email", "value": "Jian@Example.org"}]),
    ]:
        response = await doors.call("amy", "POST", "/api/v1/customers", json={"name": name, "addresses": addresses})
        assert response.status == 201, await response.text()
    for query, names in [
        ("?phone=%2B8613800138000", ["陈艾米"]), ("?phone=013800138000", ["陈艾米"]),
        ("?email=jian@example.org", ["陈建国"]),
        ("?q=建国", ["陈建国"]), ("?q=陈", ["陈艾米", "陈建国"]), ("?q=13800138000", ["陈艾米"]),
        ("?q=JIAN@example.ORG", ["陈建国"]),
        ("?q=nobody", []), ("", ["陈艾米", "陈建国"]),
    ]:  # fmt: skip
        found = (await doors.get("amy", f"/api/v1/customers{query}"))["items"]
        assert [each["name"] for each in found] == names, query
    page = await doors.get("amy", "/api/v1/customers?q=陈&limit=1")
    rest = await doors.get("amy", f"/api/v1/customers?q=陈&limit=1&after={page['next']}")
    assert [page["items"][0]["name"], rest["items"][0]["name"], rest["next"]] == ["陈艾米", "陈建国", None]


@pytest.mark.parametrize(
    "query", ["?phone=hello", "?email=x", "?phone=1&q=2", "?colour=red", "?limit=0", "?limit=201", "?after=-1"]
)
async def test_a_search_that_cannot_be_meant_is_refused(doors: Doors, query: str) -> None:
    assert (await doors.call("amy", "GET", f"/api/v1/customers{query}")).status == 422


async def test_a_bad_address_is_named_by_its_place(doors: Doors) -> None:
    given = {"name": "x", "addresses": [{"kind": "phone", "value": "13800138000"}, {"kind": "email", "value": "x"}]}
    response = await doors.call("amy", "POST", "/api/v1/customers", json=given)
    assert [error["field"] for error in (await response.json())["errors"]] == ["addresses[1].value"]


async def test_a_customers_record_is_changed_on_the_version_that_was_seen(doors: Doors) -> None:
    made = await (await doors.call("amy", "POST", "/api/v1/customers", json={"name": "x", "tier": "gold"})).json()
    path = f"/api/v1/customers/{made['id']}"
    match = {"If-Match": '"1"'}
    changed = await doors.call("amy", "PATCH", path, json={"tier": None}, headers=match)
    assert (await changed.json())["tier"] is None
    assert changed.headers["ETag"] == '"2"'
    assert (await doors.call("amy", "PATCH", path, json={"tier": "gold"}, headers=match)).status == 412
    assert (await doors.call("amy", "PATCH", path, json={"tier": "gold"}, headers={"If-Match": "x"})).status == 422
    assert (await doors.call("amy", "PATCH", "/api/v1/customers/99", json={"tier": "gold"})).status == 404
    assert (await doors.call("amy", "PATCH", path, json={"id": 7})).status == 422


async def test_a_ticket_is_opened_read_and_found(doors: Doors) -> None:
    call = await doors.arrive()
    given = {"subject": "No hot water", "interaction": call, "text": "since Monday", "owner": "amy"}
    response = await doors.call("amy", "POST", "/api/v1/tickets", json=given)
    assert response.status == 201, await response.text()
    ticket = await response.json()
    assert (ticket["queue"], ticket["owner"], ticket["state"], ticket["interactions"]) == (
        "support",
        "amy",
        "open",
        [call],
    )
    whole = await doors.get("bo", f"/api/v1/tickets/{ticket['id']}")
    assert [(message["text"], message["author"]) for message in whole["messages"]] == [("since Monday", "amy")]
    for query, count in [
        ("?owner=amy", 1),
        ("?owner=bo", 0),
        ("?state=open", 1),
        ("?number=1001", 1),
        ("?queue=billing", 0),
    ]:
        assert len((await doors.get("amy", f"/api/v1/tickets{query}"))["items"]) == count
    assert (await doors.get("sue", f"/api/v1/interactions/{call}"))["ticket"] == ticket["id"]


async def test_a_stale_write_learns_what_was_changed_and_by_whom(doors: Doors) -> None:
    ticket = await (await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": "x"})).json()
    path = f"/api/v1/tickets/{ticket['id']}"
    seen = {"If-Match": '"1"'}
    assert (await doors.call("bo", "PATCH", path, json={"priority": "high", "owner": "bo"}, headers=seen)).status == 200
    response = await doors.call("amy", "PATCH", path, json={"subject": "y"}, headers=seen)
    problem = await response.json()
    assert response.status == 412
    assert {error["field"]: error["message"].split(" at ")[0] for error in problem["errors"]} == {
        "priority": 'is "high" now, changed by bo',
        "owner": 'is "bo" now, changed by bo',
        "state": 'is "open" now, changed by bo',
    }


async def test_illegal_moves_and_unknown_names_are_refused(doors: Doors) -> None:
    ticket = await (await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": "x"})).json()
    path = f"/api/v1/tickets/{ticket['id']}"
    assert (await doors.call("amy", "PATCH", path, json={"state": "closed"})).status == 200
    assert (await doors.call("amy", "PATCH", path, json={"state": "pending"})).status == 409
    for changes in (
        {"state": "new"},
        {"queue": "nowhere"},
        {"owner": "nobody"},
        {"customer": 99},
        {"priority": "asap"},
    ):
        assert (await doors.call("amy", "PATCH", path, json=changes)).status == 422
    assert (await doors.call("amy", "POST", f"{path}/reply", json={"text": "x", "public": True})).status == 409
    assert (await doors.call("amy", "POST", f"{path}/reply", json={"text": "x"})).status == 200
    assert (await doors.call("amy", "POST", f"{path}/reply", json={"text": " "})).status == 422
    assert (await doors.call("amy", "POST", f"{path}/link", json={"interaction": 99})).status == 404
