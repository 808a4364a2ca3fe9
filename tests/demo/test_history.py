"""The invented year is believable: it keeps every rule that a real one would have kept."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.agent import Role
from callcenter.domain.survey import SCORES
from callcenter.errors import Invalid
from callcenter.store import bulk
from callcenter.store.directory import Directory
from tests.builders import make_customer
from tests.demo.conftest import UNTIL, Company, records, tell

QUARTER = UNTIL - timedelta(days=92)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_the_same_seed_tells_the_same_year_and_another_seed_another_one(company):
    first = tell(company, customers=20, interactions=100)
    assert first.rows == tell(company, customers=20, interactions=100).rows
    assert first.rows != tell(company, customers=20, interactions=100, seed=8).rows


def test_times_of_a_contact_follow_each_other_and_lie_in_the_year(year):
    for row in records(year, "interaction"):
        times = [row["arrived_at"], row["queued_at"], row["answered_at"], row["ended_at"], row["closed_at"]]
        known = [time for time in times if time is not None]
        assert known == sorted(known), row
        assert UNTIL - timedelta(days=367) < known[0]
        assert known[-1] < UNTIL


def test_a_disposition_is_one_of_its_queue_and_only_handled_contacts_have_one(company, year):
    for row in records(year, "interaction"):
        if row["outcome"] == "handled":
            assert row["disposition"] in company.queues[row["queue_id"]].dispositions
            assert row["note"]
            assert row["agent_id"] is not None
        else:
            assert (row["disposition"], row["note"], row["answered_at"]) == (None, None, None)


def test_who_took_a_contact_is_an_agent_of_its_queue(company, year):
    for row in records(year, "interaction"):
        if row["agent_id"] is not None:
            assert row["agent_id"] in company.queues[row["queue_id"]].members
            assert company.users[row["agent_id"]].role is Role.AGENT


def test_nobody_talks_to_two_callers_at_once(year):
    talks = defaultdict(list)
    inbound = {row["id"] for row in records(year, "interaction") if row["channel"] in ("phone", "chat")}
    for row in records(year, "reservation"):
        if row["answered_at"] is not None and row["interaction_id"] in inbound:
            talks[row["agent_id"]].append((row["answered_at"], row["ended_at"]))
    for times in talks.values():
        for (_, before), (after, _) in pairwise(sorted(times)):
            assert before <= after


def test_phones_are_answered_only_while_the_queue_is_open_to_callers(company, year):
    for row in records(year, "interaction"):
        hours = company.queues[row["queue_id"]].hours
        if row["channel"] == "phone" and row["direction"] == "inbound" and hours is not None:
            assert hours.is_open(row["arrived_at"])


def test_every_channel_and_outcome_of_the_past_occurs(year):
    contacts = records(year, "interaction")
    assert {row["channel"] for row in contacts} == {"phone", "email", "chat", "form", "fax", "visit"}
    outcomes = Counter(row["outcome"] for row in contacts if row["channel"] == "phone")
    assert outcomes.keys() == {"handled", "abandoned", "short_abandoned"}
    assert 0.01 < outcomes["abandoned"] / outcomes.total() < 0.15
    assert any(row["address"] == "" for row in contacts), "some withhold their number"
    assert any(row["customer_id"] is None for row in contacts), "some are unknown"


def test_days_are_busier_than_nights_and_mondays_than_sundays(year):
    moments = [row["arrived_at"].astimezone(SHANGHAI) for row in records(year, "interaction")]
    hours = Counter(moment.hour for moment in moments)
    days = Counter(moment.weekday() for moment in moments)
    assert hours[10] > 5 * hours[3]
    assert days[0] > days[6]


def test_several_people_share_a_number_and_addresses_are_of_every_kind_and_certainty(year):
    addresses = records(year, "address")
    shared = Counter((row["kind"], row["value"]) for row in addresses)
    assert max(count for (kind, _), count in shared.items() if kind == "phone") > 1
    assert {row["kind"] for row in addresses} == {"phone", "email", "web", "fax", "external"}
    assert {row["certainty"] for row in addresses} == {"verified", "known", "maybe"}


def test_customers_write_their_names_in_many_scripts(company):
    names = "".join(row["name"] for row in records(tell(company, customers=600, interactions=10), "customer"))
    for sample in ("陳", "陈", "é", "ü", "α", "а", "이"):
        assert sample in names, sample


def test_contacts_continue_the_case_of_the_one_before(year):
    contacts = records(year, "interaction")
    by_ticket = defaultdict(list)
    for row in contacts:
        if row["ticket_id"] is not None:
            by_ticket[row["ticket_id"]].append(row)
    assert any(len({row["channel"] for row in rows}) > 1 for rows in by_ticket.values())
    assert all(len({row["customer_id"] for row in rows}) == 1 for rows in by_ticket.values())
    assert {row["state"] for row in records(year, "ticket")} >= {"open", "resolved", "closed"}


def test_the_caller_of_the_readme_is_known_and_has_something_open(year):
    numbers = [row for row in records(year, "address") if row["value"] == "+8613800138000"]
    assert [(row["customer_id"], row["certainty"]) for row in numbers] == [(1, "verified")]
    tickets = [row for row in records(year, "ticket") if row["customer_id"] == 1]
    assert any(row["state"] in ("open", "pending") for row in tickets)
    assert sum(row["customer_id"] == 1 for row in records(year, "interaction")) > 2


def test_only_a_closed_ticket_has_a_closing_time_and_none_closes_before_it_opens(year):
    for row in records(year, "ticket"):
        assert (row["closed_at"] is not None) == (row["state"] == "closed")
        assert row["created_at"] <= row["updated_at"] <= UNTIL


def test_an_organisation_without_the_queues_of_the_stories_is_refused_in_words(company):
    some = {ident: queue for ident, queue in company.queues.items() if queue.name != "repair"}
    with pytest.raises(Invalid, match="needs a queue repair"):
        tell(Company(company.users, some, company.timezone), customers=5, interactions=10)


@pytest.fixture
async def furnished(pool, company):
    """The company's users and queues in the database, with the ids that the history will speak of."""
    for user in company.users.values():
        await pool.execute(
            "insert into users (id, name, full_name, role, endpoint) overriding system value "
            "values ($1, $2, $3, $4, $5)",
            user.id, user.name, user.full_name, user.role, user.endpoint,
        )  # fmt: skip
    for queue in company.queues.values():
        await pool.execute(
            "insert into queue (id, name, dispositions) overriding system value values ($1, $2, $3)",
            queue.id, queue.name, list(queue.dispositions),
        )  # fmt: skip
    return pool


