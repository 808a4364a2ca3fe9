"""The rules of the pop."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from screenpop.colleagues import Colleagues
from screenpop.i18n import SOURCE, Language, load_languages
from screenpop.pop import AddressItem, Item, Person, Pop, RecentCount, certainty_of, cut, pop_view, waited

NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def english() -> Language:
    return load_languages()[SOURCE]


def item(ident: int = 7, *, ago: timedelta = timedelta(0), **fields: object) -> Item:
    at = (NOW - ago).isoformat()
    made: Item = {
        "id": ident, "channel": "phone", "direction": "inbound", "state": "closed", "outcome": "handled",
        "external_id": None, "customer": 3, "queue": "support", "agent": "bo", "ticket": None,
        "address": "+8613800138000", "address_kind": "phone", "address_name": None, "called": "95500", "subject": None,
        "arrived_at": at, "queued_at": at, "answered_at": at,
        "ended_at": (NOW - ago + timedelta(seconds=250)).isoformat(),
        "closed_at": at, "disposition": "call_back", "note": None, "priority": 0, "version": 1,
    }  # fmt: skip
    return {**made, **fields}  # type: ignore[typeddict-item]


def person(ident: int = 3, *addresses: tuple[str, str], **fields: object) -> Person:
    made: Person = {
        "id": ident, "name": "王小明", "company": "Acme", "company_id": 5, "tier": "gold", "language": None,
        "note": None, "external_id": None, "created_at": NOW.isoformat(),
        "addresses": [AddressItem(kind="phone", value=value, certainty=certainty) for value, certainty in addresses],
    }  # fmt: skip
    return {**made, **fields}  # type: ignore[typeddict-item]


def pop(customer: Person | None = None, **fields: object) -> Pop:
    made = Pop(
        interaction=item(), customer=customer, matches=[customer] if customer else [], near=[], history=[],
        open_tickets=[], scores=[], recent_count=RecentCount(days=7, count=1), contracts=[], value=None,
        colleagues=None, proposed_company=None,
    )  # fmt: skip
    return {**made, **fields}  # type: ignore[typeddict-item]


@pytest.mark.parametrize("certainty", ["verified", "known", "maybe"])
def test_the_certainty_shown_is_that_of_the_address_of_this_contact(certainty: str):
    someone = person(3, ("+8613800138000", certainty), ("+862155550100", "verified"))
    assert certainty_of(someone, "phone", "+8613800138000") == certainty


def test_a_customer_chosen_under_a_withheld_number_is_known_and_nobody_is_nothing():
    assert certainty_of(person(), None, None) == "known"
    assert certainty_of(None, "phone", "+8613800138000") == ""


def test_an_unknown_caller_is_titled_by_the_number_and_a_withheld_one_by_words(english: Language):
    assert pop_view(pop(), english, now=NOW, zone=ZONE).title == "+86 138 0013 8000"
    withheld = pop(interaction=item(address=None, address_kind=None))
    assert pop_view(withheld, english, now=NOW, zone=ZONE).title == "Number withheld"


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, ""), (2, "2nd contact in 7 days"), (3, "3rd contact in 7 days"), (11, "11th contact in 7 days"),
     (22, "22nd contact in 7 days")],
)  # fmt: skip
def test_how_often_they_called_lately_is_said_in_words(english: Language, count: int, words: str):
    recent = pop(person(), recent_count=RecentCount(days=7, count=count))
    assert pop_view(recent, english, now=NOW, zone=ZONE).recent == words


def test_the_last_contact_says_when_who_and_what_came_of_it(english: Language):
    seen = pop_view(pop(person(), history=[item(6, ago=timedelta(days=2))]), english, now=NOW, zone=ZONE)
    assert seen.last == "Sun 16:30 · bo · Call back"


def test_only_the_newest_rows_are_drawn_and_the_rest_is_counted(english: Language):
    history = [item(n, ago=timedelta(hours=n)) for n in range(1, 31)]
    seen = pop_view(pop(person(), history=history), english, now=NOW, zone=ZONE, rows=12)
    assert [row.id for row in seen.rows] == list(range(1, 13))
    assert seen.more == 18


def test_a_given_up_call_is_marked_and_has_no_duration(english: Language):
    lost = item(6, outcome="abandoned", answered_at=None, disposition=None)
    row = pop_view(pop(person(), history=[lost]), english, now=NOW, zone=ZONE).rows[0]
    assert (row.missed, row.took, row.result) == (True, "", "gave up waiting")


def test_what_came_over_the_wire_is_cut_to_what_a_screen_holds(english: Language):
    seen = pop_view(pop(interaction=item(address_name="x" * 10_000)), english, now=NOW, zone=ZONE)
    assert len(seen.caller) == 200
    assert cut("短") == "短"
    assert cut(None) == ""


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, ""), (1, "Colleagues have 1 open ticket"), (7, "Colleagues have 7 open tickets"),
     (100, "Colleagues have 100 open tickets or more")],
)  # fmt: skip
def test_how_much_colleagues_have_open_is_said_in_words(english: Language, count: int, words: str):
    seen = pop_view(pop(person(), colleagues=Colleagues(company=5, open_tickets=count)), english, now=NOW, zone=ZONE)
    assert seen.colleagues == words


def test_waiting_ends_with_the_answer():
    assert waited(item(answered_at=None), NOW + timedelta(seconds=9)) == timedelta(seconds=9)
    answered = item(answered_at=(NOW + timedelta(seconds=4)).isoformat())
    assert waited(answered, NOW + timedelta(seconds=9)) == timedelta(seconds=4)
