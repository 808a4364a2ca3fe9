"""Customers are asked once about a contact that is wrapped up, and what they answer is kept."""

import asyncio
from datetime import timedelta

import pytest

from callcenter.actions import interactions, postings, surveys, tickets
from callcenter.actions.surveys import FollowUp
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel, Outcome
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import surveys as store
from callcenter.store import tickets as ticket_store
from tests.builders import NOW, Floor, arrive, later, make_customer, make_floor, make_user, reserve, settled

RULES = {"ask": "csat", "bad": 2, "delay": 600, "not_again": 30 * 86400, "valid": 14 * 86400, "change_within": 3600}
WORDS = FollowUp("Unhappy with a contact", "1 of 5")
MAIL = "wang@post.example"


@pytest.fixture
async def floor(pool) -> Floor:
    return await make_floor(pool, survey=RULES)


@pytest.fixture
def events(floor: Floor) -> list[Event]:
    heard: list[Event] = []
    floor.log.listen(heard.extend)
    return heard


async def customer(
    floor: Floor, *addresses: tuple[str, str], phone: str = "+8613800138000", name: str = "王小明"
) -> int:
    ident = await make_customer(floor.log.pool, name, phone=phone)
    for value, certainty in addresses:
        await floor.log.pool.execute(
            "insert into address (customer_id, kind, value, certainty) values ($1, 'email', $2, $3)",
            ident, value, certainty,
        )  # fmt: skip
    return ident


async def wrap_up(floor: Floor, interaction: int, *, at: float = 60) -> None:
    offer = await reserve(floor.log, interaction, floor.agent, now=later(at - 30))
    await interactions.answer(floor.log, offer, now=later(at - 20))
    await interactions.end_interaction(floor.log, interaction, cause="customer", now=later(at - 10))
    await interactions.wrap_up(floor.log, offer, queue=None, disposition="solved", note=None, now=later(at))


async def call(floor: Floor, *, phone: str = "+8613800138000", at: float = 60) -> int:
    interaction = await arrive(floor.log, queue=floor.queue, phone=phone, now=later(at - 40))
    await wrap_up(floor, interaction, at=at)
    return interaction


async def ask(floor: Floor, *, at: float = 61) -> int:
    await settled(floor.log.pool)
    return await surveys.ask_about_closed(floor.log, now=later(at))


async def letters(floor: Floor):
    return await floor.log.pool.fetch("select * from outbox order by id")


async def only_survey(floor: Floor) -> int:
    ident: int = await floor.log.pool.fetchval("select id from survey")
    return ident


async def answer(floor: Floor, survey: int, score: int, comment: str | None = None, *, at: float = 700):
    return await surveys.answer(floor.log, survey, score=score, comment=comment, follow_up=WORDS, now=later(at))


async def test_who_had_a_call_is_asked_by_mail_in_their_language_after_the_delay(floor, events):
    known = await customer(floor, (MAIL, "known"))
    await floor.log.pool.execute("update customer set language = 'zh_TW'")
    contact = await call(floor)
    assert await ask(floor) == 1
    [letter] = await letters(floor)
    assert (letter["recipient"], letter["recipient_name"], letter["language"]) == (MAIL, "王小明", "zh_TW")
    assert (letter["template"], letter["due_at"]) == ("survey", later(60 + 600))
    assert letter["data"]["survey"] == await only_survey(floor)
    found = await store.get(floor.log.pool, await only_survey(floor))
    assert (found.interaction, found.customer, found.queue, found.agent) == (contact, known, floor.queue, floor.agent)
    assert found.expires_at == later(660) + timedelta(days=14)
    assert letter["expires_at"] == later(660) + timedelta(days=3)
    assert [event.kind for event in events][-1] == "survey.asked"
    assert MAIL not in str(events)
    assert "王小明" not in str(events)


async def test_a_letter_goes_out_no_later_than_its_links_are_good(floor):
    await floor.log.pool.execute("update queue set survey = $1", {**RULES, "valid": 3600})
    await customer(floor, (MAIL, "known"))
    await call(floor)
    await ask(floor)
    [letter] = await letters(floor)
    assert letter["expires_at"] == later(660 + 3600)


async def test_work_from_other_systems_is_asked_about_alike(floor):
    await customer(floor, (MAIL, "known"), phone="+8613900139000")
    arrival = postings.arrival_of(
        Channel.EMAIL, address=MAIL, external_id="1", subject="Invoice", region="CN", asks={"language": "en"}
    )
    contact, _ = await postings.post(floor.log, arrival, queue=floor.queue, text="Where is it?", now=NOW)
    await wrap_up(floor, contact)
    assert await ask(floor) == 1
    [letter] = await letters(floor)
    assert (letter["interaction_id"], letter["language"], letter["data"]["channel"]) == (contact, "en", "email")