async def test_the_year_is_written_once_with_its_log(furnished, year):
    assert await bulk.load(furnished, year, log_since=QUARTER, now=UNTIL)
    assert not await bulk.load(furnished, year, log_since=QUARTER, now=UNTIL)
    assert await furnished.fetchval("select count(*) from interaction") == len(year.rows["interaction"])
    kinds = [f"interaction.{kind}" for kind in ("arrived", "answered", "ended", "wrapped", "closed")]
    wrong = await furnished.fetch(
        "select i.id from interaction i where i.outcome = 'handled' and i.arrived_at >= $2 "
        "and (select array_agg(l.kind order by l.seq) from contact_log l "
        "where l.interaction_id = i.id and l.kind = any($1)) <> $1",
        kinds,
        QUARTER,
    )
    assert wrong == []
    assert await furnished.fetchval("select count(distinct interaction_id) from contact_log") > 100
    assert await furnished.fetchval("select count(*) from contact_log_default") == 0


async def test_life_goes_on_after_the_year_with_new_numbers(furnished, year):
    await bulk.load(furnished, year, log_since=QUARTER, now=UNTIL)
    assert await make_customer(furnished, "后来的人") == len(year.rows["customer"]) + 1
    assert await furnished.fetchval("select nextval('ticket_number')") == 1001 + len(year.rows["ticket"])


async def test_a_database_with_a_customer_of_its_own_is_left_alone(furnished, year):
    await make_customer(furnished, "真实的客户")
    assert not await bulk.is_untouched(furnished)
    assert not await bulk.load(furnished, year, log_since=QUARTER, now=UNTIL)
    assert await furnished.fetchval("select count(*) from interaction") == 0


async def test_everybody_and_every_queue_of_the_year_can_be_looked_up(furnished, year):
    await bulk.load(furnished, year, log_since=QUARTER, now=UNTIL)
    directory = Directory(furnished)
    await directory.load()
    row = await furnished.fetchrow("select agent_id, queue_id from interaction where agent_id is not null limit 1")
    assert directory.user(row["agent_id"]).name
    assert directory.queue(row["queue_id"]).name


def test_a_quarter_of_the_demo_is_told_within_seconds(company):
    began = datetime.now(UTC)
    batch = tell(company, customers=500, interactions=6_000)
    # Half a second when nothing else runs; this machine may be busy.
    assert datetime.now(UTC) - began < timedelta(seconds=15)
    assert len(batch.rows["customer"]) == 500
    assert 5_000 < len(batch.rows["interaction"]) < 7_500


def test_customers_are_asked_as_their_queue_says_and_answer_its_question(company, year):
    asked: dict[int, datetime] = {}
    contacts = {row["id"]: row for row in records(year, "interaction")}
    answered = 0
    for row in records(year, "survey"):
        contact, rules = contacts[row["interaction_id"]], company.queues[row["queue_id"]].survey
        assert contact["outcome"] == "handled"
        assert row["asked_at"] == contact["closed_at"] + rules.delay
        before = asked.get(row["customer_id"])
        assert before is None or row["asked_at"] - before >= rules.not_again
        asked[row["customer_id"]] = row["asked_at"]
        if row["score"] is not None:
            answered += 1
            assert row["score"] in SCORES[rules.ask]
            assert row["asked_at"] < row["answered_at"] < UNTIL
        else:
            assert (row["comment"], row["answered_at"]) == (None, None)
    assert 0.15 < answered / len(list(records(year, "survey"))) < 0.4
