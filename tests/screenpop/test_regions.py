"""Which events make which regions stale."""

from datetime import UTC, datetime

import pytest

from callcenter.domain.events import Event
from screenpop.regions import stale

NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


def event(kind: str, **fields: object) -> Event:
    ids = dict.fromkeys(("interaction", "customer", "agent", "queue", "ticket", "actor"))
    given = {"seq": 1, "xid": 1, "epoch": 1, "at": NOW, "kind": kind, "version": 1, "data": {}, **ids, **fields}
    return Event(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind", ["interaction.reserved", "interaction.ended", "reservation.timed_out", "agent.status", "agent.presence"]
)
def test_what_happens_to_an_agents_work_makes_that_desk_stale_and_no_other(kind: str):
    moved = stale([event(kind, agent=3, interaction=7)])
    assert moved.desks == {3}
    assert moved.wall


@pytest.mark.parametrize("kind", ["interaction.queued", "interaction.reserved", "interaction.abandoned"])
def test_waiting_work_that_moves_makes_its_queue_stale(kind: str):
    assert stale([event(kind, queue=2, interaction=7)]).queues == {2}


def test_a_draft_or_a_hold_leaves_the_queue_alone():
    assert not stale([event("interaction.held", queue=2, agent=3, interaction=7)]).queues


def test_a_desk_that_opens_does_not_refresh_itself():
    moved = stale([event("agent.desk", agent=3)])
    assert not moved.desks
    assert moved.wall


def test_a_ticket_makes_the_desks_of_its_owner_and_of_who_touched_it_stale():
    assert stale([event("ticket.opened", ticket=1, actor=3, data={"owner": 4})]).desks == {3, 4}


def test_who_gave_a_ticket_away_and_who_has_it_now_are_both_told():
    moved = stale([event("ticket.changed", ticket=1, agent=4, actor=5, data={"owner": 4, "before_owner": 3})])
    assert moved.desks == {3, 4, 5}


def test_a_language_that_somebody_chose_concerns_nobody_else():
    moved = stale([event("organisation.user_changed", agent=3, actor=3)])
    assert moved.desks == {3}
    assert not moved.everything


def test_a_new_organisation_makes_everything_stale():
    assert stale([event("organisation.applied")]).everything


def test_batches_add_up():
    one, two = stale([event("agent.status", agent=3)]), stale([event("interaction.queued", queue=2)])
    both = one | two
    assert both.desks == {3}
    assert both.queues == {2}
    assert both.wall
    assert not stale([event("node.started")])