async def test_each_contact_is_looked_at_once(floor):
    await customer(floor, (MAIL, "known"))
    await call(floor)
    assert [await ask(floor) for _ in range(3)] == [1, 0, 0]
    await floor.log.pool.execute("delete from survey")
    assert await ask(floor) == 0


async def test_nodes_that_ask_at_once_ask_once(floor):
    for number in range(45):
        await customer(floor, (f"c{number}@post.example", "known"), phone=f"+86138001380{number:02}")
        await call(floor, phone=f"+86138001380{number:02}")
    log = floor.log
    await settled(log.pool)
    asked = await asyncio.gather(*[surveys.ask_about_closed(log, now=later(61)) for _ in range(4)])
    assert sum(asked) + await ask(floor) == 45
    assert len({letter["recipient"] for letter in await letters(floor)}) == 45


async def test_what_is_not_settled_yet_is_asked_about_later(floor, db):
    await customer(floor, (MAIL, "known"))
    async with db.transaction():
        await db.execute("update node set name = 'elsewhere'")
        await call(floor)
        assert await surveys.ask_about_closed(floor.log, now=later(61)) == 0
    assert await ask(floor) == 1


async def test_where_nothing_closes_the_cursor_moves_on_now_and_then(floor, monkeypatch):
    cursor = "select (xid, seq)::text from log_reader where name = 'surveys'"
    monkeypatch.setattr(surveys, "_STEP", 10**9)  # transactions of the whole server count, not only ours
    await ask(floor)
    before = await floor.log.pool.fetchval(cursor)
    await ask(floor)
    assert await floor.log.pool.fetchval(cursor) == before
    monkeypatch.setattr(surveys, "_STEP", 0)  # now and then is always
    await ask(floor)
    assert await floor.log.pool.fetchval(cursor) != before
    await customer(floor, (MAIL, "known"))
    await call(floor)
    assert await ask(floor) == 1


async def test_an_older_epoch_of_the_log_holds_nothing_up(floor):
    await customer(floor, (MAIL, "known"))
    await call(floor)
    await settled(floor.log.pool)
    await floor.log.pool.execute("update contact_log set xid = '99999999'")
    await floor.log.pool.execute("update organisation set log_epoch = 2")
    await floor.log.pool.execute("alter table contact_log alter column epoch set default 2")
    assert await surveys.ask_about_closed(floor.log, now=later(61)) == 1
    assert await floor.log.pool.fetchval("select epoch from log_reader where name = 'surveys'") == 2


@pytest.mark.parametrize(
    ("addresses", "chosen"),
    [
        ([], None),
        ([("guess@post.example", "maybe")], None),
        ([("a@post.example", "known"), ("b@post.example", "known")], "b@post.example"),
        ([("a@post.example", "verified"), ("b@post.example", "known")], "a@post.example"),
    ],
)
async def test_the_most_certain_address_is_asked_and_a_guess_never(floor, addresses, chosen):
    await customer(floor, *addresses)
    await call(floor)
    await ask(floor)
    assert [letter["recipient"] for letter in await letters(floor)] == ([chosen] if chosen else [])


async def test_nobody_is_asked_after_a_contact_that_came_to_nothing(floor):
    await customer(floor, (MAIL, "known"))
    lost = await arrive(floor.log, queue=floor.queue)
    await interactions.leave_unserved(
        floor.log, lost, outcome=Outcome.ABANDONED, cause="customer", node=None, now=later(30)
    )
    assert await ask(floor) == 0


async def test_a_queue_without_a_survey_asks_nobody(floor):
    await floor.log.pool.execute("update queue set survey = null")
    await customer(floor, (MAIL, "known"))
    await call(floor)
    assert await ask(floor) == 0


async def test_nobody_is_asked_twice_within_the_time_of_the_queue_nor_somebody_else_at_the_same_address(floor):
    await customer(floor, (MAIL, "known"))
    await customer(floor, (MAIL, "known"), phone="+8613900139000", name="王小红")
    await call(floor)
    await call(floor, at=200)
    await call(floor, phone="+8613900139000", at=400)
    assert await ask(floor, at=500) == 1
    month = 30 * 86400
    await call(floor, at=month)
    assert await ask(floor, at=month) == 0
    await call(floor, at=month + 61)
    assert await ask(floor, at=month + 61) == 1


async def test_contacts_of_a_time_when_no_server_ran_are_not_asked_about_any_more(floor):
    await customer(floor, (MAIL, "known"))
    await call(floor)
    assert await ask(floor, at=60 + 86400) == 0


@pytest.fixture
async def survey(floor) -> int:
    await customer(floor, (MAIL, "known"))
    await call(floor)
    await ask(floor)
    return await only_survey(floor)


