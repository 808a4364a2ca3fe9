"""A person is erased: nothing that tells of them is left, and no figure changes."""

import io
import json
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcenter.actions import contract_import, customer_merges, customers, erasures, portal
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import erasures as store

_MARK = "zebrafish"

# Words and values of a person: in these columns they are emptied, or their rows are deleted.
_EMPTIED = {
    "gateway_inbound": {"external_id"},
    "gateway_outbound": {"external_id", "last_error"},
    "gateway_thread": {"correspondent"},
    "address": {"value", "bounced_words"},
    "chat": {"token_hash", "page", "page_title"},
    "company_merge": {"names", "domains"},
    "chat_line": {"client_id"},
    "contact_log": {"data"},
    "contract": {"external_id", "name", "note"},
    "customer": {"external_id", "name", "company", "language", "note"},
    "customer_merge": {"moved", "taken"},
    "customer_order": {"number"},
    "customer_value": {"hand_reason"},
    "callback": {"number"},
    "draft": {"note", "disposition", "answer"},
    "interaction": {"called", "external_id", "leg", "address_kind", "address", "address_name", "subject", "note"},
    "mail": {"message_id", "refs", "sender", "sender_name", "correspondent", "html", "notes", "raw"},
    "mail_flood": {"address"},
    "mail_attachment": {"name", "type", "encoding", "cid"},
    "message": {"text"},
    "outbox": {"message_id", "recipient", "recipient_name", "data", "subject", "text", "last_error", "thread"},
    "reservation": {"note"},
    "segment": {"leg", "endpoint"},
    "survey": {"comment", "answers"},
    "survey_refusal": {"address"},
    "task": {"title"},
    "ticket": {"subject", "fields"},
    "ticket_draft": {"text"},
    "ticket_history": {"before", "after"},
    "ticket_text": {"text"},
    "upload": {"owner", "name", "type", "data"},
}
# States, names of ours, and numbers: they tell of us, or are counted.
_HARMLESS = {
    "gateway_outbound": {"state"},
    "address": {"kind", "certainty"},
    "automation_turn": {"name"},
    "chat": {"identity", "language"},
    "contact_log": {"kind"},
    "contract": {"targets", "quota", "queues", "categories", "products"},
    "contract_duty": {"what"},
    "customer": {"tier"},
    "customer_order": {"currency"},
    "customer_value": {"rule_tier", "hand_tier", "stage", "figures", "signals"},
    "erasure": {"reason", "emptied"},
    # A grade is kept unchanged: it is the agent's.
    "evaluation": {"state", "answers", "comment", "dispute", "decision", "reason"},
    "interaction": {
        "channel", "direction", "state", "outcome", "pbx", "disposition", "end_cause", "language", "treated",
        "preferred_as",
    },
    "mail": {"nature"},
    "message": {"kind"},
    "notice": {"clock", "kind"},
    "outcall": {"pbx", "agent_leg", "customer_leg"},
    "outbox": {"language", "template", "state"},
    "reservation": {"channel", "state", "reason", "disposition", "decision"},
    "segment": {"kind", "cause", "hold_reason"},
    "sla_clock": {"clock", "state"},
    "sla_escalation": {"clock", "at"},
    "sla_pause": {"reason"},
    "solution_use": {"how"},
    "survey": {"ask", "language", "via"},
    "task": {"state", "checklist", "hours", "rule"},
    "ticket": {"state", "priority", "category", "type", "tags"},
    "ticket_history": {"field"},
    "ticket_relation": {"kind"},
    "ticket_sla": {"policy"},
}  # fmt: skip
_TIES = ("customer_id", "source_id", "interaction_id", "ticket_id", "message_id", "mail_id", "low_id")


async def texts(db):
    """Columns that can hold words, by table."""
    return await db.fetch("""
        select c.relname as name, array_agg(a.attname::text) as columns
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.atttypid in ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype, 'bytea'::regtype) and a.attnum > 0
        group by 1 order by 1""")


