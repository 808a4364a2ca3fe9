"""What waits: for whom, in which language, why still, and taken out, as REST has it."""

from datetime import timedelta

import pytest

from callcenter.actions import agents, offered_work
from callcenter.domain.interaction import Channel
from tests.web.conftest import Doors


async def a_queue(doors: Doors, **columns: object) -> None:
    """Changes the queue support."""
    names = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 1))
    await doors.log.pool.execute(f"update queue set {names} where name = 'support'", *columns.values())
    await doors.directory.load()


async def on_queue(doors: Doors, *names: str) -> None:
    for name in names:
        ident = doors.ids[name]
        await agents.set_presence(doors.log, ident, presence="on_queue", reason=None, actor=ident, now=doors.clock())


async def posted(doors: Doors, **given: object) -> dict[str, object]:
    response = await doors.call("sue", "POST", "/api/v1/interactions", json={"channel": "visit", **given})
    assert response.status == 201, await response.text()
    item: dict[str, object] = await response.json()
    return item


async def why(doors: Doors, ident: object) -> str:
    answer = await doors.get("sue", f"/api/v1/interactions/{ident}/why")
    return str(answer["waiting_because"])


async def test_work_waits_for_the_agents_that_are_named_with_it_until_the_target(doors: Doors) -> None:
    await a_queue(doors, prefer="named")
    await on_queue(doors, "amy")
    item = await posted(doors, preferred=["bo", "amy", "bo"], language="zh-TW")
    assert (item["preferred"], item["preferred_as"], item["language"]) == (["bo", "amy"], "named", "zh-TW")
    until = "16:30:20"
    assert f"It waits for amy until {until} (named on arrival)." in await why(doors, item["id"])
    await on_queue(doors, "bo")
    assert f"It waits for bo, amy until {until} (named on arrival)." in await why(doors, item["id"])
    doors.clock.move(seconds=20)
    assert "It waits for" not in await why(doors, item["id"])


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"preferred": ["bo", "nobody"]}, "preferred[1]", "There is no user named nobody"),
        ({"preferred": ["x"] * 21}, "preferred", "at most 20"),
        ({"language": "中"}, "language", "pattern"),
        ({"preferred": ["bo"], "queue": "billing"}, "preferred", "nothing waits for agents of its own"),
    ],
)
async def test_what_is_wrong_with_what_work_asks_for_is_named(
    doors: Doors, given: dict[str, object], field: str, words: str
) -> None:
    await a_queue(doors, prefer="named")
    response = await doors.call("sue", "POST", "/api/v1/interactions", json={"channel": "visit", **given})
    problem = await response.json()
    assert response.status == 422
    [error] = problem["errors"]
    assert error["field"] == field
    assert words in str(problem)


async def test_a_customer_has_an_owner_for_whom_their_work_waits(doors: Doors) -> None:
    await a_queue(doors, prefer="owner", prefer_for=timedelta(seconds=90))
    await on_queue(doors, "amy", "bo")
    given = {"name": "陈", "owner": "bo", "addresses": [{"kind": "email", "value": "chen@example.org"}]}
    made = await (await doors.call("amy", "POST", "/api/v1/customers", json=given)).json()
    assert made["owner"] == "bo"
    item = await posted(doors, address="chen@example.org")
    assert "It waits for bo until 16:31:30 (account owner)." in await why(doors, item["id"])
    path = f"/api/v1/customers/{made['id']}"
    refused = await doors.call("amy", "PATCH", path, json={"owner": "nobody"})
    assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, "owner")
    changed = await (await doors.call("amy", "PATCH", path, json={"owner": None})).json()
    assert changed["owner"] is None
    assert "It waits for" not in await why(doors, (await posted(doors, address="chen@example.org"))["id"])


async def test_why_names_the_language_and_what_those_who_are_free_lack(doors: Doors) -> None:
    await a_queue(doors, needs="tea >= 2 or coffee >= 3", language=2, steps=[{"after": "30s", "language": 0}])
    pool = doors.log.pool
    await pool.execute("update users set skills = $2 where id = $1", doors.ids["amy"], {"tea": 2, "lang:en": 5})
    await pool.execute("update users set skills = $2 where id = $1", doors.ids["bo"], {"lang:zh": 3})
    await on_queue(doors, "amy", "bo")
    item = await posted(doors, language="zh_TW")
    said = await why(doors, item["id"])
    assert "It asks for tea >= 2 or coffee >= 3 and the language zh 2, until it has waited 30s." in said
    assert "amy is free and lacks the language zh 2." in said
    assert "bo is free and lacks tea 2 or coffee 3." in said
    doors.clock.move(seconds=30)
    said = await why(doors, item["id"])
    assert "It asks for tea >= 2 or coffee >= 3. bo is free and lacks tea 2 or coffee 3." in said
    assert "language" not in await why(doors, (await posted(doors, language="fr"))["id"])


async def test_why_names_the_language_of_an_offered_tickets_customer(doors: Doors) -> None:
    await a_queue(doors, language=2, offers_tickets=True)
    await doors.log.pool.execute("""update users set skills = '{"lang:zh": 1}' where name = 'amy'""")
    insert = "insert into customer (name, language) values ($1, $2) returning id"
    customer = await doors.log.pool.fetchval(insert, "Li", "zh_CN")
    await doors.log.pool.execute(
        "insert into ticket (number, subject, customer_id, queue_id, created_at, updated_at)"
        " select 7, 'No hot water', $1, id, $2, $2 from queue where name = 'support'",
        customer, doors.clock(),
    )  # fmt: skip
    await offered_work.reconcile_all(doors.log, now=doors.clock())
    waiting = await doors.log.pool.fetchval("select id from interaction where channel = 'ticket'")
    assert "the language zh 2" in await why(doors, waiting)


async def test_why_says_as_what_somebody_was_preferred(doors: Doors) -> None:
    ident = await doors.arrive()
    reservation = await doors.offer(ident, "amy")
    decision = {"reason": "preferred", "preferred": "last_agent"}
    await doors.log.pool.execute("update reservation set decision = $2 where id = $1", reservation, decision)
    answer = await doors.get("sue", f"/api/v1/interactions/{ident}/why")
    assert answer["chosen_because"] == "amy was preferred: last agent."
    assert answer["decision"]["preferred"] == "last_agent"


async def test_a_supervisor_takes_waiting_work_out(doors: Doors) -> None:
    for offered in (False, True):
        ident = await doors.arrive(channel=Channel.EMAIL)
        if offered:
            await doors.offer(ident, "amy")
        path = f"/api/v1/interactions/{ident}/take-out"
        assert (await doors.call("amy", "POST", path, json={"reason": "x"})).status == 403
        item = await (await doors.call("sue", "POST", path, json={"reason": "Answered by letter."})).json()
        assert (item["state"], item["outcome"], item["note"]) == ("closed", "flow_out", "Answered by letter.")
        assert (await doors.call("sue", "POST", path, json={})).status == 409
        whole = await doors.get("sue", f"/api/v1/interactions/{ident}")
        last = whole["timeline"][-1]
        assert (last["kind"], last["actor"], last["data"]["cause"]) == ("interaction.closed", "sue", "taken_out")
        kinds = [event["kind"] for event in whole["timeline"]]
        assert ("reservation.cancelled" in kinds) == offered
        assert await why(doors, ident) == "None"
    status = "select routing_status from agent where user_id = $1"
    assert await doors.log.pool.fetchval(status, doors.ids["amy"]) == "idle"
    assert (await doors.call("sue", "POST", "/api/v1/interactions/999/take-out", json={})).status == 404
