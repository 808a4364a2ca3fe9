"""How fast mail comes in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from callcenter.domain.events import Event
from channels.email.pace import GAP, LATE, LONGEST_GAP, RINGS_FOR, Pace

_CALL = Event(
    seq=1, xid=1, epoch=1, at=datetime(2026, 3, 10, tzinfo=UTC), kind="interaction.arrived", interaction=1,
    customer=None, agent=None, queue=None, ticket=None, actor=None, version=1, data={"channel": "phone"},
)  # fmt: skip


def test_mail_waits_for_nothing_while_no_phone_rings() -> None:
    pace = Pace()
    pace.begin(10.0, late=0.0)
    pace.note([replace(_CALL, data={"channel": "email"})], now=10.0)
    assert pace.delay(10.0) == 0.0


def test_while_the_phone_rings_messages_come_one_after_the_other() -> None:
    pace = Pace()
    pace.note([_CALL], now=10.0)
    assert pace.delay(10.0) == 0.0
    pace.begin(10.0, late=0.0)
    assert pace.delay(10.0) == pytest.approx(GAP)
    assert pace.delay(10.0 + GAP) == 0.0


def test_after_the_last_call_mail_is_free_again() -> None:
    pace = Pace()
    pace.note([_CALL], now=10.0)
    pace.begin(10.0 + RINGS_FOR, late=0.0)
    assert pace.delay(10.0 + RINGS_FOR) == 0.0


def test_a_process_that_comes_too_late_takes_less_mail_and_then_more_again() -> None:
    pace = Pace()
    for _ in range(10):
        pace.begin(10.0, late=2 * LATE)
    assert pace.gap == LONGEST_GAP
    for _ in range(50):
        pace.begin(10.0, late=0.0)
    assert pace.gap == GAP


async def test_those_who_wait_are_let_in_one_by_one() -> None:
    pace = Pace()
    for _ in range(3):
        await pace.turn()
    assert pace.delay(0.0) == 0.0
