"""What waits are expected on every node, from what the last hour was like, and how far off it was."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, Proposal, ReservationState
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from routing import snapshot
from routing.leadership import Leadership
from routing.state import RouterState
from routing.waits import Waits
from tests.builders import NOW, Floor, arrive, ident_of, later, make_floor, on_queue, reserve


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Office:
    """One node: what it expects, and how wrong it was."""

    floor: Floor
    waits: Waits
    leadership: Leadership
    state: RouterState
    clock: Clock
    missed_by: list[tuple[str, float]] = field(default_factory=list)


async def an_office(pool: Pool, *, leads: bool = True) -> Office:
    floor = await make_floor(pool)
    directory = Directory(pool)
    await directory.load()
    leadership = Leadership("", node=floor.node)
    leadership.leads = leads
    state = await snapshot.load(pool, require_console=True, day_began=NOW)
    clock, missed_by = Clock(NOW), list[tuple[str, float]]()
    waits = Waits(
        pool,
        directory,
        leadership,
        state=lambda: state,
        clock=clock,
        missed_by=lambda channel, seconds: missed_by.append((channel, seconds)),
    )

    def apply(events: Sequence[Event]) -> None:
        for event in events:
            state.apply(event)

    floor.log.listen(apply)
    floor.log.listen(waits.committed)
    return Office(floor, waits, leadership, state, clock, missed_by)


async def history(pool: Pool, queue: int, *contacts: tuple[str, float, float, float]) -> None:
    """Contacts by channel, waited, handled, and how long ago they closed (seconds)."""
    for channel, waited, handled, ago in contacts:
        closed = later(-ago)
        await pool.execute(
            """insert into interaction (
                   channel, state, outcome, queue_id, arrived_at, queued_at, answered_at, closed_at)
               values ($1, 'closed', 'handled', $2, $3, $3, $4, $5)""",
            channel,
            queue,
            later(-handled - waited, closed),
            later(-handled, closed),
            closed,
        )


async def test_a_queues_pace_is_that_of_what_closed_in_the_last_hour(pool: Pool) -> None:
    office = await an_office(pool)
    queue = office.floor.queue
    await history(pool, queue, ("phone", 10, 60, 5), ("phone", 30, 120, 3000), ("email", 500, 600, 100))
    await history(pool, queue, ("phone", 900, 9000, 3700), ("phone", 900, 9000, -10))
    await office.waits.refresh()
    await reserve(office.floor.log, await arrive(office.floor.log, queue=queue), office.floor.agent)
    waiting = await arrive(office.floor.log, queue=queue)
    assert office.waits.for_next(queue) == 90 * 2
    told = office.waits.of(waiting)
    assert told is not None
    assert (told.position, told.expected_seconds, told.told_seconds) == (1, 90, 90)
    assert (told.median_seconds, told.p80_seconds) == (20, 26)
    mail = Arrival(Channel.EMAIL, "mail/1", None, None)
    slow = await interactions.arrive(office.floor.log, mail, queue=queue, queued=True, node=None, now=NOW)
    told = office.waits.of(ident_of(slow))
    assert told is not None
    assert (told.position, told.expected_seconds) == (1, 600)
    assert (told.median_seconds, told.p80_seconds) == (500, 500)
    # Of a queue as a whole the slowest of those where somebody waits at the other end: not the mail.
    assert office.waits.for_next(queue, Channel.EMAIL) == 600 * 2
    assert office.waits.for_next(queue) == 90 * 2
    for number in range(5):
        chat = Arrival(Channel.CHAT, f"chat/{number}", None, None)
        await interactions.arrive(office.floor.log, chat, queue=queue, queued=True, node=None, now=NOW)
    assert office.waits.for_next(queue) == 90 * 2  # four chats at once, at the organisation's 90 seconds
    assert office.waits.for_next(queue, Channel.CHAT) == 90 * 6 / 4
    await history(pool, queue, ("chat", 10, 300, 5))
    await office.waits.refresh()
    assert office.waits.for_next(queue) == 300 * 6 / 4


async def test_where_only_mail_waits_the_wait_is_that_of_one_who_calls(pool: Pool) -> None:
    office = await an_office(pool)
    queue = office.floor.queue
    await history(pool, queue, ("phone", 10, 60, 5), ("email", 500, 600, 100))
    await office.waits.refresh()
    await reserve(office.floor.log, await arrive(office.floor.log, queue=queue), office.floor.agent)
    mail = Arrival(Channel.EMAIL, "mail/1", None, None)
    await interactions.arrive(office.floor.log, mail, queue=queue, queued=True, node=None, now=NOW)
    assert office.waits.for_next(queue) == 60


async def test_without_history_the_organisations_word_counts_and_without_agents_nothing_is_said(pool: Pool) -> None:
    await pool.execute("update organisation set default_handling = interval '2 minutes'")
    office = await an_office(pool)
    await office.waits.refresh()
    queue = office.floor.queue
    await reserve(office.floor.log, await arrive(office.floor.log, queue=queue), office.floor.agent)
    assert office.waits.for_next(queue) == 120
    agent = office.state.agents[office.floor.agent]
    office.state.put_agent(replace(agent, presence="break", version=99))
    assert office.waits.for_next(queue) is None
    assert office.waits.for_next(4711) is None
    assert office.waits.of(4711) is None


async def test_a_standby_knows_what_the_leader_measured(pool: Pool) -> None:
    leader = await an_office(pool)
    queue = leader.floor.queue
    await history(pool, queue, ("phone", 10, 45, 5))
    await leader.waits.refresh()
    leader.leadership.leads = False
    leader.waits._paces = {}
    await leader.waits.refresh()
    assert leader.waits.handling(queue, "phone") == 45


async def test_how_wrong_an_estimate_was_is_counted_once_and_by_the_leader(pool: Pool) -> None:
    office = await an_office(pool)
    log, agent = office.floor.log, office.floor.agent
    for leads, expected in ((True, [("phone", 0.0), ("phone", 50.0)]), (False, [("phone", 0.0), ("phone", 50.0)])):
        office.leadership.leads = leads
        busy = await arrive(log, queue=office.floor.queue)
        first = await reserve(log, busy, agent)
        await interactions.answer(log, first, now=NOW)
        ident = await arrive(log, queue=office.floor.queue)
        assert office.waits.told(ident) == 90
        await interactions.end_interaction(log, busy, cause="", now=later(30))
        await interactions.wrap_up(log, first, queue=None, disposition=None, note=None, now=later(35))
        second = await reserve(log, ident, agent, now=later(36))
        events = await interactions.answer(log, second, now=later(40))
        office.waits.note(events)  # the feed tells it again
        assert office.missed_by == expected
        assert office.waits.told(ident) is None
        await interactions.end_interaction(log, ident, cause="", now=later(50))
        await interactions.wrap_up(log, second, queue=None, disposition=None, note=None, now=later(55))
        await on_queue(log, agent)


async def test_an_offer_that_comes_back_leaves_what_was_told(pool: Pool) -> None:
    office = await an_office(pool)
    log = office.floor.log
    ident = await arrive(log, queue=office.floor.queue)
    assert office.waits.told(ident) == 0
    offer = await reserve(log, ident, office.floor.agent)
    await interactions.return_to_queue(log, offer, state=ReservationState.TIMED_OUT, reason="timed_out", now=later(20))
    assert office.waits.told(ident) == 0
    told = office.waits.of(ident)
    assert told is not None
    assert told.expected_seconds is None  # the only agent does not respond


async def test_a_call_that_is_offered_as_it_arrives_was_expected_not_to_wait(pool: Pool) -> None:
    office = await an_office(pool)
    log, agent = office.floor.log, office.floor.agent
    arrival = Arrival(Channel.PHONE, "default/1.0", "phone", "+8613800138000")
    version = office.state.agents[agent].version
    proposal = Proposal(office.floor.queue, agent, version, "longest_idle", {})
    events = await interactions.arrive(
        log, arrival, queue=office.floor.queue, queued=True, node=None, now=NOW, proposal=proposal
    )
    reserved = next(event for event in events if event.kind == "interaction.reserved")
    assert office.waits.told(ident_of(events)) == 0
    await interactions.answer(log, reserved.data["reservation"], now=later(3))
    office.waits.note(events)
    assert (office.missed_by, office.waits.told(ident_of(events))) == ([("phone", 3.0)], None)


async def test_the_error_of_a_callback_counts_from_when_it_is_due_and_waits_for_an_agent(pool: Pool) -> None:
    office = await an_office(pool)
    log, agent, queue = office.floor.log, office.floor.agent, office.floor.queue
    # In the place of a call that came an hour before.
    given = (None, None, "+8613800138000", None, None, queue, later(-3600), None, None, 1, None, None, None)
    ident = ident_of(await log.write("ask_callback", *given, NOW))
    assert office.waits.told(ident) == 0
    # Outside the hours it is put off, and has its old place when its time comes.
    await log.write("put_off", ident, later(600), later(5))
    assert office.waits.told(ident) is None
    office.clock.now = later(600)
    due = await log.write("queue_callback", ident, later(600))
    assert due[0].data["queued_at"] == later(-3600).isoformat()
    assert office.waits.told(ident) == 0
    reservation = await reserve(log, ident, agent, now=later(605))
    await interactions.answer(log, reservation, now=later(612))
    assert office.missed_by == [("callback", 12.0)]


async def test_a_queue_promises_nothing_for_the_time_that_was_spent_in_another(pool: Pool) -> None:
    office = await an_office(pool)  # within 20 seconds
    came = [
        (-100, -30, -20),  # answered after ten seconds here
        (-60, None, -30),
        (-60, -5, None),
        (-60, -25, None),
    ]
    for queued, entered, answered in came:
        await pool.execute(
            """insert into interaction (channel, state, queue_id, arrived_at, queued_at, entered_at, answered_at)
               values ('phone', $1, $2, $3, $3, $4, $5)""",
            "queued" if answered is None else "active",
            office.floor.queue,
            *(second and later(second) for second in (queued, entered, answered)),
        )
    await office.waits.refresh()
    assert office.waits.held == {office.floor.queue: pytest.approx(1 / 3)}