async def test_every_column_that_can_tell_of_a_person_is_thought_of(db):
    tied = {
        row[0]
        for row in await db.fetch(
            """select distinct c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid
               where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                 and a.attname = any ($1)""",
            list(_TIES),
        )
    } | {"customer"}
    found = {row["name"]: set(row["columns"]) for row in await texts(db) if row["name"] in tied}
    assert found == {name: _EMPTIED.get(name, set()) | _HARMLESS.get(name, set()) for name in found}


_ROWS = Path(__file__).with_name("person.sql").read_text(encoding="utf-8")


@pytest.fixture
async def person(log, now):
    """Somebody whose mark is in whatever there is of them, and what that is."""
    for statement in _ROWS.replace("~", _MARK).split(";\n"):
        if statement.strip():
            await log.pool.execute(statement, *([now] if "$1" in statement else []))
    return 1


async def marked(db):
    """Columns of the whole database in which the mark is left."""
    found = []
    for row in await texts(db):
        for column in row["columns"]:
            # What is binary reads as its hexadecimal digits.
            marks = [f"%{_MARK}%", f"%{_MARK.encode().hex()}%"]
            if await db.fetchval(
                f"select exists (select from {row['name']} where {column}::text like any ($1))", marks
            ):
                found.append(f"{row['name']}.{column}")
    return found


async def test_nothing_that_tells_of_a_person_is_left_and_no_figure_changes(log, db, now, person):
    before = await marked(db)
    assert {f"{name}.{column}" for name, columns in _EMPTIED.items() for column in columns} - set(before) == {
        # Filled by the product alone, or with what cannot hold the mark.
        "interaction.address_kind", "outbox.last_error", "reservation.note",
    }  # fmt: skip
    figures = "select count(*), count(answered_at), sum(extract(epoch from closed_at)) from interaction"
    counted = tuple(await db.fetchrow(figures))
    # What others wrote, in their own ticket and in this person's.
    others = """select array_agg(m.text order by m.id) || array_agg(convert_from(l.raw, 'UTF8') order by m.id)
        || array_agg(i.address_name order by m.id)
        from interaction i join message m on m.interaction_id = i.id join mail l on l.interaction_id = i.id
        where i.id in (14, 16)"""
    proof = await erasures.erase(log, person, reason="Request 7", actor=None, now=now)
    assert await marked(db) == []
    assert tuple(await db.fetchrow(figures)) == counted
    assert await db.fetchval("select score from survey") == 4
    assert await db.fetchval("select customers from ticket where id = 2") == []
    assert await db.fetchval("select subject from ticket where id = 2") == "Bo"
    assert await db.fetchval(others) == ["Bo"] * 6
    assert await db.fetchval("select count(*) from outbox where state = 'waiting'") == 0
    said = await store.proof(log.pool, person)
    assert (said.id, said.reason) == (proof, "Request 7")
    counts = {"message": 6, "interaction": 6, "mail": 5, "outbox": 3, "ticket": 2}
    assert {table: said.emptied[table] for table in counts} == counts
    assert await db.fetchval("select kind from contact_log order by seq desc limit 1") == "customer.erased"


