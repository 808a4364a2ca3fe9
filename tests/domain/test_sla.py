"""Four clocks of a ticket: when they run, stop, are met and breached, and when their levels are due."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.business import Calendar
from callcenter.domain.hours import DAYS, Hours
from callcenter.domain.sla import (
    Action,
    ClockName,
    ClockState,
    Facts,
    Level,
    Pause,
    Policy,
    answered,
    asked,
    changed,
    choose,
    moments,
    next_moment,
    raised,
    reached,
    recompute,
    told,
    used,
    used_at,
)
from callcenter.domain.ticket import Priority, TicketState
from tests.builders import NOW, later

HOUR = timedelta(hours=1)
OFFICE = Calendar(Hours.parse(timezone="Asia/Shanghai", weekly={day: ["09:00-12:00", "13:30-18:00"] for day in DAYS}))
TARGETS = {
    ClockName.OWN: HOUR / 6,
    ClockName.FIRST_RESPONSE: HOUR / 2,
    ClockName.NEXT_RESPONSE: HOUR,
    ClockName.RESOLUTION: 8 * HOUR,
}


def level(at: str, clock: ClockName = ClockName.RESOLUTION, number: int = 1) -> Level:
    return Level(clock, number, at, (Action("notify", "owner"),))


def policy(*levels: Level, **changes: Any) -> Policy:
    given: dict[str, Any] = {"name": "all", "when": {}, "calendar": Calendar(), "targets": TARGETS}
    return Policy(**{**given, "pauses": frozenset({"pending"}), "levels": levels, **changes})


def clocks(facts: Facts, *pauses: Pause, at: float, by: Policy | None = None, before: Any = None):
    return recompute(by or policy(), facts, pauses, before or {}, later(at))


def states(found) -> dict[str, str]:
    return {name.value: clock.state.value for name, clock in found.items()}


def test_a_new_ticket_owes_an_owner_an_answer_and_a_solution_but_no_next_answer():
    found = clocks(Facts(NOW), at=0)
    assert states(found) == {"own": "running", "first_response": "running", "resolution": "running"}
    assert found[ClockName.OWN].due_at == later(600)
    assert found[ClockName.RESOLUTION].risk_at == later(0.8 * 8 * 3600)


def test_what_is_done_in_time_is_met_with_what_was_left():
    found = clocks(Facts(NOW, owned_at=later(60), answered_at=later(2400)), at=3000)
    assert states(found) == {"own": "met", "first_response": "breached", "resolution": "running"}
    assert found[ClockName.OWN].difference == timedelta(minutes=9)
    assert found[ClockName.FIRST_RESPONSE].difference == -timedelta(minutes=10)
    assert found[ClockName.FIRST_RESPONSE].breached_at == later(1800)


def test_a_late_reply_breaches_first_response_and_stays_a_breach():
    late = clocks(Facts(NOW, answered_at=later(1800)), at=1800)
    assert late[ClockName.FIRST_RESPONSE].state is ClockState.BREACHED
    assert clocks(Facts(NOW, answered_at=later(1799)), at=1800)[ClockName.FIRST_RESPONSE].state is ClockState.MET


def test_the_next_response_never_runs_before_the_first_response_has_happened():
    facts = asked(asked(Facts(NOW), later(10)), later(20))
    assert ClockName.NEXT_RESPONSE not in clocks(facts, at=99_999)


def test_who_writes_again_does_not_move_their_own_deadline():
    facts = asked(asked(answered(Facts(NOW), later(60)), later(100)), later(900))
    found = clocks(facts, at=1000)[ClockName.NEXT_RESPONSE]
    assert (found.due_at, found.round) == (later(100 + 3600), 1)


def test_the_next_response_rests_while_we_spoke_last_and_begins_anew_with_the_next_question():
    facts = answered(asked(answered(Facts(NOW), later(60)), later(100)), later(200))
    found = clocks(facts, at=99_999)[ClockName.NEXT_RESPONSE]
    assert (found.state, found.difference) == (ClockState.MET, timedelta(seconds=3500))
    again = clocks(asked(facts, later(300)), at=400, before={ClockName.NEXT_RESPONSE: found})[ClockName.NEXT_RESPONSE]
    assert (again.state, again.round, again.due_at) == (ClockState.RUNNING, 2, later(300 + 3600))


def test_a_pause_moves_the_deadline_by_its_business_time_and_no_more():
    # 16:30 in Shanghai; pending over the night from 17:30 until 09:30: half an hour on either side was open.
    night = Pause(later(3600), later(17 * 3600), "pending")
    found = clocks(Facts(NOW), night, at=17 * 3600, by=policy(calendar=OFFICE))[ClockName.RESOLUTION]
    assert OFFICE.between(NOW, found.due_at) == 9 * HOUR


def test_while_paused_nothing_is_due_and_what_is_left_is_kept():
    found = clocks(Facts(NOW), Pause(later(300), None, "pending"), at=99_999)
    assert states(found) == {"own": "paused", "first_response": "paused", "resolution": "paused"}
    assert found[ClockName.OWN].remaining == timedelta(minutes=5)
    assert all(clock.due_at is None for clock in found.values())
    assert next_moment(found, moments(policy(level("+0m")), found, [Pause(later(300), None, "pending")], ())) is None


def test_what_was_breached_before_a_pause_is_breached_in_it():
    found = clocks(Facts(NOW), Pause(later(700), None, "pending"), at=99_999)
    assert found[ClockName.OWN].state is ClockState.BREACHED
    assert found[ClockName.OWN].breached_at == later(600)


def test_only_the_states_that_the_policy_names_pause():
    hold = Pause(later(60), None, "on_hold")
    assert clocks(Facts(NOW), hold, at=120)[ClockName.OWN].state is ClockState.RUNNING
    both = policy(pauses=frozenset({"pending", "on_hold"}))
    assert clocks(Facts(NOW), hold, at=120, by=both)[ClockName.OWN].state is ClockState.PAUSED


def test_another_policy_while_paused_keeps_the_ledger_and_counts_from_the_creation():
    ledger = [Pause(later(600), later(1200), "pending"), Pause(later(2000), None, "pending")]
    longer = policy(targets={ClockName.RESOLUTION: 10 * HOUR})
    paused = recompute(longer, Facts(NOW), ledger, clocks(Facts(NOW), *ledger, at=3000), later(3000))
    assert paused[ClockName.RESOLUTION].remaining == 10 * HOUR - timedelta(seconds=1400)
    ledger[1] = Pause(later(2000), later(4000), "pending")
    assert clocks(Facts(NOW), *ledger, at=4000, by=longer)[ClockName.RESOLUTION].due_at == later(36_000 + 600 + 2000)


def test_a_shorter_promise_breaches_and_a_longer_one_takes_the_breach_back_while_it_is_owed():
    facts = Facts(NOW)
    late = clocks(facts, at=9 * 3600)
    assert late[ClockName.RESOLUTION].state is ClockState.BREACHED
    longer = clocks(facts, at=9 * 3600, by=policy(targets={ClockName.RESOLUTION: 10 * HOUR}), before=late)
    assert states(longer) == {"own": "void", "first_response": "void", "resolution": "running"}
    assert longer[ClockName.RESOLUTION].breached_at is None


def test_what_was_met_stays_as_it_was_judged_whatever_is_promised_later():
    facts = Facts(NOW, owned_at=later(300))
    met = clocks(facts, at=400)
    shorter = policy(targets={ClockName.OWN: timedelta(seconds=10)})
    assert clocks(facts, at=500, by=shorter, before=met)[ClockName.OWN] == met[ClockName.OWN]


def test_a_resolved_ticket_owes_no_answer_any_more_and_a_reopened_one_goes_on_where_it_was():
    facts = changed(Facts(NOW), owner=None, state=TicketState.RESOLVED, now=later(300))
    ledger = [Pause(later(300), None, "resolved")]
    over = clocks(facts, *ledger, at=300)
    assert states(over) == {"own": "void", "first_response": "void", "resolution": "met"}
    assert clocks(facts, *ledger, at=99_999, before=over)[ClockName.OWN].state is ClockState.VOID
    ledger = [Pause(later(300), later(7500), "resolved")]
    again = clocks(changed(facts, owner=None, state=TicketState.OPEN, now=later(7500)), *ledger, at=7500, before=over)
    assert states(again) == {"own": "running", "first_response": "running", "resolution": "running"}
    assert again[ClockName.OWN].due_at == later(7500 + 300)


def test_a_ticket_without_policy_owes_nothing():
    before = clocks(Facts(NOW), at=0)
    assert recompute(None, Facts(NOW), (), {}, NOW) == {}
    gone = recompute(None, Facts(NOW), (), before, later(1))
    assert {clock.state for clock in gone.values()} == {ClockState.VOID}
    assert moments(None, gone, (), ()) == []


@pytest.mark.parametrize(
    ("at", "hours"), [("80%", 6.4), ("150%", 12), ("-30m", 7.5), ("+0m", 8), ("+2h", 10), ("+1h30m", 9.5)]
)
def test_levels_are_shares_of_the_target_or_offsets_from_it(at, hours):
    assert used_at(at, 8 * HOUR) == hours * HOUR
    [moment] = moments(policy(level(at)), clocks(Facts(NOW), at=0), (), ())
    assert moment.at == NOW + hours * HOUR


def test_a_warning_before_the_target_is_not_due_at_the_creation():
    found = clocks(Facts(NOW), at=0, by=policy(calendar=OFFICE))
    [moment] = moments(policy(level("-30m"), calendar=OFFICE), found, (), ())
    assert moment.at > NOW
    assert OFFICE.between(NOW, moment.at) == timedelta(hours=7.5)


def test_levels_come_in_order_once_each_and_not_for_what_is_no_longer_owed():
    levels = [level("+2h", number=3), level("80%", number=1), level("+0m", number=2)]
    facts = Facts(NOW)
    by = policy(*levels)
    found = clocks(facts, at=0, by=by)
    assert [moment.level.number for moment in moments(by, found, (), ())] == [1, 2, 3]
    assert [m.level.number for m in moments(by, found, (), {("resolution", 1, "80%")})] == [2, 3]
    done = clocks(changed(facts, owner=1, state=TicketState.CLOSED, now=later(60)), at=60, by=by)
    assert moments(by, done, (), ()) == []


def test_levels_after_the_target_wait_while_the_ticket_is_paused():
    by = policy(level("+2h"))
    pause = Pause(later(8.5 * 3600), None, "pending")
    found = clocks(Facts(NOW), pause, at=20 * 3600, by=by)
    assert moments(by, found, [pause], ()) == []
    ended = Pause(pause.begin, later(20 * 3600), "pending")
    [moment] = moments(by, clocks(Facts(NOW), ended, at=20 * 3600, by=by), [ended], ())
    assert moment.at == later(20 * 3600 + 1.5 * 3600)


def test_the_first_policy_that_fits_is_chosen_and_the_default_only_where_none_does():
    plain, gold = policy(name="plain"), policy(name="gold", when={"tier": "gold"})
    phone = policy(name="phone", when={"tier": "gold", "channel": "phone"})
    assert choose([plain, phone, gold], {"tier": "gold", "channel": "email"}) is gold
    assert choose([plain, phone, gold], {"tier": "gold", "channel": "phone"}) is phone
    assert choose([plain, phone, gold], {"tier": None}) is plain
    assert choose([gold], {"tier": None}) is None


def test_an_escalation_never_makes_anything_less_urgent():
    assert raised(Priority.URGENT, Priority.HIGH) is Priority.URGENT
    assert raised(Priority.LOW, Priority.HIGH) is Priority.HIGH


# -- what holds whatever happens

spans = st.lists(st.integers(0, 20_000), max_size=8, unique=True).map(sorted)
calendars = st.sampled_from([Calendar(), OFFICE])


def ledger_of(times: list[int]) -> list[Pause]:
    """Pauses between every second pair of moments; an odd one out goes on."""
    ends: list[Any] = [later(at) for at in times] + [None] * (len(times) % 2)
    return [Pause(begin, end, "pending") for begin, end in zip(ends[::2], ends[1::2], strict=True)]


@given(calendars, spans, st.integers(1, 20_000))
def test_a_deadline_is_when_the_time_outside_of_pauses_is_used_up(calendar, times, seconds):
    pauses, amount = ledger_of(times), timedelta(seconds=seconds)
    due = reached(calendar, NOW, amount, pauses)
    if due is not None:
        assert used(calendar, NOW, due, pauses) == amount
    else:
        assert used(calendar, NOW, pauses[-1].begin, pauses) < amount


@given(calendars, st.integers(0, 20_000), st.integers(0, 20_000))
def test_pause_and_resume_cancel(calendar, begin, seconds):
    amount = timedelta(seconds=seconds)
    plain = reached(calendar, NOW, amount, [])
    at_once = [Pause(later(begin), later(begin), "pending")]
    assert reached(calendar, NOW, amount, at_once) == plain


@given(calendars, spans, spans)
def test_a_longer_pause_is_never_an_earlier_deadline(calendar, times, more):
    pauses = [pause for pause in ledger_of(times) if pause.end is not None]
    longer = pauses + [pause for pause in ledger_of([50_000 + at for at in more]) if pause.end is not None]
    due, later_due = (reached(calendar, NOW, 9 * HOUR, ledger) for ledger in (pauses, longer))
    assert due is not None
    assert later_due is not None
    assert later_due >= due


@st.composite
def histories(draw):
    """Facts and a ledger as some hours of a ticket's life leave them."""
    facts, at = Facts(NOW), 0
    pauses: list[Pause] = []
    state = TicketState.NEW
    for verb in draw(st.lists(st.sampled_from(["own", "ask", "answer", *TicketState]), max_size=12)):
        at += draw(st.integers(1, 4000))
        now = later(at)
        if verb == "own":
            facts = changed(facts, owner=1, state=state, now=now)
        elif verb == "ask":
            facts = asked(facts, now)
        elif verb == "answer":
            facts = answered(facts, now)
        elif verb != state:
            if pauses and pauses[-1].end is None:
                pauses[-1] = Pause(pauses[-1].begin, now, pauses[-1].reason)
            state = TicketState(verb)
            if state not in (TicketState.NEW, TicketState.OPEN):
                pauses.append(Pause(now, None, state))
            facts = changed(facts, owner=None, state=state, now=now)
    return facts, pauses, at


@given(histories(), calendars, st.integers(0, 50_000))
def test_recomputing_changes_nothing_and_tells_nothing(history, calendar, after):
    facts, pauses, at = history
    by, now = policy(calendar=calendar), later(at + after)
    once = recompute(by, facts, pauses, {}, now)
    assert recompute(by, facts, pauses, once, now) == once
    assert list(told(once, once)) == []


@given(histories(), calendars)
def test_what_runs_is_due_later_and_what_is_over_has_its_end(history, calendar):
    facts, pauses, at = history
    found: Any = recompute(policy(calendar=calendar), facts, pauses, {}, later(at))
    for clock in found.values():
        match clock.state:
            case ClockState.RUNNING:
                assert clock.due_at > later(at)
                assert clock.ended_at is None
            case ClockState.PAUSED:
                assert clock.due_at is None
                assert clock.remaining > timedelta()
            case ClockState.MET:
                assert clock.difference > timedelta()
                assert clock.met_at == clock.ended_at
            case ClockState.BREACHED:
                assert clock.breached_at <= later(at)
                assert clock.met_at is None or clock.difference <= timedelta()
            case ClockState.VOID:
                assert clock.ended_at is not None