async def test_an_answer_is_stored_and_may_be_changed_for_a_while(floor, survey, events):
    first = await answer(floor, survey, 4, " Quick.\r\nThanks ")
    assert (first.score, first.comment, first.answered_at, first.ticket) == (4, "Quick.\nThanks", later(700), None)
    again = await answer(floor, survey, 4, "Quick.\nThanks", at=800)
    assert again.version == first.version, "the same again changes nothing"
    changed = await answer(floor, survey, 5, at=700 + 3599)
    assert (changed.score, changed.comment, changed.answered_at) == (5, None, later(700))
    with pytest.raises(Conflict, match="no longer be changed"):
        await answer(floor, survey, 3, at=700 + 3600)
    told = [(event.data["score"], event.data["bad"]) for event in events if event.kind == "survey.answered"]
    assert told == [(4, False), (5, False)]
    assert "Thanks" not in str(events)


async def test_an_answer_that_comes_too_late_is_refused(floor, survey):
    with pytest.raises(Conflict):
        await answer(floor, survey, 4, at=660 + 14 * 86400)


@pytest.mark.parametrize("score", [0, 6, -1, 100])
async def test_a_score_of_another_question_is_refused(floor, survey, score):
    with pytest.raises(Invalid) as caught:
        await answer(floor, survey, score)
    assert caught.value.field == "score"


@pytest.mark.parametrize("comment", ["x" * 2001, "a\x00b"])
async def test_a_comment_that_cannot_be_kept_is_refused(floor, survey, comment):
    with pytest.raises(Invalid) as caught:
        await answer(floor, survey, 4, comment)
    assert caught.value.field == "comment"


async def test_there_is_no_answer_without_a_question(floor):
    with pytest.raises(NotFound):
        await answer(floor, 99, 4)


async def test_whoever_changes_their_mind_for_ever_is_stopped(floor, survey):
    for number in range(20):
        await answer(floor, survey, 4 + number % 2, at=700 + number)
    with pytest.raises(Conflict):
        await answer(floor, survey, 3, at=750)


async def test_a_bad_score_opens_one_ticket_for_the_agents_supervisor_with_the_contact(floor, survey, events):
    pool = floor.log.pool
    sue = await make_user(pool, "sue", role="supervisor")
    await pool.execute("update users set manager_id = $2 where id = $1", floor.agent, sue)
    answered = await answer(floor, survey, 2, "Nobody listened.")
    ticket = await ticket_store.get(pool, answered.ticket)
    assert (ticket.owner, ticket.queue, ticket.customer) == (sue, floor.queue, answered.customer)
    assert (ticket.subject, ticket.priority, ticket.category) == (WORDS.subject, "high", "satisfaction")
    assert ticket.interactions == (answered.interaction,)
    assert [event.kind for event in events][-3:] == ["interaction.linked", "ticket.opened", "survey.answered"]
    worse = await answer(floor, survey, 1, at=710)
    assert worse.ticket == answered.ticket


async def test_what_is_said_after_the_score_stands_in_the_ticket_too(floor, survey):
    bare = FollowUp("Unhappy", "They answered 1.")
    answered = await surveys.answer(floor.log, survey, score=1, comment=None, follow_up=bare, now=later(700))
    said = FollowUp("Unhappy", "They answered 2.\n\nNobody called back.")
    await surveys.answer(floor.log, survey, score=2, comment="Nobody called back.", follow_up=said, now=later(710))
    await answer(floor, survey, 1, at=720)
    notes = await floor.log.pool.fetch("select text from message where ticket_id = $1", answered.ticket)
    assert [row["text"] for row in notes] == [said.note]


async def test_what_was_written_in_the_contact_stays_as_it_is(floor, survey):
    pool = floor.log.pool
    await pool.execute("update interaction set channel = 'chat'")
    for kind, text in (("inbound", "Hello?"), ("outbound", "Bye")):
        await pool.execute(
            "insert into message (interaction_id, kind, text, at) select id, $1, $2, $3 from interaction",
            kind, text, later(10),
        )  # fmt: skip
    answered = await answer(floor, survey, 1)
    said = FollowUp("Unhappy", "They answered 1.\n\nNobody called back.")
    await surveys.answer(floor.log, survey, score=1, comment="Nobody called back.", follow_up=said, now=later(710))
    lines = await pool.fetch("select text from message where ticket_id = $1 order by id", answered.ticket)
    assert [row["text"] for row in lines] == ["Hello?", "Bye", said.note]


async def test_answers_that_come_at_once_open_one_ticket(floor, survey):
    await asyncio.gather(answer(floor, survey, 1), answer(floor, survey, 1, "again"), answer(floor, survey, 2))
    assert await floor.log.pool.fetchval("select count(*) from ticket") == 1


async def test_a_contact_that_belongs_to_a_ticket_stays_there(floor, survey):
    contact = await floor.log.pool.fetchval("select id from interaction")
    case = await tickets.open_ticket(
        floor.log, subject="Refund", customer=None, interaction=contact, queue=None, priority="normal", text=None,
        actor=None, now=later(100),
    )  # fmt: skip
    answered = await answer(floor, survey, 1)
    assert answered.ticket not in (None, case.id)
    assert (await ticket_store.get(floor.log.pool, case.id)).interactions == (contact,)