async def test_all_that_is_known_of_a_person_is_given_out(log, db, now, person):
    await db.execute(
        "insert into address (customer_id, kind, value, created_at) values (1, 'phone', '+8613800138000', $1)", now
    )
    await db.execute("insert into do_not_call (number, reason, added_at) values ('+8613800138000', $1, $2)", _MARK, now)
    archive = io.BytesIO()
    await store.export(log.pool, person, archive)
    with zipfile.ZipFile(archive) as files:
        assert sorted(files.namelist()) == [
            f"files/1-{_MARK}", "mail/1.eml", "mail/11.eml", "mail/12.eml", "mail/13.eml", "mail/15.eml", "person.json",
        ]  # fmt: skip
        assert files.read("mail/1.eml") == _MARK.encode()
        document = json.loads(files.read("person.json"))
    assert [each["name"] for each in document["records"]] == [_MARK]
    counts = {"addresses": 2, "contacts": 6, "tickets": 2, "letters": 3, "surveys": 1, "orders": 1}
    assert {key: len(document[key]) for key in counts} == counts
    assert [len(ticket["messages"]) for ticket in document["tickets"]] == [3, 1]
    [chat] = [contact["chat"] for contact in document["contacts"] if contact["chat"]]
    assert chat == {"page": _MARK, "page_title": _MARK}
    assert [task["title"] for ticket in document["tickets"] for task in ticket["tasks"]] == [_MARK]
    assert _MARK in [former["before"] for ticket in document["tickets"] for former in ticket["former"]]
    written = [draft for each in (*document["contacts"], *document["tickets"]) for draft in each["drafts"]]
    assert len(written) == 2
    reasons = [document["value"][0]["hand_reason"], document["do_not_call"][0]["reason"]]
    assert reasons == [_MARK] * 2
    assert [contact["correspondent"] for contact in document["contacts"] if contact["correspondent"]] == [_MARK]
    assert [len(document[key]) for key in ("refused_surveys", "contracts")] == [1, 1]
    assert '"Bo"' not in json.dumps([document["contacts"], document["tickets"]])
    with pytest.raises(NotFound):
        await store.export(log.pool, 999, io.BytesIO())


async def test_what_came_from_an_address_of_two_people_is_erased_in_the_tickets_of_the_one_alone(log, db, now, person):
    shared = f"{_MARK}@example.com"
    await db.execute(
        "insert into address (customer_id, kind, value, certainty, created_at) values (2, 'email', $1, 'maybe', $2)",
        shared, now,
    )  # fmt: skip
    # One in the ticket of who is erased, from the address of both; one of the other's, from it as well.
    await db.execute("update interaction set ticket_id = 1 where id = 11")
    await db.execute("update message set ticket_id = 1 where id = 11")
    await db.execute("update interaction set customer_id = 2 where id = 16")
    await db.execute("update interaction set address = $1 where id in (14, 16)", shared)
    await db.execute("update outbox set customer_id = 2 where id = 11")
    let_in = "insert into portal_session values (sha256('a'), $1, $2, $2, $2)"
    await db.execute(let_in, shared, now)
    archive = io.BytesIO()
    await store.export(log.pool, person, archive)
    with zipfile.ZipFile(archive) as files:
        document = json.loads(files.read("person.json"))
    assert [contact["id"] for contact in document["contacts"]] == [1, 2, 11, 12]
    await erasures.erase(log, person, reason="Request 7", actor=None, now=now)
    kept = await db.fetch("select id, text from message where text <> '' order by id")
    assert [tuple(row) for row in kept] == [(3, "Bo"), (13, _MARK), (14, "Bo"), (15, _MARK), (16, "Bo")]
    assert await db.fetchval("select array_agg(id order by id) from mail where raw <> ''") == [13, 14, 15, 16]
    assert await db.fetchval("select array_agg(id order by id) from outbox where recipient <> ''") == [11, 12]
    assert await db.fetchval("select array_agg(address) from portal_session") == [shared]
    assert await db.fetchval("select array_agg(customer_id) from address where value = $1", shared) == [2]


async def test_who_waits_without_a_name_is_not_erased(log, db, now, person):
    await db.execute("update interaction set state = 'queued', outcome = null, closed_at = null where id = 11")
    with pytest.raises(Conflict, match="Contact 11"):
        await erasures.erase(log, person, reason="Request 7", actor=None, now=now)


async def test_who_is_still_talking_is_not_erased_and_reasons_are_asked_for(log, db, now, person):
    await db.execute("update interaction set state = 'active', outcome = null, closed_at = null where id = 2")
    with pytest.raises(Conflict, match="Contact 2"):
        await erasures.erase(log, person, reason="Request 7", actor=None, now=now)
    with pytest.raises(Invalid, match="why"):
        await erasures.erase(log, person, reason=" ", actor=None, now=now)
    with pytest.raises(NotFound):
        await erasures.erase(log, 999, reason="Request 7", actor=None, now=now)
    with pytest.raises(NotFound, match="was not erased"):
        await store.proof(log.pool, person)


