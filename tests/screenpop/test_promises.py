"""What tickets owe, on the glass: countdowns, notices of escalations, the wall's counts."""

from typing import Any, cast

import pytest

from callcenter import toml
from callcenter.actions import organisation, sla, tickets
from callcenter.domain.organisation_file import understand
from screenpop.i18n import load_languages
from screenpop.promise import OwedClock, promise_view
from screenpop.regions import stale
from tests.builders import NOW, later, make_customer
from tests.screenpop.conftest import House, frame, read_up
from tests.screenpop.test_regions import event

POLICY = """
[[sla_policies]]
name = "all"
resolution = "1h"
escalations = [{ clock = "resolution", at = "+0m", actions = [{ notify = "owner" }, { notify = "role:supervisor" }] }]
"""


def owed(**changes: Any) -> OwedClock:
    given: dict[str, Any] = {"clock": "resolution", "state": "running", "breached_at": None, "remaining_seconds": None}
    given |= {"due_at": later(600).isoformat(), "risk_at": later(300).isoformat(), **changes}
    return cast("OwedClock", given)


@pytest.mark.parametrize(
    ("at", "state", "words"), [(0, "running", "Solution: due"), (300, "risk", "due"), (600, "breached", "was due")]
)
def test_a_promise_says_how_urgent_it_is(at, state, words):
    view = promise_view([owed()], load_languages()["en"], now=later(at), zone=NOW.tzinfo)  # type: ignore[arg-type]
    assert view is not None
    assert (view.state, view.due) == (state, int(later(600).timestamp() * 1000))
    assert words in view.title


def test_the_most_urgent_clock_is_shown_and_a_paused_one_says_what_is_left():
    paused = owed(clock="own", state="paused", due_at=None, risk_at=None, remaining_seconds=90.0)
    sooner = owed(clock="first_response", due_at=later(60).isoformat())
    english = load_languages()["en"]
    view = promise_view([paused, owed(), sooner], english, now=NOW, zone=NOW.tzinfo)  # type: ignore[arg-type]
    assert view is not None
    assert view.name == "First answer"
    view = promise_view([paused], english, now=NOW, zone=NOW.tzinfo)  # type: ignore[arg-type]
    assert view is not None
    assert (view.state, view.left, view.title) == ("paused", "1:30", "Owner: paused, 1:30 left")
    assert promise_view([], english, now=NOW, zone=NOW.tzinfo) is None  # type: ignore[arg-type]


def test_an_escalation_makes_the_desks_of_all_who_are_told_stale_and_the_wall():
    moved = stale([event("ticket.escalated", ticket=1, agent=3, data={"owner": 3, "notified": [4, 5]})])
    assert moved.desks == {3, 4, 5}
    assert moved.wall
    assert stale([event("sla.breached", ticket=1, agent=3)]).wall


async def late_ticket(house: House) -> int:
    """Amy's, whose hour is over."""
    file = understand(toml.parse(POLICY, "org.toml"), {})
    await organisation.apply(house.log, file, prune=False, actor=None, now=NOW)
    await house.directory.load()
    ticket = await tickets.open_ticket(
        house.log, subject="No <b>hot</b> water", customer=await make_customer(house.pool), interaction=None,
        queue=None, priority="normal", text=None, actor=None, owner=house.users["amy"], now=later(-3600),
    )  # fmt: skip
    await sla.sweep(house.log, house.directory, now=NOW)
    return ticket.id


async def test_whoever_is_to_know_finds_the_notice_on_the_desk_until_it_is_seen(house: House):
    await house.sign_in("amy")
    desk = await house.desk("amy")
    await late_ticket(house)
    assert (await frame(desk, "hint"))["regions"] == ["desk"]
    page = await (await house.client.get("/desk")).text()
    assert "Escalations" in page
    assert "No &lt;b&gt;hot&lt;/b&gt; water" in page
    assert f'data-due="{int(NOW.timestamp() * 1000)}"' in page
    assert "is-breached" in page
    notice = await house.pool.fetchval("select id from notice where user_id = $1", house.users["amy"])
    page = await (await house.act("amy", f"/desk/notices/{notice}/seen")).text()
    assert "Escalations" not in page
    await desk.close()


async def test_a_notice_of_somebody_else_is_none_of_mine(house: House):
    await late_ticket(house)
    await house.sign_in("bo")
    assert "Escalations" not in await (await house.client.get("/desk")).text()
    notice = await house.pool.fetchval("select id from notice where user_id = $1", house.users["amy"])
    assert (await house.act("bo", f"/desk/notices/{notice}/seen")).status == 404
    assert (await house.act("bo", "/wall/notices/seen")).status == 403


async def test_the_wall_counts_what_is_late_and_shows_supervisors_their_notices(house: House):
    await late_ticket(house)
    await read_up(house)
    await house.sign_in("sue")
    page = await (await house.client.get("/wall")).text()
    assert "1 ticket late" in page
    assert "Escalations" in page
    page = await (await house.act("sue", "/wall/notices/seen")).text()
    assert "Escalations" not in page
    assert "1 ticket late" in page


async def test_each_queue_on_the_wall_counts_down_to_the_promise_that_runs_out_first(house: House):
    await late_ticket(house)
    opened = {}
    for minutes in (10, 40, 90):
        ticket = await tickets.open_ticket(
            house.log, subject="No hot water", customer=None, interaction=None, queue=house.queue, priority="normal",
            text=None, actor=None, now=later(-60 * minutes),
        )  # fmt: skip
        opened[minutes] = ticket.id
    await sla.sweep(house.log, house.directory, now=NOW)
    await read_up(house)
    await house.sign_in("sue")
    page = await (await house.client.get("/wall")).text()
    assert page.count('class="tile-promise"') == 1
    assert f'href="/tickets/{opened[40]}" aria-label="Next promise: ticket {opened[40]}"' in page
    assert f'data-due="{int(later(20 * 60).timestamp() * 1000)}"' in page


async def test_a_customers_card_shows_what_is_owed_and_the_pop_says_it_to_programs(house: House):
    ticket = await late_ticket(house)
    await house.sign_in("bo")
    customer = await house.pool.fetchval("select customer_id from ticket where id = $1", ticket)
    page = await (await house.client.get(f"/desk?customer={customer}")).text()
    assert page.count('class="promise is-breached"') == 1
    assert "Solution" in page


async def test_a_follower_reads_what_happened_and_that_nothing_is_late(house: House):
    ticket = await tickets.open_ticket(
        house.log, subject="No hot water", customer=None, interaction=None, queue=None, priority="normal", text=None,
        actor=None, now=NOW, more={"followers": [house.users["amy"]]},
    )  # fmt: skip
    await house.sign_in("amy")
    desk = await house.desk("amy")
    changes = {"state": "resolved"}
    await tickets.change(house.log, ticket.id, changes=changes, version=None, actor=house.users["bo"], now=NOW)
    assert (await frame(desk, "hint"))["regions"] == ["desk"]
    page = await (await house.client.get("/desk")).text()
    assert "No hot water" in page
    assert '<span class="promise-name">resolved</span>' in page
    assert "Escalations" not in page
    await desk.close()
