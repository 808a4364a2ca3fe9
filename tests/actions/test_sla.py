"""Promises kept and broken: what the actions on a ticket do to its clocks, and what the sweep makes of them."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import interactions, organisation, sla, tickets
from callcenter.domain.interaction import Arrival, Channel
from callcenter.domain.organisation_file import understand
from callcenter.store import sla as store
from callcenter.store import tickets as ticket_store
from callcenter.store.directory import Directory
from tests.builders import arrive, ident_of, later, on_queue, reserve

HOUR = 3600
KINDS = ("sla.breached", "ticket.escalated")
PEOPLE = """
[organisation]
timezone = "Asia/Shanghai"
[[users]]
name = "ada"
full_name = "Ada"
role = "administrator"
[[users]]
name = "sue"
full_name = "Sue"
role = "supervisor"
manager = "ada"
[[users]]
name = "amy"
full_name = "Amy"
role = "agent"
endpoint = "PJSIP/1001"
manager = "sue"
[[users]]
name = "bo"
full_name = "Bo"
role = "agent"
endpoint = "PJSIP/1002"
manager = "sue"
[[queues]]
name = "support"
members = ["amy", "bo"]
[[queues]]
name = "tier2"
members = ["bo"]
"""
POLICIES = """
[[sla_policies]]
name = "urgent"
when = { priority = "urgent" }
resolution = "2h"
[[sla_policies]]
name = "all"
own = "10m"
first_response = "30m"
next_response = "1h"
resolution = "8h"
escalations = [
  { clock = "own", at = "+0m", actions = [{ notify = "role:supervisor" }] },
  { clock = "resolution", at = "80%", actions = [{ notify = "owner" }] },
  { clock = "resolution", at = "+0m", actions = [{ notify = "manager" }, { priority = "high" }] },
  { clock = "resolution", at = "+2h", actions = [{ reassign = "queue:tier2" }] },
]
"""


class Desk:
    """The actions and the sweep, with what they say of promises."""

    def __init__(self, log, directory) -> None:
        self.log = log
        self.directory = directory
        self.said: list[Any] = []
        log.listen(self.said.extend)

    async def apply(self, text: str, at: float = 0) -> None:
        file = understand(toml.parse(text, "org.toml"), {})
        await organisation.apply(self.log, file, prune=False, actor=None, now=later(at))
        await self.directory.load()

    def user(self, name: str) -> int:
        return int(self.directory.user_named(name).id)

    async def open(self, at: float = 0, **more: Any):
        given: dict[str, Any] = {"subject": "No hot water", "customer": None, "interaction": None, "queue": None}
        given |= {"priority": "normal", "text": None, "actor": None, "now": later(at)}
        return await tickets.open_ticket(self.log, **{**given, **more})

    async def change(self, ticket, at: float, **changes: Any):
        return await tickets.change(self.log, ticket.id, changes=changes, version=None, actor=None, now=later(at))

    async def reply(self, ticket, at: float, *, by: str | None = "amy", public: bool = True):
        actor = None if by is None else self.user(by)
        return await tickets.reply(self.log, ticket.id, text="Dear…", public=public, actor=actor, now=later(at))

    async def write_in(self, ticket, at: float):
        """The customer writes a mail, which is linked to the ticket."""
        arrival = Arrival(Channel.EMAIL, f"mail-{at}", "email", "a@example.com")
        events = await interactions.arrive(self.log, arrival, queue=None, queued=False, node=None, now=later(at))
        return await tickets.link(self.log, ticket.id, interaction=ident_of(events), actor=None, now=later(at + 5))

    async def sweep(self, at: float) -> int:
        return await sla.sweep(self.log, self.directory, now=later(at))

    async def clocks(self, ticket) -> dict[str, Any]:
        found = await store.clocks_of(self.log.pool, [ticket.id])
        return {clock.clock.value: clock for clock in found.get(ticket.id, [])}

    async def states(self, ticket) -> dict[str, str]:
        return {name: clock.state.value for name, clock in (await self.clocks(ticket)).items()}

    def told(self, *nouns: str) -> list[tuple[str, Any]]:
        return [
            (event.kind, event.data.get("at") or event.data["clock"])
            for event in self.said
            if event.noun == "sla" or event.kind == "ticket.escalated"
        ]

    async def notices(self, name: str) -> list[str]:
        rows = await self.log.pool.fetch("select clock from notice where user_id = $1 order by id", self.user(name))
        return [row["clock"] for row in rows]


@pytest.fixture
async def desk(log, pool) -> Desk:
    found = Desk(log, Directory(pool))
    await found.apply(PEOPLE + POLICIES)
    return found


async def test_a_new_ticket_has_the_clocks_of_its_policy_and_nothing_fires_at_once(desk: Desk):
    ticket = await desk.open()
    assert await desk.states(ticket) == {"own": "running", "first_response": "running", "resolution": "running"}
    assert (await desk.clocks(ticket))["resolution"].due_at == later(8 * HOUR)
    assert await desk.sweep(1) == 0
    assert desk.told() == []


async def test_an_owner_and_an_answer_in_time_are_met_with_what_was_left(desk: Desk):
    ticket = await desk.open()
    await desk.change(ticket, 60, owner=desk.user("amy"))
    await desk.reply(ticket, 120)
    clocks = await desk.clocks(ticket)
    assert (clocks["own"].state, clocks["own"].difference) == ("met", timedelta(minutes=9))
    assert (clocks["first_response"].state, clocks["first_response"].met_at) == ("met", later(120))
    assert desk.told() == [("sla.met", "own"), ("sla.met", "first_response")]


async def test_notes_and_automatic_replies_stop_no_clock(desk: Desk):
    ticket = await desk.open()
    await desk.reply(ticket, 60, public=False)
    await desk.reply(ticket, 90, by=None)
    assert (await desk.states(ticket))["first_response"] == "running"


async def test_a_customer_who_writes_again_does_not_move_their_own_deadline(desk: Desk):
    ticket = await desk.open()
    await desk.write_in(ticket, 30)
    assert "next_response" not in await desk.states(ticket)
    await desk.reply(ticket, 60)
    await desk.write_in(ticket, 100)
    await desk.write_in(ticket, 2000)
    assert (await desk.clocks(ticket))["next_response"].due_at == later(100 + HOUR)
    await desk.reply(ticket, 3000)
    assert (await desk.clocks(ticket))["next_response"].state == "met"
    await desk.write_in(ticket, 4000)
    clock = (await desk.clocks(ticket))["next_response"]
    assert (clock.state, clock.round, clock.due_at) == ("running", 2, later(4000 + HOUR))


async def test_a_ticket_from_a_conversation_owes_no_first_answer(desk: Desk):
    await on_queue(desk.log, desk.user("amy"))
    call = await arrive(desk.log, queue=desk.directory.queue_named("support").id)
    reservation = await reserve(desk.log, call, desk.user("amy"))
    await interactions.answer(desk.log, reservation, now=later(5))
    ticket = await desk.open(60, interaction=call, owner=desk.user("amy"))
    assert await desk.states(ticket) == {"own": "met", "first_response": "met", "resolution": "running"}


async def test_waiting_for_the_customer_pauses_and_a_third_party_does_not_unless_the_policy_says_so(desk: Desk):
    ticket = await desk.open()
    await desk.change(ticket, 300, state="pending")
    assert set((await desk.states(ticket)).values()) == {"paused"}
    assert await desk.sweep(99_999) == 0
    await desk.change(ticket, 300 + HOUR, state="open")
    assert (await desk.clocks(ticket))["resolution"].due_at == later(9 * HOUR)
    await desk.change(ticket, 400 + HOUR, state="on_hold")
    assert (await desk.states(ticket))["resolution"] == "running"
    kinds = Counter(kind for kind, _ in desk.told())
    assert kinds == {"sla.paused": 3, "sla.resumed": 3}
    await desk.apply(POLICIES.replace('own = "10m"', 'own = "10m"\npauses = ["pending", "on_hold"]'), 500 + HOUR)
    assert await desk.sweep(600 + HOUR) == 1
    clock = (await desk.clocks(ticket))["resolution"]
    assert (clock.state, clock.remaining) == ("paused", timedelta(hours=8, seconds=-400))


async def test_what_the_customer_writes_ends_the_waiting_for_them(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.reply(ticket, 60)
    await desk.change(ticket, 60, state="pending")
    linked = await desk.write_in(ticket, 1000)
    assert linked.state == "open"
    assert (await desk.states(ticket))["resolution"] == "running"


async def test_a_resolved_ticket_is_met_and_a_reopened_one_goes_on_with_the_time_it_had_left(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.change(ticket, 1200, state="resolved")
    clocks = await desk.clocks(ticket)
    assert (clocks["resolution"].state, clocks["resolution"].difference) == ("met", timedelta(hours=8, minutes=-20))
    assert clocks["first_response"].state == "void"
    await desk.change(ticket, 2 * HOUR, state="closed")
    assert await desk.sweep(99 * HOUR) == 0
    await desk.change(ticket, 100 * HOUR, state="open")
    assert (await desk.clocks(ticket))["resolution"].due_at == later(108 * HOUR - 1200)


async def test_another_priority_is_another_promise_from_the_creation_on(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.change(ticket, 300, priority="urgent")
    clocks = await desk.clocks(ticket)
    assert clocks["resolution"].due_at == later(2 * HOUR)
    assert clocks["first_response"].state == "void"
    assert clocks["own"].state == "met"


async def test_levels_fire_in_order_once_each_and_say_who_was_told(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.reply(ticket, 60)
    assert await desk.sweep(6.4 * HOUR - 1) == 0
    assert await desk.sweep(6.4 * HOUR) == 1
    assert await desk.sweep(6.4 * HOUR + 1) == 0
    assert await desk.notices("amy") == ["resolution"]
    await desk.sweep(8 * HOUR)
    after = await ticket_store.get(desk.log.pool, ticket.id)
    assert (after.priority, after.owner) == ("high", desk.user("amy"))
    assert await desk.notices("sue") == ["resolution"]
    await desk.sweep(10 * HOUR)
    after = await ticket_store.get(desk.log.pool, ticket.id)
    assert (after.owner, after.queue) == (None, desk.directory.queue_named("tier2").id)
    assert desk.told()[2:] == [
        ("sla.warned", "80%"),
        ("ticket.escalated", "80%"),
        ("sla.breached", "resolution"),
        ("ticket.escalated", "+0m"),
        ("ticket.escalated", "+2h"),
    ]
    assert await desk.sweep(99 * HOUR) == 0
    escalated = [event for event in desk.said if event.kind == "ticket.escalated"]
    assert [event.version for event in escalated] == [2, 3, 4]
    assert escalated[1].data["actions"] == [{"notify": "manager"}, {"priority": "high"}]
    assert escalated[1].data["notified"] == [desk.user("sue")]
    assert (escalated[1].data["clock"], escalated[1].data["level"]) == ("resolution", 2)
    assert (escalated[2].data["before_owner"], escalated[2].data["changed"]) == (desk.user("amy"), ["queue", "owner"])


async def test_after_a_weekend_off_every_missed_level_fires_once_in_order_marked_late(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.reply(ticket, 60)
    assert await desk.sweep(60 * HOUR) == 1
    said = [event for event in desk.said if event.data.get("late") is not None]
    assert [(event.kind, event.data.get("at")) for event in said] == [
        ("sla.warned", "80%"),
        ("ticket.escalated", "80%"),
        ("sla.breached", None),
        ("ticket.escalated", "+0m"),
        ("ticket.escalated", "+2h"),
    ]
    assert all(event.data["late"] for event in said)
    assert (await desk.clocks(ticket))["resolution"].breached_at == later(8 * HOUR)
    assert await desk.sweep(61 * HOUR) == 0


async def test_a_clock_that_is_set_back_fires_nothing_twice(desk: Desk):
    ticket = await desk.open()
    await desk.sweep(600)
    assert desk.told() == [("sla.breached", "own"), ("ticket.escalated", "+0m")]
    for at in (300, 599, 600, 601):
        await desk.reply(ticket, at, public=False)
        await desk.sweep(at)
    assert len(desk.told()) == 2
    assert (await desk.states(ticket))["own"] == "breached"


async def test_three_sweeps_at_once_escalate_each_ticket_exactly_once(desk: Desk):
    opened = [await desk.open() for _ in range(30)]

    async def keep_sweeping() -> None:
        for _ in range(12):
            await sla.sweep(desk.log, desk.directory, now=later(600), limit=7)

    await asyncio.gather(*[keep_sweeping() for _ in range(3)])
    while await desk.sweep(600):
        pass
    fired = Counter((event.kind, event.ticket) for event in desk.said if event.kind in KINDS)
    assert fired == {(kind, ticket.id): 1 for ticket in opened for kind in KINDS}
    assert len(await desk.notices("sue")) == 30


async def test_a_sweep_passes_over_what_an_action_has_in_hand(desk: Desk):
    ticket = await desk.open()
    async with desk.log.transaction() as tx:
        await tx.lock_ticket(ticket.id)
        assert await desk.sweep(600) == 0
    assert await desk.sweep(600) == 1


async def test_an_answer_between_the_question_and_the_lock_is_seen(desk: Desk):
    ticket = await desk.open()
    await desk.change(ticket, 599, owner=desk.user("amy"))
    assert await desk.sweep(600) == 0
    assert (await desk.states(ticket))["own"] == "met"


async def test_where_nobody_is_supervisors_are_told_rather_than_nobody(desk: Desk):
    await desk.open()
    await desk.sweep(8 * HOUR)
    # own; then 80 % for an owner whom it has not, and the manager of nobody.
    assert await desk.notices("sue") == ["own", "resolution", "resolution"]


async def test_the_line_of_managers_is_climbed_and_who_has_left_is_passed_over(desk: Desk):
    levels = """escalations = [
  { clock = "resolution", at = "+0m", actions = [{ reassign = "manager" }] },
  { clock = "resolution", at = "+1h", actions = [{ notify = "manager" }] },
  { clock = "resolution", at = "+2h", actions = [{ notify = "manager:2" }] },
]"""
    await desk.apply(f'[[sla_policies]]\nname = "all"\nresolution = "8h"\n{levels}')
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.sweep(8 * HOUR)
    assert (await ticket_store.get(desk.log.pool, ticket.id)).owner == desk.user("sue")
    await desk.sweep(9 * HOUR)
    await desk.sweep(10 * HOUR)  # her line ends with ada
    assert await desk.notices("ada") == ["resolution", "resolution"]
    await desk.log.pool.execute("update users set active = false where name = 'sue'")
    await desk.directory.load()
    other = await desk.open(11 * HOUR, owner=desk.user("amy"))
    await desk.sweep(20 * HOUR)
    assert (await ticket_store.get(desk.log.pool, other.id)).owner == desk.user("ada")


async def test_an_escalation_that_changes_the_promise_works_out_the_clocks_anew(desk: Desk):
    levels = 'escalations = [{ clock = "own", at = "+0m", actions = [{ priority = "urgent" }] }]'
    text = f'[[sla_policies]]\nname = "all"\nown = "3h"\nresolution = "8h"\n{levels}\n'
    await desk.apply(text + '[[sla_policies]]\nname = "urgent"\nwhen = { priority = "urgent" }\nresolution = "2h"')
    ticket = await desk.open()
    await desk.sweep(3 * HOUR)
    assert await desk.states(ticket) == {"own": "void", "resolution": "breached"}
    assert [kind for kind, _ in desk.told()] == ["sla.breached", "ticket.escalated", "sla.breached"]


async def test_tickets_from_before_there_was_a_promise_are_not_escalated_for_the_past(desk: Desk, log, pool):
    await pool.execute("delete from sla_policy")
    old = await desk.open(owner=desk.user("amy"))
    assert await desk.states(old) == {}
    await desk.apply(POLICIES, 9 * HOUR)
    assert await desk.sweep(9 * HOUR) == 1
    assert (await desk.states(old))["resolution"] == "breached"
    assert await desk.notices("amy") == []
    await desk.sweep(10 * HOUR)
    assert [kind for kind, _ in desk.told()][-1] == "ticket.escalated"


async def test_a_promise_that_is_no_longer_made_is_void_and_no_ticket_stays_escalated(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.sweep(9 * HOUR)
    await desk.apply('[[sla_policies]]\nname = "all"\nfirst_response = "24h"', 9 * HOUR)
    await desk.sweep(9 * HOUR)
    assert await desk.states(ticket) == {"own": "met", "first_response": "running", "resolution": "void"}
    assert await desk.sweep(20 * HOUR) == 0


async def test_a_changed_calendar_moves_deadlines_and_keeps_the_pauses(desk: Desk):
    ticket = await desk.open(owner=desk.user("amy"))
    await desk.change(ticket, 300, state="pending")
    await desk.change(ticket, 900, state="open")
    weekly = '{ tue = ["09:00-18:00"], wed = ["09:00-18:00"] }'
    office = f'[[hours]]\nname = "office"\ntimezone = "Asia/Shanghai"\nweekly = {weekly}\n'
    await desk.apply(office + '[[sla_policies]]\nname = "all"\nhours = "office"\nresolution = "8h"', 1000)
    await desk.sweep(1000)
    # From 16:30 on Tuesday: an hour and a half, less ten minutes of pause, and the rest on Wednesday from 09:00.
    wednesday = datetime.fromisoformat("2026-03-11T09:00+08:00")
    assert (await desk.clocks(ticket))["resolution"].due_at == wednesday + timedelta(hours=6, minutes=40)