async def test_the_records_that_were_merged_into_one_are_erased_with_it(log, db, now):
    first, second = [
        await customers.create(log, name=_MARK, company=None, tier=None, addresses=(), actor=None, now=now)
        for _ in "ab"
    ]
    await customer_merges.merge(log, second, into=first, actor=None, now=now)
    await erasures.erase(log, first, reason="Request 8", actor=None, now=now)
    assert await marked(db) == []


async def test_a_record_at_rest_is_not_erased_for_the_one_that_has_it_all(log, now):
    first, second = [
        await customers.create(log, name=_MARK, company=None, tier=None, addresses=(), actor=None, now=now)
        for _ in range(2)
    ]
    await customer_merges.merge(log, second, into=first, actor=None, now=now)
    with pytest.raises(Conflict, match=f"merged into {first}"):
        await erasures.erase(log, second, reason="Request 9", actor=None, now=now)
    third = await customers.create(log, name="Bo", company=None, tier=None, addresses=(), actor=None, now=now)
    await erasures.erase(log, first, reason="Request 9", actor=None, now=now)
    with pytest.raises(Conflict, match="merged with nobody"):
        await customer_merges.merge(log, third, into=first, actor=None, now=now)


async def test_no_way_into_the_portal_is_left_whichever_address_it_was_sent_to(log, db, now, person):
    let_in = "insert into portal_session values (sha256($1::bytea), $2, $3, $3, $3)"
    await db.execute("update interaction set address = 'wrote@example.com'")
    for address in ("wrote@example.com", "former@example.com"):
        await db.execute(
            "insert into address (customer_id, kind, value, created_at) values (1, 'email', $1, $2)", address, now
        )
        await portal.send_link(log, address, language=None, now=now)
        await db.execute("delete from address where value = $1", address)
        await db.execute(let_in, address.encode(), address, now)
    await db.execute(let_in, b"bo", "bo@example.com", now)
    await erasures.erase(log, person, reason="Request 7", actor=None, now=now)
    assert await db.fetchval("select count(*) from portal_link") == 0
    assert await db.fetchval("select array_agg(address) from portal_session") == ["bo@example.com"]


async def test_the_record_of_who_was_erased_takes_nothing_any_more(log, db, now, person):
    await erasures.erase(log, person, reason="Request 7", actor=None, now=now)
    with pytest.raises(Conflict, match="erased"):
        await customers.update(log, person, changes={"name": _MARK}, version=None, actor=None, now=now)
    mail = read_address(AddressKind.EMAIL, f"{_MARK}@example.com", region="CN")
    with pytest.raises(Conflict, match="erased"):
        await customers.add_address(log, person, address=mail, actor=None, now=now)
    row = contract_import.Row(_MARK, _MARK, {"kind": "care", "starts_on": now.date(), "note": _MARK})
    outcome = await contract_import.import_rows(log, [row], zone=ZoneInfo("UTC"), actor=None, now=now)
    assert (outcome.changed, len(outcome.refused)) == (0, 1)
    assert await marked(db) == []


async def test_what_another_system_was_told_loses_the_id_that_names_a_person(log, db, now, person):
    hook = await db.fetchval(
        "insert into webhook (name, url, secret) values ('crm', 'https://crm.example', 's') returning id"
    )
    await db.execute(
        """insert into delivery (webhook_id, seq, kind, body, created_at, due_at, expires_at)
           select $1, seq, kind, jsonb_build_object('data', data), $2, $2, $2
           from contact_log where interaction_id = 1""",
        hook, now,
    )  # fmt: skip
    assert "delivery.body" in await marked(db)
    await erasures.erase(log, person, reason="Request 7", actor=None, now=now)
    assert await marked(db) == []
