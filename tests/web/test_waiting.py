"""What waits: for whom, in which language, why still, and taken out, as REST has it."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.actions import agents, offered_work
from callcenter.domain.interaction import Channel
from callcenter.web.interactions import standing
from callcenter.web.why import waiting_because
from tests.builders import later
from tests.web.conftest import Doors

STARTS = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
NEVER = datetime(2026, 3, 1, tzinfo=UTC)


async def a_queue(doors: Doors, **columns: object) -> None:
    """Changes the queue support."""
    names = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 1))
    await doors.log.pool.execute(f"update queue set {names} where name = 'support'", *columns.values())
    await doors.directory.load()


async def on_queue(doors: Doors, *names: str, desk: bool = True) -> None:
    for name in names:
        ident = doors.ids[name]
        await agents.set_presence(doors.log, ident, presence="on_queue", reason=None, actor=ident, now=doors.clock())
        if desk:
            await doors.log.pool.execute("update agent set desk_lost_at = null where user_id = $1", ident)


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


async def with_columns(doors: Doors, name: str, table: str, **columns: object) -> None:
    key = "id" if table == "users" else "user_id"
    names = ", ".join(f"{column} = ${n}" for n, column in enumerate(columns, 2))
    await doors.log.pool.execute(f"update {table} set {names} where {key} = $1", doors.ids[name], *columns.values())


async def test_why_says_nothing_of_one_who_is_free_and_may_take_it(doors: Doors) -> None:
    await on_queue(doors, "amy")
    said = await why(doors, (await posted(doors))["id"])
    assert said == "The queue's agents: 1 idle, 1 offline."


@pytest.mark.parametrize(
    ("table", "columns", "channel", "words"),
    [
        ("agent", {"desk_lost_at": NEVER}, "visit", "amy is free and has no console open."),
        (
            "agent",
            {"not_before": later(40, STARTS)},
            "visit",
            "amy is left alone until 16:30:40: an offer failed, or work was handed on, a moment before.",
        ),
        ("agent", {"next_presence": "break"}, "visit", "amy is free and about to leave."),
        ("users", {"capacity": {"visit": 0}}, "visit", "amy is free and takes nothing of this kind."),
        ("users", {"endpoint": None}, "phone", "amy is free and has no phone."),
        (
            "queue_member",
            {"delay": timedelta(seconds=90)},
            "visit",
            "amy is asked from 16:31:30 on, after a delay of 1m30s.",
        ),
    ],
)
async def test_why_says_what_keeps_one_who_is_free_from_it(
    doors: Doors, table: str, columns: dict[str, object], channel: str, words: str
) -> None:
    await on_queue(doors, "amy", "bo")
    await with_columns(doors, "amy", table, **columns)
    ident = await doors.arrive(channel=Channel(channel))
    said = await why(doors, ident)
    assert words in said
    assert "bo " not in said
    if "delay" in columns:
        doors.clock.move(seconds=90)
        assert "delay" not in await why(doors, ident)
    if "not_before" in columns:
        doors.clock.move(seconds=40)
        assert "left alone" not in await why(doors, ident)


async def test_without_a_console_one_is_asked_where_none_is_required(doors: Doors) -> None:
    await on_queue(doors, "amy", desk=False)
    ident = await doors.arrive()
    assert "no console" in await why(doors, ident)
    pool = doors.log.pool
    row = await standing(pool, ident, asks=doors.ids["sue"])
    said = await waiting_because(pool, doors.directory, row, None, require_console=False, now=doors.clock())
    assert [str(each) for each in said] == ["The queue's agents: 1 idle, 1 offline."]


async def test_why_says_that_nobody_has_room(doors: Doors) -> None:
    await on_queue(doors, "amy", "bo")
    for name in ("amy", "bo"):
        await with_columns(doors, name, "agent", routing_status="interacting", load={"phone": 1})
    ident = await doors.arrive()
    said = await why(doors, ident)
    assert said == "Nobody at work has room for it. The queue's agents: 2 interacting."
    await with_columns(doors, "bo", "agent", load={"email": 1}, desk_lost_at=NEVER)
    said = await why(doors, ident)
    assert "Of those with work in hand: 1 with enough in hand, 1 without a console." in said
    await with_columns(doors, "bo", "agent", desk_lost_at=None)  # a call may interrupt the mail
    said = await why(doors, ident)
    assert "Of those with work in hand: 1 with enough in hand. " in said


async def test_ten_who_are_free_are_named_and_the_others_counted_by_reason(doors: Doors) -> None:
    await a_queue(doors, needs={"tea": 3})
    names = [f"agent{n}" for n in range(12)]
    for name in names:
        await doors.add_user(name)
        await doors.log.pool.execute(
            "insert into queue_member (queue_id, user_id) select id, $1 from queue where name = 'support'",
            doors.ids[name],
        )
        await on_queue(doors, name, desk=name != "agent11")
        await with_columns(doors, name, "users", endpoint=name)
        doors.clock.move(seconds=1)
    said = await why(doors, (await posted(doors))["id"])
    assert said.count("is free and lacks tea 3.") == 10
    assert "2 more are free and may not take it: 1 without the skills or the language, 1 without a console." in said
    assert "The queue's agents: 12 idle, 2 offline." in said


async def test_why_names_those_of_another_queue_who_might_help_and_are_not_lent(doors: Doors) -> None:
    await a_queue(doors, overflow=[{"after": "1h", "lend": "billing"}])
    await doors.log.pool.execute(
        "insert into queue_member (queue_id, user_id) select id, $1 from queue where name = 'billing'", doors.ids["sue"]
    )
    await on_queue(doors, "sue")
    said = await why(doors, (await posted(doors))["id"])
    assert "sue of billing is free and not lent out. The queue's agents: 2 offline." in said


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
